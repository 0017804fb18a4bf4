"""Small pieces that several record kinds share: digests, addresses, subjects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.fields import Fields
from colophon.statement import Json, statement, subject_digests, subject_of

MAX_UNITS = 2**53 - 1
MAX_TERMS = 4_000
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)


def sha(digest: bytes) -> Json:
    """``{"sha256": hex}``."""
    return {"sha256": digest.hex()}


def plain(data: Mapping[str, Any]) -> Json:
    """The members that are there."""
    return {key: value for key, value in data.items() if value is not None}


def about_itself(name: str, predicate_type: str, predicate: Json) -> Json:
    """A statement about no file: its subject is its own predicate's digest."""
    subject = subject_of(name, sha256(canonical(predicate)))
    return statement([subject], predicate_type, predicate)


def about_file(name: str, digest: bytes, predicate_type: str, predicate: Json) -> Json:
    """A statement about one file or record by its SHA-256."""
    return statement([subject_of(name, digest)], predicate_type, predicate)


def only_subject(value: Mapping[str, Any]) -> bytes:
    """The digest of a statement's one subject.

    Raises:
        InputError: there are several.
    """
    digests = subject_digests(value)
    if len(digests) != 1:
        raise InputError("has several subjects, expected one", "subject")
    return digests[0]


def check_self(value: Mapping[str, Any]) -> None:
    """Check that the subject is the predicate's digest.

    Raises:
        InputError: it is another digest.
    """
    if only_subject(value) != sha256(canonical(value["predicate"])):
        raise InputError("is not the predicate's digest", "subject/0/digest/sha256")


def address(fields: Fields, key: str) -> str:
    """A lowercase 0x address of 20 bytes.

    Raises:
        InputError: it is none.
    """
    text = fields.text(key)
    if _ADDRESS.fullmatch(text) is None:
        raise InputError("is not a lowercase 0x address", fields.at(key))
    return text


def label(fields: Fields, key: str) -> str:
    """A short machine word.

    Raises:
        InputError: it is none.
    """
    text = fields.text(key)
    if _LABEL.fullmatch(text) is None:
        raise InputError("is not a word of a-z, 0-9 and _.-", fields.at(key))
    return text


def digests(fields: Fields, key: str, limit: int) -> tuple[bytes, ...]:
    """Digests of a list of ``{"sha256": hex}``; an absent list is empty."""
    found = []
    for one in fields.objects(key, limit=limit):
        found.append(one.hexadecimal("sha256"))
        one.close()
    return tuple(found)
