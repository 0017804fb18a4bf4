"""Decide a case: one certifier's word, signed, logged, and cited by the next verdict.

Two different people are needed to confirm a review, to suspend a work, and to
reinstate it. To leave things as they are, one is enough.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.keys import signer_for
from accounts.models import Party, User
from accounts.platform import platform_signer
from colophon import records, statement
from log.append import append
from log.models import Entry
from outbox.enqueue import enqueue
from provenance import reasons
from provenance.conflicts import party_for, why_not
from provenance.errors import CaseStateError, ConflictOfInterestError, DisputeError
from provenance.models import Case, Decision, Dispute, DisputeMove
from provenance.queue import holds

CHECKLIST = "2026-12"
PEOPLE = 2
CONFIRMED, REFUSED = "confirmed", "refused"
UPHELD, REJECTED = Dispute.State.UPHELD.value, Dispute.State.REJECTED.value
CODES = {
    CONFIRMED: reasons.CONFIRM,
    REFUSED: reasons.REFUSE,
    UPHELD: reasons.UPHOLD,
    REJECTED: reasons.REJECT,
}


def decisions_for(case: Case) -> tuple[str, str]:
    """What may be decided: first what needs two people, then what needs one."""
    if case.kind == Case.Kind.REVIEW:
        return CONFIRMED, REFUSED
    assert case.dispute is not None
    return (REJECTED, UPHELD) if case.dispute.suspends else (UPHELD, REJECTED)


def decide_case(
    *, case: Case, by: User, decision: str, reason: str, note: str = ""
) -> Decision:
    """Give one's word in a case that one has taken.

    Args:
        decision: one of `decisions_for`.
        reason: a code of `CODES[decision]`; it goes into the record.
        note: for the people of the case, on their page; not in the record.

    Writes: Decision, DisputeMove, Case, Dispute, Entry, Job. Lock: the Case row; the
    constraints of Decision.

    Raises:
        DisputeError: an unknown decision or reason.
        CaseStateError: closed, or not taken by this certifier.
        ConflictOfInterestError: they have a stake, or decided before.
    """
    if decision not in decisions_for(case):
        raise DisputeError("is nothing that can be decided here", "decision")
    if reason not in CODES[decision]:
        raise DisputeError(f"is none of {', '.join(CODES[decision])}", "reason")
    party = party_for(by)
    if party is None:
        raise ConflictOfInterestError("You have no account to sign with.")
    signer_for(party)
    with transaction.atomic(durable=True):
        case = Case.objects.select_for_update().get(pk=case.pk)
        if case.closed_at is not None or not holds(case, by):
            raise CaseStateError("Take the case first; it is closed or not yours.")
        if stake := why_not(case, by):
            raise ConflictOfInterestError(stake)
        entry = _record(case, party, decision, reason)
        row = Decision.objects.create(
            case=case,
            by=by,
            party=party,
            decision=decision,
            reason=reason,
            note=note,
            entry=entry,
        )
        _move_on(case, row)
        _ask_for_a_verdict(case, row)
    return row


def _record(case: Case, party: Party, decision: str, reason: str) -> Entry:
    """The signed word in the log; of a dispute it is a move as well."""
    asset = case.asset
    file = bytes(asset.seal.file_digest)
    at = timezone.now().replace(microsecond=0)  # not later than the next standing
    signers = (signer_for(party), platform_signer())
    if case.dispute is None:
        said = records.review(
            asset=asset.code,
            file=file,
            reviewer=party.code,
            checklist=CHECKLIST,
            seen=_seen(case),
            decision=decision,
            reason=reason,
            reviewed_at=at,
        )
        return append("review", statement.sign(said, *signers).to_json())
    said = records.dispute(
        dispute_id=case.dispute.code,
        asset=asset.code,
        file=file,
        move=decision,
        reason=reason,
        by=party.code,
        appeal=case.appeal_of_id is not None,
        at=at,
    )
    entry = append("dispute", statement.sign(said, *signers).to_json())
    DisputeMove.objects.create(
        dispute=case.dispute, move=decision, reason=reason, by=party, entry=entry, at=at
    )
    return entry


def _seen(case: Case) -> list[bytes]:
    """Digests of what the page of the case shows: file, seal, and every step."""
    seal, run = case.asset.seal, case.asset.run
    steps = run.steps.values_list("digest", flat=True) if run else []
    return [bytes(seal.file_digest), bytes(seal.digest), *map(bytes, steps)]


def _move_on(case: Case, row: Decision) -> None:
    """Close the case when enough people said so; else it waits for another."""
    heavy, _ = decisions_for(case)
    said = case.decisions.filter(decision=row.decision).count()
    case.locked_by, case.lock_until = None, None
    if row.decision != heavy or said >= PEOPLE:
        case.outcome, case.closed_at = row.decision, row.decided_at
        if case.dispute is not None:
            _close_dispute(case.dispute, row)
    case.save()


def _close_dispute(dispute: Dispute, row: Decision) -> None:
    dispute.state, dispute.stands = row.decision, ""
    dispute.decided_by, dispute.decided_at = row.by, row.decided_at
    dispute.decision = row.reason
    dispute.save()


def _ask_for_a_verdict(case: Case, row: Decision) -> None:
    """A dispute moves the standing at once; a review counts when the log has it."""
    payload = {"asset": case.asset_id}
    if case.kind == Case.Kind.REVIEW:
        payload["entry"] = row.entry_id
    enqueue(
        "asset.judge",
        key=f"judge:{case.asset.code}:decision:{row.pk}",
        payload=payload,
    )
