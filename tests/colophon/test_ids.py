"""Ids: prefix, UUIDv7, strict reading."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest

from colophon.errors import InputError
from colophon.ids import is_id, new_id, parse_id


def test_a_new_id_is_a_prefix_and_a_version_7_uuid() -> None:
    made = new_id("ast")
    assert re.fullmatch(r"ast_[0-9a-f]{32}", made)
    assert uuid.UUID(made.removeprefix("ast_")).version == 7
    assert parse_id(made, "ast") == made


def test_ids_sort_by_time_of_creation() -> None:
    made = [new_id("stp") for _ in range(200)]
    assert made == sorted(made)
    assert len(set(made)) == 200


@pytest.mark.parametrize("prefix", ["", "as", "AST", "ast_", "a1b", "toolongword"])
def test_a_prefix_is_three_to_eight_letters(prefix: str) -> None:
    with pytest.raises(InputError):
        new_id(prefix)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.upper(),
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text.replace("ast_", "stp_"),
        lambda text: text[:16] + "4" + text[17:],  # a random UUID, version 4
        lambda text: text + "\n",
        lambda text: 7,
    ],
)
def test_anything_but_an_id_of_that_prefix_is_refused(
    change: Callable[[str], object],
) -> None:
    broken = change(new_id("ast"))
    with pytest.raises(InputError) as caught:
        parse_id(broken, "ast", "predicate/asset")
    assert caught.value.field == "predicate/asset"


def test_is_id_takes_any_prefix() -> None:
    assert is_id(new_id("lic"))
    assert not is_id("lic_1")
    assert not is_id(None)
