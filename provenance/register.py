"""Register a model, a data set or an input picture, with its owner's standing ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from accounts.errors import FieldError
from accounts.keys import signer_for
from accounts.models import Holder, Party
from colophon import records, statement
from colophon.errors import InputError
from colophon.ids import new_id
from colophon.units import PPM
from log.append import append
from provenance.errors import SourceConflictError
from provenance.models import Source


def register_source(
    *,
    party: Party,
    kind: str,
    name: str,
    digest: bytes,
    version: str = "",
    ask_ppm: int | None = None,
    terms: str = "",
    description: str = "",
    training: dict[str, str] | None = None,
    own: bool = True,
    owner_name: str = "",
    trained_on: list[Source] | None = None,
) -> Source:
    """Register a source by digest, signed with the party's account key.

    A party that is not the owner may register it too: then the owner is unclaimed,
    its part is reserved, and pages say "claimed by", never "owned by".

    Args:
        ask_ppm: the owner's standing ask of the gross; it accepts every agreement
            that gives at least as much. Only an owner can ask.
        own: the party owns it.
        owner_name: who does, when the party does not.

    Writes: Source, Holder (unclaimed), Entry. Lock: unique (digest, registered_by).

    Raises:
        InputError: an ask above everything, or an ask for somebody else.
        SourceConflictError: registered by this party with other facts.
    """
    if ask_ppm is not None and not 0 <= ask_ppm <= PPM:
        raise InputError(f"is {ask_ppm}, expected 0 to {PPM}", "ask_ppm")
    if ask_ppm is not None and not own:
        raise InputError("can only be set by the owner", "ask_ppm")
    if not own and not owner_name:
        raise InputError("is missing; say who owns it", "owner_name")
    facts = {
        "kind": kind,
        "name": name,
        "version": version,
        "party": party if own else None,
        "ask_ppm": ask_ppm,
        "terms": terms,
        "description": description,
        "training": training or {},
    }
    if existing := Source.objects.filter(digest=digest, registered_by=party).first():
        return _same(existing, facts)
    code = new_id("src")
    envelope = statement.sign(
        records.source(
            source_id=code,
            kind=kind,
            name=name,
            version=version,
            digest=digest,
            owner=party.code if own else None,
            ask_ppm=ask_ppm,
            license_terms=terms or None,
            training={f"cawg.{kind}": use for kind, use in (training or {}).items()},
        ),
        signer_for(party),
    )
    try:
        with transaction.atomic(durable=True):
            holder = party.holder if own else Holder.objects.create(name=owner_name)
            row = Source.objects.create(
                code=code,
                digest=digest,
                holder=holder,
                registered_by=party,
                entry=append("source", envelope.to_json()),
                **facts,
            )
            row.trained_on.set(trained_on or [])
    except IntegrityError:
        existing = Source.objects.get(digest=digest, registered_by=party)
        return _same(existing, facts)
    return row


def _same(existing: Source, facts: Mapping[str, Any]) -> Source:
    """The row that is there, when it says the same."""
    other = [name for name, value in facts.items() if getattr(existing, name) != value]
    if other:
        said = "own" if other[0] == "party" else other[0]
        raise SourceConflictError(
            f"you registered this digest as {existing}, with another {said}; "
            "register a new version instead",
            errors=[FieldError(f"/{said}", "is not what you registered")],
        )
    return existing
