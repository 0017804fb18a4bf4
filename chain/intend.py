"""Want an effect on the chain: one row, written with the business row.

Nothing is signed or sent here. The job `chain.send` does that after the commit; the
unique key makes a second call with the same key the same intent.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from chain import contracts
from chain.errors import ArgsError, KeyReusedError
from chain.kinds import kind_of
from chain.models import Intent
from outbox.enqueue import MAX_KEY_LENGTH, enqueue
from outbox.table import queue_of

SEND_JOB = "chain.send"
LONGEST_KEY = MAX_KEY_LENGTH - len("then::reorged:00")


def intend(
    kind: str,
    args: dict[str, Any],
    *,
    key: str,
    then: tuple[str, dict[str, Any]] | None = None,
) -> Intent:
    """Writes an intent and its job. Inside the caller's transaction.

    Args:
        kind: one of `chain.kinds.KINDS`.
        args: the contract function's arguments by their ABI names. Integers or
            decimal texts, bytes or 0x hex, addresses. Empty for `anchor`.
        key: unique for ever, says what this effect is: `commit:7`.
        then: (job kind, payload) to enqueue when the intent is final, reverted or
            canceled (docs/chain.md).

    Returns:
        the new intent, or the one that this key made before.

    Raises:
        ArgsError: unknown kind, or an argument that does not fit; names the field.
        KeyReusedError: the key stands for something else.

    Writes: Intent, Job.
    """
    assert transaction.get_connection().in_atomic_block, "intend needs a transaction"
    known = kind_of(kind)
    if not key or len(key) > LONGEST_KEY:
        raise ArgsError(
            f"has {len(key)} characters, expected 1 to {LONGEST_KEY}", "key"
        )
    if then:
        queue_of(then[0])
    normal = {} if known.bound_late else contracts.normal_args(known, args)
    then_kind, then_payload = then or ("", {})
    intent, made = Intent.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "args": normal,
            "role": known.role,
            "then_kind": then_kind,
            "then_payload": then_payload,
        },
    )
    if not made:
        _check_same(intent, kind, normal, late=known.bound_late)
        return intent
    enqueue(SEND_JOB, key=f"{SEND_JOB}:{key}", payload={"intent": intent.pk})
    return intent


def _check_same(intent: Intent, kind: str, args: dict[str, Any], *, late: bool) -> None:
    if intent.kind != kind or (not late and intent.args != args):
        raise KeyReusedError(
            f"the key {intent.key!r} is a {intent.kind} with other arguments: "
            "give this one a key of its own"
        )
