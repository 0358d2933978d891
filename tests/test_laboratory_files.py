"""The file that carries a VAE into the laboratory in the browser and back."""

import json

import keras
import numpy as np
import pytest

from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.experiments.laboratory_file import load_from_browser, save_for_browser
from vae_lib.experiments.one_network import ConditionedVAE
from vae_lib.model import VAE
from vae_lib.posterior import POSTERIORS
from vae_lib.storage import StorageError


@pytest.fixture
def vae():
    keras.utils.set_random_seed(3)
    vae = VAE(latent_dim=3, hidden=(6, 5), beta=0.3)
    for part in (vae.encoder, vae.decoder):
        part.set_weights(
            [w + 0.1 for w in part.get_weights()]
        )  # biases, too, are not zero
    return vae


@pytest.fixture
def path(vae, tmp_path):
    save_for_browser(vae, tmp_path / "small.vae.json")
    return tmp_path / "small.vae.json"


def changed(path, change):
    """Write the file at `path` again after `change` has had its content; return the
    path.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_network_survives_its_file_bit_by_bit(vae, path):
    loaded = load_from_browser(path)
    assert loaded.settings == vae.settings and float(loaded.beta) == pytest.approx(0.3)
    for mine, theirs in zip(loaded.get_weights(), vae.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    images = load_mnist().test.images[:50]
    assert evaluate(loaded, images) == evaluate(vae, images)


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("hidden", [(), (4,)])
def test_every_map_and_the_linear_network_survive(tmp_path, posterior, hidden):
    vae = VAE(
        latent_dim=2,
        hidden=hidden,
        posterior=posterior,
        likelihood="gaussian",
        beta=0.0,
    )
    save_for_browser(vae, tmp_path / "one.vae.json")
    loaded = load_from_browser(tmp_path / "one.vae.json")
    assert loaded.get_config() | {"name": ""} == vae.get_config() | {"name": ""}


def test_a_loaded_network_can_be_trained_further(path):
    vae = load_from_browser(path)
    vae.compile(optimizer="adam")
    vae.fit(load_mnist().train.images[:256] / np.float32(255), verbose=0)


def test_the_file_holds_names_shapes_and_numbers_only(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["format"] == "vae_lib.VAE" and content["version"] == 1
    names = [one["name"] for one in content["weights"]]
    assert names[:2] == ["encoder/hidden_1/kernel", "encoder/hidden_1/bias"]
    assert names[-2:] == ["decoder/logits/kernel", "decoder/logits/bias"] and len(
        set(names)
    ) == len(names)
    assert content["weights"][0]["shape"] == [784, 6]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format="other"), "holds no network"),
        (lambda c: c.update(version=2), "of version 2"),
        (lambda c: c["settings"].update(latent_dim=4), "shapes of the weights"),
        (lambda c: c["settings"].update(posterior="magic"), "posterior is 'magic'"),
        (lambda c: c["settings"].pop("beta"), "damaged"),
        (lambda c: c["weights"].pop(), "damaged"),
        (lambda c: c["weights"][0].update(data="?"), "damaged"),
        (
            lambda c: c["weights"][0].update(data=c["weights"][0]["data"][:40]),
            "damaged",
        ),
        (
            lambda c: c["weights"][1].update(data="AADAfwAAwH8AAMB/AADAfwAAwH8AAMB/"),
            "not finite",
        ),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_with_one_sentence(path, change, message):
    with pytest.raises(StorageError, match=message) as caught:
        load_from_browser(changed(path, change))
    assert "small.vae.json" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"vae"'])
def test_what_is_no_file_of_ours_is_refused(tmp_path, content):
    (tmp_path / "odd.vae.json").write_text(content, encoding="utf-8")
    with pytest.raises(StorageError, match="odd.vae.json"):
        load_from_browser(tmp_path / "odd.vae.json")
    with pytest.raises(StorageError, match="is not there"):
        load_from_browser(tmp_path / "none.vae.json")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConditionedVAE(latent_dim=2, hidden=(4,)), "is a ConditionedVAE"),
        (lambda: VAE(hidden=(4,), activation="tanh"), "activation 'tanh'"),
        (lambda: VAE(hidden=(4,), image_shape=(8, 8)), r"image_shape \(8, 8\)"),
    ],
)
def test_a_model_that_the_laboratory_cannot_show_is_refused(tmp_path, make, message):
    with pytest.raises(StorageError, match=message):
        save_for_browser(make(), tmp_path / "one.vae.json")
    assert not list(tmp_path.iterdir())


def test_a_wrong_ending_is_named(vae, tmp_path):
    with pytest.raises(StorageError, match="does not end in .vae.json"):
        save_for_browser(vae, tmp_path / "one.json")
