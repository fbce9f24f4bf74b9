"""A browser that is on the machine: Debian's chromium, driven by Playwright.

Where it is missing its tests are skipped and the run says so at its end; in CI (`CI=true`) they
fail, so that nothing is left out unseen.
"""

import os
import shutil

import pytest

MISSING_BROWSER = "no browser is on this machine (Debian: apt-get install chromium)"
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


def chromium() -> str:
    """Return the path of the browser; skip the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(MISSING_BROWSER, pytrace=False)
    pytest.skip(MISSING_BROWSER)
    return ""
