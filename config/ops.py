"""`/ops/`: the operator's page, for staff alone, and the retry of a parked job.

It reads rows and nothing else, so it shows what is wrong while Redis or the chain is
away.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from config import ops_status
from outbox import health
from outbox.errors import OutboxError
from outbox.models import Job

CHECKPOINT_LATE = 6  # times the usual distance between two checkpoints
FOLLOW_LATE_SECONDS = 60.0
JOB_LATE_SECONDS = 60

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def staff_only(view: View[P]) -> View[P]:
    """Sign-in for strangers; for everybody else who is not staff there is no page."""

    @login_required
    @wraps(view)
    def wrapped(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        if not (isinstance(request.user, User) and request.user.is_staff):
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


@staff_only
@never_cache
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Jobs, processes, log, chain and money, at this moment."""
    jobs, log, chain = ops_status.jobs(), ops_status.log(), ops_status.chain()
    network, checkpoint = chain["network"], log["checkpoint"]
    every = settings.CHECKPOINT_SECONDS * CHECKPOINT_LATE
    context = {
        "now": timezone.now(),
        "jobs": jobs,
        "jobs_late": jobs["oldest"].total_seconds() > JOB_LATE_SECONDS,
        "processes": health.processes(),
        "log": log,
        "checkpoint_late": log["uncovered"] > 0
        and ops_status.late(checkpoint.created_at if checkpoint else None, every),
        "chain": chain,
        "follow_late": network is not None
        and ops_status.late(network.followed_at, FOLLOW_LATE_SECONDS),
        "money": ops_status.money(),
    }
    return render(request, "ops/index.html", context)


@staff_only
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a parked job run again; the log of the process says who asked."""
    job = get_object_or_404(Job, pk=pk)
    assert isinstance(request.user, User)
    try:
        health.retry(job, by=request.user.email)
    except OutboxError:
        messages.warning(
            request, "The job is not parked any more; nothing was changed."
        )
    else:
        messages.success(request, f"{job.kind} runs again within moments.")
    return redirect("ops")
