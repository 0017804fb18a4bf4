"""Disputes: open one, answer it, appeal once against its decision.

Each move is a row, a log entry that names nobody, and a new verdict. While a dispute
is not rejected, what the work earns is held (royalties/due.py).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import Party, User
from accounts.platform import platform_signer
from colophon import records, statement
from colophon.digest import sha256
from log.append import append
from outbox.enqueue import enqueue
from provenance.errors import DisputeError
from provenance.models import Asset, Case, Dispute, DisputeMove
from provenance.reasons import CLAIMS, RELATIONS

State = Dispute.State
UNDECIDED = (State.OPEN, State.ANSWERED, State.APPEALED)
ANSWERED = "owner-answered"


@dataclass(frozen=True)
class Objection:
    """What somebody who objects says.

    Attributes:
        relation: what the matter is to them, one of `reasons.RELATIONS`.
        reason: one of `reasons.CLAIMS`.
        text: what happened and what shows it; the owner reads it.
        links: addresses, one a line; the owner reads them.
        contact: e-mail address, for certifiers alone.
    """

    relation: str
    reason: str
    text: str
    links: str = ""
    contact: str = ""


def open_dispute(
    *, asset: Asset, objection: Objection, by: User | None
) -> tuple[Dispute, str]:
    """Object to a published work; with or without an account.

    Returns:
        The dispute, and the secret that opens its page to whoever has no account.

    Writes: Dispute, DisputeMove, Case, Entry, Job. Lock: the Asset row.

    Raises:
        DisputeError: not published, one's own, an unknown code, or already open.
    """
    if objection.reason not in CLAIMS:
        raise DisputeError(f"is none of {', '.join(CLAIMS)}", "reason")
    if objection.relation not in RELATIONS:
        raise DisputeError(f"is none of {', '.join(RELATIONS)}", "relation")
    secret = secrets.token_urlsafe(24)
    with transaction.atomic(durable=True):
        asset = Asset.objects.select_for_update().get(pk=asset.pk)
        _check_may_open(asset, by)
        row = Dispute.objects.create(
            asset=asset, opened_by=by, secret=sha256(secret.encode()), **vars(objection)
        )
        Case.objects.create(kind=Case.Kind.DISPUTE, asset=asset, dispute=row)
        _move(row, "opened", row.reason)
    return row, secret


def _check_may_open(asset: Asset, by: User | None) -> None:
    if asset.published_at is None:
        raise DisputeError("is not published; there is nothing to object to", "asset")
    if by is None:
        return
    if Party.objects.of(by).filter(pk=asset.party_id).exists():
        raise DisputeError("is your own; take it off sale instead", "asset")
    if asset.disputes.filter(opened_by=by, state__in=UNDECIDED).exists():
        raise DisputeError("has an open objection of yours; add to that one", "asset")


def answer_dispute(*, dispute: Dispute, text: str) -> Dispute:
    """The work's owner answers, once; the certifiers read both sides.

    Writes: Dispute, DisputeMove, Entry, Job. Lock: conditional update.

    Raises:
        DisputeError: it was answered, or decided.
    """
    with transaction.atomic(durable=True):
        taken = Dispute.objects.filter(pk=dispute.pk, state=State.OPEN).update(
            state=State.ANSWERED, answer=text, answered_at=timezone.now()
        )
        if not taken:
            raise DisputeError("was answered or decided already", "dispute")
        dispute.refresh_from_db()
        _move(dispute, "answered", ANSWERED)
    return dispute


def appeal_dispute(*, dispute: Dispute, by_owner: bool, text: str) -> Case:
    """Whom the decision went against asks others to decide anew, once.

    What was decided stands until then: an upheld dispute goes on suspending.

    Writes: Dispute, DisputeMove, Case, Entry, Job. Lock: conditional update; the
    constraint on `Case.appeal_of`.

    Raises:
        DisputeError: not decided, appealed before, or decided for the asker.
    """
    lost = State.UPHELD if by_owner else State.REJECTED
    with transaction.atomic(durable=True):
        row = Dispute.objects.select_for_update().get(pk=dispute.pk)
        if row.appealed_at is not None:
            raise DisputeError("was appealed already; that decision is final", "appeal")
        if row.state != lost:
            raise DisputeError("was not decided against you", "appeal")
        row.stands, row.state = row.state, State.APPEALED
        row.appeal_text, row.appealed_at = text, timezone.now()
        row.save()
        before = row.cases.order_by("pk").last()
        case = Case.objects.create(
            kind=Case.Kind.DISPUTE,
            asset=row.asset,
            dispute=row,
            appeal_of=before,
            text=text,
        )
        _move(row, "appealed", "by-owner" if by_owner else "by-complainant")
    return case


def is_complainant(dispute: Dispute, user: object, secret: str) -> bool:
    """Whether somebody is the one who objected: by account, or by the secret."""
    if isinstance(user, User) and dispute.opened_by_id == user.pk:
        return True
    if not secret or dispute.secret is None:
        return False
    given = sha256(secret.encode())
    return secrets.compare_digest(given, bytes(dispute.secret))


def _move(row: Dispute, move: str, reason: str) -> None:
    """One line in the log, and the question for a new verdict."""
    appeal = row.appealed_at is not None
    said = records.dispute(
        dispute_id=row.code,
        asset=row.asset.code,
        file=bytes(row.asset.seal.file_digest),
        move=move,
        reason=reason,
        appeal=appeal,
        at=timezone.now(),
    )
    entry = append("dispute", statement.sign(said, platform_signer()).to_json())
    made = DisputeMove.objects.create(
        dispute=row, move=move, reason=reason, entry=entry
    )
    enqueue(
        "asset.judge",
        key=f"judge:{row.asset.code}:dispute:{made.pk}",
        payload={"asset": row.asset_id},
    )
