"""Wallet sign-in and linking, for static/js/wallet.js and for programs.

Plain Django views, not API views: they need Django's CSRF check before anybody is
signed in, which the API framework leaves out. A form is answered by a page, JSON by
JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from rest_framework.throttling import SimpleRateThrottle

from accounts import siwe, wallets
from accounts.acting import owned_party
from accounts.errors import Problem, TooManyTriesError
from accounts.models import User, WalletChallenge
from accounts.problems import CONTENT_TYPE, describe, problem_body
from accounts.views.after import after_sign_in
from accounts.views.demo import BACKEND
from colophon.errors import ColophonError
from colophon.fields import Fields, load_json

MAX_BODY_BYTES = 32 * 1024
JSON = "application/json"

Inner = Callable[[HttpRequest, Fields], HttpResponse]
View = Callable[[HttpRequest], HttpResponse]


class SignInNeededError(Problem):
    status = 401
    code = "sign-in-needed"
    title = "Sign in first"
    meaning = "Your session has ended. Sign in again, then link the wallet."


class _Throttle(SimpleRateThrottle):
    """Wallet requests by network address."""

    scope = "wallet"

    def get_cache_key(self, request: HttpRequest, view: object) -> str:  # noqa: ARG002
        return f"wallet-{self.get_ident(request)}"  # type: ignore[arg-type]


def wallet_view(back: str) -> Callable[[Inner], View]:
    """POST only, form or JSON in, throttled; a refusal is a page or a problem.

    Args:
        back: URL name of the page that a refused form goes back to.
    """

    def decorate(view: Inner) -> View:
        @require_POST
        @never_cache
        @wraps(view)
        def wrapped(request: HttpRequest) -> HttpResponse:
            try:
                if not _Throttle().allow_request(request, None):  # type: ignore[arg-type]
                    raise TooManyTriesError
                return view(request, _body(request))
            except ColophonError as error:
                return _refusal(request, error, back)

        return wrapped

    return decorate


@wallet_view(back="account_login")
def challenge(request: HttpRequest, fields: Fields) -> HttpResponse:
    """The text to sign, for an address; `?purpose=` is login or link."""
    if request.session.session_key is None:
        request.session.create()
    issued = wallets.challenge(
        fields.text("address"),
        request.GET.get("purpose", ""),
        request.session.session_key or "",
    )
    return JsonResponse(
        {
            "message": issued.message,
            "fields": {"nonce": issued.nonce},
            "expires_at": issued.expires_at,
        }
    )


@wallet_view(back="accounts:settings")
def link(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Link the wallet that signed, for nonce and signature."""
    if not isinstance(request.user, User):
        raise SignInNeededError
    party = owned_party(request)
    address = _proven(request, fields, WalletChallenge.Purpose.LINK)
    wallets.link(request.user, party, address)
    if not _wants_json(request):
        messages.success(request, "The wallet is linked.")
    return _done(request, reverse("accounts:settings") + "#wallets")


@wallet_view(back="account_login")
def sign_in(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Sign in as the owner of the wallet that signed, for nonce and signature."""
    wanted = fields.maybe_text("next") or ""
    address = _proven(request, fields, WalletChallenge.Purpose.LOGIN)
    login(request, wallets.owner_of(address), backend=BACKEND)
    return _done(request, after_sign_in(request, wanted))


def _proven(request: HttpRequest, fields: Fields, purpose: str) -> str:
    """The address whose wallet signed the text of this session."""
    return wallets.verify(
        fields.text("nonce"),
        fields.text("signature", limit=2 + 2 * siwe.MAX_SIGNATURE_BYTES),
        request.session.session_key or "",
        purpose,
    )


def _wants_json(request: HttpRequest) -> bool:
    return request.content_type == JSON or JSON in request.headers.get("Accept", "")


def _body(request: HttpRequest) -> Fields:
    """The fields of a form or of a JSON object."""
    if request.content_type == JSON:
        return Fields(load_json(request.body, max_bytes=MAX_BODY_BYTES))
    # An empty text field of a form is a field that was left out.
    return Fields({name: value or None for name, value in request.POST.items()})


def _done(request: HttpRequest, url: str) -> HttpResponse:
    return JsonResponse({"next": url}) if _wants_json(request) else redirect(url)


def _refusal(request: HttpRequest, error: ColophonError, back: str) -> HttpResponse:
    entry, detail, errors = describe(error)
    if not _wants_json(request):
        messages.error(request, f"{entry.title}. {detail}")
        return redirect(back)
    body = problem_body(entry, detail=detail, errors=errors, request=request)
    return JsonResponse(body, status=entry.status, content_type=CONTENT_TYPE)
