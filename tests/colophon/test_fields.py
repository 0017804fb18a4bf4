"""Reading untrusted JSON: limits, types, and errors that name the place."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon.errors import InputError
from colophon.fields import Fields, check_text, format_time, load_json, parse_time

HEX = "ab" * 32


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.5", "integer"),
        ("NaN", "integer"),
        ("1e3", "integer"),
        ('{"a":1,"a":2}', "repeats"),
        ("9" * 30, "digits"),
        ("[" * 100_000, "deeper"),
        ('{"a":' * 17 + "1" + "}" * 17, "deeper"),
        ('\\"' * 60_000 + "\\", "JSON"),
        ("[" * 20 + "]" * 20, "deeper"),
        ("{", "JSON"),
        (b"\xff\xfe", "UTF-8"),
        ('"' + "x" * 300_000 + '"', "bytes"),
    ],
)
def test_hostile_json_gets_a_clear_error(text: str | bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_json(text)


def test_brackets_inside_of_text_are_no_nesting() -> None:
    assert load_json('["' + "[" * 100 + '\\"{"]') == ["[" * 100 + '"{']


@given(st.binary(max_size=64) | st.text(max_size=64))
def test_any_bytes_give_json_or_an_input_error(data: bytes | str) -> None:
    try:
        load_json(data)
    except InputError:
        return
    json.loads(data)


def test_unknown_fields_are_refused_by_name() -> None:
    fields = Fields({"a": "x", "b": 1}, "predicate")
    assert fields.text("a") == "x"
    with pytest.raises(InputError) as caught:
        fields.close()
    assert caught.value.field == "predicate/b"
    assert fields.integer("b") == 1
    fields.close()


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda f: f.text("x"), 7),
        (lambda f: f.text("x"), ""),
        (lambda f: f.text("x"), "a" * 600),
        (lambda f: f.text("x"), "bell\a"),
        (lambda f: f.text("x"), "\ud800"),
        (lambda f: f.text("x"), None),
        (lambda f: f.integer("x"), True),
        (lambda f: f.integer("x"), -1),
        (lambda f: f.integer("x", 0, 5), 6),
        (lambda f: f.integer("x"), "5"),
        (lambda f: f.choice("x", ("a", "b")), "c"),
        (lambda f: f.choice("x", ("a", "b")), ["a"]),
        (lambda f: f.flag("x"), 1),
        (lambda f: f.hexadecimal("x"), HEX.upper()),
        (lambda f: f.time("x"), "2026-01-01 00:00:00"),
        (lambda f: f.identifier("x"), "ast_1"),
        (lambda f: f.sha256("x"), HEX),
        (lambda f: f.object("x"), []),
        (lambda f: f.items("x"), {}),
        (lambda f: f.items("x", limit=1), [1, 2]),
        (lambda f: list(f.objects("x")), [1]),
    ],
)
def test_each_wrong_type_names_its_field(
    read: Callable[[Fields], object], value: object
) -> None:
    with pytest.raises(InputError) as caught:
        read(Fields({"x": value}, "predicate"))
    assert caught.value.field.startswith("predicate/x")


def test_a_pointer_leads_to_the_inner_field() -> None:
    value = {"inputs": [{"digest": {"sha256": HEX}}, {"digest": {"sha256": "ab"}}]}
    with pytest.raises(InputError) as caught:
        [one.sha256("digest") for one in Fields(value, "predicate").objects("inputs")]
    assert caught.value.field == "predicate/inputs/1/digest/sha256"


def test_only_an_object_with_text_keys_is_read() -> None:
    for value in (None, [], "x", {1: 2}):
        with pytest.raises(InputError):
            Fields(value)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_round_trip(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment


def test_times_are_written_in_utc() -> None:
    there = timezone(timedelta(hours=9))
    moment = datetime(2026, 1, 1, 8, 30, tzinfo=there)
    assert format_time(moment) == "2025-12-31T23:30:00Z"
    with pytest.raises(InputError, match="zone"):
        format_time(moment.replace(tzinfo=None))


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T25:00:00Z",
        "2026-W01-1T00:00:00Z",
        20260101,
    ],
)
def test_other_times_are_refused(text: object) -> None:
    with pytest.raises(InputError):
        parse_time(text, "at")


def test_text_keeps_line_breaks_and_tabs() -> None:
    assert check_text("one\n\ttwo") == "one\n\ttwo"
