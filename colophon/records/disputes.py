"""The record of a dispute: each of its moves, and by whom when a certifier made it.

It says nothing about who objects: a complainant needs no account, and nothing
personal goes into a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colophon.errors import InputError
from colophon.fields import Fields, format_time
from colophon.records.shape import about_file, label, only_subject, plain
from colophon.statement import DISPUTE_TYPE, Json, open_predicate

UPHELD, REJECTED = DECISIONS = ("upheld", "rejected")
MOVES = ("opened", "answered", *DECISIONS, "appealed")


@dataclass(frozen=True)
class Dispute:
    """One move of a dispute about a sealed file.

    Attributes:
        dispute: its id, the same in all of its moves.
        file: SHA-256 of the sealed file.
        move: one of MOVES; a decision is one certifier's, not yet the outcome.
        reason: machine word; of the claim, or of the decision.
        by: party of the certifier; empty unless the move is a decision.
        appeal: the move belongs to the appeal.
    """

    dispute: str
    asset: str
    file: bytes
    move: str
    reason: str
    by: str
    appeal: bool
    at: datetime


def dispute(
    *,
    dispute_id: str,
    asset: str,
    file: bytes,
    move: str,
    reason: str,
    at: datetime,
    by: str | None = None,
    appeal: bool = False,
) -> Json:
    """The statement of one move, signed by the platform.

    A decision is signed by the certifier's account key as well, first.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "dispute": dispute_id,
        "asset": asset,
        "move": move,
        "reason": reason,
        "by": by,
        "appeal": appeal,
        "at": format_time(at),
    }
    made = about_file(asset, file, DISPUTE_TYPE, plain(predicate))
    parse_dispute(made)
    return made


def parse_dispute(value: Mapping[str, Any]) -> Dispute:
    """Check the statement of one move.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, DISPUTE_TYPE)
    found = Dispute(
        dispute=fields.identifier("dispute"),
        asset=fields.identifier("asset"),
        file=only_subject(value),
        move=fields.choice("move", MOVES),
        reason=label(fields, "reason"),
        by=_decider(fields),
        appeal=fields.boolean("appeal"),
        at=fields.time("at"),
    )
    fields.close()
    return found


def _decider(fields: Fields) -> str:
    """Who decided; everybody else who moves a dispute stays unnamed.

    Raises:
        InputError: a decision by nobody, or another move by somebody.
    """
    decides = fields.choice("move", MOVES) in DECISIONS
    if decides != fields.has("by"):
        word = "is missing from a decision" if decides else "belongs to a decision only"
        raise InputError(word, fields.at("by"))
    return fields.identifier("by") if decides else ""
