"""Commitments: what opens them, and that nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from colophon.digest import commitment
from colophon.disclosure import Disclosure, read_commitment, verify_disclosure
from colophon.errors import InputError, ProofError
from colophon.fields import Fields

SAID = Disclosure("parameters/seed", bytes(range(16)), 7.25)


def statement_of(disclosure: Disclosure) -> dict[str, object]:
    return {"predicate": {"parameters": {"seed": disclosure.commit()}}}


def test_a_disclosure_opens_its_field() -> None:
    verify_disclosure(statement_of(SAID), SAID)
    assert SAID.commit() == {"commitment": commitment(7.25, SAID.salt).hex()}


@pytest.mark.parametrize(
    "other",
    [
        replace(SAID, value=7),
        replace(SAID, value="7.25"),
        replace(SAID, salt=bytes(16)),
        replace(SAID, field="prompt"),
        replace(SAID, field="parameters"),
        replace(SAID, field="parameters/seed/commitment"),
    ],
)
def test_another_value_salt_or_field_does_not(other: Disclosure) -> None:
    with pytest.raises(ProofError):
        verify_disclosure(statement_of(SAID), other)


def test_each_disclosure_has_its_own_salt() -> None:
    one, two = Disclosure.new("prompt", "cat"), Disclosure.new("prompt", "cat")
    assert one.commit() != two.commit()


@pytest.mark.parametrize("value", [None, "a cat", 7.5, [1, {"a": None}]])
def test_disclosures_round_trip(value: object) -> None:
    made = Disclosure.new("prompt", value)
    assert Disclosure.from_json(made.to_json()) == made


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"salt": "ab"}, "disclosures/0/salt"),
        ({"field": 5}, "disclosures/0/field"),
        ({"value": float("inf")}, "disclosures/0/value"),
        ({"value": "x" * 70_000}, "disclosures/0/value"),
        ({"extra": 1}, "disclosures/0/extra"),
    ],
)
def test_a_malformed_disclosure_names_the_field(
    change: dict[str, object], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        Disclosure.from_json(SAID.to_json() | change, "disclosures/0")
    assert caught.value.field == field


def test_a_disclosure_without_a_value_is_refused() -> None:
    data = SAID.to_json()
    del data["value"]
    with pytest.raises(InputError) as caught:
        Disclosure.from_json(data)
    assert caught.value.field == "value"


def test_a_commitment_is_32_bytes_of_hex_and_nothing_more() -> None:
    good = Fields({"prompt": SAID.commit()}, "predicate")
    assert read_commitment(good, "prompt").hex() == SAID.commit()["commitment"]
    for wrong in ({"commitment": "ab"}, SAID.commit() | {"salt": "ab"}, "ab"):
        with pytest.raises(InputError):
            read_commitment(Fields({"prompt": wrong}), "prompt")
