"""Full sizes for readers, small ones for the tests' middle size."""

import os
from typing import Any

VARIABLE = "VAE_LIB_QUICK"


def quick(full: Any, small: Any) -> Any:
    """Return `full`, or `small` where the environment variable VAE_LIB_QUICK is 1.

    A notebook writes `epochs = quick(15, 2)`, and draws and prints what either size
    gives: `python3 start.py --test` runs every notebook with the small sizes, and
    `python3 start.py --test --full` with the full ones, which readers get, too. Both
    values may be anything. Raises ValueError where the variable is neither 0 nor 1.
    """
    if (value := os.environ.get(VARIABLE, "")) not in ("", "0", "1"):
        raise ValueError(
            f"The environment variable {VARIABLE} is {value!r}: set it to 1 for small "
            "sizes, or to 0 (or not at all) for full ones."
        )
    return small if value == "1" else full
