"""Usage and money as JSON: report uses, read settlements, statements and payouts."""

from __future__ import annotations

from typing import IO, Any

from django.conf import settings
from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.acting import acting_party
from accounts.authentication import HasScope
from accounts.models import User
from colophon.cloudevent import MAX_BODY_BYTES, Use, parse_event
from colophon.errors import InputError
from colophon.fields import MAX_RECORD_BYTES, Fields, load_json
from marketplace.errors import NoDepositError
from marketplace.models import Order
from marketplace.refund import (
    ask_refund,
    deadline_from_now,
    newest_refund,
    refund_message,
)
from royalties.ask import Answer, ask_payout
from royalties.errors import UsageError
from royalties.escrow import escrow_of
from royalties.models import Payout, Settlement, UsageBatch
from royalties.receive import Received, receive
from royalties.statement import settlement_json, statement_of
from royalties.trace import trace_payout

RAW = "raw"


class CloudEventsParser(BaseParser):
    """The body as it came; the view knows which of three forms it has."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002 - the framework's shape
        parser_context: Any = None,  # noqa: ARG002
    ) -> dict[str, bytes]:
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise UsageError(f"is over {MAX_BODY_BYTES:,} bytes; send less at once")
        return {RAW: bytes(body)}


class SingleParser(CloudEventsParser):
    media_type = "application/cloudevents+json"


class BatchParser(CloudEventsParser):
    media_type = "application/cloudevents-batch+json"


class LinesParser(CloudEventsParser):
    media_type = "application/x-ndjson"


class Usage(APIView):
    """Reported uses of the acting party's licenses."""

    permission_classes = (HasScope("report"),)
    parser_classes = (SingleParser, BatchParser, LinesParser)

    @extend_schema(operation_id="reportUsage", request=dict, responses={202: dict})
    def post(self, request: Request) -> Response:
        """One event, a JSON batch, or one event a line; committed before answered."""
        uses = _uses(Fields(request.data).raw(RAW), request.content_type or "")
        answers = receive(uses=uses, party=acting_party(request))
        fresh = any(one.is_new for one in answers)
        body = {"events": [_event_json(one) for one in answers]}
        return Response(body, status=202 if fresh else 200)


def _uses(body: bytes, content_type: str) -> list[Use]:
    """The events of a request in any of the three forms."""
    if content_type.startswith(LinesParser.media_type):
        return _uses_by_line(body)
    value = load_json(body, max_bytes=MAX_BODY_BYTES)
    if content_type.startswith(BatchParser.media_type):
        if not isinstance(value, list):
            raise UsageError("is not a list of events")
        return [parse_event(one, at=str(at)) for at, one in enumerate(value)]
    return [parse_event(value)]


def _uses_by_line(body: bytes) -> list[Use]:
    """The events of NDJSON; an error tells the line as a person counts it, too."""
    found: list[Use] = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        at = str(len(found))
        try:
            value = load_json(line, max_bytes=MAX_RECORD_BYTES)
        except InputError as error:
            where = f"{at}/{error.field}" if error.field else at
            raise UsageError(f"line {number} {error.message}", where) from error
        try:
            found.append(parse_event(value, at=at))
        except InputError as error:
            words = f"{error.message} (line {number})"
            raise UsageError(words, error.field) from error
    return found


def _event_json(one: Received) -> dict[str, Any]:
    return {
        "id": one.event_id,
        "use": one.row.code,
        "batch": one.row.batch.code,
        "position": one.row.position,
        "state": one.row.state,
        "reason": one.row.reason or None,
        "new": one.is_new,
    }


class UsageBatchDetail(APIView):
    """What became of a batch."""

    permission_classes = (HasScope("report"),)

    @extend_schema(operation_id="getUsageBatch", responses=dict)
    def get(self, request: Request, code: str) -> Response:
        """State of the batch and of each event in it."""
        rows = UsageBatch.objects.filter(license__buyer=acting_party(request))
        batch = get_object_or_404(rows, code=code)
        return Response(
            {
                "id": batch.code,
                "license": batch.license.code,
                "root": bytes(batch.root).hex(),
                "count": batch.count,
                "counted": batch.counted,
                "recorded_at": batch.recorded_at,
                "log_index": batch.entry.index if batch.entry else None,
                "events": [
                    {
                        "id": row.event_id,
                        "state": row.state,
                        "reason": row.reason or None,
                    }
                    for row in batch.events.order_by("position")
                ],
            }
        )


class SettlementDetail(APIView):
    """A committed epoch; public."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="getSettlement", responses=dict)
    def get(self, request: Request, epoch: int) -> Response:  # noqa: ARG002
        """Roots, totals, state and transaction of one epoch."""
        return Response(settlement_json(get_object_or_404(Settlement, epoch=epoch)))


class Settlements(APIView):
    """All epochs, newest first; public."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="listSettlements", responses=dict)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """The newest hundred settlements."""
        rows = Settlement.objects.select_related("intent").order_by("-epoch")[:100]
        return Response({"data": [settlement_json(row) for row in rows]})


class Statement(APIView):
    """The acting party's own statement."""

    permission_classes = (HasScope("read"),)

    @extend_schema(operation_id="getStatement", responses=dict)
    def get(self, request: Request) -> Response:
        """Every line of every settlement, with what is needed to recompute it."""
        return Response(statement_of(acting_party(request).holder))


class PayoutTrace(APIView):
    """From the cent to the first step."""

    permission_classes = (HasScope("read"),)

    @extend_schema(operation_id="tracePayout", responses=dict)
    def get(self, request: Request, code: str) -> Response:
        """Everything that `colophon trace` recomputes."""
        rows = Payout.objects.filter(holder=acting_party(request).holder)
        return Response(trace_payout(get_object_or_404(rows, code=code)))


class SettleNow(APIView):
    """The button "Settle now"."""

    permission_classes = (HasScope("payout"),)

    @extend_schema(operation_id="settleNow", request=None, responses={202: dict})
    def post(self, request: Request) -> Response:
        """Ask for payment of what has matured, below the threshold too."""
        answer = ask_payout(acting_party(request).holder)
        body = {"asked": answer is Answer.ASKED, "state": answer.value}
        return Response(body, status=202)


class LicenseRefund(APIView):
    """The deposit account behind a license or an order, and its refund."""

    permission_classes = (HasScope("buy"),)

    @extend_schema(operation_id="getRefund", responses=dict)
    def get(self, request: Request, code: str) -> Response:
        """What is left, the last refund, and `typed_data` to sign for the next."""
        return Response(_refund_json(_order(request, code).account))

    @extend_schema(operation_id="askRefund", request=dict, responses={202: dict})
    def post(self, request: Request, code: str) -> Response:
        """Send the wallet's signature over `typed_data`; sending it twice asks once."""
        row = _order(request, code)
        body = Fields(request.data)
        deadline = body.integer("deadline")
        signature = body.text("signature", limit=4096)
        body.close()
        escrow = escrow_of(row.account)
        if escrow.left_units == 0:
            raise NoDepositError
        ask_refund(
            account=row.account,
            nonce=escrow.requests,
            deadline=deadline,
            signature=signature,
            party=row.buyer,
            user=request.user if isinstance(request.user, User) else None,
        )
        return Response(_refund_json(row.account), status=202)


def _order(request: Request, code: str) -> Order:
    """An order of the acting party, by its own id or by its license's."""
    rows = Order.objects.filter(buyer=acting_party(request)).exclude(account="")
    return get_object_or_404(rows, Q(code=code) | Q(license__code=code))


def _refund_json(account: str) -> dict[str, Any]:
    escrow, refund = escrow_of(account), newest_refund(account)
    deadline = deadline_from_now()
    typed = refund_message(account, nonce=escrow.requests, deadline=deadline)
    return {
        "account": escrow.account,
        "deposited_units": escrow.deposited_units,
        "refunded_units": escrow.refunded_units,
        "spent_units": escrow.spent_units,
        "left_units": escrow.left_units,
        "delay_seconds": settings.REFUND_DELAY_SECONDS,
        "deadline": deadline,
        "typed_data": typed,
        "refund": refund
        and {
            "id": refund.code,
            "state": refund.state,
            "failed_reason": refund.failed_reason or None,
            "requested_at": refund.requested_at,
            "ready_at": refund.ready_at,
            "units": refund.units,
            "tx_hash": refund.tx_hash or None,
            "paid_at": refund.paid_at,
        },
    }
