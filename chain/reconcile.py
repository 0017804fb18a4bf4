"""Compare rows and chain both ways, and tell what a person should look at.

The sender and the follower each watch their own; this looks at what both call done.
A final intent whose block is gone is sent again and pulls the brake (I9, I10).
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from chain import events, identity, read
from chain.errors import WrongChainError
from chain.finality import Heights, heights
from chain.gateway import Gateway
from chain.halt import halt
from chain.keys import role_address
from chain.kinds import ASSET, LEDGER, ROLES, kind_of
from chain.models import Event, Intent, Network
from outbox.claims import Claim
from outbox.enqueue import enqueue

log = logging.getLogger(__name__)

LOOKBACK_BLOCKS = 256
QUEUED_TOO_LONG = timedelta(minutes=10)
MOST_FINDINGS = 100
LOW_BALANCE_WEI = 5 * 10**15
REORGED_JOB = "chain.reorged"
SILENT_KINDS = frozenset({"pay", "fund"})  # may be right without a log of ours


def reconcile(*, claim: Claim | None = None) -> list[str]:
    """Checks what is done against the chain, and what waits against the clock.

    A node of another chain is a finding, and the only one: there is nothing to compare.

    Returns:
        findings in words, also kept on the Network row; empty when all is well.

    Raises:
        Later: no node answered.
        NotDeployedError: there is no Network row to keep them on.

    Writes: Intent, Event, Network, Job. Lock: none but the rows changed.
    """
    try:
        gateway, network = identity.checked()
    except WrongChainError as error:
        return _keep([str(error)])
    deep = heights(gateway)
    findings = [
        *_blocks_gone(gateway, deep, claim),
        *_logs_missing(gateway, network, deep, claim),
        *_effects_missing(network, deep),
        *_waiting(),
        *_low_balances(gateway),
        *_old_head(deep),
        *_other_waits(),
    ]
    return _keep(findings)


def _keep(findings: list[str]) -> list[str]:
    """Writes them to the log and to the one Network row."""
    for finding in findings:
        log.error("chain.finding", extra={"finding": finding})
    Network.objects.update(findings=findings, checked_at=timezone.now())
    return findings


def _blocks_gone(gateway: Gateway, deep: Heights, claim: Claim | None) -> list[str]:
    """Intents that are done in a block that the chain no longer has."""
    done = (*Intent.DONE, Intent.State.NEEDS_HUMAN)
    rows = list(
        Intent.objects.filter(
            state__in=done,
            block_number__gt=max(deep.head.number - LOOKBACK_BLOCKS, 0),
        )
    )
    numbers = sorted({row.block_number for row in rows if row.block_number is not None})
    headers = dict(zip(numbers, gateway.headers(numbers), strict=True))
    findings = []
    for row in rows:
        assert row.block_number is not None
        header = headers[row.block_number]
        if header and header.hash == row.block_hash:
            continue
        if _somebody_has(gateway, row):
            findings.append(f"the nodes disagree on the block of {row.key}")
            continue
        _reopen(row, claim)
        findings.append(f"{row.key} was {row.state} in a block that is gone")
    return findings


def _somebody_has(gateway: Gateway, row: Intent) -> bool:
    """Whether any node still has the transaction in that very block."""
    told = gateway.receipts_everywhere(row.tx_hash)
    return any(one is not None and one.block_hash == row.block_hash for one in told)


def _reopen(row: Intent, claim: Claim | None) -> None:
    """Done → reorged: the brake, and the same bytes again by `chain.confirm`."""
    with transaction.atomic():
        if claim:
            claim.hold()
        locked = Intent.objects.select_for_update().get(pk=row.pk)
        if locked.state != row.state or locked.block_hash != row.block_hash:
            return
        gone = f"block {row.block_number} {row.block_hash} left the chain"
        locked.state = Intent.State.REORGED
        locked.error = f"was {row.state}: {gone}"
        locked.tx_hash = locked.block_hash = ""
        locked.block_number = locked.mined_at = locked.final_at = None
        locked.succeeded = None
        locked.save()
        halt(f"{row.key} was {row.state}: {gone}")
        kind = import_string(settings.CHAIN_EVENTS).get(REORGED_JOB)
        if kind:
            enqueue(
                kind,
                key=f"reorged:{row.block_hash[:18]}:{row.pk}",
                payload={"intent": row.pk},
            )


def _logs_missing(
    gateway: Gateway, network: Network, deep: Heights, claim: Claim | None
) -> list[str]:
    """Logs on the chain without a row, and rows without a log, up to final."""
    last = min(deep.final, network.followed_block)
    first = max(events.first_block(network), last - LOOKBACK_BLOCKS)
    if last < first:
        return []
    told = gateway.logs_everywhere(sorted(events.addresses(network)), first, last)
    logs = max(told, key=len)
    numbers = sorted({one.block_number for one in logs})
    headers = gateway.headers(numbers)
    times = {header.number: header.mined_at for header in headers if header}
    rows = events.rows_of(
        network, [one for one in logs if one.block_number in times], times
    )
    there = Event.objects.filter(
        removed_at__isnull=True, block_number__gte=first, block_number__lte=last
    )
    known = set(there.values_list("block_hash", "tx_hash", "log_index"))
    seen = {(row.block_hash, row.tx_hash, row.log_index) for row in rows}
    missing = [
        row for row in rows if (row.block_hash, row.tx_hash, row.log_index) not in known
    ]
    with transaction.atomic():
        if claim:
            claim.hold()
        events.store(missing)
    found = [f"{row} in block {row.block_number} had no row; added" for row in missing]
    return found + [
        f"log {index} of {tx_hash} is in no block of the chain"
        for block_hash, tx_hash, index in sorted(known - seen)
    ]


def _effects_missing(network: Network, deep: Heights) -> list[str]:
    """Final intents of the followed contracts that left no log there."""
    last = min(deep.final, network.followed_block)
    rows = Intent.objects.filter(
        state=Intent.State.FINAL,
        succeeded=True,
        block_number__lte=max(last, 0),
        block_number__gt=max(last - LOOKBACK_BLOCKS, 0),
    ).exclude(kind__in=SILENT_KINDS)
    hashes = [row.tx_hash for row in rows]
    seen = set(
        Event.objects.filter(tx_hash__in=hashes, removed_at__isnull=True).values_list(
            "tx_hash", flat=True
        )
    )
    return [
        f"{row.key} is final, but its transaction {row.tx_hash} left no log"
        for row in rows
        if row.tx_hash not in seen and kind_of(row.kind).contract in (LEDGER, ASSET)
    ]


def _waiting() -> list[str]:
    """Intents that a person should look at."""
    late = Q(state=Intent.State.QUEUED, created_at__lt=timezone.now() - QUEUED_TOO_LONG)
    rows = Intent.objects.filter(late | Q(state=Intent.State.NEEDS_HUMAN))
    return [f"{row.key} is {row.state}: {row.error}" for row in rows[:MOST_FINDINGS]]


def _old_head(deep: Heights) -> list[str]:
    """A node that stands still, or a clock that is wrong."""
    most = settings.CHAIN_MAX_HEAD_AGE_SECONDS
    age = (timezone.now() - deep.head.mined_at).total_seconds()
    if not most or abs(age) <= most:
        return []
    side = "old" if age > 0 else "ahead of our clock"
    return [f"the newest block {deep.head.number} is {abs(age):.0f} s {side}"]


def _other_waits() -> list[str]:
    """Waiting times that the settings have otherwise than the contract.

    What may still be charged before a refund follows from both (marketplace.models).
    """
    pairs = (
        ("COLOPHON_CHALLENGE_WINDOW", settings.CHALLENGE_WINDOW_SECONDS, "challenge"),
        ("COLOPHON_REFUND_DELAY", settings.REFUND_DELAY_SECONDS, "refund"),
    )
    there = {
        "challenge": read.challenge_window().total_seconds(),
        "refund": read.refund_delay().total_seconds(),
    }
    return [
        f"{name} is {mine} s and the contract waits {there[which]:.0f} s: set it so"
        for name, mine, which in pairs
        if mine != there[which]
    ]


def _low_balances(gateway: Gateway) -> list[str]:
    """Senders that will soon be unable to pay for gas."""
    findings = []
    for role in ROLES:
        address = role_address(role)
        if gateway.balance_wei(address) < LOW_BALANCE_WEI:
            findings.append(f"{role} {address} is low on native coin for gas")
    return findings
