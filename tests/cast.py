"""The cast of the suite: five people, each with a party opened like at sign-up.

Ada makes works, Ben buys, Mia owns a model, Dan owns a data set, and Eve has no
access to anything of theirs. `PASSWORD` is everybody's.
"""

from __future__ import annotations

import pytest

from accounts.models import Party, User
from accounts.register import open_account

PASSWORD = "a staple, correctly"


def open_user(name: str, *, is_staff: bool = False) -> User:
    """A user with a verified address and an opened party."""
    from allauth.account.models import EmailAddress

    email = f"{name.lower()}@colophon.test"
    user = User.objects.create_user(email, PASSWORD, name=name, is_staff=is_staff)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    open_account(user)
    return user


def party_of(user: User) -> Party:
    """The user's first party."""
    return Party.objects.of(user).earliest("pk")


@pytest.fixture
def ada(db: None) -> User:
    """Creator: uploads, records, publishes; owns her works."""
    return open_user("Ada")


@pytest.fixture
def ben(db: None) -> User:
    """Buyer: licenses and reports uses."""
    return open_user("Ben")


@pytest.fixture
def mia(db: None) -> User:
    """Owns a model."""
    return open_user("Mia")


@pytest.fixture
def dan(db: None) -> User:
    """Owns a data set."""
    return open_user("Dan")


@pytest.fixture
def eve(db: None) -> User:
    """Attacker: signed in, with a party of her own and no access to the others'."""
    return open_user("Eve")
