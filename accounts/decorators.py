"""Ask for the password again before an act that moves money elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.account.decorators import reauthentication_required
from django.http import HttpRequest, HttpResponse

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def recently_signed_in(view: View[P]) -> View[P]:
    """Require a password typed within minutes; the act goes on after that.

    Somebody without a password (wallet or demo sign-in) has none to type: for them
    the session is all there is.
    """

    @wraps(view)
    def wrapped(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        guarded = reauthentication_required(view)
        answer: HttpResponse = guarded(request, *args, **kwargs)
        return answer

    return wrapped
