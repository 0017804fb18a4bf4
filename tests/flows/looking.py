"""Look at a page as a person with another screen, other eyes or no mouse would.

axe-core finds only a part of what WCAG 2.2 asks, so that reflow and the size of
targets are measured here as well. Colors are the only thing that differs in the dark,
so only contrast is looked at again there.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

from tests.flows.stage import Visitor

EVERYTHING = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
CONTRAST = {
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
    "resultTypes": ["violations"],
}
SCHEMES: tuple[tuple[Any, dict[str, Any]], ...] = (
    ("light", EVERYTHING),
    ("dark", CONTRAST),
)
WIDTHS = (1280, 390)
NARROWEST = 320  # WCAG 1.4.10 at 400 % zoom
SMALLEST = 24  # WCAG 2.5.8; a link inside a sentence is excepted
GRAVE = ("serious", "critical")
HEIGHT = 900
SMALL_TARGETS = """(least) => [...document.querySelectorAll(
    "button, a.button, summary, input[type=checkbox], input[type=radio], nav a, select"
  )].filter((one) => one.checkVisibility() && !one.closest(".visually-hidden"))
    .filter((one) => [one, ...(one.labels ?? [])]
      .every((part) => part.getBoundingClientRect().height < least - 0.5))
    .map((one) => one.outerHTML.slice(0, 110))"""


def look_at(visitor: Visitor, path: str) -> list[str]:
    """Everything that is wrong with a page of the site; empty when nothing is."""
    visitor.go(path)
    return [f"{path}: {words}" for words in look_here(visitor)]


def look_here(visitor: Visitor) -> list[str]:
    """Everything that is wrong with the page that is open."""
    page, found = visitor.page, []
    page.evaluate(AXE_SCRIPT)
    # Without motion, or axe would measure colors half-way from one scheme to the other.
    for scheme, options in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            answer = page.evaluate("(options) => axe.run(document, options)", options)
            found += [f"{scheme} {width} {words}" for words in _grave(answer)]
    page.set_viewport_size({"width": NARROWEST, "height": HEIGHT})
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > NARROWEST:
        found.append(f"{wide} px wide on a screen of {NARROWEST}")
    small = page.evaluate(SMALL_TARGETS, SMALLEST)
    found += [f"a target below {SMALLEST} px: {html}" for html in small]
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    return found


def _grave(answer: dict[str, Any]) -> list[str]:
    """The findings that keep people out, with the first place of each."""
    return [
        f"{rule['id']} ({rule['impact']}): {rule['nodes'][0]['html'][:160]}"
        for rule in answer["violations"]
        if rule["impact"] in GRAVE
    ]
