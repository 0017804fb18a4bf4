"""Everything needed to check one asset offline, gathered into one bundle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from accounts.models import SigningKey
from colophon.evidence import Bundle, ChainProof, Record
from colophon.policy import POLICY
from colophon.records import parse_seal
from colophon.statement import read_statement
from colophon.tlogproof import LogProof
from log.models import Checkpoint, Entry
from log.proofs import inclusion
from provenance.envelopes import envelope_of
from provenance.models import (
    Agreement,
    Anchor,
    Asset,
    Case,
    Decision,
    DisputeMove,
    Source,
    Step,
)
from provenance.shares import used_sources


def bundle_for(asset: Asset, *, extra: Iterable[Entry] = ()) -> Bundle:
    """The evidence of a sealed asset, with its newest verdict beside it.

    Args:
        asset: sealed.
        extra: further entries, such as the delivery of a licensed copy.
    """
    entries = [*_entries(asset), *extra]
    ticket_size = _ticket_size(asset)
    found: list[Record] = []
    checkpoints: dict[int, Checkpoint] = {}
    for entry in entries:
        record, used = _record(entry, ticket_size)
        found.append(record)
        checkpoints |= {one.size: one for one in used}
    verdict = asset.verdicts.first()
    if verdict is not None:
        for entry in (verdict.standing_entry, verdict.entry):
            record, used = _record(entry, None)
            found.append(record)
            checkpoints |= {one.size: one for one in used}
    return Bundle(
        asset=_facts_for_people(asset),
        records=tuple(found),
        times=_times(checkpoints),
        anchors=_anchors(checkpoints),
        policy=dict(POLICY.data),
        credential=asset.seal.credential,
    )


def _entries(asset: Asset) -> list[Entry]:
    """The entries that the evidence rests on, each once, in the order of the loop."""
    found: list[Entry] = []
    decided, deciders = _decisions(asset)
    agreement = asset.agreements.order_by("-version").first()
    sources = used_sources(asset)
    steps = _sealed_steps(asset)
    owners = _owners(sources, agreement) | deciders
    found += _keys({step.key_id for step in steps}, owners)
    found += [source.entry for source in sources]
    if asset.run is not None:
        found.append(asset.run.ticket)
    found += [step.entry for step in steps]
    found += [asset.seal.entry, asset.seal.examination]
    if agreement is not None:
        found.append(agreement.entry)
        rows = agreement.acceptances.select_related("entry").order_by("pk")
        found += [row.entry for row in rows]
    found += decided
    return list({entry.pk: entry for entry in found}.values())


def _decisions(asset: Asset) -> tuple[list[Entry], set[int]]:
    """Moves of disputes, and reviews that the log covers; and whose keys decided.

    A review counts from its place in the log on, so an evidence that shows it before
    would change by itself.
    """
    moves = DisputeMove.objects.filter(dispute__asset=asset).order_by("pk")
    head = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    reviews = Decision.objects.filter(
        case__asset=asset, case__kind=Case.Kind.REVIEW, entry__index__lt=head or 0
    )
    entries: list[Entry] = []
    people: set[int] = set()
    for move in moves.select_related("entry"):
        entries.append(move.entry)
        people |= {move.by_id} if move.by_id else set()
    for review in reviews.select_related("entry").order_by("pk"):
        entries.append(review.entry)
        people.add(review.party_id)
    return entries, people


def _sealed_steps(asset: Asset) -> list[Step]:
    """Exactly the steps that the seal names; the run may have gone on since."""
    if asset.run is None:
        return []
    seal = parse_seal(read_statement(envelope_of(asset.seal.entry).payload))
    steps = asset.run.steps.filter(digest__in=seal.steps)
    return list(steps.select_related("entry"))


def _owners(sources: Iterable[Source], agreement: Agreement | None) -> set[int]:
    """Parties whose account keys signed a source, the agreement or a yes to it."""
    found = {source.registered_by_id for source in sources}
    if agreement is not None:
        parts = agreement.parts.filter(holder__party__isnull=False)
        found |= set(parts.values_list("holder__party", flat=True))
        found.add(agreement.asset.party_id)
    return found


def _keys(used: set[int], owners: set[int]) -> list[Entry]:
    """Enrollments (and revocations) of keys and of their owners' account keys."""
    parties = SigningKey.objects.filter(pk__in=used).values("party")
    account = SigningKey.Purpose.ACCOUNT
    owned = Q(party__in=parties) | Q(party__in=owners)
    rows = SigningKey.objects.filter(
        Q(pk__in=used) | (owned & Q(purpose=account))
    ).order_by("pk")
    found = []
    for row in rows.select_related("enrollment", "revocation"):
        found += [one for one in (row.enrollment, row.revocation) if one]
    return found


def _ticket_size(asset: Asset) -> int | None:
    """Size of the checkpoint that the run's ticket names."""
    if asset.run is None or asset.run.checkpoint is None:
        return None
    return asset.run.checkpoint.size


def _record(entry: Entry, ticket_size: int | None) -> tuple[Record, list[Checkpoint]]:
    """A record with its inclusion proofs, and the checkpoints that they lead to."""
    used = _checkpoints(entry, ticket_size)
    proofs = tuple(LogProof.from_text(inclusion(entry, one)) for one in used)
    salt = bytes(entry.salt) if entry.salt else None
    return Record(entry.kind, envelope_of(entry), salt, proofs), used


def _checkpoints(entry: Entry, ticket_size: int | None) -> list[Checkpoint]:
    """The checkpoints that say most about an entry.

    The first one with a time-stamp, the first one with an anchor, and the one that
    the ticket names, when that covers the entry already.
    """
    if entry.index is None:
        return []
    covering = Checkpoint.objects.filter(size__gt=entry.index).order_by("size")
    stamped = covering.filter(timestamp__isnull=False).first()
    anchored = covering.filter(anchor__isnull=False).first()
    named = covering.filter(size=ticket_size).first() if ticket_size else None
    first = stamped or covering.first()
    found = [one for one in (first, anchored, named) if one is not None]
    return list({one.size: one for one in found}.values())


def _times(checkpoints: dict[int, Checkpoint]) -> dict[int, bytes]:
    return {
        size: bytes(one.timestamp)
        for size, one in sorted(checkpoints.items())
        if one.timestamp
    }


def _anchors(checkpoints: dict[int, Checkpoint]) -> dict[int, ChainProof]:
    rows = Anchor.objects.filter(checkpoint__size__in=checkpoints)
    return {
        row.checkpoint.size: ChainProof.from_json(row.receipt)
        for row in rows.select_related("checkpoint").order_by("checkpoint__size")
    }


def _facts_for_people(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.code,
        "title": asset.title,
        "creator": asset.creator_name or asset.party.name,
    }
