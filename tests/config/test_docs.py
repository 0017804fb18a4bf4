"""What the documents name is there: targets, commands, files, links and modules."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from colophon.cli import build_parser

ROOT = Path(__file__).parents[2]
DOCS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/adr/*.md", ".env.example")
    for path in ROOT.glob(pattern)
)
TOP = [
    "accounts",
    "bench",
    "chain",
    "colophon",
    "config",
    "contracts",
    "docs",
    "log",
    "marketplace",
    "outbox",
    "provenance",
    "royalties",
    "static",
    "templates",
    "tests",
]
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
QUOTED = re.compile(r"`([^`\n]+)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
CODE = re.compile(r"`[^`\n]+`|^```.*?^```", re.MULTILINE | re.DOTALL)


def code_of(path: Path) -> str:
    """The document's code: what a reader would copy."""
    return "\n".join(CODE.findall(path.read_text(encoding="utf-8")))


def parts_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


@pytest.fixture(params=DOCS, ids=lambda one: str(one.relative_to(ROOT)))
def document(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_make_has_every_target_that_is_named(document: Path) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)", code_of(document)))
    assert named <= known


def test_manage_has_every_command_that_is_named(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", code_of(document)))
    assert named <= set(get_commands())


def test_colophon_has_every_command_that_is_named(document: Path) -> None:
    commands = parts_of(build_parser())
    for line in code_of(document).splitlines():
        found = re.match(r"^[`$ ]*colophon ([a-z]+)(?: ([a-z]+))?", line)
        if found is None:
            continue
        first, second = found.groups()
        assert first in commands, line
        inner = parts_of(commands[first])
        assert not inner or not second or second in inner, line


def test_links_lead_to_files(document: Path) -> None:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / link).exists(), link


def test_paths_that_are_named_exist(document: Path) -> None:
    if document.name == "CHANGELOG.md" or "adr" in document.parts:
        return  # these tell of their time
    for text in QUOTED.findall(document.read_text(encoding="utf-8")):
        path = text.rstrip("/")
        if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+", path) and path.split("/")[0] in TOP:
            assert (ROOT / path).exists(), path


def test_every_test_that_is_named_as_a_proof_exists(document: Path) -> None:
    for place, name in TEST.findall(document.read_text(encoding="utf-8")):
        source = (ROOT / place).read_text(encoding="utf-8")
        assert f"def {name}(" in source, f"{place}::{name}"
