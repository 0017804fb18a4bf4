"""Walk from a payout to the first step, recomputing every hop on the way.

 payout       no more than what was earned
 settlement   the roots are signed by the platform
 leaf         the holder's total is in the earnings tree
 sum          the total is the sum of the lines
 split,price  each line is its share of a price that follows from the uses
 license      the license record is signed, and names the agreement
 agreement    the agreement's parts are the shares that were paid
 log          the records are in the log, before the settlement that rests on them
 uses         the events hash to the signed roots
 quantities   each settlement rests on the uses that its checkpoint covers
 work         the evidence of the licensed file: seal, steps, log

Pure: nobody is asked. `colophon.onchain` holds the settlement and the payment against
the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from colophon.checks import Checklist, Code, Result
from colophon.errors import ColophonError, InputError
from colophon.evidence import Bundle
from colophon.filematch import CredentialFacts
from colophon.hops import Hops
from colophon.keyring import platform_statement
from colophon.lines import Line, increments
from colophon.logview import LogView
from colophon.records import (
    Agreement,
    License,
    parse_agreement,
    parse_license,
)
from colophon.report import Report
from colophon.statement import read_statement
from colophon.statement_check import check_leaf, check_lines, check_settlement
from colophon.trace_file import LicenseTrace, Trace
from colophon.trace_uses import Walk, check_uses
from colophon.trust import Trust
from colophon.units import format_units
from colophon.verify import verify
from colophon.weigh import sealed_digests

VERDICT = 12  # what the badge says of the work today moves no money


def check_trace(trace: Trace, trust: Trust | None, *, as_of: datetime) -> Hops:
    """Recompute a trace.

    Args:
        trace: as it was read.
        trust: whose signatures count; None: nobody's, so that it never passes.
        as_of: the moment to judge the works' evidence for.
    """
    hops = Hops()
    _check_payout(trace, hops)
    check_settlement(trace.settled, trust, hops)
    check_leaf(trace.leaf, trace.settled, hops)
    _check_sum(trace, hops)
    check_lines(trace.lines, trace.holder, hops)
    walk = Walk(trust, _check_log(trace, trust, hops), hops)
    closed = increments(trace.lines)
    for license_id in dict.fromkeys(line.license for line in closed):
        mine = [line for line in closed if line.license == license_id]
        _check_license(trace, license_id, mine, walk)
    return _check_works(trace, trust, as_of, hops)


def _check_payout(trace: Trace, hops: Hops) -> None:
    payout, leaf = trace.payout, trace.leaf
    units = format_units(payout.units)
    if payout.epoch != trace.settled.epoch:
        hops.failed("payout", "The payout is from another settlement than the proof.")
    elif leaf is None or payout.units > leaf.units:
        hops.failed("payout", f"{units} is more than the holder has earned.")
    else:
        detail = [f"to {payout.account}", f"transaction {payout.tx_hash or 'none yet'}"]
        if payout.account.lower() != leaf.account.lower():
            detail.append(f"redirected by the holder from {leaf.account}")
        words = (
            f"{payout.id} moved {units} of {format_units(leaf.units)} earned so far."
        )
        hops.passed("payout", words, *detail)


def _check_sum(trace: Trace, hops: Hops) -> None:
    """The leaf is the sum of the lines, and is this holder's."""
    if trace.leaf is None:
        return
    if trace.leaf.position != trace.position:
        hops.failed("leaf", "The proved leaf is at another place than the holder's.")
    if any(line.epoch > trace.settled.epoch for line in trace.lines):
        hops.failed("sum", "A line is from a later settlement.")
    total = sum(line.units for line in trace.lines)
    if total != trace.leaf.units:
        words = f"The lines are {format_units(total)}, the leaf says "
        hops.failed("sum", words + f"{format_units(trace.leaf.units)}.")
        return
    count = len(trace.lines)
    hops.passed("sum", f"The leaf is the sum of {count} lines: {format_units(total)}.")


def _check_log(trace: Trace, trust: Trust | None, hops: Hops) -> LogView | None:
    """Every record with a proof is in the log under a signed head."""
    if trust is None:
        hops.unknown("log", "You have no trust file, so no log key is known to you.")
        return None
    checks = Checklist()
    bundle = Bundle(records=tuple(trace.records))
    log = LogView.of(bundle, trust, frozenset(), checks)
    for check in checks:
        if check.number not in (7, 8):
            continue
        if check.result is Result.FAILED and check.code is Code.MISMATCH:
            hops.failed("log", check.words)
        elif check.result is not Result.PASSED:
            hops.unknown("log", check.words)
        else:
            hops.passed("log", check.words)
    return log


def _check_license(
    trace: Trace, license_id: str, lines: Sequence[Line], walk: Walk
) -> None:
    """One license: its record, its agreement, its place in the log, and its uses."""
    hops, log = walk.hops, walk.log
    one = trace.licenses.get(license_id)
    if one is None:
        hops.failed("license", f"Nothing in the file backs {license_id}.")
        return
    said = _license_record(one, walk.trust, hops)
    if said is None:
        return
    if wrong := _license_problem(said, lines):
        hops.failed("license", f"The record of {license_id} does not fit: {wrong}.")
        return
    amount = format_units(sum(line.fee_units for line in lines))
    words = f"{license_id} was sold to {said.buyer}; its fee earned {amount}."
    hops.passed("license", words)
    _check_agreement(one, said, lines[0], hops)
    if log is not None and one.record is not None:
        _check_place(license_id, log.index(one.record), lines, hops)
    check_uses(one, lines, said, walk)


def _license_record(
    one: LicenseTrace, trust: Trust | None, hops: Hops
) -> License | None:
    if one.record is None:
        hops.unknown("license", f"The record of {one.id} was erased.")
        return None
    envelope = one.record.envelope
    try:
        signed = platform_statement(envelope, trust) if trust else None
        said = parse_license(signed or read_statement(envelope.payload))
    except ColophonError as error:
        hops.failed("license", f"The record of {one.id} does not hold: {error}.")
        return None
    if signed is None:
        hops.unknown("license", f"{one.id} is signed by nobody that you trust.")
    return said


def _license_problem(said: License, lines: Sequence[Line]) -> str:
    """Where the lines are not what the license says; empty when they are."""
    first = lines[0]
    if said.license != first.license or said.asset != first.asset:
        return "it is about another license or work"
    if said.agreement != first.agreement:
        return "it names another agreement"
    frozen = {
        "rate_units": first.rate_units,
        "rate_per": first.rate_per,
        "deposit_units": first.deposit_units,
    }
    for key, value in frozen.items():
        if said.terms.get(key) != value:
            return f"its terms say {key} {said.terms.get(key)}, the lines {value}"
    fee = sum(line.fee_units for line in lines)
    if fee not in (0, said.terms.get("price_units")):
        return f"its price is not the {format_units(fee)} that was split"
    return ""


def _check_agreement(one: LicenseTrace, said: License, line: Line, hops: Hops) -> None:
    """The agreement that the license names gives exactly the shares that were paid."""
    if one.agreement is None:
        hops.unknown("agreement", f"The agreement of {one.id} was erased.")
        return
    envelope = one.agreement.envelope
    try:
        found = parse_agreement(read_statement(envelope.payload))
    except InputError as error:
        hops.failed("agreement", f"The agreement of {one.id} does not hold: {error}.")
        return
    if envelope.digest != said.agreement:
        words = f"The agreement in the file is not the one that {one.id} names."
        hops.failed("agreement", words)
    elif (found.asset, found.file) != (said.asset, said.file):
        hops.failed("agreement", f"The agreement of {one.id} is about another work.")
    elif _parts(found) != [(s.holder, s.role, s.source, s.ppm) for s in line.shares]:
        words = f"The shares paid for {one.id} are not those of its agreement."
        hops.failed("agreement", words)
    else:
        words = f"Its shares are those of version {found.version} of the agreement."
        hops.passed("agreement", words, f"agreement sha256 {said.agreement.hex()}")


def _parts(found: Agreement) -> list[tuple[str, str, str, int]]:
    return [(one.holder, one.role, one.source or "", one.ppm) for one in found.parts]


def _check_place(
    license_id: str, index: int | None, lines: Sequence[Line], hops: Hops
) -> None:
    """The license was in the log before the first settlement that rests on it."""
    if index is None:
        hops.unknown("log", f"{license_id} has no proof from the log.")
    elif index >= lines[0].log_size:
        words = f"{license_id} came into the log after the settlement that pays for it."
        hops.failed("log", words)


def _check_works(
    trace: Trace, trust: Trust | None, as_of: datetime, hops: Hops
) -> Hops:
    """The evidence of every licensed work."""
    for asset in dict.fromkeys(line.asset for line in trace.lines):
        data = trace.evidence.get(asset)
        if data is None:
            hops.unknown("work", f"The evidence of {asset} is not in the file.")
            continue
        try:
            bundle = Bundle.from_bytes(data)
            digests = sealed_digests(bundle)
            recorded = CredentialFacts.from_json(bundle.credential)
            report = verify(digests, recorded, bundle, trust, as_of=as_of)
        except ColophonError as error:
            hops.failed("work", f"The evidence of {asset} does not hold: {error}.")
            continue
        _work(asset, report, _files(trace, asset), hops)
    return hops


def _files(trace: Trace, asset: str) -> set[bytes]:
    """The sealed files that the licenses of a work name."""
    found = set()
    for line in trace.lines:
        one = trace.licenses.get(line.license)
        if line.asset == asset and one is not None and one.record is not None:
            try:
                payload = read_statement(one.record.envelope.payload)
                found.add(parse_license(payload).file)
            except InputError:
                continue  # the hop about the license says so already
    return found


def _work(asset: str, report: Report, files: set[bytes], hops: Hops) -> None:
    """One work, by the checks of `colophon verify` over its evidence."""
    told = [one for one in report.checks if one.number < VERDICT]
    wrong = [
        one
        for one in told
        if one.result is Result.FAILED and one.code is not Code.UNKNOWN_SIGNER
    ]
    detail = [f"{one.number} {one.name}: {one.words}" for one in report.checks]
    strange = any(one.result is Result.FAILED for one in told)
    if wrong:
        hops.failed("work", f"The evidence of {asset} fails: {wrong[0].words}", *detail)
    elif strange or report.trust_digest is None:
        words = f"The evidence of {asset} is by somebody whom you do not know."
        hops.unknown("work", words, *detail)
    elif report.seal is None or report.seal.asset != asset:
        hops.failed("work", f"The evidence is not about {asset}.", *detail)
    elif files - {report.seal.file}:
        hops.failed("work", f"The file of {asset} is not the licensed one.", *detail)
    else:
        steps = f"{len(report.steps)} recorded steps"
        words = f"“{report.seal.title}” ({asset}) has its seal and {steps}."
        hops.passed("work", words, *detail)


def summary(trace: Trace, hops: Hops) -> dict[str, Any]:
    """The whole answer as stable JSON (docs/statement-format.md)."""
    return {
        "v": 1,
        "payout": trace.payout.id,
        "holder": trace.holder,
        "holds": hops.exit_code == 0,
        "hops": [hop.to_json() for hop in hops.found],
        "exit": hops.exit_code,
    }
