"""A buyer's reports of uses: what was counted, what it cost, and how to add one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.cursor import row_after
from colophon.cloudevent import EVENT_TYPE, Use, parse_event
from colophon.errors import ColophonError, InputError
from colophon.units import PPM
from colophon.usage_report import read_uses
from marketplace.models import License
from royalties.errors import ConflictingEventError
from royalties.forms import UsageFileForm, UsageForm, event_of
from royalties.models import Tally, UsageEvent
from royalties.receive import Received, receive

PAGE = 50
REFUSED = 422
STATES = {
    UsageEvent.State.RECEIVED: ("Being counted", "wait"),
    UsageEvent.State.COUNTED: ("Counted", "ok"),
    UsageEvent.State.QUARANTINED: ("Not counted", "bad"),
}
REASONS = {
    "license_revoked": "the license was revoked",
    "account_frozen": "the deposit was asked back",
    "from_the_future": "the use lies in the future of its report",
    "before_the_license": "the use is older than the license",
    "license_expired": "the license had ended",
}


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def usage(request: HttpRequest, code: str) -> HttpResponse:
    """Reports of a license of one of the person's parties; a POST adds one."""
    row = _license(request, code)
    if request.method != "POST":
        return _page(request, row)
    form = UsageForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form=form)
    try:
        use = parse_event(
            event_of(
                form,
                license_code=row.code,
                source=settings.SITE_URL + reverse("royalties:license", args=[code]),
                event_type=EVENT_TYPE,
            )
        )
        return _taken(request, row, receive(uses=[use], party=row.buyer))
    except ConflictingEventError:
        form.add_error(None, "This form was sent before with other figures. Reload it.")
    except InputError as error:
        form.add_error(None, str(error))
    return _page(request, row, form=form)


@login_required
@never_cache
@require_POST
def usage_file(request: HttpRequest, code: str) -> HttpResponse:
    """Reports from a file; all of it is taken, or nothing."""
    row = _license(request, code)
    form = UsageFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, row, file_form=form)
    file = form.cleaned_data["file"]
    try:
        uses = _uses(file.read(), file.name, row.code)
        return _taken(request, row, receive(uses=uses, party=row.buyer))
    except ConflictingEventError as error:
        form.add_error("file", error.detail)
    except ColophonError as error:
        detail = getattr(error, "detail", "") or str(error)
        form.add_error("file", f"Nothing was taken: {detail}")
    return _page(request, row, file_form=form)


def _uses(data: bytes, name: str, license_code: str) -> list[Use]:
    """The reports of a file; rows that name no license are about this one."""
    events = read_uses(data, name=name, license_code=license_code)
    return [parse_event(one) for one in events]


def _license(request: HttpRequest, code: str) -> License:
    """A license that the library shows to the same person, or 404."""
    rows = License.objects.visible_to(request.user).select_related("asset", "buyer")
    return get_object_or_404(rows, code=code)


def _taken(request: HttpRequest, row: License, answers: list[Received]) -> HttpResponse:
    """Say what was new, and show the list."""
    fresh = [one for one in answers if one.is_new]
    total = sum(one.row.quantity for one in fresh)
    if fresh:
        messages.success(request, f"{total:,} uses were reported.")
    else:
        messages.info(request, "This was reported before; nothing was counted twice.")
    return redirect("royalties:license", code=row.code)


def _page(request: HttpRequest, row: License, **refused: Form) -> HttpResponse:
    tally = Tally.objects.filter(license=row).first() or Tally(license=row)
    events, after = _events(row, request.GET.get("after", ""))
    here = reverse("royalties:license", args=[row.code])
    context: dict[str, Any] = {
        "license": row,
        "tally": tally,
        "left_units": row.deposit_units - tally.usage_units,
        "used_ppm": tally.usage_units * PPM // row.deposit_units
        if row.deposit_units
        else 0,
        "is_metered": row.rate_units > 0,
        "events": events,
        "next_url": f"{here}?after={after}" if after else "",
        "first_url": here if request.GET.get("after") else "",
        "form": UsageForm.fresh(),
        "file_form": UsageFileForm(auto_id="file_%s"),
        "event_type": EVENT_TYPE,
        **refused,
    }
    status = REFUSED if refused else 200
    return render(request, "royalties/usage.html", context, status=status)


def _events(row: License, after: str) -> tuple[list[dict[str, Any]], int | None]:
    """One page of reports, the newest first."""
    rows = row.uses.select_related("batch__entry").order_by("-pk")
    if (last := row_after(after)) is not None:
        rows = rows.filter(pk__lt=last)
    found = list(rows[: PAGE + 1])
    last = found[PAGE - 1].pk if len(found) > PAGE else None
    return [_event(one) for one in found[:PAGE]], last


def _event(row: UsageEvent) -> dict[str, Any]:
    word, shape = STATES[UsageEvent.State(row.state)]
    entry = row.batch.entry
    return {
        "id": row.event_id,
        "quantity": row.quantity,
        "occurred_at": row.occurred_at,
        "received_at": row.received_at,
        "state": {"word": word, "state": shape},
        "reason": REASONS.get(row.reason, row.reason),
        "batch": row.batch.code,
        "log_index": entry.index if entry else None,
    }
