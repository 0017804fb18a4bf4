"""Check a holder's statement: every figure from the export and its proofs alone.

Pure: no network, no clock. A line that was dropped or inflated shows as a leaf that
is not the sum of the lines, or as a split or price that does not come out. What a
statement cannot show is a later settlement that was left off its end; the figures
and payouts in it tell that, and the site's list of settlements is public.
Format: docs/statement-format.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from colophon.digest import from_hex
from colophon.earnings import combined_root, verify_words, word
from colophon.errors import ColophonError, InputError, ProofError
from colophon.hops import Hops
from colophon.keyring import platform_statement
from colophon.lines import (
    Line,
    increments,
    wrong_increments,
    wrong_prices,
    wrong_split,
)
from colophon.records import Settlement, parse_settlement
from colophon.statement import read_statement
from colophon.statement_file import LeafProof, Part, Settled, Statement
from colophon.trust import Trust
from colophon.units import format_units

_ADDRESS_BYTES = 20


def check_statement(said: Statement, trust: Trust | None) -> Hops:
    """Recompute a statement.

    Args:
        said: as it was read.
        trust: whose signatures count; None: nobody's, so that it never passes.
    """
    hops = Hops()
    check_lines(said.lines, said.holder, hops)
    total = 0
    for part in said.parts:
        total += sum(line.units for line in part.lines)
        check_settlement(part.settled, trust, hops)
        check_leaf(part.leaf, part.settled, hops)
        _check_sum(part, total, said.position, hops)
    _check_order(said, hops)
    _check_payouts(said, hops)
    _check_figures(said, total, hops)
    return hops


def check_lines(lines: Sequence[Line], holder: str, hops: Hops) -> None:
    """Splits and prices of all lines; each wrong one is named."""
    wrong = [(line, words) for line in lines if (words := wrong_split(line, holder))]
    for line, words in wrong:
        hops.failed("split", f"In {line.name}: {words}.")
    if lines and not wrong:
        hops.passed("split", f"{len(lines)} lines are split as their licenses say.")
    priced = [*wrong_increments(lines), *wrong_prices(lines)]
    for line, words in priced:
        hops.failed("price", f"In {line.name}: {words}.")
    if lines and not priced:
        uses = sum(one.quantity for one in increments(lines))
        hops.passed("price", f"{uses:,} uses are charged at the agreed rates.")


def check_settlement(settled: Settled, trust: Trust | None, hops: Hops) -> None:
    """The signed record says the same roots and totals."""
    name = f"settlement {settled.epoch}"
    if settled.record is None:
        hops.unknown(name, "Its signed record is not in the file.")
        return
    try:
        signed = platform_statement(settled.record, trust) if trust else None
        said = parse_settlement(signed or read_statement(settled.record.payload))
    except ColophonError as error:
        hops.failed(name, f"Its record does not hold: {error}.")
        return
    if _recorded(said) != _shown(settled):
        hops.failed(name, "Its signed record says other roots or totals.")
        return
    root = combined_root(settled.earnings_root, settled.spend_root).hex()
    detail = (
        f"committed root 0x{root}",
        f"transaction {settled.tx_hash or 'none yet'}",
    )
    if signed is None:
        words = "Its record is consistent, but signed by nobody that you trust."
        hops.unknown(name, words, *detail)
    else:
        words = f"The platform signed its roots over {said.log_size:,} log entries."
        hops.passed(name, words, *detail)


def check_leaf(leaf: LeafProof | None, settled: Settled, hops: Hops) -> None:
    """The leaf is in the tree under the signed earnings root."""
    name = f"leaf {settled.epoch}"
    if leaf is None:
        hops.failed(name, f"Settlement {settled.epoch} comes without the leaf's proof.")
        return
    try:
        account = _address(leaf.account)
        value = word(leaf.units, account)
        verify_words([value], leaf.position, leaf.proof, settled.earnings_root)
    except (ProofError, InputError) as error:
        hops.failed(name, f"The leaf is not in settlement {settled.epoch}: {error}.")
        return
    words = f"{format_units(leaf.units)} so far is proved at place {leaf.position}."
    hops.passed(name, words)


def _check_sum(part: Part, total: int, position: int | None, hops: Hops) -> None:
    """The leaf is the sum of every line so far: nothing was dropped or added."""
    leaf, epoch = part.leaf, part.settled.epoch
    if leaf is None:
        return
    name = f"sum {epoch}"
    if position is not None and leaf.position != position:
        hops.failed(name, f"The leaf is at place {leaf.position}, not {position}.")
    if leaf.units == total:
        hops.passed(
            name, f"All lines up to settlement {epoch} are {format_units(total)}."
        )
        return
    gap = leaf.units - total
    what = "missing from" if gap > 0 else "too much in"
    hops.failed(
        name,
        f"{format_units(abs(gap))} {what} the lines up to settlement {epoch}: "
        f"they are {format_units(total)}, the leaf says {format_units(leaf.units)}.",
    )


def _check_order(said: Statement, hops: Hops) -> None:
    epochs = [part.settled.epoch for part in said.parts]
    if len(set(epochs)) != len(epochs):
        hops.failed("order", "A settlement is in the file twice.")
    units = [part.leaf.units for part in said.parts if part.leaf]
    if units != sorted(units):
        hops.failed("order", "What was earned so far falls between two settlements.")


def _check_payouts(said: Statement, hops: Hops) -> None:
    """Nothing was paid that no leaf covers."""
    paid = sum(one.units for one in said.payouts if one.state == "paid")
    top = max((p.leaf.units for p in said.parts if p.leaf), default=0)
    if paid > top:
        words = (
            f"{format_units(paid)} was paid, but only {format_units(top)} was earned."
        )
        hops.failed("payouts", words)
    elif said.payouts:
        words = f"{len(said.payouts)} payouts: {format_units(paid)} paid."
        hops.passed("payouts", words)


def _check_figures(said: Statement, total: int, hops: Hops) -> None:
    """Lifetime, paid, available and pending follow from lines, leaves and payouts."""
    if said.figures is None:
        return
    paid = sum(one.units for one in said.payouts if one.state == "paid")
    matured = [
        part.leaf.units
        for part in said.parts
        if part.settled.state == "matured" and part.leaf
    ]
    available = max((matured[-1] if matured else 0) - paid, 0)
    right = {
        "lifetime": total,
        "paid": paid,
        "available": available,
        "pending": total - paid - available,
    }
    for key, units in right.items():
        if said.figures[key] != units:
            words = f"{key} is {format_units(units)}, the statement says "
            hops.failed("figures", words + f"{format_units(said.figures[key])}.")
    if said.figures == right:
        words = f"Earned {format_units(total)}, paid {format_units(paid)}, "
        hops.passed(
            "figures",
            words + f"available {format_units(available)}, "
            f"pending {format_units(right['pending'])}.",
        )


def _address(text: str) -> bytes:
    return from_hex(text.removeprefix("0x").lower(), _ADDRESS_BYTES, "account")


def _recorded(said: Settlement) -> tuple[object, ...]:
    return (
        said.epoch,
        said.log_size,
        said.earnings_root,
        said.spend_root,
        said.earned_units,
        said.count,
    )


def _shown(settled: Settled) -> tuple[object, ...]:
    return (
        settled.epoch,
        settled.log_size,
        settled.earnings_root,
        settled.spend_root,
        settled.earned_units,
        settled.count,
    )


def summary(said: Statement, hops: Hops) -> dict[str, Any]:
    """The whole answer as stable JSON (docs/statement-format.md)."""
    return {
        "v": 1,
        "holder": said.holder,
        "settlements": len(said.parts),
        "lines": len(said.lines),
        "holds": hops.exit_code == 0,
        "checks": [hop.to_json() for hop in hops.found],
        "exit": hops.exit_code,
    }
