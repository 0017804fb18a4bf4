"""The uses of one license: signed batches, their events, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from colophon import merkle
from colophon.cloudevent import Use, parse_event
from colophon.errors import ColophonError, InputError
from colophon.fields import MAX_RECORD_BYTES, load_json, parse_time
from colophon.hops import Hops
from colophon.keyring import platform_statement
from colophon.lines import Line
from colophon.logview import LogView
from colophon.records import License, Usage, parse_usage
from colophon.statement import read_statement
from colophon.trace_file import COUNTED, Batch, Event, LicenseTrace
from colophon.trust import Trust

GRACE = timedelta(minutes=5)
_MAX_TERM_DAYS = 36_500


@dataclass(frozen=True)
class Walk:
    """What every hop needs.

    Attributes:
        trust: whose signatures count; None: nobody's.
        log: the proofs from the log; None without a trust file.
        hops: takes the results.
    """

    trust: Trust | None
    log: LogView | None
    hops: Hops


def check_uses(
    one: LicenseTrace, lines: Sequence[Line], said: License, walk: Walk
) -> None:
    """Every batch of a license, and the quantities that the lines rest on.

    Args:
        one: the license's part of the trace.
        lines: one line for each settlement of this license, oldest first.
        said: the license's own record.
        walk: trust and proofs, and where the results go.
    """
    hops, log = walk.hops, walk.log
    seen: set[str] = set()
    counted: list[tuple[int | None, int]] = []
    sound = True
    for batch in one.batches:
        usage = _record_of(batch, one.id, walk)
        if usage is None:
            sound = False
            continue
        quantity, problems = _count(batch, usage, said, seen)
        for words in problems:
            hops.failed("uses", f"In batch {batch.id}: {words}.")
        sound = sound and not problems
        index = log.index(batch.record) if log and batch.record else None
        counted.append((index, quantity))
    if sound and one.batches:
        events = sum(len(batch.events) for batch in one.batches)
        total = sum(quantity for _, quantity in counted)
        words = (
            f"{total:,} uses in {events:,} reports of {one.id} hash to signed roots."
        )
        hops.passed("uses", words, *_left_out(one.batches, said))
    _check_quantities(one.id, lines, counted, hops)


def _record_of(batch: Batch, license_id: str, walk: Walk) -> Usage | None:
    """The signed record of a batch, when it is about these very events."""
    hops, trust = walk.hops, walk.trust
    if batch.record is None:
        hops.unknown("uses", f"The record of batch {batch.id} is not in the file.")
        return None
    envelope = batch.record.envelope
    try:
        signed = platform_statement(envelope, trust) if trust else None
        usage = parse_usage(signed or read_statement(envelope.payload))
    except ColophonError as error:
        hops.failed("uses", f"The record of batch {batch.id} does not hold: {error}.")
        return None
    if trust is not None and signed is None:
        words = f"Batch {batch.id} is signed by nobody that you trust."
        hops.unknown("uses", words)
    leaves = [merkle.leaf_hash(event.text.encode()) for event in batch.events]
    root = merkle.root(leaves)
    if (usage.batch, usage.license) != (batch.id, license_id):
        hops.failed("uses", f"The record of batch {batch.id} is about another one.")
    elif (usage.root, usage.count) != (root, len(batch.events)) or batch.root != root:
        words = f"The events of batch {batch.id} are not the ones that were signed."
        hops.failed("uses", words)
    else:
        return usage
    return None


def _count(
    batch: Batch, usage: Usage, said: License, seen: set[str]
) -> tuple[int, list[str]]:
    """The counted quantity of a batch, and what is wrong with what was counted."""
    quantity, problems = 0, []
    for at, event in enumerate(batch.events):
        try:
            use = read_use(event, said.license)
        except InputError as error:
            problems.append(f"event {at} cannot be read ({error})")
            continue
        if use.event_id in seen:
            problems.append(f"event {use.event_id} is there a second time")
        seen.add(use.event_id)
        if event.state != COUNTED:
            continue
        if reason := _against(use, said, usage.received_at):
            problems.append(f"event {use.event_id} was counted though it {reason}")
        quantity += use.quantity
    return quantity, problems


def read_use(event: Event, license_id: str) -> Use:
    """What an event says of its license.

    Raises:
        InputError: not a use of this license.
    """
    use = parse_event(load_json(event.text, max_bytes=MAX_RECORD_BYTES))
    if use.license != license_id:
        raise InputError("is another license", "subject")
    return use


def _against(use: Use, said: License, received_at: datetime) -> str:
    """What the records themselves say against counting a use; empty: nothing."""
    if use.occurred_at > received_at + GRACE:
        return "lies in the future of its report"
    if use.occurred_at < _from(said) - GRACE:
        return "is older than the license covers"
    if use.occurred_at > said.issued_at + timedelta(days=_days(said.terms)):
        return "is younger than the license"
    return ""


def _left_out(batches: Sequence[Batch], said: License) -> list[str]:
    """Uses that were not counted although no date speaks against them."""
    found = []
    for batch in batches:
        for event in batch.events:
            if event.state == COUNTED:
                continue
            use = read_use(event, said.license)
            reason = event.reason or event.state
            words = f"event {use.event_id} ({use.quantity:,} uses) was not counted"
            found.append(f"{words}: {reason}")
    return found


def _check_quantities(
    license_id: str,
    lines: Sequence[Line],
    counted: Sequence[tuple[int | None, int]],
    hops: Hops,
) -> None:
    """Each settlement closed exactly the uses that its checkpoint covers."""
    if any(index is None for index, _ in counted):
        words = f"Some uses of {license_id} have no proof from the log."
        hops.unknown("quantities", words)
        return
    total, wrong = 0, False
    for line in lines:
        total += line.quantity
        covered = sum(q for index, q in counted if (index or 0) < line.log_size)
        if covered != total:
            wrong = True
            words = (
                f"Up to settlement {line.epoch} the lines of {license_id} rest on "
                f"{total:,} uses, its log has {covered:,}."
            )
            hops.failed("quantities", words)
    if lines and not wrong:
        words = f"The lines of {license_id} rest on these {total:,} uses and no others."
        hops.passed("quantities", words)


def _from(said: License) -> datetime:
    """From when on the license covers uses, by its own terms."""
    covers = said.terms.get("covers_from")
    if covers is None:
        return said.issued_at
    return min(parse_time(covers, "covers_from"), said.issued_at)


def _days(terms: Any) -> int:
    days = terms.get("term_days")
    whole = isinstance(days, int) and not isinstance(days, bool)
    return days if whole and 0 < days <= _MAX_TERM_DAYS else 0
