"""Salted commitments of record fields, and the disclosures that open them.

A record says ``{"commitment": hex}``; whoever holds the disclosure (field, salt,
value) can show the value to anyone, and nobody can guess it without the salt.
Forgetting the salt forgets the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from colophon.digest import SALT_BYTES, canonical, commitment, new_salt
from colophon.errors import InputError, ProofError
from colophon.fields import Fields, check_characters

MAX_VALUE_BYTES = 64 * 1024
COMMITMENT = "commitment"


@dataclass(frozen=True)
class Disclosure:
    """What opens one commitment.

    Attributes:
        field: pointer inside the predicate, like ``prompt`` or ``parameters/seed``.
        salt: 16 random bytes.
        value: any JSON value.
    """

    field: str
    salt: bytes
    value: Any

    @classmethod
    def new(cls, field: str, value: Any) -> Self:
        """A disclosure with a fresh salt.

        Raises:
            InputError: the value is too large or has no canonical form.
        """
        return cls(field, new_salt(), _checked(value, field))

    def commit(self) -> dict[str, str]:
        """The commitment as the record carries it."""
        return {COMMITMENT: commitment(self.value, self.salt).hex()}

    def to_json(self) -> dict[str, Any]:
        return {"field": self.field, "salt": self.salt.hex(), "value": self.value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], path: str = "") -> Self:
        """Read a disclosure.

        Raises:
            InputError: names the field that is wrong.
        """
        outer = Fields(data, path)
        where = outer.text("field")
        salt = outer.hexadecimal("salt", SALT_BYTES)
        if "value" not in data:
            raise InputError("is missing", outer.at("value"))
        outer.has("value")
        outer.close()
        return cls(where, salt, _checked(data["value"], outer.at("value")))


def read_commitment(fields: Fields, key: str) -> bytes:
    """The commitment under a key, as 32 bytes.

    Raises:
        InputError: it is no commitment object.
    """
    inner = fields.object(key)
    found = inner.hexadecimal(COMMITMENT)
    inner.close()
    return found


def verify_disclosure(value: Mapping[str, Any], disclosure: Disclosure) -> None:
    """Check that a disclosure opens its field of a statement.

    Args:
        value: the statement.
        disclosure: what somebody shows.

    Raises:
        ProofError: the statement has no such commitment, or another one.
    """
    found: Any = value.get("predicate")
    for part in disclosure.field.split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or COMMITMENT not in found:
        raise ProofError(f"statement commits to no {disclosure.field[:64]}")
    if dict(found) != disclosure.commit():
        raise ProofError(f"disclosure of {disclosure.field[:64]} does not match")


def _checked(value: Any, where: str) -> Any:
    """A value of bounded size that has a canonical form."""
    check_characters(value, where)
    try:
        size = len(canonical(value))
    except InputError as error:
        raise InputError(error.message, where) from error
    if size > MAX_VALUE_BYTES:
        raise InputError(f"is {size} bytes, at most {MAX_VALUE_BYTES} fit", where)
    return value
