"""The page of a work: what it tells, to whom, and with how many queries."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.keys import signer_for
from accounts.models import User
from colophon import statement
from colophon.acts import Actor, File, Input, TicketRef, Tool
from colophon.origin import IPTC
from colophon.steps import build_step
from colophon.xmp import Rights
from marketplace.models import Listing
from marketplace.publish import publish_listing
from provenance.claims import rights_of
from provenance.envelopes import envelope_of
from provenance.models import Asset, Run, Source, Verdict
from provenance.record import append_step
from provenance.ticket import open_run
from tests.cast import PASSWORD, party_of
from tests.factories import (
    COMMERCIAL,
    METERED,
    an_id,
    anchored,
    judged,
    logged,
    model_of,
    offer_of,
    published_asset,
    sealed_asset,
)
from tests.reading import plain

pytestmark = pytest.mark.django_db

QUERIES = 16  # of a page for somebody who is not signed in


def page(client: Client, asset: Asset, query: str = "") -> str:
    answer = client.get(f"/a/{asset.code}{query}")
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


@pytest.fixture
def work(ada: User) -> Asset:
    return published_asset(party_of(ada), title="Night current")


def test_anybody_sees_title_maker_picture_badge_and_offers(
    client: Client, work: Asset
) -> None:
    text = plain(page(client, work))
    assert "Night current" in text
    assert "Ada Lindqvist, registered by Ada" in text
    assert "Credentialed" in text
    assert "Human-made (declared)" in text
    assert "$12.00" in text
    assert "$0.60 / 1,000" in text
    assert f'src="/media/preview/{work.code}.jpg"' in page(client, work)


def test_a_certified_work_shows_the_seal_and_the_others_do_not(
    client: Client, ada: User, work: Asset
) -> None:
    assert "Seal: Certified provenance" not in page(client, work)
    judged(work, evidence=3, origin_class="HYBRID")
    text = page(client, work)
    assert "Seal: Certified provenance" in text
    assert "Why it is certified" in text
    assert "(declared)" not in plain(text)


@pytest.mark.parametrize(
    ("standing", "word"),
    [
        ("contested", "Contested"),
        ("suspended", "Suspended"),
        ("superseded", "Superseded"),
    ],
)
def test_a_standing_takes_the_place_of_the_badge(
    client: Client, work: Asset, standing: str, word: str
) -> None:
    judged(work, evidence=3, origin_class="HYBRID", standing=standing)
    text = page(client, work)
    assert word in plain(text)
    assert "Seal: Certified" not in text


def test_a_verdict_that_nobody_confirmed_in_time_reads_as_expired(
    client: Client, work: Asset
) -> None:
    judged(work, evidence=3, origin_class="HYBRID")
    Verdict.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    text = page(client, work)
    assert "Expired" in plain(text)
    assert "Seal: Certified" not in text


def test_the_reasons_are_those_of_the_verdict_row(client: Client, work: Asset) -> None:
    verdict = work.verdicts.first()
    assert verdict
    text = plain(page(client, work))
    for one in verdict.criteria:
        assert one["words"].replace("'", "&#x27;") in text


def test_the_story_names_sources_steps_seal_and_anchor_in_order(
    client: Client, ada: User, mia: User
) -> None:
    model = model_of(party_of(mia))
    work = published_asset(party_of(ada), title="Night current")
    assert work.run
    work.run.steps.update(model_source=model)
    logged()
    text = plain(page(client, work))
    assert "It is written to the public ledger in about a minute" in text
    anchored()
    text = plain(page(client, work))
    story = text[text.index("Origin story") :]
    order = [
        story.index(words)
        for words in (
            "Tidewater-XL 3.1",
            "signed with a key that Colophon keeps",
            "A Content Credential was put into the file",
            "Block 4,711",
        )
    ]
    assert order == sorted(order)
    assert "(claimed)" in story
    assert "registered by its owner, mia" in story.lower()
    index = work.seal.entry.index
    work.seal.entry.refresh_from_db()
    index = work.seal.entry.index
    assert f"Leaf {index}" in story


def test_declared_steps_are_not_counted_as_recorded(
    client: Client, ada: User, work: Asset
) -> None:
    text = plain(page(client, work))
    assert "no steps were recorded as it happened" in text
    recorded = published_asset(party_of(ada), title="Recorded", run=_recorded(ada))
    text = plain(page(client, recorded))
    assert "2 recorded steps: 1 by a person, 1 by an AI." in text
    assert "Generated with diffuser 1.0" in text
    assert "Committed, not shown: the prompt and 2 parameters." in text
    assert "a harbor at night" not in text


def _recorded(user: User) -> Run:
    """A run of two steps, as a pipeline records them, with the account's key."""
    party = party_of(user)
    run = open_run(party=party, name="Pipeline")
    signer, now = signer_for(party), timezone.now()
    ticket = TicketRef(bytes(run.nonce), envelope_of(run.ticket).digest)
    picture, final = File("draft.png", bytes(32)), File("final.png", b"\1" * 32)
    acts: list[dict[str, Any]] = [
        {
            "outputs": [picture],
            "action": "c2pa.created",
            "source_type": IPTC + "trainedAlgorithmicMedia",
            "actor": Actor(signer.key_id, "agent", party.code),
            "prompt": "a harbor at night",
            "parameters": {"seed": 7, "steps": 30},
        },
        {
            "outputs": [final],
            "inputs": [Input("draft.png", bytes(32))],
            "action": "c2pa.drawing",
            "source_type": IPTC + "humanEdits",
            "actor": Actor(signer.key_id, "human", party.code),
        },
    ]
    for index, act in enumerate(acts):
        made, openings = build_step(
            tool=Tool("diffuser", "1.0"),
            started_on=now,
            finished_on=now,
            run=run.code,
            index=index,
            custody="server",
            ticket=ticket,
            **act,
        )
        envelope = statement.sign(made, signer)
        append_step(run=run, envelope=envelope, disclosures=openings, party=party)
    return run


def test_a_link_of_the_story_leads_to_its_leaf_in_the_log(
    client: Client, work: Asset
) -> None:
    logged()
    links = set(re.findall(r'href="(/log/tile/entries/[^"]+)"', page(client, work)))
    assert links
    for link in links:
        assert client.get(link).status_code == 200


def test_where_the_price_goes_follows_the_chosen_offer(
    client: Client, ada: User, mia: User
) -> None:
    model = model_of(party_of(mia))
    work = sealed_asset(party_of(ada))
    assert work.run
    work.run.steps.update(model_source=model)
    from tests.factories import agreed

    agreed(work)
    publish_listing(asset=work, plans=[COMMERCIAL, METERED])
    text = plain(page(client, work))
    assert "Where your $40.00 goes" in text
    assert "Ada maker 83% $33.20" in text
    assert "mia model 12% $4.80" in text.replace("Mia", "mia")
    assert "Colophon fee 5% $2.00" in text
    metered = offer_of(work, "pay-per-use")
    text = plain(page(client, work, f"?offer={metered.code}"))
    assert "Where your $2.00 goes" in text
    assert "License for $2.00 and a $10.00 deposit" in text
    assert "Where your $40.00 goes" in plain(page(client, work, "?offer=ofr_unknown"))


def test_an_unclaimed_owner_is_shown_as_such(
    client: Client, ada: User, eve: User
) -> None:
    model = model_of(party_of(eve), own=False, owner_name="Nobody Yet", ask_ppm=None)
    work = published_asset(party_of(ada))
    assert work.run
    work.run.steps.update(model_source=model)
    assert "who has not claimed it" in page(client, work)
    assert Source.objects.get().holder.party is None


def test_the_maker_sees_no_buy_button_and_others_do(
    client: Client, ada: User, ben: User, work: Asset
) -> None:
    button = "License for $40.00"
    assert button in plain(page(client, work))
    client.login(email=ben.email, password=PASSWORD)
    assert button in plain(page(client, work))
    client.login(email=ada.email, password=PASSWORD)
    text = plain(page(client, work))
    assert button not in text
    assert "This is your own work" in text


def test_a_withdrawn_and_a_suspended_work_cannot_be_bought(
    client: Client, work: Asset
) -> None:
    Listing.objects.update(state="withdrawn")
    text = plain(page(client, work))
    assert "No longer on sale" in text
    assert "License for" not in text
    Listing.objects.update(state="live")
    judged(work, standing="suspended")
    text = plain(page(client, work))
    assert "Not for sale" in text
    assert "License for" not in text


def test_the_linked_data_says_what_the_file_says(client: Client, work: Asset) -> None:
    found = re.search(
        r'<script type="application/ld\+json">(.+?)</script>',
        page(client, work),
        re.DOTALL,
    )
    assert found
    data = json.loads(found.group(1))
    assert work.run
    rights: Rights = rights_of(work, list(work.run.steps.all()))
    assert data["@type"] == "ImageObject"
    assert data["creditText"] == rights.credit
    assert data["copyrightNotice"] == rights.copyright
    assert [one["name"] for one in data["creator"]] == list(rights.creators)
    assert data["license"] == rights.web_statement
    assert data["acquireLicensePage"] == rights.licensor_url
    assert data["digitalSourceType"] == rights.source_type
    assert data["caption"] == rights.alt_text
    path = data["contentUrl"].removeprefix("http://127.0.0.1:8000")
    answer = client.get(path)
    assert answer.status_code == 200
    answer.close()


def test_a_title_cannot_break_out_of_the_page(client: Client, ada: User) -> None:
    evil = "</script><script>alert(1)</script>"
    work = published_asset(party_of(ada), title=evil, description=evil)
    assert "<script>alert" not in page(client, work)


def test_a_draft_is_hidden_from_others_and_its_maker_goes_to_the_studio(
    client: Client, ada: User, eve: User
) -> None:
    draft = sealed_asset(party_of(ada))
    assert client.get(f"/a/{draft.code}").status_code == 404
    client.login(email=eve.email, password=PASSWORD)
    assert client.get(f"/a/{draft.code}").status_code == 404
    client.login(email=ada.email, password=PASSWORD)
    assert client.get(f"/a/{draft.code}")["Location"] == f"/sell/{draft.code}"


def test_a_missing_work_and_a_wrong_method(client: Client, work: Asset) -> None:
    assert client.get(f"/a/{an_id('ast')}").status_code == 404
    assert client.post(f"/a/{work.code}").status_code == 405


def test_an_erased_record_keeps_its_place_in_the_story(
    client: Client, work: Asset
) -> None:
    assert work.run
    entry = work.run.steps.get().entry
    entry.envelope, entry.salt = None, None
    entry.save()
    text = plain(page(client, work))
    assert "An erased record" in text


def test_the_number_of_queries_does_not_grow_with_the_steps(
    client: Client,
    ada: User,
    mia: User,
    work: Asset,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    assert work.run
    work.run.steps.update(model_source=model_of(party_of(mia), "Model 0"))
    anchored()
    with django_assert_num_queries(QUERIES):
        page(client, work)
    first = work.run.steps.get()
    for number in range(1, 7):
        source = model_of(party_of(mia), f"Model {number}")
        _copy_step(first, number, source)
    with django_assert_num_queries(QUERIES):
        assert plain(page(client, work)).count("maker&#x27;s own word") == 7


def _copy_step(first: Any, number: int, source: Source) -> None:
    """One more step row on the same record."""
    from log.models import Entry
    from provenance.models import Step

    entry = Entry.objects.create(
        kind="step", data=b"{}", leaf_hash=bytes(32), envelope=first.entry.envelope
    )
    Step.objects.create(
        run=first.run,
        position=number,
        digest=number.to_bytes(32, "big"),
        action=first.action,
        actor_kind=first.actor_kind,
        source_type=first.source_type,
        key=first.key,
        model_source=source,
        entry=entry,
    )
