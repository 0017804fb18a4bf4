"""Recompute the whole ledger from its rows and hold it to its invariants.

`manage.py verify_ledger` runs all of it. The quick part is asked before every
settlement, which is not built when anything is wrong (royalties.tasks).
Numbers in brackets are those of the invariants in docs/ledger.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from chain.errors import ChainError
from colophon.errors import ColophonError
from outbox.errors import Retry
from royalties.verify import payments, splits, trees, uses
from royalties.verify.finding import Finding, Invariant
from royalties.verify.snapshot import snapshot

__all__ = ["INVARIANTS", "Answer", "Finding", "Invariant", "first_broken", "verify"]

MAX_FINDINGS = 20

INVARIANTS = (
    Invariant("sums", "The parts of an increment sum to it.", splits.sums, quick=True),
    Invariant("parts", "Every part is what its share gives.", splits.parts),
    Invariant("shares", "A license keeps its agreement's shares.", splits.shares),
    Invariant(
        "deposits", "No license pays beyond its deposit.", uses.deposits, quick=True
    ),
    Invariant(
        "closed", "Settlements closed what tallies say.", uses.closed, quick=True
    ),
    Invariant("events", "Uses are as they came, and in the log.", uses.events),
    Invariant("tallies", "Pricing all uses again gives the same.", uses.tallies),
    Invariant("increments", "A settlement is what its log covers.", uses.increments),
    Invariant("leaves", "A leaf is the sum of its lines.", trees.leaves),
    Invariant("falls", "Nobody's total ever falls.", trees.falls, quick=True),
    Invariant("totals", "Both trees sum to what was earned.", trees.totals),
    Invariant(
        "newest", "The newest total is all increments.", trees.newest_total, quick=True
    ),
    Invariant("roots", "Roots, record and commit agree.", trees.roots),
    Invariant("covered", "Every payout has its leaf.", payments.covered),
    Invariant("logged", "Paid rows are the chain's logs.", payments.logged),
    Invariant("funds", "Licenses cost no more than what is held.", payments.funds),
    Invariant(
        "refunds", "Nobody else pays for a refund.", payments.refunds, quick=True
    ),
    Invariant(
        "chain", "The contract paid no more than leaves.", payments.on_chain, node=True
    ),
)


@dataclass(frozen=True)
class Answer:
    """What came of one invariant; `why` says why it could not be asked."""

    invariant: Invariant
    findings: tuple[Finding, ...] = ()
    why: str = ""

    @property
    def holds(self) -> bool:
        """Asked, and nothing was found."""
        return not self.findings and not self.why


def verify(*, quick: bool = False, node: bool = True) -> Iterator[Answer]:
    """Ask every invariant, in order, as of one moment.

    Args:
        quick: only those that are cheap enough for every settlement.
        node: also the ones that ask a node; one that is down is an answer, too.
    """
    with snapshot():
        for invariant in INVARIANTS:
            if invariant.node or (quick and not invariant.quick):
                continue
            yield Answer(invariant, tuple(islice(invariant.check(), MAX_FINDINGS)))
    for invariant in INVARIANTS:
        if invariant.node and node and not quick:
            yield _ask_node(invariant)


def first_broken(*, quick: bool = True) -> str:
    """The first violation in words; empty when the ledger holds."""
    for answer in verify(quick=quick, node=not quick):
        if answer.findings:
            return f"{answer.invariant.id}: {answer.findings[0]}"
    return ""


def _ask_node(invariant: Invariant) -> Answer:
    try:
        return Answer(invariant, tuple(islice(invariant.check(), MAX_FINDINGS)))
    except (ChainError, Retry, ColophonError) as error:
        return Answer(invariant, why=str(error) or type(error).__name__)
