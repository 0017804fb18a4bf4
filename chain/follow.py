"""Read our contracts' logs block by block, and notice when blocks are taken back.

Ranges of blocks with an overlap, never filters: a node forgets filters, and tells
nobody what a reorganization removed. Every stretch ends at a block whose hash is
stored; when the chain has another hash there, all from the last common block on is
read anew.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from chain import events, identity
from chain.blocks import Header, Log
from chain.errors import RpcBehindError
from chain.gateway import Gateway
from chain.models import Block, Event, Network
from outbox.claims import Claim

log = logging.getLogger(__name__)

OVERLAP_BLOCKS = 2
MOST_BLOCKS = 1000
MOST_STRETCHES = 20
KEPT_BLOCKS = 2000
HASHES_AT_ONCE = 32


def follow(*, claim: Claim | None = None) -> int:
    """Reads up to the newest block and announces what became safe or final.

    Returns:
        how many events are new.

    Raises:
        Later: no node answered, or the chain moved while it was read.
        WrongChainError: the node serves another chain.

    Writes: Block, Event, Network, Job. Lock: the Network row.
    """
    gateway, network = identity.checked()
    head = gateway.head().number
    found = 0
    for _ in range(MOST_STRETCHES):
        found += _stretch(gateway, network, head, claim)
        network.refresh_from_db()
        if network.followed_block >= head:
            break
    events.announce(gateway, network)
    return found


def _stretch(gateway: Gateway, network: Network, head: int, claim: Claim | None) -> int:
    """One range of blocks: read outside, written inside one transaction."""
    common = _last_common(gateway, network)
    last = min(head, common + MOST_BLOCKS)
    if last <= common and common == network.followed_block:
        return 0
    start = events.first_block(network)
    first = max(min(common, last) + 1 - OVERLAP_BLOCKS, start)
    logs, blocks = _read(gateway, network, first, max(last, first))
    rows = events.rows_of(network, logs, {n: b.mined_at for n, b in blocks.items()})
    with transaction.atomic():
        if claim:
            claim.hold()
        locked = Network.objects.select_for_update().get(pk=network.pk)
        if locked.followed_block != network.followed_block:
            return 0
        _forget_after(common)
        made = events.store(rows)
        for block in blocks.values():
            Block.objects.update_or_create(
                number=block.number,
                defaults={"hash": block.hash, "mined_at": block.mined_at},
            )
        Block.objects.filter(number__lt=last - KEPT_BLOCKS).delete()
        locked.followed_block, locked.followed_at = last, timezone.now()
        locked.save(update_fields=["followed_block", "followed_at"])
    return made


def _last_common(gateway: Gateway, network: Network) -> int:
    """The highest stored block that the chain still has."""
    numbers = Block.objects.order_by("-number").values_list("number", "hash")
    stored = iter(numbers.iterator(chunk_size=HASHES_AT_ONCE))
    size = 1
    any_stored = False
    while part := list(itertools.islice(stored, size)):
        any_stored = True
        headers = gateway.headers([number for number, _ in part])
        for (number, block_hash), header in zip(part, headers, strict=True):
            if header is not None and header.hash == block_hash:
                return int(number)
        size = HASHES_AT_ONCE
    if not any_stored:
        return network.followed_block
    return max(events.first_block(network) - 1, 0)


def _read(
    gateway: Gateway, network: Network, first: int, last: int
) -> tuple[list[Log], dict[int, Header]]:
    """Logs of a range and the blocks they are in, all of one chain.

    The last block is asked before and after: if it stayed the same, so did all
    blocks below it, and no log of the range can be missing.

    Raises:
        RpcBehindError: the chain moved in between.
    """
    before = gateway.header(last)
    logs = gateway.logs(sorted(events.addresses(network)), first, last)
    numbers = sorted({log.block_number for log in logs} | {last})
    headers = gateway.headers(numbers)
    blocks = {header.number: header for header in headers if header}
    after = blocks.get(last)
    if before is None or after is None or before.hash != after.hash:
        raise RpcBehindError(f"the chain moved while block {last} was read")
    _check_hashes(logs, blocks)
    return logs, blocks


def _check_hashes(logs: Sequence[Log], blocks: dict[int, Header]) -> None:
    for one in logs:
        block = blocks.get(one.block_number)
        if block is None or block.hash != one.block_hash:
            raise RpcBehindError(
                f"a log of block {one.block_number} is not of the block there is now"
            )


def _forget_after(common: int) -> None:
    """Takes back what was read above the last common block."""
    gone = Event.objects.select_for_update().filter(
        block_number__gt=common, removed_at__isnull=True
    )
    removed = events.remove(gone, "its block left the chain")
    blocks, _ = Block.objects.filter(number__gt=common).delete()
    if blocks:
        log.warning(
            "chain.blocks_left",
            extra={"after": common, "blocks": blocks, "events": removed},
        )
