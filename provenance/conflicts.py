"""Who may not decide about a work: whoever has a stake in it, and whoever decided.

The same rule as in the evidence (colophon/peopleproof.py), wider where the rows know
more: teams, complainants, and who decided before.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import Membership, Party, User
from provenance.models import AgreementPart, Asset, Case, Decision, Step
from provenance.shares import used_sources


def why_not(case: Case, user: User) -> str:
    """Why the user may not decide the case; "" when they may."""
    if not user.is_staff:
        return "Only certifiers decide."
    if case.decisions.filter(by=user).exists():
        return "You have decided here; another certifier is needed."
    if _before(case).filter(by=user).exists():
        return "You decided before, and an appeal is for others."
    mine = Party.objects.of(user).filter(is_platform=False)
    return _stake(case, mine) or _no_party(case, user)


def _no_party(case: Case, user: User) -> str:
    """Why the account of a certifier cannot sign here."""
    party = party_for(user)
    if party is None:
        return "You have no account to sign with; sign in again."
    words = Decision.objects.filter(Q(case=case) | Q(case__in=_chain(case)))
    if words.filter(party=party).exists():
        return "Somebody else of your account decided; another party is needed."
    return ""


def party_for(user: User) -> Party | None:
    """The party whose account key signs what a certifier decides: their own."""
    rows = Party.objects.of(user).filter(is_platform=False).order_by("memberships__pk")
    return rows.filter(kind=Party.Kind.PERSON).first() or rows.first()


def _chain(case: Case) -> list[int]:
    """The cases that this one appeals against."""
    found: list[int] = []
    row = case.appeal_of
    while row is not None and row.pk not in found:
        found.append(row.pk)
        row = row.appeal_of
    return found


def _before(case: Case) -> QuerySet[Decision]:
    return Decision.objects.filter(case__in=_chain(case))


def _stake(case: Case, mine: QuerySet[Party]) -> str:
    """What the parties of a certifier, or the people in them, have to do with it."""
    own = set(mine.values_list("pk", flat=True))
    team = _with_people_of(own)
    asset = case.asset
    if asset.party_id in team:
        return "The work is yours, or of somebody in your team."
    if _named(asset) & team:
        return "The agreement or a step of this work names you or your team."
    opener = case.dispute.opened_by_id if case.dispute else None
    if opener is not None:
        theirs = Membership.objects.filter(user=opener, party__is_platform=False)
        if set(theirs.values_list("party", flat=True)) & team:
            return "You or somebody in your team made this objection."
    return ""


def _with_people_of(parties: set[int]) -> set[int]:
    """The parties, and those of everybody who is a member of one of them."""
    people = Membership.objects.filter(party__in=parties).values("user")
    rows = Membership.objects.filter(user__in=people, party__is_platform=False)
    return parties | set(rows.values_list("party", flat=True))


def _named(asset: Asset) -> set[int]:
    """Parties that the agreements, sources and steps of a work name."""
    parts = AgreementPart.objects.filter(
        agreement__asset=asset,
        holder__party__isnull=False,
        holder__party__is_platform=False,
    )
    found = set(parts.values_list("holder__party", flat=True))
    for source in used_sources(asset):
        found |= {source.registered_by_id, source.party_id or source.registered_by_id}
    if asset.run_id is not None:
        steps = Step.objects.filter(run=asset.run_id, key__party__is_platform=False)
        found |= set(steps.values_list("key__party", flat=True))
    return found
