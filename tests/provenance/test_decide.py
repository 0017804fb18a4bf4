"""The queue: places, locks, conflicts, two people, and what a decision does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Party, User
from accounts.platform import platform_signer
from colophon import records, statement
from colophon.checks import Result
from outbox.models import Job
from provenance.assemble import bundle_for
from provenance.conflicts import why_not
from provenance.decide import decide_case
from provenance.dispute import Objection, appeal_dispute, open_dispute
from provenance.envelopes import envelope_of
from provenance.errors import CaseStateError, ConflictOfInterestError, DisputeError
from provenance.models import Asset, Case, Decision, Dispute, Verdict
from provenance.queue import LOCK, leave_case, place_of, take_case
from provenance.review import ask_review
from tests import factories
from tests.cast import open_user, party_of
from tests.loop import judge

SAID = Objection("maker", "not-theirs", "My drawing of 2019.")
REASON = {
    "upheld": "older-original",
    "rejected": "no-evidence",
    "confirmed": "record-matches",
    "refused": "picture-differs",
}


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.published_asset(party_of(ada), evidence=3, origin_class="HYBRID")


@pytest.fixture
def certifiers(db: None) -> list[User]:
    """Four certifiers, each with a party of their own."""
    return [open_user(n, is_staff=True) for n in ("Cora", "Remy", "Sol", "Tess")]


def disputed(work: Asset, by: User | None = None) -> Case:
    return open_dispute(asset=work, objection=SAID, by=by)[0].cases.get()


def say(case: Case, by: User, decision: str, **more: str) -> Decision:
    """Take the case and give one's word."""
    take_case(case=case, by=by)
    reason = more.pop("reason", REASON[decision])
    return decide_case(case=case, by=by, decision=decision, reason=reason, **more)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


# ------------------------------------------------------------------------------ queue


def test_the_queue_is_by_age_and_says_the_place(work: Asset) -> None:
    first, second = disputed(work), disputed(work)
    third = ask_review(asset=work)
    assert list(Case.objects.waiting()) == [first, second, third]
    assert str(place_of(third)) == "3rd of 3"
    Case.objects.filter(pk=first.pk).update(closed_at=timezone.now())
    assert str(place_of(third)) == "2nd of 2"
    assert place_of(fresh(first)) is None


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1st"), (2, "2nd"), (11, "11th"), (13, "13th")]
)
def test_a_place_reads_as_people_say_it(number: int, words: str) -> None:
    from provenance.queue import Place

    assert str(Place(number, 22)) == f"{words} of 22"


def test_a_taken_case_is_nobody_elses_until_its_lock_ends(
    work: Asset, certifiers: list[User]
) -> None:
    cora, remy = certifiers[:2]
    case = disputed(work)
    take_case(case=case, by=cora)
    with pytest.raises(CaseStateError, match="Another certifier"):
        take_case(case=case, by=remy)
    take_case(case=case, by=cora)  # one's own again renews it
    Case.objects.update(lock_until=timezone.now() - timedelta(seconds=1))
    take_case(case=case, by=remy)
    with pytest.raises(CaseStateError):
        decide_case(case=case, by=cora, decision="rejected", reason="settled")
    until = fresh(case).lock_until
    assert until - timezone.now() > LOCK - timedelta(minutes=1)
    leave_case(case=case, by=cora)  # not hers to give back
    assert fresh(case).locked_by == remy
    leave_case(case=case, by=remy)
    assert fresh(case).locked_by is None


def test_nobody_decides_what_they_have_not_taken(
    work: Asset, certifiers: list[User]
) -> None:
    case = disputed(work)
    with pytest.raises(CaseStateError):
        decide_case(case=case, by=certifiers[0], decision="rejected", reason="settled")
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("decision", "reason"),
    [("confirmed", "record-matches"), ("upheld", "settled"), ("upheld", "because")],
)
def test_a_decision_needs_a_reason_of_its_own(
    work: Asset, certifiers: list[User], decision: str, reason: str
) -> None:
    with pytest.raises(DisputeError):
        say(disputed(work), certifiers[0], decision, reason=reason)


# ------------------------------------------------------------------------ two people


def test_two_people_suspend_and_two_others_reinstate(
    work: Asset, certifiers: list[User]
) -> None:
    cora, remy, sol, tess = certifiers
    case = disputed(work)
    say(case, cora, "upheld")
    dispute = fresh(case.dispute)
    assert (dispute.state, fresh(case).closed_at) == ("open", None)
    with pytest.raises(ConflictOfInterestError):
        say(case, cora, "upheld")
    say(case, remy, "upheld")
    dispute.refresh_from_db()
    assert (dispute.state, dispute.suspends) == ("upheld", True)
    assert fresh(case).outcome == "upheld"
    again = appeal_dispute(dispute=dispute, by_owner=True, text="Look again.")
    for one in (cora, remy):
        with pytest.raises(ConflictOfInterestError, match="others"):
            say(again, one, "rejected")
    say(again, sol, "rejected")
    assert fresh(dispute).suspends, "one alone reinstates nothing"
    say(again, tess, "rejected")
    assert (fresh(dispute).state, fresh(dispute).suspends) == ("rejected", False)
    moves = [one.move for one in dispute.moves.all()]
    assert moves == [
        *("opened", "upheld", "upheld"),
        *("appealed", "rejected", "rejected"),
    ]


def test_one_is_enough_to_leave_things_as_they_are(
    work: Asset, certifiers: list[User]
) -> None:
    case = disputed(work)
    say(case, certifiers[0], "upheld")
    say(case, certifiers[1], "rejected")
    assert (fresh(case).outcome, fresh(case.dispute).state) == ("rejected", "rejected")
    with pytest.raises(CaseStateError):
        say(case, certifiers[2], "upheld")


def test_a_review_is_confirmed_by_two_refused_by_one_and_appealed_once(
    work: Asset, certifiers: list[User]
) -> None:
    cora, remy, sol, tess = certifiers
    case = ask_review(asset=work)
    with pytest.raises(DisputeError, match="in the queue"):
        ask_review(asset=work)
    say(case, cora, "confirmed")
    assert fresh(case).outcome == ""
    say(case, remy, "refused", note="The sky is not in any step.")
    assert fresh(case).outcome == "refused"
    with pytest.raises(DisputeError, match="text"):
        ask_review(asset=work)
    appeal = ask_review(asset=work, text="See step two.")
    with pytest.raises(ConflictOfInterestError):
        say(appeal, cora, "confirmed")
    say(appeal, sol, "confirmed")
    say(appeal, tess, "confirmed")
    assert fresh(appeal).outcome == "confirmed"
    with pytest.raises(DisputeError, match="already"):
        ask_review(asset=work, text="Once more.")


@pytest.mark.parametrize(("evidence", "standing"), [(2, "active"), (3, "contested")])
def test_only_a_recorded_work_in_good_standing_is_reviewed(
    work: Asset, evidence: int, standing: str
) -> None:
    factories.judged(work, evidence=evidence, standing=standing)
    with pytest.raises(DisputeError, match="A review needs"):
        ask_review(asset=work)


# --------------------------------------------------------------------------- conflicts


def _owner(work: Asset, user: User) -> None:
    Membership.objects.create(user=user, party=work.party)


def _in_agreement(work: Asset, user: User) -> None:
    part = work.agreements.get().parts.get(role="creator")
    part.holder = party_of(user).holder
    part.save()


def _team(work: Asset, user: User) -> None:
    """A third party in which the certifier and the owner both are."""
    both = Party.objects.create(name="Both", kind="organization")
    Membership.objects.create(user=user, party=both)
    Membership.objects.create(user=work.party.memberships.get().user, party=both)


def _made_a_step(work: Asset, user: User) -> None:
    assert work.run
    key = party_of(user).keys.get()
    work.run.steps.update(key=key)


def _owns_the_model(work: Asset, user: User) -> None:
    assert work.run
    work.run.steps.update(model_source=factories.model_of(party_of(user)))


@pytest.mark.parametrize(
    "stake", [_owner, _in_agreement, _team, _made_a_step, _owns_the_model]
)
def test_whoever_has_a_stake_decides_nothing(
    work: Asset, certifiers: list[User], stake: Callable[[Asset, User], None]
) -> None:
    cora, remy = certifiers[:2]
    case = disputed(work)
    assert why_not(case, cora) == ""
    stake(work, cora)
    case = fresh(case)
    assert why_not(case, cora)
    assert why_not(case, remy) == "", "another certifier may"
    with pytest.raises(ConflictOfInterestError):
        say(case, cora, "rejected")
    assert not Decision.objects.exists()


def test_who_objects_and_their_team_do_not_decide_it(
    work: Asset, certifiers: list[User]
) -> None:
    cora, remy, sol, _ = certifiers
    case = disputed(work, by=cora)
    Membership.objects.create(user=remy, party=party_of(cora))
    assert why_not(case, cora)
    assert why_not(case, remy)
    assert why_not(case, sol) == ""


def test_nobody_without_the_role_decides(work: Asset, ben: User) -> None:
    case = disputed(work)
    with pytest.raises(ConflictOfInterestError):
        say(case, ben, "rejected")


def test_two_people_of_one_party_are_not_two(
    work: Asset, certifiers: list[User]
) -> None:
    cora, remy = certifiers[:2]
    case = disputed(work)
    say(case, cora, "upheld")
    remy.memberships.all().delete()
    Membership.objects.create(user=remy, party=party_of(cora))
    with pytest.raises(ConflictOfInterestError):
        say(case, remy, "upheld")


# ------------------------------------------------------------- what a decision leads to


def test_a_decision_is_signed_by_the_certifier_and_the_platform(
    work: Asset, certifiers: list[User]
) -> None:
    row = say(disputed(work), certifiers[0], "rejected", note="Nothing was shown.")
    envelope = envelope_of(row.entry)
    key = party_of(certifiers[0]).keys.get()
    said = records.parse_dispute(statement.verify(envelope, bytes(key.spki)))
    assert said == records.parse_dispute(
        statement.verify(envelope, platform_signer().public_spki)
    )
    assert (said.move, said.reason, said.by) == (
        *("rejected", "no-evidence"),
        party_of(certifiers[0]).code,
    )
    assert b"Nothing was shown" not in envelope.payload


def verdict_of(work: Asset) -> tuple[Verdict, set[bytes]]:
    row = judge(fresh(work))
    said = statement.read_statement(envelope_of(row.entry).payload)
    return row, set(records.parse_verdict(said).inputs)


def test_the_verdict_cites_the_decisions_and_anybody_can_check_it(
    work: Asset, certifiers: list[User], clock: None
) -> None:
    from tests.provenance.test_assemble import checked

    case = disputed(work)
    words = [say(case, one, "upheld") for one in certifiers[:2]]
    asked = Job.objects.filter(kind="asset.judge", key__contains="decision")
    assert asked.count() == 2
    row, cited = verdict_of(work)
    assert row.standing == "suspended"
    assert {envelope_of(one.entry).digest for one in words} <= cited
    factories.logged()
    report = checked(work, bundle_for(fresh(work)))
    standing = report.checks[12]
    assert standing.words == "The record of this work is suspended."
    assert report.checks[11].result is Result.PASSED


def test_a_review_counts_in_the_verdict_once_the_log_has_it(
    work: Asset, certifiers: list[User], clock: None
) -> None:
    case = ask_review(asset=work)
    factories.logged()
    words = [say(case, one, "confirmed") for one in certifiers[:2]]
    assert not bundle_for(fresh(work)).of("review")
    row, cited = verdict_of(work)
    assert {envelope_of(one.entry).digest for one in words} <= cited
    (last,) = [one for one in row.criteria if one["id"] == "e4.corroborated"]
    assert last["detail"] == "review"


# ------------------------------------------------------------------------------- pages


@pytest.fixture
def cases(work: Asset) -> tuple[Case, Case]:
    return disputed(work), ask_review(asset=work)


def client_of(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def test_each_role_reaches_what_is_theirs(
    work: Asset, certifiers: list[User], cases: tuple[Case, Case], ada: User, ben: User
) -> None:
    """Visitor, owner, buyer, certifier, one with a stake, and a superuser."""
    dispute_case, review_case = cases
    staked, cora = certifiers[:2]
    _in_agreement(work, staked)
    root = User.objects.create_superuser("root@colophon.test", "x")
    own = f"/disputes/{dispute_case.dispute.code}"  # type: ignore[union-attr]
    code = dispute_case.code
    roles = {"visitor": None, "owner": ada, "buyer": ben, "certifier": cora}
    roles |= {"staked": staked, "root": root}
    order = list(roles)
    table: dict[tuple[str, str], tuple[int, ...]] = {
        ("get", "/review"): (302, 404, 404, 200, 200, 200),
        ("get", f"/review/{code}"): (302, 404, 404, 200, 200, 200),
        ("post", f"/review/{code}/take"): (302, 404, 404, 302, 302, 302),
        ("post", f"/review/{code}/decide"): (302, 404, 404, 422, 422, 422),
        ("post", f"/review/{code}/leave"): (302, 404, 404, 302, 302, 302),
        ("get", own): (404, 200, 404, 200, 200, 200),
        ("post", f"{own}/answer"): (404, 422, 404, 404, 404, 404),
        ("post", f"{own}/appeal"): (404, 422, 404, 404, 404, 404),
        ("get", f"/a/{work.code}/dispute"): (200,) * 6,
        ("post", f"/a/{work.code}/dispute"): (422,) * 6,
        ("post", f"/sell/{work.code}/review"): (302, 302, 404, 404, 404, 404),
    }
    for (method, path), expected in table.items():
        found = tuple(
            getattr(client_of(roles[role]), method)(path).status_code for role in order
        )
        assert found == expected, (method, path)
        if method == "post" and path.endswith("/take"):
            assert fresh(dispute_case).locked_by == cora, "nobody else could take it"
    for path in ("/review", f"/review/{code}"):
        assert client_of(None).get(path)["Location"].startswith("/accounts/login")
    assert not Decision.objects.exists()
    assert review_case.decisions.count() == 0


def test_a_certifier_goes_the_whole_way_on_the_pages(
    work: Asset, certifiers: list[User], cases: tuple[Case, Case], ada: User
) -> None:
    cora, remy = certifiers[:2]
    case = cases[0]
    client, other = client_of(cora), client_of(remy)
    text = client.get("/review").content.decode()
    assert "2 cases wait" in text
    assert f"/review/{case.code}" in text
    client.post(f"/review/{case.code}/take")
    assert "Somebody works on it" in other.get(f"/review/{case.code}").content.decode()
    refused = other.post(f"/review/{case.code}/take", follow=True).content.decode()
    assert "Another certifier works on it" in refused
    page = client.get(f"/review/{case.code}").content.decode()
    assert "Sign and decide" in page
    assert "Sign and decide" not in other.get(f"/review/{case.code}").content.decode()
    word = {"reason": "upheld:older-original", "note": "The scan of 2019 is older."}
    answer = client.post(f"/review/{case.code}/decide", word, follow=True)
    assert "It waits for another certifier" in answer.content.decode()
    other.post(f"/review/{case.code}/take")
    answer = other.post(f"/review/{case.code}/decide", word, follow=True)
    assert "It is decided" in answer.content.decode()
    assert Dispute.objects.get().state == "upheld"
    owner = client_of(ada)
    url = f"/disputes/{Dispute.objects.get().code}"
    told = owner.get(url).content.decode()
    assert "The scan of 2019 is older" in told
    assert "Cora" not in told
    assert owner.post(f"{url}/appeal", {"text": "No."}).status_code == 302
    assert "Appealed" in owner.get(url).content.decode()


def test_a_case_that_was_decided_meanwhile_says_so(
    work: Asset, certifiers: list[User], cases: tuple[Case, Case]
) -> None:
    case = cases[0]
    say(case, certifiers[1], "rejected")
    client = client_of(certifiers[0])
    word = {"reason": "upheld:older-original"}
    answer = client.post(f"/review/{case.code}/decide", word, follow=True)
    assert "Take the case first" in answer.content.decode()
    assert Decision.objects.count() == 1


def test_the_owner_sees_the_place_in_the_queue_and_asks_once(
    work: Asset, ada: User, cases: tuple[Case, Case]
) -> None:
    client = client_of(ada)
    text = client.get(f"/sell/{work.code}").content.decode()
    assert "2nd of 2" in text
    again = client.post(f"/sell/{work.code}/review", follow=True).content.decode()
    assert "in the queue already" in again
    assert Case.objects.count() == 2


def test_an_empty_queue_says_so(client: Client, certifiers: list[User]) -> None:
    client.force_login(certifiers[0])
    assert "All clear" in client.get("/review").content.decode()
