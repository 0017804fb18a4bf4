"""One installation and one browser for all stories, and the story that fills it.

Everything here ends with this package: a synchronous Playwright holds an event loop
in this thread, which tests after it must not see.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from config.stack import ports
from config.stack.stack import Stack
from tests.browser import launched
from tests.flows.stage import Stage
from tests.flows.story import Story

# Quick, but every window and every wait is there.
FAST = {
    "COLOPHON_SETTLE_SECONDS": "3",
    "COLOPHON_CHECKPOINT_SECONDS": "1",
    "COLOPHON_CHALLENGE_WINDOW": "2",
    "COLOPHON_PAYOUT_THRESHOLD": "1",
    "COLOPHON_POLL_SECONDS": "0.2",
}
# What a developer's shell may say about another installation.
FOREIGN = ("COLOPHON_", "DATABASE_URL", "REDIS_URL", "CACHE_URL")


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Broker, chain, site, workers and relay, started for these tests alone."""
    folder = tmp_path_factory.mktemp("flows")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(FOREIGN):
                patch.delenv(name)
        said: list[str] = []
        with Stack(folder / "state", ports.any_free(), said.append, FAST) as running:
            assert running.chain is not None, "the stories need anvil: run `npm ci`"
            yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The installed Chromium."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="package")
def _stage(
    stack: Stack, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    assert stack.chain is not None
    folder: Path = tmp_path_factory.mktemp("story")
    return Stage(stack, stack.chain, chromium, folder)


@pytest.fixture
def stage(_stage: Stage) -> Iterator[Stage]:
    """The stage; a test whose pages logged an error or were refused one fails."""
    _stage.errors()
    yield _stage
    assert _stage.errors() == []


@pytest.fixture(scope="package")
def _story(_stage: Stage) -> Story:
    return Story(_stage)


@pytest.fixture
def story(_story: Story, stage: Stage) -> Story:
    """The story as far as it was played; `story.play(scene)` goes on to a scene."""
    return _story


@pytest.fixture
def told(story: Story) -> Story:
    """The story told to its end."""
    story.play_all()
    return story
