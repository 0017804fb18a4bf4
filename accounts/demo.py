"""The cast of the demo: people whom one click signs in as, made on first use.

Only `config.settings.DEMO` lets anyone call this; a deployment has no cast.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import Party, User
from accounts.register import open_account
from colophon.errors import InputError

DOMAIN = "demo.colophon.example"


@dataclass(frozen=True)
class Role:
    """One member of the cast and what a visitor does as them."""

    key: str
    title: str
    words: str
    person: str
    party: str
    kind: str = Party.Kind.PERSON
    staff: bool = False

    @property
    def email(self) -> str:
        """A reserved name (RFC 2606): mail to it reaches nobody."""
        return f"{self.person.split()[0].lower()}@{DOMAIN}"


CAST = {
    role.key: role
    for role in (
        Role(
            "creator",
            "Creator",
            "List a work, record how it was made, set a price.",
            "Ada Lindqvist",
            "Ada Lindqvist",
        ),
        Role(
            "buyer",
            "Buyer",
            "Find a work, license it, download it, report uses.",
            "Ben Okafor",
            "Harbor Press",
            Party.Kind.ORGANIZATION,
        ),
        Role(
            "model-owner",
            "Model owner",
            "See what your model earned, and why.",
            "Mia Castellanos",
            "Tessera Models",
            Party.Kind.ORGANIZATION,
        ),
        Role(
            "data-owner",
            "Data set owner",
            "See what your data set earned, and why.",
            "Dan Whitlock",
            "Open Harbor Photographs",
            Party.Kind.ORGANIZATION,
        ),
        Role(
            "certifier",
            "Certifier",
            "See all works, and how the site runs: chain, jobs, money.",
            "Cora Nguyen",
            "Cora Nguyen",
            staff=True,
        ),
        Role(
            "second-certifier",
            "Second certifier",
            "See the same with another pair of eyes.",
            "Remy Dubois",
            "Remy Dubois",
            staff=True,
        ),
    )
}


def cast_member(key: str) -> User:
    """The user of a demo role, with an opened account; made on first use.

    Writes on first use: User and what `open_account` writes.

    Raises:
        PermissionError: this is no demo.
        InputError: no such role.
    """
    if not settings.DEMO:
        raise PermissionError("the cast exists in the demo only")
    role = CAST.get(key)
    if role is None:
        raise InputError(f"is not one of {', '.join(CAST)}", "role")
    found = User.objects.filter(email=role.email).first()
    if found:
        return found
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                role.email, name=role.person, is_staff=role.staff
            )
            open_account(user, name=role.party, kind=role.kind)
    except IntegrityError:  # two visitors clicked at once
        return User.objects.get(email=role.email)
    return user
