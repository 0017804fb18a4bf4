"""Logs of our contracts as rows, and the jobs that they cause.

`config.jobs.EVENTS` maps "Contract.Event" to the job of a final event,
"Contract.Event@safe" to that of a safe one, and "Contract.Event@removed" to the job
that takes an announced event back. Payload: {"event": id}.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from chain import abi, contracts
from chain.blocks import Log
from chain.finality import heights
from chain.gateway import Gateway
from chain.halt import halt
from chain.kinds import ASSET, LEDGER
from chain.models import Event, Network
from outbox.enqueue import enqueue

FOLLOWED = (LEDGER, ASSET)
WITNESSES = 2


def addresses(network: Network) -> dict[str, str]:
    """Contract names by address, of those whose logs are followed."""
    return {
        str(network.contracts[name]["address"]): name
        for name in FOLLOWED
        if name in network.contracts
    }


def first_block(network: Network) -> int:
    """The block from which on our contracts can have logs."""
    blocks = [int(network.contracts[name]["block"]) for name in FOLLOWED]
    return min(blocks)


def rows_of(
    network: Network, logs: Sequence[Log], times: Mapping[int, datetime]
) -> list[Event]:
    """Unsaved rows of the logs that our ABIs name.

    Args:
        network: whose contracts.
        logs: all logs of our contracts in the blocks they are from, in order.
        times: block times by block number.
    """
    names = addresses(network)
    rows: list[Event] = []
    for _, group in itertools.groupby(logs, key=lambda log: log.tx_hash):
        for position, log in enumerate(group):
            decoded = _decode(names[log.address], log)
            if decoded is None:
                continue
            name, args = decoded
            rows.append(
                Event(
                    contract=names[log.address],
                    name=name,
                    args=args,
                    block_number=log.block_number,
                    block_hash=log.block_hash,
                    tx_hash=log.tx_hash,
                    log_index=log.log_index,
                    position=position,
                    mined_at=times[log.block_number],
                )
            )
    return rows


def store(rows: Iterable[Event]) -> int:
    """Writes rows that are not there yet; revives one whose block came back.

    Inside the caller's transaction. Returns how many are new or revived.
    """
    made = 0
    for row in rows:
        there = Event.objects.filter(
            block_hash=row.block_hash, tx_hash=row.tx_hash, log_index=row.log_index
        ).first()
        if there is None:
            row.save(force_insert=True)
            made += 1
        elif there.removed_at is not None:
            there.removed_at = there.safe_at = there.final_at = None
            there.save()
            made += 1
    return made


def remove(gone: Iterable[Event], why: str) -> int:
    """Marks rows whose block left the chain; takes back what was announced.

    A final event that goes pulls the brake. Inside the caller's transaction.
    """
    count = 0
    for event in gone:
        announced = event.final_at or event.safe_at
        if event.final_at:
            halt(f"{event} was final in block {event.block_number}: {why}")
        event.removed_at = timezone.now()
        event.save(update_fields=["removed_at"])
        if announced:
            _enqueue(event, "@removed")
        count += 1
    return count


def announce(gateway: Gateway, network: Network) -> int:
    """Enqueues the jobs of the events that became safe or final.

    The heights are asked first and the block's hash after them, so that a block that
    left the chain in between is not announced. Where two nodes are configured, two
    have to have the same logs of a block before an event in it is final.

    Returns:
        how many became final.
    """
    waiting = Event.objects.filter(final_at__isnull=True, removed_at__isnull=True)
    if not waiting.exists():
        return 0
    deep = heights(gateway)
    ripe = waiting.filter(block_number__lte=max(deep.safe, 0)).order_by(
        "block_number", "log_index"
    )
    count = 0
    for number, group in itertools.groupby(ripe, key=lambda one: one.block_number):
        rows = list(group)
        block = gateway.header(number)
        if block is None or any(row.block_hash != block.hash for row in rows):
            continue
        final = number <= deep.final and _two_agree(gateway, network, rows)
        with transaction.atomic():
            for row in rows:
                _announce_one(row, final=final)
        count += len(rows) if final else 0
    return count


def _announce_one(event: Event, *, final: bool) -> None:
    locked = Event.objects.select_for_update().get(pk=event.pk)
    if locked.removed_at or locked.final_at:
        return
    if locked.safe_at is None:
        locked.safe_at = timezone.now()
        _enqueue(locked, "@safe")
    if final:
        locked.final_at = timezone.now()
        _enqueue(locked, "")
    locked.save(update_fields=["safe_at", "final_at"])


def _two_agree(gateway: Gateway, network: Network, rows: Sequence[Event]) -> bool:
    """Whether two nodes have these rows; true where only one is configured."""
    if len(gateway.urls) < WITNESSES:
        return True
    told = gateway.block_logs_everywhere(sorted(addresses(network)), rows[0].block_hash)
    agree = [logs for logs in told if all(_same(row, logs) for row in rows)]
    return len(agree) >= WITNESSES


def _same(event: Event, logs: Sequence[Log]) -> bool:
    """Whether one of the logs says what the row says."""
    for log in logs:
        if (log.tx_hash, log.log_index) == (event.tx_hash, event.log_index):
            return _decode(event.contract, log) == (event.name, event.args)
    return False


def _enqueue(event: Event, suffix: str) -> None:
    """The job of an event, once per transaction and position.

    Another block with the same transaction is the same event to the business, unless
    it was taken back in between: then it is announced anew.
    """
    table: dict[str, str] = import_string(settings.CHAIN_EVENTS)
    name = f"{event.contract}.{event.name}"
    kind = table.get(f"{name}{suffix}")
    if kind is None:
        return
    turn = 0
    if f"{name}@removed" in table:
        turn = Event.objects.filter(
            tx_hash=event.tx_hash,
            position=event.position,
            removed_at__isnull=False,
            safe_at__isnull=False,
        ).count()
    enqueue(
        kind,
        key=f"event:{event.tx_hash}:{event.position}{suffix}:{turn}",
        payload={"event": event.pk},
    )


def _decode(contract: str, log: Log) -> tuple[str, dict[str, object]] | None:
    for entry in contracts.abi_of(contract):
        if entry["type"] == "event":
            args = abi.decode_log(entry, log.topics, log.data)
            if args is not None:
                return str(entry["name"]), args
    return None
