"""Wallet sign-in: the server's own text, one session, one use, five minutes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from eth_account import Account
from eth_account.messages import encode_defunct

from accounts import siwe, wallets
from accounts.errors import UnknownWalletError, WalletProofError, WalletTakenError
from accounts.models import Membership, User, Wallet, WalletChallenge
from accounts.register import open_account
from chain.models import Network
from colophon.errors import InputError
from tests.cast import party_of

pytestmark = pytest.mark.django_db

KEY = Account.from_key("0x" + "11" * 32)
OTHER = Account.from_key("0x" + "22" * 32)
LOGIN, LINK = "login", "link"


@pytest.fixture(autouse=True)
def _no_throttle() -> None:
    cache.clear()


def signed(message: str, key: Any = KEY) -> str:
    """The personal_sign signature, as a wallet returns it."""
    made = key.sign_message(encode_defunct(text=message))
    return "0x" + bytes(made.signature).hex()


def issue(purpose: str = LOGIN, session: str = "s1") -> WalletChallenge:
    return wallets.challenge(KEY.address.lower(), purpose, session)


# --- the text -----------------------------------------------------------------------


def test_the_text_has_every_line_of_eip_4361(settings: Any) -> None:
    settings.SITE_URL = "https://colophon.example"
    Network.objects.create(chain_id=31337, genesis_hash="0x" + "0" * 64)
    made = issue()
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    wanted = (
        "colophon.example wants you to sign in with your Ethereum account:\n"
        f"{KEY.address}\n"
        "\n"
        "Sign in to Colophon. This costs nothing and moves no money.\n"
        "\n"
        "URI: https://colophon.example\n"
        "Version: 1\n"
        "Chain ID: 31337\n"
        f"Nonce: {made.nonce}\n"
    )
    assert made.message.startswith(wanted)
    rest = made.message.removeprefix(wanted)
    assert re.fullmatch(rf"Issued At: {time}\nExpiration Time: {time}", rest)
    assert re.fullmatch(r"[A-Za-z0-9]{16,}", made.nonce)


def test_plain_http_is_named_and_no_chain_reads_as_mainnet(settings: Any) -> None:
    settings.SITE_URL = "http://127.0.0.1:8000"
    message = issue().message
    assert message.startswith("http://127.0.0.1:8000 wants you to sign in")
    assert "\nChain ID: 1\n" in message


def test_every_text_is_new_and_expired_ones_are_swept() -> None:
    first, second = issue(), issue()
    assert first.nonce != second.nonce
    WalletChallenge.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    third = issue()
    assert list(WalletChallenge.objects.all()) == [third]


@pytest.mark.parametrize(
    "address",
    ["", "0x12", KEY.address[2:], "0x" + "g" * 40, KEY.address + "00", None, 7],
)
def test_a_malformed_address_is_refused(address: Any) -> None:
    with pytest.raises(InputError, match="address"):
        wallets.challenge(address, LOGIN, "s1")


def test_a_wrong_checksum_is_refused_and_a_right_one_kept() -> None:
    assert siwe.check_address(KEY.address, "address") == KEY.address
    assert siwe.check_address(KEY.address.lower(), "address") == KEY.address
    with pytest.raises(InputError, match="checksum"):
        siwe.check_address("0x" + KEY.address[2:].swapcase(), "address")


def test_an_unknown_purpose_and_a_missing_session_are_refused() -> None:
    with pytest.raises(InputError, match="purpose"):
        wallets.challenge(KEY.address, "pay", "s1")
    with pytest.raises(InputError, match="session"):
        wallets.challenge(KEY.address, LOGIN, "")


# --- verifying ----------------------------------------------------------------------


def test_the_wallets_own_signature_is_accepted_once() -> None:
    made = issue()
    proof = signed(made.message)
    assert wallets.verify(made.nonce, proof, "s1", LOGIN) == KEY.address
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, proof, "s1", LOGIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("127.0.0.1:8000 wants", "evil.example wants"),
        ("URI: http://127.0.0.1:8000", "URI: http://evil.example"),
        ("Chain ID: 1\n", "Chain ID: 5\n"),
        ("Nonce: ", "Nonce: x"),
        ("Expiration Time: 2", "Expiration Time: 3"),
        ("moves no money", "moves all money"),
        ("Sign in", "sign in"),
        ("\n", "\r\n"),
    ],
)
def test_a_signature_over_any_other_text_is_refused(old: str, new: str) -> None:
    made = issue()
    assert old in made.message
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, signed(made.message.replace(old, new)), "s1", LOGIN)


def test_another_wallets_signature_is_refused() -> None:
    made = issue()
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, signed(made.message, OTHER), "s1", LOGIN)


def test_another_session_is_refused_and_does_not_use_the_text_up() -> None:
    made = issue(session="s1")
    proof = signed(made.message)
    for session in ("s2", ""):
        with pytest.raises(WalletProofError):
            wallets.verify(made.nonce, proof, session, LOGIN)
    assert wallets.verify(made.nonce, proof, "s1", LOGIN) == KEY.address


def test_a_text_for_linking_does_not_sign_in() -> None:
    made = issue(LINK)
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, signed(made.message), "s1", LOGIN)


def test_an_unknown_nonce_is_refused() -> None:
    with pytest.raises(WalletProofError):
        wallets.verify("A" * 24, signed(issue().message), "s1", LOGIN)


def test_an_expired_text_is_refused() -> None:
    made = issue()
    WalletChallenge.objects.update(expires_at=timezone.now())
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, signed(made.message), "s1", LOGIN)


def test_a_wrong_signature_uses_the_text_up() -> None:
    made = issue()
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, signed("something else"), "s1", LOGIN)
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, signed(made.message), "s1", LOGIN)


@pytest.mark.parametrize("text", ["", "11", "0x", "0x1", "0xzz", "0x" + "00" * 8193, 7])
def test_what_is_no_signature_is_refused_without_using_the_text_up(text: Any) -> None:
    made = issue()
    with pytest.raises(InputError, match="signature"):
        wallets.verify(made.nonce, text, "s1", LOGIN)
    assert wallets.verify(made.nonce, signed(made.message), "s1", LOGIN)


@pytest.mark.parametrize("text", ["0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "01" * 64])
def test_a_signature_that_recovers_nothing_is_refused(text: str) -> None:
    made = issue()
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, text, "s1", LOGIN)


# --- linking ------------------------------------------------------------------------


def test_the_first_wallet_is_paid_to_and_the_second_is_not(ada: User) -> None:
    party = party_of(ada)
    wallets.link(ada, party, KEY.address)
    wallets.link(ada, party, OTHER.address)
    wallets.link(ada, party, KEY.address)
    party.holder.refresh_from_db()
    assert party.holder.payout_address == KEY.address
    assert party.wallets.count() == 2


def test_the_payout_wallet_is_chosen_among_linked_ones(ada: User) -> None:
    party = party_of(ada)
    wallets.link(ada, party, KEY.address)
    with pytest.raises(InputError, match="link it first"):
        wallets.choose_payout(party, OTHER.address)
    wallets.link(ada, party, OTHER.address)
    assert wallets.choose_payout(party, OTHER.address).payout_address == OTHER.address


def test_a_wallet_of_another_account_is_not_taken_over(ada: User, eve: User) -> None:
    wallets.link(ada, party_of(ada), KEY.address)
    with pytest.raises(WalletTakenError):
        wallets.link(eve, party_of(eve), KEY.address)
    assert party_of(eve).holder.payout_address == ""
    assert wallets.owner_of(KEY.address) == ada


def test_a_wallet_stays_with_the_party_it_was_linked_to(ada: User) -> None:
    company = open_account(ada, name="Tern")
    wallets.link(ada, party_of(ada), KEY.address)
    with pytest.raises(WalletTakenError):
        wallets.link(ada, company, KEY.address)


def test_unlinking_leaves_the_payout_wallet(ada: User) -> None:
    party = party_of(ada)
    first = wallets.link(ada, party, KEY.address)
    second = wallets.link(ada, party, OTHER.address)
    wallets.unlink(second)
    with pytest.raises(InputError, match="payout"):
        wallets.unlink(first)
    assert list(party.wallets.all()) == [first]


def test_nobody_owns_an_unlinked_wallet_or_one_of_a_closed_account(ada: User) -> None:
    with pytest.raises(UnknownWalletError):
        wallets.owner_of(KEY.address)
    wallets.link(ada, party_of(ada), KEY.address)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    with pytest.raises(UnknownWalletError):
        wallets.owner_of(KEY.address)


# --- the addresses ------------------------------------------------------------------


def ask(client: Client, purpose: str, address: str = KEY.address) -> dict[str, Any]:
    """What static/js/wallet.js gets: the text, and the nonce as a field."""
    url = f"/wallet/challenge?purpose={purpose}"
    return client.post(url, {"address": address}, headers={"Accept": JSON}).json()


JSON = "application/json"


def send(client: Client, url: str, asked: dict[str, Any], **more: str) -> Any:
    proof = {"signature": signed(asked["message"]), **asked["fields"], **more}
    return client.post(url, proof, headers={"Accept": JSON})


def test_linking_then_signing_in_by_wallet(client: Client, ada: User) -> None:
    client.force_login(ada)
    linked = send(client, "/wallet/link", ask(client, LINK))
    assert linked.json() == {"next": "/settings#wallets"}
    assert Wallet.objects.get().party == party_of(ada)

    stranger = Client()
    answer = send(stranger, "/wallet/login", ask(stranger, LOGIN), next="/settings")
    assert answer.json() == {"next": "/settings"}
    assert stranger.get("/api/v1/me").json()["name"] == "Ada"


def test_a_form_is_answered_by_a_redirect(client: Client, ada: User) -> None:
    client.force_login(ada)
    asked = ask(client, LINK)
    proof = {"signature": signed(asked["message"]), **asked["fields"]}
    answer = client.post("/wallet/link", {**proof, "address": KEY.address})
    assert (answer.status_code, answer.url) == (302, "/settings#wallets")
    assert "The wallet is linked." in client.get("/settings").content.decode()


def test_a_refused_form_goes_back_with_words(client: Client, db: None) -> None:
    answer = client.post("/wallet/login", {"nonce": "x", "signature": "0x00"})
    assert answer.url == "/accounts/login/"
    assert "was not accepted" in client.get(answer.url).content.decode()


def test_an_unknown_wallet_is_told_what_to_do(client: Client, db: None) -> None:
    answer = send(client, "/wallet/login", ask(client, LOGIN))
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-wallet")
    assert "link the wallet" in answer.json()["detail"]


def test_the_challenge_does_not_tell_linked_wallets(client: Client, ada: User) -> None:
    wallets.link(ada, party_of(ada), KEY.address)
    known, unknown = ask(client, LOGIN), ask(client, LOGIN, OTHER.address)
    assert known.keys() == unknown.keys()
    lines = [one["message"].splitlines()[:9] for one in (known, unknown)]
    differ = [i for i, (a, b) in enumerate(zip(*lines, strict=True)) if a != b]
    assert differ == [1, 8]  # the address asked for, and the nonce


def test_signing_in_changes_the_session_key(client: Client, ada: User) -> None:
    wallets.link(ada, party_of(ada), KEY.address)
    asked = ask(client, LOGIN)
    before = client.session.session_key
    send(client, "/wallet/login", asked)
    assert client.session.session_key != before


def test_a_stolen_text_is_useless_in_another_browser(client: Client, ada: User) -> None:
    wallets.link(ada, party_of(ada), KEY.address)
    answer = send(Client(), "/wallet/login", ask(client, LOGIN))
    assert (answer.status_code, answer.json()["code"]) == (403, "wallet-proof")


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "js:x"])
def test_signing_in_leads_to_this_site_only(
    client: Client, ada: User, wanted: str
) -> None:
    wallets.link(ada, party_of(ada), KEY.address)
    answer = send(client, "/wallet/login", ask(client, LOGIN), next=wanted)
    assert answer.json() == {"next": "/"}


def test_linking_needs_a_login(client: Client, db: None) -> None:
    answer = send(client, "/wallet/link", ask(client, LINK))
    assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed")


def test_linking_is_for_owners(client: Client, ada: User) -> None:
    Membership.objects.update(role=Membership.Role.MEMBER)
    client.force_login(ada)
    answer = send(client, "/wallet/link", ask(client, LINK))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-owner")


def test_linking_a_taken_wallet_is_a_conflict(
    client: Client, ada: User, eve: User
) -> None:
    wallets.link(ada, party_of(ada), KEY.address)
    client.force_login(eve)
    answer = send(client, "/wallet/link", ask(client, LINK))
    assert (answer.status_code, answer.json()["code"]) == (409, "wallet-taken")


@pytest.mark.parametrize("url", ["challenge", "link", "login"])
def test_wallet_addresses_take_posts_with_a_csrf_token(url: str, db: None) -> None:
    assert Client().get(f"/wallet/{url}").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/wallet/{url}", {}).status_code == 403


def test_json_is_taken_and_malformed_json_refused(client: Client, db: None) -> None:
    url = "/wallet/challenge?purpose=login"
    good = client.post(url, {"address": KEY.address}, content_type=JSON)
    assert good.status_code == 200
    for body in ("{", "[]", '{"address": 7}', "{}"):
        answer = client.post(url, body, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-record")


def test_too_many_tries_are_slowed_down(client: Client, db: None) -> None:
    codes = [
        client.post(
            "/wallet/login", {"nonce": "x", "signature": "0x00"}, content_type=JSON
        ).json()["code"]
        for _ in range(31)
    ]
    assert codes[:30] == ["wallet-proof"] * 30
    assert codes[30] == "too-many-tries"
