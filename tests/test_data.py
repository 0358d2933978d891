"""vae_lib.data: the bundled file is MNIST, the splits are whole, every broken file gets
its sentence.
"""

import hashlib
import os
import re
import shlex
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vae_lib.data import BUNDLED, KEYS, DataError, Split, load_mnist, subsample

README = BUNDLED.parent / "README.md"
SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"
# of the four uncompressed files as LeCun, Cortes and Burges published them
CANONICAL_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.fixture(scope="module")
def digits():
    return load_mnist()


def small_set(n_train=24, n_test=6):
    """Arrays of the right kind in which no two images are alike."""
    generator = np.random.default_rng(1)
    return {
        "x_train": generator.integers(0, 256, (n_train, 28, 28), dtype=np.uint8),
        "y_train": np.arange(n_train, dtype=np.uint8) % 10,
        "x_test": generator.integers(0, 256, (n_test, 28, 28), dtype=np.uint8),
        "y_test": np.arange(n_test, dtype=np.uint8) % 10,
    }


def save(folder, **changes):
    """Write a small set with `changes` to its arrays (None leaves one out) and return
    the file's path.
    """
    arrays = {
        key: value
        for key, value in {**small_set(), **changes}.items()
        if value is not None
    }
    path = folder / "digits.npz"
    np.savez_compressed(path, **arrays)
    return path


def refusal(path):
    """Return the message with which `path` is refused, once it proves to be a sentence
    naming the file.
    """
    with pytest.raises(DataError) as caught:
        load_mnist(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message and message.endswith(".")
    assert re.search(r"[:;] \w", message), "says what is wrong, then what to do"
    return message


# The bundled file


def test_arrays_are_the_canonical_idx_files():
    with np.load(BUNDLED, allow_pickle=False) as arrays:
        for key, md5 in CANONICAL_MD5.items():
            array = arrays[key]
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            assert hashlib.md5(header + array.tobytes()).hexdigest() == md5, key


def test_readme_gives_the_files_sums_and_a_command_that_works():
    assert hashlib.sha256(BUNDLED.read_bytes()).hexdigest() == SHA256
    text = README.read_text(encoding="utf-8")
    assert SHA256 in text
    (command,) = re.findall(r"^python -c .*$", text, flags=re.MULTILINE)
    run = subprocess.run(
        [sys.executable, *shlex.split(command)[1:]],
        cwd=BUNDLED.parent.parent,
        capture_output=True,
        encoding="utf-8",
    )
    expected = [f"{md5} {key}" for key, md5 in CANONICAL_MD5.items()]
    assert run.stdout.splitlines() == expected, run.stderr
    assert "\n".join(expected) in text


# The splits


def test_sizes_and_types(digits):
    assert [len(split.images) for split in digits] == [55_000, 5_000, 10_000]
    for split in digits:
        assert split.images.shape[1:] == (28, 28)
        assert split.labels.shape == (len(split.images),)
        assert split.images.dtype == split.labels.dtype == np.uint8
        assert split.images.flags.c_contiguous
        assert set(split.labels) == set(range(10))


def test_train_and_validation_make_up_the_training_file(digits):
    with np.load(BUNDLED) as arrays:
        original = np.concatenate(
            [arrays["x_train"].reshape(60_000, -1), arrays["y_train"][:, None]], axis=1
        )
        np.testing.assert_array_equal(digits.test.images, arrays["x_test"])
        np.testing.assert_array_equal(digits.test.labels, arrays["y_test"])
    train, validation, _ = digits
    pairs = [
        np.column_stack([images.reshape(-1, 784), labels])
        for images, labels in (train, validation)
    ]
    # MNIST's training images are all different, so that equal sorted rows mean:
    # disjoint and complete
    found, expected = (
        sorted(row.tobytes() for row in rows)
        for rows in (np.concatenate(pairs), original)
    )
    assert len(set(expected)) == 60_000
    assert found == expected


def test_permutation_is_seeded_and_mixes_the_file(digits):
    order = np.random.default_rng(0).permutation(60_000)
    with np.load(BUNDLED) as arrays:
        np.testing.assert_array_equal(
            digits.validation.labels, arrays["y_train"][order[:5_000]]
        )
        np.testing.assert_array_equal(
            digits.train.images[:50], arrays["x_train"][order[5_000:5_050]]
        )


def test_works_from_any_working_directory(tmp_path, monkeypatch, digits):
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(
        load_mnist().validation.labels, digits.validation.labels
    )


def test_another_file_gives_a_twelfth_to_validation(tmp_path):
    digits = load_mnist(save(tmp_path))
    assert [len(split.images) for split in digits] == [22, 2, 6]
    arrays = small_set()
    together = np.concatenate([digits.validation.images, digits.train.images])
    np.testing.assert_array_equal(
        together, arrays["x_train"][np.random.default_rng(0).permutation(24)]
    )
    np.testing.assert_array_equal(digits.test.images, arrays["x_test"])


def test_path_may_be_text_or_relative_or_from_home(tmp_path, monkeypatch):
    save(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for path in ("digits.npz", Path("digits.npz"), "~/digits.npz"):
        assert len(load_mnist(path).train.images) == 22


@pytest.mark.parametrize("dtype", ["int64", ">i4", "uint16", "int8"])
def test_labels_of_another_integer_type_become_uint8(tmp_path, dtype):
    labels = small_set()["y_train"]
    digits = load_mnist(save(tmp_path, y_train=labels.astype(dtype)))
    assert digits.train.labels.dtype == np.uint8
    assert sorted(
        np.concatenate([digits.train.labels, digits.validation.labels])
    ) == sorted(labels)


def test_column_major_images_come_back_row_major(tmp_path):
    images = small_set()["x_test"]
    test = load_mnist(save(tmp_path, x_test=np.asfortranarray(images))).test
    assert test.images.flags.c_contiguous
    np.testing.assert_array_equal(test.images, images)


def test_uncompressed_files_and_further_arrays_are_welcome(tmp_path):
    np.savez(tmp_path / "plain.npz", note=np.array("by hand"), **small_set())
    assert len(load_mnist(tmp_path / "plain.npz").test.images) == 6


# Files that cannot be opened


def test_missing_file(tmp_path):
    assert "cannot be opened (No such file" in refusal(tmp_path / "nowhere.npz")


def test_missing_bundled_file_says_how_to_restore_it(tmp_path, monkeypatch):
    monkeypatch.setattr("vae_lib.data.BUNDLED", tmp_path / "mnist.npz")
    remedy = r"cannot be opened \(No such file .*\): restore it with 'git checkout"
    with pytest.raises(DataError, match=remedy):
        load_mnist()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_damaged_bundled_file_is_restored_and_not_downloaded(
    share, monkeypatch, tmp_path
):
    """Empty, cut in the middle, and with a flipped byte: nobody has downloaded it."""
    content = bytearray(BUNDLED.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path = tmp_path / "mnist.npz"
    path.write_bytes(content[: int(share * len(content))])
    monkeypatch.setattr("vae_lib.data.BUNDLED", path)
    with pytest.raises(DataError, match="git checkout") as told:
        load_mnist(path)
    assert "download" not in str(told.value)


def test_folder(tmp_path):
    assert "cannot be opened" in refusal(tmp_path)


def test_no_permission(tmp_path, monkeypatch):
    path = save(tmp_path)
    path.chmod(0)
    if os.access(
        path, os.R_OK
    ):  # the superuser reads everything, and Windows knows no such mode

        def refuse(*_):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(zipfile, "ZipFile", refuse)
    assert "cannot be opened (Permission denied)" in refusal(path)


def test_name_no_file_system_allows(tmp_path):
    assert "check the path" in refusal(tmp_path / ("x" * 5000))


# Files with damaged or foreign content


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b not a zip", b"PK\x03\x04", b"\x80\x04K\x01."]
)
def test_not_a_zip(tmp_path, content):
    path = tmp_path / "digits.npz"
    path.write_bytes(content)
    assert "is not an .npz file, or only a part of one" in refusal(path)


def test_a_single_array_is_not_a_set(tmp_path):
    path = tmp_path / "x_train.npy"
    np.save(path, small_set()["x_train"])
    assert "is not an .npz file" in refusal(path)


@pytest.mark.parametrize(
    "content, found",
    [(b"", "it is empty"), (b"label,p1,p2", "it begins with b'label,p1'")],
)
def test_an_odd_file_is_told_what_it_holds_and_what_is_wanted(tmp_path, content, found):
    path = tmp_path / "digits.npz"
    path.write_bytes(content)
    message = refusal(path)
    assert f"({found}), but must hold {', '.join(KEYS)}: download it, or" in message


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated(tmp_path, share):
    path = save(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "only a part" in refusal(path)


def test_one_altered_pixel_is_noticed(tmp_path):
    path = tmp_path / "digits.npz"
    np.savez(path, **small_set())  # uncompressed, so that only the checksum can tell
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    assert "is damaged, its array x_train" in refusal(path)


def test_whatever_byte_is_altered_the_answer_is_a_sentence_or_the_same_data(tmp_path):
    path = save(
        tmp_path,
        x_train=np.full((12, 28, 28), 255, np.uint8),
        y_train=np.zeros(12, np.uint8),
    )
    content = path.read_bytes()
    intact = load_mnist(path)
    generator = np.random.default_rng(0)
    directory = content.index(
        b"PK\x01\x02"
    )  # the zip's index is where a bad byte does the oddest things
    places = np.concatenate(
        [generator.integers(0, len(content), 100), np.arange(directory, len(content))]
    )
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= int(generator.integers(1, 256))
        path.write_bytes(damaged)
        try:
            digits = load_mnist(path)
        except DataError:
            continue
        for split, expected in zip(
            digits, intact, strict=True
        ):  # a date, a comment: nothing that matters
            np.testing.assert_array_equal(split.images, expected.images)
            np.testing.assert_array_equal(split.labels, expected.labels)


class Pickled:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("key", KEYS)
def test_pickled_arrays_are_never_loaded(tmp_path, key):
    trap = tmp_path / "unpickled"
    path = save(tmp_path, **{key: np.array([Pickled(trap)] * 24, dtype=object)})
    message = refusal(path)
    assert key in message and "pickled" in message
    assert not trap.exists()


def test_damaged_array_header(tmp_path):
    path = save(tmp_path, y_test=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("y_test.npy", b"\x93NUMPY\x01\x00\x04\x00{'a'")
    assert "its array y_test cannot be read" in refusal(path)


def test_array_larger_than_memory(tmp_path):
    path = save(tmp_path, x_test=None)
    header = (
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999, 28, 28)}\n"
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "x_test.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
        )
    assert "its array x_test cannot be read" in refusal(path)


# Arrays that are not what they should be


@pytest.mark.parametrize("key", KEYS)
def test_missing_key(tmp_path, key):
    assert f"has no array {key}, but must hold x_train, y_train" in refusal(
        save(tmp_path, **{key: None})
    )


def test_several_missing_keys(tmp_path):
    assert "has no array y_train or y_test," in refusal(
        save(tmp_path, y_train=None, y_test=None)
    )


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((24, 784), np.uint8),
        np.zeros((24, 28, 28, 3), np.uint8),
        np.zeros((24, 0, 28), np.uint8),
        np.zeros((24, 28, 28), np.complex64),
        np.uint8(3),
        np.full((24, 28, 28), "ink"),
    ],
    ids=lambda images: f"{images.dtype}-{images.shape}",
)
@pytest.mark.parametrize("name", ["train", "test"])
def test_wrong_images(tmp_path, name, images):
    message = refusal(save(tmp_path, **{f"x_{name}": images}))
    assert f"x_{name} is {images.dtype} {images.shape}, but must hold grey" in message


LEVELS = np.random.default_rng(5).integers(0, 256, (24, 20, 30))
LEVELS[0, 0, 0] = 255


@pytest.mark.parametrize(
    "images, expected",
    [
        (LEVELS.astype("uint8"), LEVELS),
        (LEVELS.astype("int64"), LEVELS),
        (LEVELS[..., None].astype("uint8"), LEVELS),
        (LEVELS / 255, LEVELS),
        ((LEVELS / 255).astype("float32"), LEVELS),
        (LEVELS > 100, 255 * (LEVELS > 100)),
        ((LEVELS > 100).astype("uint8"), 255 * (LEVELS > 100)),
        ((LEVELS > 100).astype("float32"), 255 * (LEVELS > 100)),
    ],
    ids=["uint8", "int64", "channel", "float64", "float32", "bool", "0-1", "0.0-1.0"],
)
def test_images_of_any_size_and_kind_come_out_as_grey_levels(
    tmp_path, images, expected
):
    labels = np.arange(24) % 3
    path = save(
        tmp_path, x_train=images, x_test=images[:5], y_train=labels, y_test=labels[:5]
    )
    digits = load_mnist(path)
    assert digits.test.images.dtype == np.uint8
    np.testing.assert_array_equal(digits.test.images, expected[:5])
    assert digits.train.images.shape[1:] == (20, 30)


def test_dark_images_are_scaled_alike_with_a_word(tmp_path):
    train, test = LEVELS // 16, LEVELS[:5] // 32  # 0 … 15 and 0 … 7
    labels = np.arange(24) % 3
    path = save(
        tmp_path,
        x_train=train.astype("uint8"),
        x_test=test.astype("uint8"),
        y_train=labels,
        y_test=labels[:5],
    )
    with pytest.warns(UserWarning, match="the brightest pixel is 15 of 255"):
        digits = load_mnist(path)
    np.testing.assert_array_equal(digits.test.images, 17 * test)
    assert digits.train.images.max() == 255


@pytest.mark.parametrize(
    "images, wrong",
    [
        (LEVELS.astype("float32"), "range from 0 to 255, but must lie from 0 to 1"),
        (LEVELS - 1, "range from -1 to 254, but must lie from 0 to 255"),
        (LEVELS * 300, "but must lie from 0 to 255"),
        (np.where(LEVELS > 200, np.nan, 0.5), "range from nan to nan"),
        (np.zeros((24, 20, 30), "uint8"), "every pixel is 0"),
    ],
    ids=["0-255 floats", "negative", "large", "nan", "black"],
)
def test_other_pixels_are_refused(tmp_path, images, wrong):
    labels = np.arange(24) % 3
    arrays = dict(x_train=images, x_test=images, y_train=labels, y_test=labels)
    assert wrong in refusal(save(tmp_path, **arrays))


def test_images_of_two_sizes_are_refused(tmp_path):
    labels = np.arange(24) % 3
    arrays = dict(x_train=LEVELS.astype("uint8"), y_train=labels)
    assert "but must be of one size" in refusal(save(tmp_path, **arrays))


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros(24),
        np.zeros(24, bool),
        np.eye(24, 10, dtype=np.uint8),
        np.uint8(3),
        np.full(24, "seven"),
    ],
    ids=lambda labels: f"{labels.dtype}-{labels.shape}",
)
def test_wrong_labels(tmp_path, labels):
    message = refusal(save(tmp_path, y_train=labels))
    assert (
        f"y_train is {labels.dtype} {labels.shape}, but must be integers (n,)"
        in message
    )


@pytest.mark.parametrize("wrong", [-1, 256, 2**62])
def test_labels_out_of_range(tmp_path, wrong):
    labels = small_set()["y_train"].astype(np.int64)
    labels[3] = wrong
    assert f"{wrong}" in refusal(save(tmp_path, y_train=labels))


@pytest.mark.parametrize("name", ["train", "test"])
def test_images_and_labels_of_different_number(tmp_path, name):
    labels = small_set()[f"y_{name}"][:-1]
    message = refusal(save(tmp_path, **{f"y_{name}": labels}))
    assert f"{len(labels) + 1} images and y_{name} {len(labels)} labels" in message


@pytest.mark.parametrize(
    ("n_train", "n_test", "wrong"),
    [
        (11, 6, "x_train has 11 images"),
        (0, 6, "x_train has 0 images"),
        (12, 0, "x_test has 0 images"),
    ],
)
def test_too_few_images(tmp_path, n_train, n_test, wrong):
    assert f"{wrong}, but must have" in refusal(
        save(tmp_path, **small_set(n_train, n_test))
    )


def test_the_smallest_set_that_will_do(tmp_path):
    digits = load_mnist(save(tmp_path, **small_set(12, 1)))
    assert [len(split.images) for split in digits] == [11, 1, 1]


# Subsets


def numbered(labels):
    """A split whose images carry their own row number, so that a draw can be traced."""
    labels = np.asarray(labels, dtype=np.uint8)
    images = np.full((len(labels), 28, 28), 255, np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(len(labels)), 256)
    return Split(images, labels)


def rows(split):
    return split.images[:, 0, 0].astype(int) * 256 + split.images[:, 0, 1]


@pytest.mark.parametrize("stratified", [False, True])
def test_subsample_is_seeded_without_replacement_and_keeps_pairs(stratified):
    whole = numbered(np.arange(1000) % 7)
    first, again, other = (
        subsample(whole, 300, seed, stratified) for seed in (3, 3, 4)
    )
    assert first.images.dtype == first.labels.dtype == np.uint8
    assert len(set(rows(first))) == 300
    np.testing.assert_array_equal(first.labels, whole.labels[rows(first)])
    np.testing.assert_array_equal(first.images, again.images)
    assert set(rows(first)) != set(rows(other))
    for order in (rows(first), first.labels.astype(int)):
        assert (np.diff(order) < 0).any(), "in random order"


@pytest.mark.parametrize("stratified", [False, True])
def test_subsample_of_everything_is_a_permutation(stratified):
    whole = numbered(np.arange(50) % 3)
    assert sorted(rows(subsample(whole, 50, stratified=stratified))) == list(range(50))


@pytest.mark.parametrize("n", [1, 10, 97, 1000, 3000])
def test_stratified_shares_are_exact_to_one_image(digits, n):
    counts = np.bincount(
        subsample(digits.train, n, stratified=True).labels, minlength=10
    )
    shares = np.bincount(digits.train.labels, minlength=10) * n / 55_000
    assert counts.sum() == n
    assert (
        np.abs(counts - shares).max() < 1
    )  # the share rounded down or up, by the docstring


def test_subsample_is_uniform_over_rows():
    whole = numbered(np.repeat([0, 1], [30, 10]))
    for stratified in (False, True):
        times = np.bincount(
            np.concatenate(
                [rows(subsample(whole, 8, s, stratified)) for s in range(2000)]
            )
        )
        assert len(times) == 40
        # each row is drawn 400 times on average, with a deviation below 18: five of
        # them
        assert np.abs(times - 400).max() < 90


@pytest.mark.parametrize("n", [0, -1, 51, 2.0, None])
def test_subsample_refuses_other_sizes(n):
    with pytest.raises(
        ValueError, match=rf"n is {n}: pass a whole number from 1 to 50"
    ):
        subsample(numbered(np.zeros(50)), n)
