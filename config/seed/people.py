"""The people of the demo: the cast that a click signs in as, and some others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from eth_account import Account
from eth_account.signers.local import LocalAccount

from accounts import api_keys, wallets
from accounts.demo import CAST, DOMAIN, cast_member
from accounts.models import Party, User, WalletChallenge
from accounts.register import open_account
from chain.keys import FileKey
from colophon.keys import Ed25519Key, load_or_create

SCOPES = ("record", "upload", "publish", "buy", "report", "read")
ORGANIZATION = Party.Kind.ORGANIZATION


@dataclass(frozen=True)
class Who:
    """One account of the demo.

    Attributes:
        role: of the cast; empty for the others, who have a name and a party.
        has_wallet: without one, what they earn accrues.
    """

    role: str = ""
    person: str = ""
    party: str = ""
    kind: str = Party.Kind.PERSON
    has_wallet: bool = True


PEOPLE = {
    "ada": Who("creator"),
    "ben": Who("buyer"),
    "mia": Who("model-owner"),
    "dan": Who("data-owner"),
    "cora": Who("certifier", has_wallet=False),
    "remy": Who("second-certifier", has_wallet=False),
    "ines": Who(person="Ines Rocha", party="Ines Rocha"),
    "tomas": Who(person="Tomas Virtanen", party="Tomas Virtanen"),
    "noor": Who(person="Noor Haddad", party="Studio Parallax", kind=ORGANIZATION),
    "yuki": Who(person="Yuki Arai", party="Yuki Arai", has_wallet=False),
    "pavel": Who(person="Pavel Novak", party="Lumen Lab", kind=ORGANIZATION),
    "kim": Who(person="Kim Sorensen", party="Kestrel Magazine", kind=ORGANIZATION),
    "leo": Who(person="Leo Brandt", party="Northlight Outdoor", kind=ORGANIZATION),
}


@dataclass(frozen=True)
class Person:
    """An account that exists, with the keys that its owner would hold."""

    name: str
    user: User
    party: Party

    @property
    def folder(self) -> Path:
        """Where the demo keeps what this person would keep on their own machine."""
        return Path(settings.VAR_DIR) / "secrets" / "people" / self.name

    @cached_property
    def wallet(self) -> LocalAccount:
        """Their wallet: a key in a file, made on first use."""
        FileKey.load_or_create(self.folder / "wallet")
        made: LocalAccount = Account.from_key(
            bytes.fromhex((self.folder / "wallet").read_text().strip())
        )
        return made

    @cached_property
    def key(self) -> Ed25519Key:
        """The key that signs the steps they record."""
        return load_or_create(self.folder / "recorder.pem")

    def runtime_key(self, model: str) -> Ed25519Key:
        """The key of the machine that runs a model of theirs."""
        return load_or_create(self.folder / f"runtime-{model}.pem")

    @cached_property
    def api_key(self) -> str:
        """The bearer key of their pipeline, issued on first use."""
        path = self.folder / "api-key"
        if not path.is_file():
            _, secret = api_keys.issue(self.party, self.user, "pipeline", SCOPES)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_text(secret, encoding="ascii")
        return path.read_text(encoding="ascii")


def everybody() -> dict[str, Person]:
    """The accounts of the demo by first name, made where they are missing."""
    found = {name: _person(name, who) for name, who in PEOPLE.items()}
    for name, who in PEOPLE.items():
        if who.has_wallet:
            _link(found[name])
    return found


def _person(name: str, who: Who) -> Person:
    user = cast_member(who.role) if who.role in CAST else _other(name, who)
    party = Party.objects.of(user).get()
    if party.verified_at is None:
        # The demo has no mail: this stands for the click in the first message.
        party.verified_at = timezone.now()
        party.save(update_fields=["verified_at"])
    return Person(name, user, party)


def _other(name: str, who: Who) -> User:
    email = f"{name}@{DOMAIN}"
    if found := User.objects.filter(email=email).first():
        return found
    with transaction.atomic():
        user = User.objects.create_user(email, name=who.person)
        open_account(user, name=who.party, kind=who.kind)
    return user


def _link(person: Person) -> None:
    """Sign the site's text with the wallet, as the browser would."""
    address = person.wallet.address
    if person.party.wallets.filter(address=address).exists():
        return
    purpose, session = WalletChallenge.Purpose.LINK, f"demo {person.name}"
    asked = wallets.challenge(address, purpose, session)
    signature = "0x" + bytes(_sign_text(person.wallet, asked.message)).hex()
    proven = wallets.verify(asked.nonce, signature, session, purpose)
    wallets.link(person.user, person.party, proven)


def _sign_text(wallet: LocalAccount, text: str) -> bytes:
    from eth_account.messages import encode_defunct

    return bytes(wallet.sign_message(encode_defunct(text=text)).signature)
