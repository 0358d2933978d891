"""One variable chooses between a notebook's full and small sizes."""

import pytest

from vae_lib.course.sizes import VARIABLE, quick


@pytest.mark.parametrize(
    "value, chosen", [(None, 15), ("", 15), ("0", 15), ("1", (2, "small"))]
)
def test_the_variable_chooses_the_size(monkeypatch, value, chosen):
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    assert quick(15, (2, "small")) == chosen


def test_another_value_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "yes")
    with pytest.raises(ValueError, match="VAE_LIB_QUICK is 'yes': set it to 1 for sma"):
        quick(15, 2)
