"""What is asked of every page in a browser: rules of accessibility, width, keyboard, pictures."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

TITLE = "\u2013 Shared Care Record"  # the end of each page's title
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Where pictures of the pages go for a person to look at; nowhere unless asked for.
_PICTURES = "EHR_TEST_PICTURES"


def assert_good(page: "Page", name: str) -> None:
    """Hold a page against all that is asked of every page, and keep a picture of it."""
    assert_accessible(page)
    assert_large_enough(page)
    assert_fits(page, 320)
    picture(page, name)


def assert_accessible(page: "Page") -> None:
    """Hold a page against the rules of WCAG 2.2 AA that a program can judge."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": _RULES}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options)
    assert found.violations_count == 0, found.generate_report()


def assert_fits(page: "Page", width: int) -> None:
    """Hold a page against a width: nothing is to be scrolled sideways (WCAG 1.4.10)."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 800})
    beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if before is not None:
        page.set_viewport_size(before)
    assert beyond <= 0, f"{beyond} px beyond {width}"


def assert_large_enough(page: "Page") -> None:
    """Hold what is pressed against 24 by 24 pixels, and buttons of forms against 44 high."""
    small = page.evaluate(
        """() => [...document.querySelectorAll('main button, main input:not([type=hidden])')]
        .map(one => [one.name || one.textContent.trim(), one.getBoundingClientRect()])
        .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
        .map(([name]) => name)"""
    )
    low = page.evaluate(
        """() => [...document.querySelectorAll('main .nhsuk-button')]
        .filter(one => one.getBoundingClientRect().height < 44).map(one => one.textContent)"""
    )
    assert (small, low) == ([], [])


def stops(page: "Page", most: int = 60) -> list[str]:
    """Return the names of what the Tab key stops at, in order, from the top of the page."""
    page.evaluate("document.activeElement && document.activeElement.blur()")
    found: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
              const one = document.activeElement;
              if (!one || one === document.body) return null;
              const box = one.getBoundingClientRect();
              const label = one.labels && one.labels[0];
              const text = (label || one).innerText.trim();
              return box.width && box.bottom > 0 ? text : `${text} (hidden)`;
            }"""
        )
        if name is None:
            break
        found.append(name)
    return found


def picture(page: "Page", name: str) -> None:
    """Keep a picture of a page, wide and narrow, where a folder for them is named."""
    folder = os.environ.get(_PICTURES)
    if not folder:
        return
    before = page.viewport_size
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    if before is not None:
        page.set_viewport_size(before)
