"""Chromium for tests: where it is, how it starts, and what a page may not do.

A page may not log an error, throw, or load what the content security policy refuses;
`Watch` keeps everything of the kind for a test to compare with nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    expect,
    sync_playwright,
)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 60_000  # a busy machine is slow, not wrong
# What a script forbidden by a policy would do, and what a refused resource says.
_REFUSED = """
addEventListener("securitypolicyviolation", (event) => {
  const { violatedDirective, blockedURI } = event;
  console.error(`refused by the policy: ${violatedDirective} ${blockedURI}`);
});
"""


def chromium_path() -> str:
    """The browser's binary: COLOPHON_CHROMIUM, or one on the PATH; "" for none."""
    given = os.environ.get("COLOPHON_CHROMIUM", "")
    return given or next(filter(None, map(shutil.which, NAMES)), "")


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless browser without any network of its own."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        path = chromium_path() or None
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """What went wrong in the pages of one browser context.

    Attributes:
        errors: page and message, in order.
        expected: statuses of addresses that may answer with an error.
    """

    errors: list[str] = field(default_factory=list)
    expected: dict[str, int] = field(default_factory=dict)

    @classmethod
    def over(cls, context: BrowserContext) -> Watch:
        """Watch every page that the context has or will have."""
        found = cls()
        context.add_init_script(_REFUSED)
        context.on("console", found._heard)
        context.on("weberror", lambda one: found.errors.append(str(one.error)))
        return found

    def _heard(self, line: ConsoleMessage) -> None:
        if line.type != "error":
            return
        url = str(line.location.get("url", ""))
        status = self.expected.get(url)
        if status and f"status of {status}" in line.text:
            return
        self.errors.append(f"{url}: {line.text}")
