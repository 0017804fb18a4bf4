"""Enrollments and revocations: possession is proven, shapes are exact."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from colophon import statement
from colophon.enrollment import (
    build_enrollment,
    build_revocation,
    check_taken_in,
    countersign,
    open_enrollment,
    parse_enrollment,
    parse_revocation,
)
from colophon.errors import InputError, SignatureError
from colophon.keys import Ed25519Key

NOW = datetime(2026, 11, 12, 9, 14, tzinfo=UTC)
KEY, ACCOUNT, EVE = (Ed25519Key.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
MODEL = b"\x07" * 32


def made(**changes: Any) -> dict[str, Any]:
    fields = {
        "purpose": "actor",
        "custody": "client",
        "enrolled_on": NOW,
        "account": ACCOUNT.key_id,
    }
    return build_enrollment(KEY.public_spki, **{**fields, **changes})


def test_an_enrollment_comes_back_as_it_was_built() -> None:
    found = open_enrollment(statement.sign(made(), KEY))
    assert (found.key_id, found.public_spki) == (KEY.key_id, KEY.public_spki)
    assert (found.purpose, found.custody) == ("actor", "client")
    assert (found.account, found.models) == (ACCOUNT.key_id, ())
    assert found.enrolled_on == NOW


def test_only_the_enrolled_key_enrolls_itself() -> None:
    with pytest.raises(SignatureError):
        open_enrollment(statement.sign(made(), EVE))


def test_a_key_is_taken_in_by_the_account_it_names() -> None:
    own = statement.sign(made(), KEY)
    assert check_taken_in(countersign(own, ACCOUNT), ACCOUNT.public_spki)
    with pytest.raises(SignatureError):
        check_taken_in(own, ACCOUNT.public_spki)
    with pytest.raises(SignatureError, match="another account"):
        check_taken_in(countersign(own, EVE), EVE.public_spki)


def test_a_countersignature_alone_is_not_enough() -> None:
    taken = countersign(statement.sign(made(), EVE), ACCOUNT)
    with pytest.raises(SignatureError):
        check_taken_in(taken, ACCOUNT.public_spki)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "king"}, "predicate/purpose"),
        ({"custody": "cloud"}, "predicate/custody"),
        ({"account": "abc"}, "predicate/account"),
        ({"purpose": "runtime"}, "predicate/models"),
        ({"models": [MODEL]}, "predicate/models"),
        ({"purpose": "runtime", "models": [b"short"]}, "predicate/models/0/digest"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        made(**changes)
    assert caught.value.field.startswith(field)


def test_the_subject_is_the_key_and_nothing_is_smuggled_in() -> None:
    other = made()
    other["subject"][0]["digest"]["sha256"] = EVE.key_id
    with pytest.raises(InputError, match="subject/0/digest"):
        parse_enrollment(other)
    more = made()
    more["predicate"]["admin"] = True
    with pytest.raises(InputError, match="predicate/admin"):
        parse_enrollment(more)


def test_a_runtime_key_speaks_for_its_models() -> None:
    assert parse_enrollment(made(purpose="runtime", models=[MODEL])).models == (MODEL,)


def test_a_revocation_comes_back_as_it_was_built() -> None:
    said = build_revocation(KEY.key_id, effective_on=NOW, reason="compromised")
    found = parse_revocation(said)
    assert (found.key_id, found.effective_on) == (KEY.key_id, NOW)
    assert found.reason == "compromised"
    with pytest.raises(InputError, match="reason"):
        build_revocation(KEY.key_id, effective_on=NOW, reason="bored")
    said["subject"].append(said["subject"][0])
    with pytest.raises(InputError, match="several"):
        parse_revocation(said)
