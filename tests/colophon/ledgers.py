"""A ledger in memory: two licenses of the story's work, two settlements, one payout.

Every signature, tree and proof is real. Tests change a copy of the JSON and ask
whether anybody notices.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from colophon import merkle, records
from colophon.authority import Authorities
from colophon.digest import canonical
from colophon.earnings import EarningsTree, word
from colophon.evidence import Bundle, Record
from colophon.fields import format_time
from colophon.hops import Hops
from colophon.statement import Envelope, sign
from colophon.units import split_ppm
from tests.colophon.bundles import (
    ADA_HOLDER,
    ASSET,
    MIA_HOLDER,
    PLATFORM_HOLDER,
    SOURCE,
    Story,
    World,
    an_id,
    at,
    chain_proof,
    digest,
    key,
)

Json = dict[str, Any]
METERED, FLAT = an_id("lic", 20), an_id("lic", 21)
PAYOUT = an_id("pay", 22)
TERMS = {
    METERED: {
        "price_units": 2_000_003,
        "deposit_units": 10_000_000,
        "rate_units": 600_000,
        "rate_per": 999,
        "term_days": 365,
    },
    FLAT: {
        "price_units": 40_000_000,
        "deposit_units": 0,
        "rate_units": 0,
        "rate_per": 1000,
        "term_days": 365,
    },
}
SHARES = [
    {"holder": PLATFORM_HOLDER, "role": "platform", "source": "", "ppm": 100_000},
    {"holder": MIA_HOLDER, "role": "source", "source": SOURCE, "ppm": 200_000},
    {"holder": ADA_HOLDER, "role": "creator", "source": "", "ppm": 700_000},
]
ACCOUNTS = {
    PLATFORM_HOLDER: bytes.fromhex("a0" * 20),
    MIA_HOLDER: bytes.fromhex("a1" * 20),
    ADA_HOLDER: bytes.fromhex("a2" * 20),
}
HOLDERS = list(ACCOUNTS)


@dataclass
class Ledger:
    """What was sold, used, settled and paid."""

    pki: Authorities
    story: Bundle
    world: World
    licenses: dict[str, Record] = field(default_factory=dict)
    batches: list[tuple[Record, list[str]]] = field(default_factory=list)
    settlements: list[Json] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)

    def sell(self, code: str, minutes: float) -> None:
        said = records.license_issued(
            license_id=code,
            asset=ASSET,
            file=digest("sealed"),
            agreement=self.agreement.digest,
            terms=TERMS[code],
            amount_units=TERMS[code]["price_units"] + TERMS[code]["deposit_units"],
            buyer=an_id("pty", 30),
            issued_at=at(minutes),
        )
        self.licenses[code] = self.world.say("license", said)

    def use(self, minutes: float, *quantities: int) -> None:
        """One reported batch of the metered license."""
        number = len(self.batches)
        events = [
            canonical(event(f"e{number}-{n}", quantity, at(minutes))).decode()
            for n, quantity in enumerate(quantities)
        ]
        root = merkle.root([merkle.leaf_hash(one.encode()) for one in events])
        said = records.usage(
            batch=an_id("bat", 40 + number),
            license_id=METERED,
            root=root,
            count=len(events),
            received_at=at(minutes),
        )
        self.batches.append((self.world.say("usage", said), events))

    def settle(
        self, minutes: float, increments: dict[str, tuple[int, int, int]]
    ) -> None:
        """Close an epoch over everything in the log."""
        size = self.world.checkpoint(minutes)
        epoch, lines = len(self.settlements) + 1, []
        for code, (fee, usage, quantity) in increments.items():
            parts = split_ppm(
                fee + usage, [(str(one["holder"]), int(one["ppm"])) for one in SHARES]
            )
            for holder, units in zip(HOLDERS, parts, strict=True):
                self.totals[holder] = self.totals.get(holder, 0) + units
            lines.append(_line(code, (fee, usage, quantity), parts, self.agreement))
        tree = EarningsTree([word(self.totals[one], ACCOUNTS[one]) for one in HOLDERS])
        earned = sum(self.totals.values())
        spend = EarningsTree([word(earned, bytes.fromhex("b0" * 20))])
        roots = {"earnings_root": tree.root, "spend_root": spend.root}
        said = records.settlement(
            epoch=epoch,
            log_size=size,
            earned_units=earned,
            count=len(increments),
            **roots,
        )
        self.settlements.append(
            {
                "id": an_id("stl", 60 + epoch),
                "epoch": epoch,
                "state": "matured",
                "log_size": size,
                "earnings_root": tree.root.hex(),
                "spend_root": spend.root.hex(),
                "earned_units": str(earned),
                "count": len(increments),
                "tx_hash": "0x" + "cc" * 32,
                "record": sign(said, key("platform")).to_json(),
                "lines": lines,
                "leaf": {
                    "position": 1,
                    "account": "0x" + ACCOUNTS[MIA_HOLDER].hex(),
                    "cumulative_units": str(self.totals[MIA_HOLDER]),
                    "proof": [node.hex() for node in tree.subtree_proof(1)],
                },
            }
        )

    @property
    def agreement(self) -> Envelope:
        return self.story.of("agreement")[0].envelope

    def payout(self, units: int, state: str = "paid") -> Json:
        return {
            "id": PAYOUT,
            "epoch": len(self.settlements),
            "units": str(units),
            "account": "0x" + ACCOUNTS[MIA_HOLDER].hex(),
            "state": state,
            "tx_hash": "0x" + "dd" * 32,
        }

    def statement(self) -> Json:
        """Mia's statement, all of it paid."""
        total = self.totals[MIA_HOLDER]
        return {
            "format": "https://colophon.example/statement/v1",
            "holder": {"id": MIA_HOLDER, "name": "Mia", "position": 1},
            "figures": {
                "lifetime": str(total),
                "paid": str(total),
                "available": "0",
                "pending": "0",
            },
            "settlements": self.settlements,
            "payouts": [self.payout(total)],
        }

    def trace(self) -> Json:
        """The trace of Mia's one payout."""
        last = self.settlements[-1]
        size = self.world.checkpoint(200)
        lines = [
            {"epoch": one["epoch"], "log_size": one["log_size"], **line}
            for one in self.settlements
            for line in one["lines"]
        ]
        agreement = self.world.add("agreement", self.agreement)
        size = self.world.checkpoint(201)
        return {
            "format": "https://colophon.example/trace/v1",
            "payout": self.payout(self.totals[MIA_HOLDER]),
            "holder": {"id": MIA_HOLDER, "position": 1},
            "settlement": {k: v for k, v in last.items() if k not in {"lines", "leaf"}},
            "leaf": last["leaf"],
            "lines": lines,
            "licenses": [
                {
                    "id": code,
                    "record": record.envelope.to_json(),
                    "log": self._log(record, size),
                    "agreement": self.agreement.to_json(),
                    "agreement_log": self._log(agreement, size),
                    "batches": self._batches(size) if code == METERED else [],
                }
                for code, record in self.licenses.items()
            ],
            "evidence": {ASSET: base64.b64encode(self.story.to_bytes()).decode()},
        }

    def _batches(self, size: int) -> list[Json]:
        found = []
        for record, events in self.batches:
            said = records.parse_usage(_read(record.envelope))
            found.append(
                {
                    "id": said.batch,
                    "root": said.root.hex(),
                    "count": said.count,
                    "record": record.envelope.to_json(),
                    "log": self._log(record, size),
                    "events": [
                        {"body": one, "state": "counted", "reason": ""}
                        for one in events
                    ],
                }
            )
        return found

    def _log(self, record: Record, size: int) -> Json:
        index = next(n for n, one in enumerate(self.world.entries) if one is record)
        assert record.salt is not None
        return {
            "index": index,
            "salt": record.salt.hex(),
            "proof": self.world.proof(index, size).to_text(),
        }


def event(event_id: str, quantity: int, moment: datetime) -> Json:
    """One reported use of the metered license."""
    return {
        "specversion": "1.0",
        "type": "com.colophon.usage.v1",
        "source": "https://ads.example",
        "id": event_id,
        "subject": METERED,
        "time": format_time(moment),
        "data": {"quantity": quantity},
    }


def ledger(pki: Authorities) -> Ledger:
    """Two sales, 1,500 uses, a settlement, 1,000 more uses, another settlement."""
    made = Ledger(pki, Story(pki).tell(), World(pki, chain_proof))
    made.sell(METERED, 30)
    made.use(40, 1_000, 400)
    made.use(41, 100)
    first = 1_500 * 600_000 // 999
    made.settle(50, {METERED: (2_000_003, first, 1_500)})
    made.sell(FLAT, 60)
    made.use(70, 1_000)
    second = 2_500 * 600_000 // 999 - first
    made.settle(80, {METERED: (0, second, 1_000), FLAT: (40_000_000, 0, 0)})
    return made


def named(hops: Hops) -> list[str]:
    """Ids of the failed lines."""
    return [hop.id for hop in hops.wrong]


def _line(
    code: str, increment: tuple[int, int, int], parts: list[int], agreement: Envelope
) -> Json:
    fee, usage, quantity = increment
    terms = TERMS[code]
    return {
        "license": code,
        "asset": ASSET,
        "title": "Night current",
        "role": "source",
        "position": 1,
        "units": str(parts[1]),
        "increment": {
            "fee_units": str(fee),
            "usage_units": str(usage),
            "quantity": quantity,
            "rate_units": str(terms["rate_units"]),
            "rate_per": terms["rate_per"],
            "deposit_units": str(terms["deposit_units"]),
        },
        "shares": SHARES,
        "agreement": agreement.digest.hex(),
    }


def _read(envelope: Envelope) -> Json:
    from colophon.statement import read_statement

    return read_statement(envelope.payload)
