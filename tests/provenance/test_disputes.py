"""Disputes: anyone objects, the owner answers, whoever lost appeals once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from colophon import records, statement
from outbox.models import Job
from provenance import dispute as verbs
from provenance.dispute import Objection, answer_dispute, appeal_dispute, open_dispute
from provenance.errors import DisputeError
from provenance.models import Asset, Case, Dispute
from tests import factories
from tests.cast import open_user, party_of

SECRET_TEXT = "My drawing of 2019, see the scan."
CONTACT = "private@example.org"
SAID = Objection("maker", "not-theirs", SECRET_TEXT, "https://a.example/x", CONTACT)
FORM = {
    "relation": "maker",
    "reason": "not-theirs",
    "text": SECRET_TEXT,
    "links": "https://a.example/x",
    "contact": CONTACT,
}


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.published_asset(party_of(ada))


def opened(work: Asset, by: User | None = None) -> Dispute:
    return open_dispute(asset=work, objection=SAID, by=by)[0]


def decided(row: Dispute, state: str) -> None:
    """As if certifiers had decided; how they do is in test_decide.py."""
    row.cases.update(closed_at=row.opened_at, outcome=state)
    Dispute.objects.filter(pk=row.pk).update(state=state)


def records_of(row: Dispute) -> list[dict[str, Any]]:
    found = []
    for one in row.moves.select_related("entry"):
        envelope = statement.Envelope.from_json(one.entry.envelope)
        found.append(json.loads(envelope.payload))
    return found


# ------------------------------------------------------------------------------ verbs


def test_an_objection_is_a_case_a_record_and_a_question_for_a_verdict(
    work: Asset,
) -> None:
    row = opened(work)
    case = Case.objects.get()
    assert (case.kind, case.dispute, case.closed_at) == ("dispute", row, None)
    assert Job.objects.filter(kind="asset.judge", payload={"asset": work.pk}).exists()
    said = records.parse_dispute(records_of(row)[0])
    assert (said.dispute, said.asset) == (row.code, work.code)
    assert said.file == bytes(work.seal.file_digest)
    assert (said.move, said.reason, said.by) == ("opened", "not-theirs", "")


def test_no_record_tells_who_objects_or_what_they_wrote(work: Asset, ben: User) -> None:
    row = opened(work, ben)
    answer_dispute(dispute=row, text="It is mine, I drew it.")
    decided(row, "rejected")
    appeal_dispute(dispute=row, by_owner=False, text="Look again.")
    assert row.moves.count() == 3
    told = json.dumps(records_of(row))
    private = (CONTACT, SECRET_TEXT, ben.email, party_of(ben).code, "drew", "again")
    assert not [one for one in (*private, "a.example") if one in told]


@pytest.mark.parametrize("name", ["reason", "relation"])
def test_an_unknown_code_is_refused(work: Asset, name: str) -> None:
    said = Objection(**{**vars(SAID), name: "because"})
    with pytest.raises(DisputeError, match=name):
        open_dispute(asset=work, objection=said, by=None)


def test_ones_own_an_unpublished_and_a_second_one_are_refused(
    work: Asset, ada: User, ben: User
) -> None:
    draft = factories.sealed_asset(party_of(ada), title="Draft", seed=3)
    for asset, by in ((work, ada), (draft, None)):
        with pytest.raises(DisputeError):
            open_dispute(asset=asset, objection=SAID, by=by)
    assert not Dispute.objects.exists()
    opened(work, ben)
    with pytest.raises(DisputeError):
        opened(work, ben)


def test_an_owner_answers_once_and_not_after_the_decision(work: Asset) -> None:
    row = opened(work)
    answer_dispute(dispute=row, text="No.")
    assert (row.state, row.answer) == ("answered", "No.")
    with pytest.raises(DisputeError):
        answer_dispute(dispute=row, text="And another thing.")
    row.refresh_from_db()
    assert row.answer == "No."


@pytest.mark.parametrize(("state", "by_owner"), [("upheld", True), ("rejected", False)])
def test_whoever_lost_appeals_once(work: Asset, state: str, by_owner: bool) -> None:
    row = opened(work)
    first = row.cases.get()
    decided(row, state)
    with pytest.raises(DisputeError):
        appeal_dispute(dispute=row, by_owner=not by_owner, text="I won, yet")
    case = appeal_dispute(dispute=row, by_owner=by_owner, text="Look again.")
    assert case.appeal_of == first
    row.refresh_from_db()
    assert (row.state, row.stands) == ("appealed", state)
    assert row.suspends is (state == "upheld")
    decided(row, state)
    with pytest.raises(DisputeError):
        appeal_dispute(dispute=row, by_owner=by_owner, text="And again.")


def test_an_open_dispute_cannot_be_appealed(work: Asset) -> None:
    row = opened(work)
    for by_owner in (True, False):
        with pytest.raises(DisputeError):
            appeal_dispute(dispute=row, by_owner=by_owner, text="Now.")


# ------------------------------------------------------------------------------ pages


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three objections an hour, counted anew."""
    from django.core.cache import cache

    from provenance.views.dispute import DisputeThrottle

    cache.clear()
    monkeypatch.setattr(DisputeThrottle, "get_rate", lambda _: "3/hour")


def send(client: Client, work: Asset, **changes: str) -> Any:
    return client.post(f"/a/{work.code}/dispute", {**FORM, **changes})


def test_the_page_of_a_work_leads_to_the_form(client: Client, work: Asset) -> None:
    text = client.get(f"/a/{work.code}").content.decode()
    assert f"/a/{work.code}/dispute" in text
    form = client.get(f"/a/{work.code}/dispute").content.decode()
    assert "Dispute this work" in form


def test_a_visitor_objects_without_an_account_and_comes_back_by_the_address(
    client: Client, work: Asset, quick: None
) -> None:
    answer = send(client, work)
    assert answer.status_code == 302
    url = answer["Location"]
    row = Dispute.objects.get()
    assert (row.opened_by, row.contact) == (None, CONTACT)
    page = Client().get(url)
    assert page.status_code == 200
    text = page.content.decode()
    assert SECRET_TEXT in text
    assert "1st of 1" in text
    assert CONTACT not in text
    assert "no-store" in page["Cache-Control"]
    for wrong in (f"/disputes/{row.code}", f"/disputes/{row.code}?key=guess"):
        assert Client().get(wrong).status_code == 404
    public = client.get(f"/a/{work.code}").content.decode()
    assert "Somebody objects to this work" in public
    assert SECRET_TEXT not in public


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("links", "javascript:alert(1)", "is no web address"),
        ("links", "\n".join(["https://a.example"] * 11), "at most 10"),
        ("contact", "nobody", "valid email"),
        ("reason", "other", "valid choice"),
        ("text", "", "required"),
        ("text", "x" * 4_001, "at most 4000"),
    ],
)
def test_a_bad_form_says_what_is_wrong_and_writes_nothing(  # noqa: PLR0917
    client: Client, work: Asset, quick: None, name: str, value: str, words: str
) -> None:
    answer = send(client, work, **{name: value})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Dispute.objects.exists()


def test_objections_are_limited_by_address(
    client: Client, work: Asset, quick: None
) -> None:
    assert [send(client, work).status_code for _ in range(4)] == [302, 302, 302, 429]
    assert Dispute.objects.count() == 3


def test_the_owner_is_told_answers_and_never_learns_who_objects(
    client: Client, work: Asset, ada: User, ben: User
) -> None:
    row = opened(work, ben)
    client.force_login(ada)
    studio = client.get("/sell").content.decode()
    assert f"/disputes/{row.code}" in studio
    page = client.get(f"/disputes/{row.code}").content.decode()
    assert SECRET_TEXT in page
    assert not [one for one in (CONTACT, ben.email, "Ben") if one in page]
    answer = client.post(f"/disputes/{row.code}/answer", {"text": "I drew it."})
    assert answer.status_code == 302
    again = client.post(f"/disputes/{row.code}/answer", {"text": "Twice."})
    assert again.status_code == 422
    assert "already" in again.content.decode()


def test_only_the_right_side_moves_a_dispute(
    work: Asset, ada: User, ben: User, eve: User
) -> None:
    row = opened(work, ben)
    cora = open_user("Cora", is_staff=True)
    url = f"/disputes/{row.code}"
    may = {"ada": (200, 302), "ben": (200, 404), "eve": (404, 404), "cora": (200, 404)}
    for user in (eve, cora, ben, ada):
        client = Client()
        client.force_login(user)
        sees = client.get(url).status_code
        answers = client.post(f"{url}/answer", {"text": "x"}).status_code
        assert (sees, answers) == may[user.name.lower()], user.name
    decided(row, "rejected")
    for user, status in ((eve, 404), (cora, 404), (ada, 422), (ben, 302)):
        client = Client()
        client.force_login(user)
        answer = client.post(f"{url}/appeal", {"text": "x"})
        assert answer.status_code == status, user.name
    assert Client().post(f"{url}/answer", {"text": "x"}).status_code == 404


def test_a_certifier_reads_the_contact(client: Client, work: Asset) -> None:
    row = opened(work)
    client.force_login(open_user("Cora", is_staff=True))
    assert CONTACT in client.get(f"/disputes/{row.code}").content.decode()


def test_a_visitor_appeals_with_the_address(client: Client, work: Asset) -> None:
    row, secret = open_dispute(asset=work, objection=SAID, by=None)
    decided(row, "rejected")
    url = f"/disputes/{row.code}"
    assert client.post(f"{url}/appeal", {"text": "x"}).status_code == 404
    answer = client.post(f"{url}/appeal", {"text": "x", "key": secret})
    assert answer["Location"].endswith(secret)
    row.refresh_from_db()
    assert row.state == "appealed"


def test_a_secret_opens_its_own_dispute_only(work: Asset) -> None:
    first, secret = open_dispute(asset=work, objection=SAID, by=None)
    second, _ = open_dispute(asset=work, objection=SAID, by=None)
    assert verbs.is_complainant(first, None, secret)
    assert not verbs.is_complainant(second, None, secret)
    assert not verbs.is_complainant(first, None, "")
