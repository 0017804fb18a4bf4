"""From a bundle to facts: every record checked, in the order of the checks 1 to 11.

What does not hold becomes a failed check and no fact; nothing here raises for bad
evidence. The policy then reads the facts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from colophon import filematch
from colophon.checks import Checklist, Code
from colophon.errors import ColophonError, EvidenceError, InputError
from colophon.evidence import Bundle, Record
from colophon.facts import Facts
from colophon.filematch import CredentialFacts, FileDigests
from colophon.keyring import Keyring, platform_statement
from colophon.logview import LogView
from colophon.origin import OriginClass
from colophon.peopleproof import People
from colophon.records import (
    Examination,
    Seal,
    Standing,
    parse_delivery,
    parse_examination,
    parse_seal,
    parse_source,
    parse_standing,
)
from colophon.rightsproof import Rights, check_rights
from colophon.statement import Json, read_statement
from colophon.stepproofs import Given, Owned, Steps, check_steps
from colophon.trust import Trust

Said = TypeVar("Said")
Dated = TypeVar("Dated", Standing, Examination)
_CLEAN = (OriginClass.CAPTURE, OriginClass.HUMAN_MADE, OriginClass.ALGORITHMIC)


@dataclass(frozen=True)
class Weighed:
    """Facts, the checks behind them, and what the file in hand is."""

    facts: Facts
    checks: Checklist
    match: str = filematch.NONE
    seal: Seal | None = None
    proven_at: datetime | None = None


def facts_from(
    bundle: Bundle,
    file: FileDigests,
    credential: CredentialFacts | None,
    trust: Trust,
    *,
    as_of: datetime,
    vouched: frozenset[bytes] | None = frozenset(),
) -> Weighed:
    """Weigh a bundle: pure in its arguments.

    Args:
        bundle: unverified evidence.
        file: digests of the file in hand.
        credential: what the C2PA reader said of that file; None when not read.
        trust: what is believed without proof.
        as_of: later statements of the platform do not count yet.
        vouched: digests of chain proofs and credential facts that a trusted verdict
            rests on; None counts all, for the platform that makes the verdict.
    """
    checks = Checklist()
    log = LogView.of(bundle, trust, vouched, checks, as_of=as_of)
    ring = Keyring(bundle.records, trust, log.index, as_of)
    sealed = _check_seal(bundle, trust, checks)
    if sealed is None:
        return Weighed(Facts(), checks)
    record, seal = sealed
    deliveries = _said(bundle.of("delivery"), parse_delivery, trust, 1, checks)
    kind = filematch.match(file, seal, deliveries, checks)
    found = credential or CredentialFacts("error")
    if kind != filematch.NONE or found.state != "none":
        filematch.check_credential(found, kind, seal, checks)
    if kind not in {filematch.SEALED, filematch.NONE} or found.state == "error":
        found = recorded_credential(bundle, vouched)
    given = Given(
        seal=seal,
        sources=_sources(bundle, ring, log),
        examination=_newest_examination(bundle, seal, trust, as_of, checks),
        captured=found.captured,
        as_of=as_of,
    )
    standing = _newest_standing(bundle, seal, trust, as_of, checks)
    people = People(bundle, log, ring, seal, checks)
    people.check_disputes(standing)
    parts = _Parts(
        kind=kind,
        credential=found,
        record=record,
        log=log,
        ring=ring,
        given=given,
        steps=check_steps(bundle, log, ring, given, checks),
        rights=check_rights(bundle, log, ring, seal, checks),
        standing=standing,
        reviewed=people.reviewed(as_of=as_of, vouched=vouched),
    )
    proven_at = log.proven_at(log.place(record))
    return Weighed(_facts(parts), checks, kind, seal, proven_at)


@dataclass(frozen=True)
class _Parts:
    """Everything checked, before it becomes facts."""

    kind: str
    credential: CredentialFacts
    record: Record
    log: LogView
    ring: Keyring
    given: Given
    steps: Steps
    rights: Rights
    standing: Standing | None
    reviewed: bool


def _facts(parts: _Parts) -> Facts:
    return Facts(
        **_credential_facts(parts),
        **_record_facts(parts),
        **_step_facts(parts),
        **vars(parts.rights),
    )


def _credential_facts(parts: _Parts) -> Json:
    """Facts about the file and its credential."""
    found, seal = parts.credential, parts.given.seal
    known = parts.kind != filematch.NONE
    sealed = found.signature == seal.claim_signature.hex()
    from_steps = parts.steps.origin if seal.steps else None
    return {
        "file_known": known,
        "credential": found.state if found.state in filematch.STATES[:3] else "",
        "credential_clean": known and found.clean and sealed,
        "credential_current": not found.expired,
        "attributed_actions": found.attributed,
        "all_actions_included": found.complete,
        "capture_trusted": found.captured,
        "declared": bool(seal.origin or seal.steps or found.source_types),
        "origin": _origin(from_steps, found),
    }


def _record_facts(parts: _Parts) -> Json:
    """Facts about the seal, its place and time, and what the platform states."""
    log, seal, standing = parts.log, parts.given.seal, parts.standing
    place = log.place(parts.record)
    signers = [one.keyid for one in parts.record.envelope.signatures]
    moment = log.proven_at(place)
    revoked = any(parts.ring.revoked_by(one, moment) for one in signers)
    # Only a witness that is not run by the log's own operator confirms anything.
    witnessed = log.is_witnessed(place, log.trust.independent_witnesses)
    confirmed = {"witness": witnessed, "review": parts.reviewed}
    return {
        "seal_signed": True,
        "seal_key_good": not revoked,
        "seal_logged": place is not None,
        "anchor": log.anchor_of(place),
        "timestamp_at": log.stamp_of(place),
        "identities": seal.identities,
        "standing_at": standing.at if standing else None,
        "stated": standing.after if standing else "",
        "corroborations": frozenset(one for one, held in confirmed.items() if held),
    }


def _step_facts(parts: _Parts) -> Json:
    """Facts about the steps and what comparing them found."""
    steps, seen = parts.steps, parts.given.examination
    facts: Json = {
        "steps": steps.facts,
        "chain_complete": steps.complete,
        "ticket_at": steps.ticket_at,
        "covered_at": steps.covered_at,
    }
    if seen is not None:
        facts |= {
            "examined": bool(seen.methods),
            "earlier_look_alikes": seen.earlier_look_alikes,
            "changes_examined": seen.changes_examined,
            "undeclared_changes": seen.undeclared_changes,
        }
    return facts


def _check_seal(
    bundle: Bundle, trust: Trust, checks: Checklist
) -> tuple[Record, Seal] | None:
    """Check 4: exactly one seal, signed by a platform key."""
    records = bundle.of("seal")
    if len(records) != 1:
        checks.failed(4, f"The evidence holds {len(records)} seals, expected one.")
        return None
    try:
        said = platform_statement(records[0].envelope, trust)
        seal = parse_seal(said) if said else None
    except ColophonError as error:
        checks.failed(4, f"The seal does not hold: {error}.")
        return None
    if seal is None:
        words = "The seal is signed by no platform key that you trust."
        checks.failed(4, words, Code.UNKNOWN_SIGNER)
        return None
    checks.passed(4, f"The seal of {seal.asset} is signed by the platform.")
    return records[0], seal


def _said(
    records: Sequence[Record],
    parse: Callable[[Json], Said],
    trust: Trust,
    number: int,
    checks: Checklist,
) -> list[Said]:
    """Records that the platform signed; a wrong one fails its check."""
    found = []
    for record in records:
        try:
            said = platform_statement(record.envelope, trust)
            if said is not None:
                found.append(parse(said))
        except ColophonError as error:
            words = f"A record of kind {record.kind} does not hold: {error}."
            checks.failed(number, words)
    return found


def _newest_standing(
    bundle: Bundle, seal: Seal, trust: Trust, as_of: datetime, checks: Checklist
) -> Standing | None:
    found = _said(bundle.of("standing"), parse_standing, trust, 13, checks)
    return _newest(found, seal, as_of, lambda one: one.at)


def _newest_examination(
    bundle: Bundle, seal: Seal, trust: Trust, as_of: datetime, checks: Checklist
) -> Examination | None:
    found = _said(bundle.of("examination"), parse_examination, trust, 13, checks)
    return _newest(found, seal, as_of, lambda one: one.examined_at)


def _newest(
    found: Sequence[Dated], seal: Seal, as_of: datetime, at: Callable[[Dated], datetime]
) -> Dated | None:
    """The newest statement about this asset that was made by then."""
    mine = [one for one in found if (one.asset, one.file) == (seal.asset, seal.file)]
    return max((one for one in mine if at(one) <= as_of), key=at, default=None)


def _sources(
    bundle: Bundle, ring: Keyring, log: LogView
) -> dict[bytes, Sequence[Owned]]:
    """Registered sources by digest: in the log, signed by an enrolled key."""
    found: dict[bytes, list[Owned]] = {}
    for record in bundle.of("source"):
        try:
            signed = ring.verify(record.envelope)
            said = (
                signed[0] if signed else platform_statement(record.envelope, log.trust)
            )
            source = parse_source(said) if said else None
        except ColophonError:
            continue  # it registers nothing
        if source is not None and log.place(record) is not None:
            account = signed[1].account if signed else ""
            found.setdefault(source.digest, []).append(Owned(source, account))
    return dict(found)


def recorded_credential(
    bundle: Bundle, vouched: frozenset[bytes] | None
) -> CredentialFacts:
    """The sealed file's credential as recorded, when a trusted verdict rests on it.

    Args:
        bundle: carries it as `credential.json`.
        vouched: digests that a trusted verdict rests on; None: believed anyway.
    """
    if bundle.credential is None:
        return CredentialFacts("none")
    try:
        found = CredentialFacts.from_json(bundle.credential)
    except ColophonError:
        return CredentialFacts("error")
    believed = vouched is None or found.digest in vouched
    return found if believed else CredentialFacts("none")


def _origin(steps: OriginClass | None, found: CredentialFacts) -> OriginClass:
    """Class by the steps, else by the credential; a contradiction is unknown."""
    declared = OriginClass(found.origin)
    if steps is None:
        return declared
    if steps in _CLEAN and found.has_ai:
        return OriginClass.UNKNOWN
    return steps


def sealed_digests(bundle: Bundle) -> FileDigests:
    """The digests of the sealed file as the seal names them, unverified.

    Raises:
        EvidenceError: the bundle has no readable seal.
    """
    record = bundle.one("seal")
    if record is None:
        raise EvidenceError("evidence has no seal")
    try:
        seal = parse_seal(read_statement(record.envelope.payload))
    except InputError as error:
        raise EvidenceError(f"evidence has no readable seal: {error}") from error
    return FileDigests(seal.file, seal.pixels)
