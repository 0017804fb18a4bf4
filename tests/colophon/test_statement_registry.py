"""docs/statements.md: every kind and every field that the code writes is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colophon import entry, records
from tests.colophon.examples import statements

DOCS = Path(__file__).parents[2] / "docs"
REGISTRY = (DOCS / "statements.md").read_text()
FORMATS = (DOCS / "evidence-format.md").read_text()
EXAMPLES = {kind: said for kind, (said, _) in statements().items()}
# Free inside: terms of a license and data of a policy.
FREE = {"terms", "policy"}


def section(kind: str) -> str:
    """The text under a kind's heading; a step's is in the formats."""
    if kind == "step":
        return FORMATS.split("## 4 The step")[1].split("\n## ")[0]
    return REGISTRY.split(f"\n## {kind}\n")[1].split("\n## ")[0]


def names(value: Any) -> Iterator[str]:
    """Every key inside of a predicate."""
    for inner in value if isinstance(value, list) else ():
        yield from names(inner)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key not in FREE:
                yield from names(inner)


@pytest.mark.parametrize("kind", sorted(records.TYPES))
def test_every_field_of_a_kind_is_registered(kind: str) -> None:
    text = section(kind)
    known = {"sha256", "commitment", "guidance"}
    data = {one for one in names(EXAMPLES[kind]["predicate"]) if "cawg." not in one}
    for name in data - known:
        assert re.search(rf"[`\"./{{]{re.escape(name)}[`\"?.]", text), name


@pytest.mark.parametrize("kind", sorted(records.TYPES))
def test_the_registry_says_whether_a_kind_is_public(kind: str) -> None:
    row = re.search(rf"\| \[`{kind}`\]\(#{kind}\) \| (\w+) \|", REGISTRY)
    assert row is not None
    assert row[1] == ("public" if kind in entry.PUBLIC_KINDS else "sealed")
