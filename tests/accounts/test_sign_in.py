"""Sign-up, sign-in, password reset and the demo's one click."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.demo import CAST, cast_member
from accounts.models import Party, User
from accounts.register import open_account
from colophon.errors import InputError
from tests.cast import PASSWORD, party_of

pytestmark = pytest.mark.django_db

STRONG = "nine purple anchors"
PAGES = ["login", "signup", "password/reset"]


@pytest.fixture(autouse=True)
def _no_rate_limit() -> None:
    cache.clear()


def sign_up(client: Client, email: str, **more: str) -> Any:
    form = {"email": email, "password1": STRONG, "name": "Zoe", **more}
    return client.post("/accounts/signup/", form)


def without_tokens(answer: Any) -> str:
    """A page without what differs each time: tokens, ids, the typed address."""
    page = re.sub(r'value="[^"]*"', "", answer.content.decode())
    return re.sub(r"[\w.]+@colophon\.test", "", page)


# --- pages --------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_account_pages_have_our_look_and_one_heading(client: Client, page: str) -> None:
    html = client.get(f"/accounts/{page}/").content.decode()
    assert 'class="masthead"' in html
    assert html.count("<h1") == 1
    assert "<style" not in html
    assert not re.search(r"<[^>]+ (style|onclick)=", html)


@pytest.mark.parametrize(
    "page", ["logout", "password/change", "email", "reauthenticate"]
)
def test_pages_for_members_have_our_look(client: Client, ada: User, page: str) -> None:
    client.force_login(ada)
    html = client.get(f"/accounts/{page}/").content.decode()
    assert 'class="masthead"' in html
    assert html.count("<h1") == 1


@pytest.mark.parametrize("page", ["password/change", "email", "password/set"])
def test_pages_for_members_need_a_login(client: Client, page: str) -> None:
    assert client.get(f"/accounts/{page}/").url.startswith("/accounts/login/")


def test_the_sign_in_page_offers_a_wallet(client: Client) -> None:
    html = client.get("/accounts/login/?next=/settings").content.decode()
    assert '"/wallet/challenge?purpose=login"' in html
    assert 'action="/wallet/login"' in html
    assert '<input type="hidden" name="next" value="/settings">' in html


# --- signing up ---------------------------------------------------------------------


def test_sign_up_opens_a_party_and_asks_to_confirm_the_address(client: Client) -> None:
    answer = sign_up(client, "zoe@colophon.test")
    assert answer.url == "/accounts/confirm-email/"
    user = User.objects.get(email="zoe@colophon.test")
    assert (user.name, party_of(user).name) == ("Zoe", "Zoe")
    assert party_of(user).holder.payout_address == ""
    assert "_auth_user_id" not in client.session
    link = re.search(r"/accounts/confirm-email/\S+", str(mail.outbox[0].body))
    assert link is not None
    assert client.get(link.group()).status_code == 200
    assert party_of(user).identities() == []
    client.post(link.group())
    assert EmailAddress.objects.get(user=user).verified
    assert party_of(user).identities() == ["email"]
    company = open_account(user, name="Tern", kind=Party.Kind.ORGANIZATION)
    assert company.identities() == ["email"]


def test_sign_up_without_a_name_takes_the_start_of_the_address(client: Client) -> None:
    sign_up(client, "zoe@colophon.test", name="")
    assert Party.objects.get(is_platform=False).name == "zoe"


def test_a_weak_password_is_refused(client: Client) -> None:
    answer = sign_up(client, "zoe@colophon.test", password1="password")
    assert "too common" in answer.content.decode()
    assert not User.objects.exists()


def test_sign_up_does_not_tell_who_has_an_account(client: Client, ada: User) -> None:
    new = sign_up(Client(), "zoe@colophon.test")
    taken = sign_up(Client(), ada.email)
    assert (new.status_code, new.url) == (taken.status_code, taken.url)
    assert User.objects.filter(email=ada.email).count() == 1
    assert {message.to[0] for message in mail.outbox} == {
        "zoe@colophon.test",
        ada.email,
    }


# --- signing in ---------------------------------------------------------------------


def test_signing_in_by_e_mail(client: Client, ada: User) -> None:
    form = {"login": ada.email.upper(), "password": PASSWORD}
    assert client.post("/accounts/login/?next=/settings", form).url == "/settings"
    assert client.get("/settings").status_code == 200


def test_a_wrong_password_and_an_unknown_address_read_the_same(ada: User) -> None:
    wrong = {"login": ada.email, "password": "guess"}
    unknown = {"login": "nobody@colophon.test", "password": "guess"}
    answers = [Client().post("/accounts/login/", form) for form in (wrong, unknown)]
    assert without_tokens(answers[0]) == without_tokens(answers[1])
    assert answers[0].status_code == answers[1].status_code == 200


def test_a_password_reset_tells_nothing_and_mails_the_owner_a_link(ada: User) -> None:
    url = "/accounts/password/reset/"
    known = Client().post(url, {"email": ada.email})
    unknown = Client().post(url, {"email": "nobody@colophon.test"})
    assert known.url == unknown.url == "/accounts/password/reset/done/"
    to_ada = [one for one in mail.outbox if one.to == [ada.email]]
    link = re.search(r"/accounts/password/reset/key/\S+", str(to_ada[0].body))
    assert link is not None
    browser = Client()
    form_url = browser.get(link.group()).url
    form = {"password1": STRONG, "password2": STRONG}
    assert browser.post(form_url, form).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(STRONG)
    again = Client().get(link.group())
    assert "no longer works" in again.content.decode()


def test_guessing_passwords_is_slowed_down(client: Client, ada: User) -> None:
    form = {"login": ada.email, "password": "guess"}
    for _ in range(10):
        client.post("/accounts/login/", form)
    right = {"login": ada.email, "password": PASSWORD}
    client.post("/accounts/login/", right)
    assert "_auth_user_id" not in client.session


def test_signing_out_takes_a_post(client: Client, ada: User) -> None:
    client.force_login(ada)
    client.get("/accounts/logout/")
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/"])
def test_signing_in_leads_to_this_site_only(
    client: Client, ada: User, wanted: str
) -> None:
    form = {"login": ada.email, "password": PASSWORD, "next": wanted}
    assert client.post("/accounts/login/", form).url == "/"


# --- the demo -----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_there_is_no_demo_sign_in_outside_the_demo(client: Client, method: str) -> None:
    answer = getattr(client, method)("/demo/sign-in", {"role": "certifier"})
    assert answer.status_code == 404
    assert not User.objects.exists()
    assert "/demo/sign-in" not in client.get("/accounts/login/").content.decode()
    with pytest.raises(PermissionError):
        cast_member("creator")


@pytest.mark.parametrize("role", CAST)
def test_one_click_signs_in_as_each_of_the_cast(
    client: Client, settings: Any, role: str
) -> None:
    settings.DEMO = True
    for _ in range(2):
        answer = client.post("/demo/sign-in", {"role": role, "next": "/settings"})
        assert answer.url == "/settings"
    user = User.objects.get()
    assert (user.is_staff, user.has_usable_password()) == (CAST[role].staff, False)
    assert party_of(user).name == CAST[role].party
    assert client.get("/settings").status_code == 200


def test_the_demo_shows_its_cards_on_the_sign_in_page(
    client: Client, settings: Any
) -> None:
    settings.DEMO = True
    html = client.get("/accounts/login/").content.decode()
    for role in CAST.values():
        assert f"Continue as {role.title}" in html
    assert html.count("csrfmiddlewaretoken") >= len(CAST)


def test_the_demo_refuses_what_it_does_not_know(client: Client, settings: Any) -> None:
    settings.DEMO = True
    assert client.get("/demo/sign-in").status_code == 405
    assert client.post("/demo/sign-in", {"role": "admin"}).status_code == 404
    evil = {"role": "buyer", "next": "https://evil.example"}
    assert client.post("/demo/sign-in", evil).url == "/"
    with pytest.raises(InputError):
        cast_member("admin")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/demo/sign-in", {"role": "buyer"}).status_code == 403
