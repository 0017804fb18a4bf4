"""Which party a request acts for.

An API key acts for its own party and no other. A person acts for the party they
chose (`?party=` or the session), and only for one they are a member of.
"""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.errors import NoPartyError, NotOwnerError
from accounts.models import ApiKey, Membership, Party, User
from colophon.ids import is_id

SESSION_KEY = "party"


def acting_party(request: HttpRequest | Request) -> Party:
    """The party that the request acts for.

    Raises:
        NoPartyError: nobody is signed in, or the party asked for is not one of
            theirs (the answer is the same when it does not exist).
    """
    asked = request.GET.get("party", "")
    key = getattr(request, "auth", None)
    if isinstance(key, ApiKey):
        if asked and asked != key.party.code:
            raise NoPartyError("An API key acts for its own party only.")
        return key.party
    if not isinstance(request.user, User):
        raise NoPartyError("Sign in first.")
    mine = Party.objects.of(request.user).order_by("memberships__pk")
    if asked:
        found = mine.filter(code=asked).first() if is_id(asked) else None
    else:
        chosen = request.session.get(SESSION_KEY, "")
        found = mine.filter(code=chosen).first() or mine.first()
    if found is None:
        raise NoPartyError
    return found


def owned_party(request: HttpRequest | Request) -> Party:
    """The acting party, where the user may change money and keys.

    Raises:
        NoPartyError: as `acting_party`.
        NotOwnerError: the user is a member but not an owner.
    """
    party = acting_party(request)
    assert isinstance(request.user, User)
    if not is_owner(request.user, party):
        raise NotOwnerError
    return party


def is_owner(user: User, party: Party) -> bool:
    """Whether the user is an owner of the party, not just a member."""
    owner = Membership.Role.OWNER
    return user.memberships.filter(party=party, role=owner).exists()


def choose_party(request: HttpRequest, code: str) -> Party:
    """Remember in the session which of the user's parties acts from now on.

    Raises:
        NoPartyError: not one of theirs.
    """
    assert isinstance(request.user, User)
    mine = Party.objects.of(request.user)
    found = mine.filter(code=code).first() if is_id(code) else None
    if found is None:
        raise NoPartyError
    request.session[SESSION_KEY] = found.code
    return found
