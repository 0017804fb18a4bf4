"""Register a model, a data set or an input picture, with its owner's standing ask."""

from __future__ import annotations

from django.db import IntegrityError, transaction

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
    if existing := Source.objects.filter(digest=digest, registered_by=party).first():
        return _same(existing, name, ask_ppm)
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
                kind=kind,
                name=name,
                version=version,
                digest=digest,
                party=party if own else None,
                holder=holder,
                registered_by=party,
                ask_ppm=ask_ppm,
                terms=terms,
                description=description,
                training=training or {},
                entry=append("source", envelope.to_json()),
            )
            row.trained_on.set(trained_on or [])
    except IntegrityError:
        existing = Source.objects.get(digest=digest, registered_by=party)
        return _same(existing, name, ask_ppm)
    return row


def _same(existing: Source, name: str, ask_ppm: int | None) -> Source:
    if existing.name != name or existing.ask_ppm != ask_ppm:
        raise SourceConflictError(
            f"you registered this digest as {existing}; register a new version instead"
        )
    return existing
