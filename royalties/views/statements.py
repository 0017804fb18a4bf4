"""Statements: one for each settlement, as a page, as CSV and as checkable JSON."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.acting import acting_party
from accounts.models import Holder
from colophon.earnings import combined_root, verify_words, word
from colophon.errors import ProofError
from colophon.units import format_units
from royalties.due import held_of
from royalties.models import Accrual, Settlement
from royalties.overview import lines_of, settlements_of, word_of
from royalties.statement import leaf_json, statement_of
from royalties.views.earned import line_row, related
from royalties.views.words import state_of

PAGE = 200
LISTED = 400
COLUMNS = (
    "settlement",
    "settled_at",
    "work",
    "asset",
    "license",
    "role",
    "uses",
    "license_fee",
    "usage_fee",
    "together",
    "part_percent",
    "amount",
    "agreement_sha256",
    "transaction",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@login_required
@never_cache
@require_GET
def statements(request: HttpRequest) -> HttpResponse:
    """Every settlement that has a line for the acting party."""
    holder = acting_party(request).holder
    rows = list(settlements_of(holder)[:LISTED])
    listed = [{"row": row, "state": state_of(row.state)} for row in rows]
    context = {"statements": listed, "held": held_of(holder)}
    return render(request, "royalties/statements.html", context)


@login_required
@never_cache
@require_GET
def statement(request: HttpRequest, epoch: int) -> HttpResponse:
    """One settlement's lines, its roots, and the proof, checked while you wait."""
    holder = acting_party(request).holder
    settlement = _mine(holder, epoch)
    lines = related(_lines(holder, settlement)).order_by("-units", "pk")[: PAGE + 1]
    rows = [line_row(row) for row in lines]
    context: dict[str, Any] = {
        "settlement": settlement,
        "state": state_of(settlement.state),
        "lines": rows[:PAGE],
        "more": len(rows) > PAGE,
        "root": combined_root(
            bytes(settlement.earnings_root), bytes(settlement.spend_root)
        ),
        **_proof(settlement, holder),
    }
    return render(request, "royalties/statement.html", context)


@login_required
@never_cache
@require_GET
def statement_csv(request: HttpRequest, epoch: int) -> HttpResponse:
    """The lines of one settlement for a spreadsheet."""
    holder = acting_party(request).holder
    settlement = _mine(holder, epoch)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="statement-{epoch}.csv"'
    writer = csv.writer(answer)
    writer.writerow(COLUMNS)
    for row in related(_lines(holder, settlement)).order_by("pk"):
        writer.writerow([safe_cell(value) for value in _cells(row)])
    return answer


@login_required
@never_cache
@require_GET
def statement_json(request: HttpRequest, epoch: int) -> HttpResponse:
    """Everything up to one settlement, as `colophon statement check` reads it."""
    holder = acting_party(request).holder
    _mine(holder, epoch)
    return _download(statement_of(holder, through=epoch), f"statement-{epoch}.json")


@login_required
@never_cache
@require_GET
def whole_json(request: HttpRequest) -> HttpResponse:
    """Everything so far, with today's figures."""
    holder = acting_party(request).holder
    return _download(statement_of(holder), "statement.json")


def safe_cell(value: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    Source: OWASP, CSV injection.
    """
    return f"'{value}" if value.startswith(FORMULA) else value


def _mine(holder: Holder, epoch: int) -> Settlement:
    """A settlement that has a line for the holder, or 404."""
    return get_object_or_404(settlements_of(holder), epoch=epoch)


def _lines(holder: Holder, settlement: Settlement) -> Any:
    return lines_of(holder).filter(increment__settlement=settlement)


def _cells(row: Accrual) -> list[str]:
    increment, sold = row.increment, row.increment.license
    settlement = increment.settlement
    return [
        str(settlement.epoch),
        settlement.built_at.isoformat(),
        sold.asset.title,
        sold.asset.code,
        sold.code,
        word_of(row.role, getattr(row, "kind", None)),
        str(increment.quantity),
        format_units(increment.fee_units),
        format_units(increment.usage_units),
        format_units(increment.units),
        format_units(row.ppm, 4),
        format_units(row.units),
        bytes(sold.agreement.digest).hex(),
        settlement.intent.tx_hash if settlement.intent else "",
    ]


def _proof(settlement: Settlement, holder: Holder) -> dict[str, Any]:
    """The holder's leaf, and whether it leads to the root: computed now."""
    leaf = leaf_json(settlement, holder)
    if leaf is None:
        return {"leaf": None, "leaf_holds": False}
    value = word(
        int(leaf["cumulative_units"]),
        bytes.fromhex(str(leaf["account"]).removeprefix("0x")),
    )
    proof = [bytes.fromhex(node) for node in leaf["proof"]]
    try:
        verify_words([value], leaf["position"], proof, bytes(settlement.earnings_root))
    except ProofError:
        return {"leaf": leaf, "leaf_holds": False}
    return {"leaf": leaf, "leaf_holds": True}


def _download(value: dict[str, Any], name: str) -> HttpResponse:
    answer = JsonResponse(
        value, encoder=DjangoJSONEncoder, json_dumps_params={"indent": 1}
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
