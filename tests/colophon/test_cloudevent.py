"""A CloudEvent is read once, the same way by whoever takes, sends and recounts it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon.cloudevent import MAX_EVENTS, parse_event
from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.fields import (
    MAX_RECORD_BYTES,
    check_characters,
    load_json,
    read_moment,
)
from tests.colophon.bundles import an_id

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": "com.colophon.usage.v1",
    "source": "https://ads.example/7",
    "id": "a",
    "subject": an_id("lic", 1),
    "time": "2026-11-23T12:00:00Z",
    "data": {"quantity": 5},
}


def test_an_event_is_kept_as_it_came() -> None:
    use = parse_event(EVENT, at="3")
    assert (use.event_id, use.license, use.quantity) == ("a", EVENT["subject"], 5)
    assert use.occurred_at == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert (use.body, use.at) == (EVENT, "3")
    assert use.digest == sha256(canonical(EVENT))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "expected an object"),
        ([], "expected an object"),
        ("x", "expected an object"),
        ({}, "specversion: is not one of 1.0|specversion: is missing"),
        ({**EVENT, "data": {"quantity": 1.0}}, "data/quantity"),
        ({**EVENT, "data": {"quantity": 5, "x": 2**60}}, "canonical"),
        ({**EVENT, "data": {"quantity": 5, "x": float("nan")}}, "canonical"),
        ({**EVENT, "data": {"quantity": 5, "\0": 1}}, "data: has a key"),
        ({**EVENT, "x" * 70: "y", "X": 1}, "X: is no attribute name"),
    ],
)
def test_what_is_no_event_is_refused(value: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_event(value)


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=8))
def test_any_extension_is_taken_or_refused_with_its_place(value: Any) -> None:
    event = {**EVENT, "extra": value}
    plain = value is None or isinstance(value, str) or abs(_whole(value)) < 2**31
    if plain and not (isinstance(value, str) and "\0" in value):
        assert parse_event(event, at="0").body["extra"] == value
        return
    with pytest.raises(InputError) as refused:
        parse_event(event, at="0")
    assert refused.value.field.startswith("0/extra")


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 2**31


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00-05:00", datetime(2026, 1, 31, 17, tzinfo=UTC)),
        (
            "2026-01-31T12:00:00.5Z",
            datetime(2026, 1, 31, 12, tzinfo=UTC) + timedelta(milliseconds=500),
        ),
    ],
)
def test_rfc_3339_is_read_with_any_offset(text: str, moment: datetime) -> None:
    assert read_moment(text) == moment
    assert read_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "20260131T120000Z",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:60Z",
        "2026-01-31T12:00:00+25:00",
        "2026-01-31T12:00:00Z\n",
        "2026-W05-6T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "٢٠٢٦-01-31T12:00:00Z",
        None,
        7,
    ],
)
def test_what_is_no_moment_is_refused_by_its_field(text: Any) -> None:
    with pytest.raises(InputError) as refused:
        read_moment(text, "time")
    assert refused.value.field == "time"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (r'{"a": "\u0000"}', "a"),
        (r'{"a": ["x", {"b": "\ud800"}]}', "a/1/b"),
        (r'{"a": {"\u0000": 1}}', "a"),
        (r'["\udc00\ud800"]', "0"),
    ],
)
def test_a_text_that_nothing_can_keep_is_refused_by_its_place(
    text: str, field: str
) -> None:
    with pytest.raises(InputError) as refused:
        load_json(text)
    assert refused.value.field == field


def test_pairs_of_surrogates_are_letters() -> None:
    assert load_json(r'"\ud83d\ude00"') == "😀"
    assert load_json(r'"\\u0000"') == r"\u0000"


@given(st.text(st.characters(exclude_categories=())), st.integers(0, 3))
def test_strict_json_is_what_a_database_and_a_signature_can_carry(
    text: str, depth: int
) -> None:
    value: Any = text
    for _ in range(depth):
        value = [value]
    odd = any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)
    if not odd:
        assert load_json(json.dumps(value)) == value
        assert canonical(value)
        return
    with pytest.raises(InputError) as refused:
        check_characters(value)
    assert refused.value.field == "/".join("0" * depth)


def test_fractions_are_read_only_where_asked_for_and_finite() -> None:
    with pytest.raises(InputError):
        load_json("[1.5]")
    assert load_json("[1.5]", floats=True) == [1.5]
    for text in ("[1e400]", "[-1e400]", "[NaN]", "[Infinity]"):
        with pytest.raises(InputError):
            load_json(text, floats=True)


def test_the_bounds_are_those_of_the_documents() -> None:
    assert (MAX_RECORD_BYTES, MAX_EVENTS) == (65_536, 1_000)
