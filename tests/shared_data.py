"""The reference data that lies beside the checkout: Synthea populations, HL7's examples and cases.

`shared("synthea/x.tar.gz")` returns its path. Where the folder is missing the test is skipped and
the run says so at its end; in CI (`CI=true`) it fails, so that nothing is left out unseen.
"""

import os
from pathlib import Path

import pytest

MISSING = "the reference data folder is missing (../shared beside the checkout, or EHR_SHARED)"


def shared_folder() -> Path:
    """Return where the reference data should be, whether or not it is there."""
    named = os.environ.get("EHR_SHARED")
    root = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    return root / "data"


def shared(path: str) -> Path:
    """Return the path of a reference file; skip the test where the whole folder is missing."""
    folder = shared_folder()
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} is needed and {MISSING}", pytrace=False)
        pytest.skip(f"{path} is needed and {MISSING}", allow_module_level=True)
    found = folder / path
    if not found.exists():
        raise FileNotFoundError(f"{path} is not in the reference data")
    return found
