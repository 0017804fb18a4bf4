"""One's own work in the studio: stages, who is paid, licenses, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Party, User
from marketplace.models import Listing, Offer
from outbox.models import Job
from provenance.agree import propose_agreement
from provenance.models import Agreement, Asset
from provenance.register import register_source
from provenance.shares import parse_parts
from tests.cast import PASSWORD, party_of
from tests.factories import (
    agreed,
    an_id,
    anchored,
    draft_asset,
    examined_asset,
    judged,
    licensed,
    model_of,
    published_asset,
    sealed_asset,
    stranger_holder,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def party(ada: User) -> Party:
    return party_of(ada)


@pytest.fixture
def maker(client: Client, ada: User) -> Client:
    client.login(email=ada.email, password=PASSWORD)
    return client


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def parts(asset: Asset, own: str = "95", **more: str) -> dict[str, str]:
    """What the agreement form posts."""
    return {"maker_0": asset.party.holder.code, "percent_0": own, **more}


# --- the studio


def test_the_studio_lists_ones_works_with_their_state(
    maker: Client, party: Party, eve: User
) -> None:
    assert "List your first work" in text_of(maker.get("/sell"))
    draft_asset(party, title="Fresh")
    refused = draft_asset(party, title="Broken", seed=2)
    Asset.objects.filter(pk=refused.pk).update(refused_reason="it is torn")
    sealed_asset(party, title="Sealed", seed=3)
    published_asset(party, title="Out there", seed=4)
    draft_asset(party_of(eve), title="Somebody else's")
    text = text_of(maker.get("/sell"))
    for words in (
        "Processing",
        "Refused",
        "It is torn",
        "Ready to publish",
        "Published",
    ):
        assert words in text
    assert "Somebody else" not in text


def test_the_studio_needs_a_sign_in_and_the_same_queries_for_many_works(
    client: Client, ada: User, party: Party, django_assert_num_queries: Any
) -> None:
    assert client.get("/sell").status_code == 302
    client.login(email=ada.email, password=PASSWORD)
    published_asset(party)
    client.get("/sell")
    with django_assert_num_queries(11):
        client.get("/sell")
    for seed in range(2, 6):
        published_asset(party, seed=seed, title=f"Work {seed}")
    with django_assert_num_queries(11):
        client.get("/sell")
    assert client.post("/sell").status_code == 405


def test_somebody_named_in_an_agreement_accepts_it_in_the_studio(
    client: Client, ada: User, dan: User, eve: User, party: Party
) -> None:
    asset = sealed_asset(party, title="Together")
    helper = party_of(dan).holder
    values = [
        {"holder": party.holder.code, "ppm": 750_000},
        {"holder": helper.code, "ppm": 200_000},
    ]
    agreement = propose_agreement(
        asset=asset, parts=parse_parts(asset, values), by=party
    )
    url = f"/sell/agreements/{agreement.code}/accept"
    assert client.post(url).status_code == 302  # to the sign-in
    client.login(email=eve.email, password=PASSWORD)
    assert client.post(url).status_code == 404
    assert not agreement.acceptances.filter(holder=helper).exists()
    client.login(email=dan.email, password=PASSWORD)
    text = text_of(client.get("/sell"))
    assert "Waiting for your yes" in text
    assert "20%" in text
    assert client.get(url).status_code == 405
    client.post(url)
    assert agreement.acceptances.filter(holder=helper).exists()
    assert "Waiting for your yes" not in text_of(client.get("/sell"))


# --- the work's page


def test_the_page_shows_stages_and_asks_again_until_all_are_done(
    maker: Client, party: Party
) -> None:
    asset = draft_asset(party)
    text = text_of(maker.get(f"/sell/{asset.code}"))
    assert "1 of 6 stages done" in text
    assert f'hx-get="/sell/{asset.code}/progress?seen=received"' in text
    assert "Sign the agreement" not in text
    done = published_asset(party, title="Done", seed=2)
    anchored()
    text = text_of(maker.get(f"/sell/{done.code}"))
    assert "6 of 6 stages done" in text
    assert "/progress?seen" not in text


def test_the_stages_reload_the_page_when_its_forms_change(
    maker: Client, party: Party
) -> None:
    asset = examined_asset(party)
    url = f"/sell/{asset.code}/progress"
    answer = maker.get(f"{url}?seen=examined")
    assert "HX-Refresh" not in answer
    answer = maker.get(f"{url}?seen=received")
    assert answer["HX-Refresh"] == "true"
    assert maker.post(url).status_code == 405


def test_a_refused_file_says_why_and_that_nothing_is_shown(
    maker: Client, party: Party
) -> None:
    asset = draft_asset(party)
    reason = "it has 90,000,000 pixels; the most is 50,000,000"
    Asset.objects.filter(pk=asset.pk).update(refused_reason=reason)
    text = text_of(maker.get(f"/sell/{asset.code}"))
    assert "This file cannot be taken" in text
    assert f"I{reason[1:]}" in text
    assert "hx-trigger" not in text


def test_a_work_is_nobody_elses(client: Client, eve: User, party: Party) -> None:
    asset = published_asset(party)
    url = f"/sell/{asset.code}"
    tails = ("", "/progress")
    posts = ("/agreement", "/publish", "/withdraw")
    for tail in tails:
        assert client.get(url + tail).status_code == 302
    client.login(email=eve.email, password=PASSWORD)
    for tail in tails:
        assert client.get(url + tail).status_code == 404
    for tail in posts:
        assert client.post(url + tail, {"maker_0": "x"}).status_code == 404
        assert client.get(url + tail).status_code == 405
    assert client.get(f"/sell/{an_id('ast')}").status_code == 404
    assert asset.agreements.count() == 1
    assert Listing.objects.get().state == "live"


def test_a_staff_member_cannot_change_the_work_of_another(
    client: Client, eve: User, party: Party
) -> None:
    User.objects.filter(pk=eve.pk).update(is_staff=True)
    client.login(email=eve.email, password=PASSWORD)
    asset = published_asset(party)
    assert client.get(f"/sell/{asset.code}").status_code == 404
    assert client.post(f"/sell/{asset.code}/withdraw").status_code == 404


# --- who is paid


def test_the_agreement_is_prefilled_with_fee_asks_and_the_rest(
    maker: Client, party: Party, mia: User
) -> None:
    model = model_of(party_of(mia))
    asset = sealed_asset(party)
    assert asset.run
    asset.run.steps.update(model_source=model)
    text = text_of(maker.get(f"/sell/{asset.code}"))
    assert "fee, fixed" in text
    assert f'name="source_{model.code}" value="12"' in text
    assert 'name="percent_0" value="83"' in text


def test_a_signed_agreement_is_shown_with_who_accepted_how(
    maker: Client, party: Party, mia: User
) -> None:
    model = model_of(party_of(mia))
    asset = sealed_asset(party)
    assert asset.run
    asset.run.steps.update(model_source=model)
    body = parts(asset, "82.5", **{f"source_{model.code}": "12.5"})
    answer = maker.post(f"/sell/{asset.code}/agreement", body, follow=True)
    assert "signed and in the log" in text_of(answer)
    agreement = Agreement.objects.get()
    assert {part.ppm for part in agreement.parts.all()} == {50_000, 125_000, 825_000}
    text = text_of(answer)
    assert "By their standing ask" in text
    assert "12.5%" in text
    assert Job.objects.filter(kind="asset.judge").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"percent_0": "95.5"}, "sum to 1005000 ppm"),
        ({"percent_0": "90"}, "sum to 950000 ppm"),
        ({"percent_0": "abc"}, "Enter a number"),
        ({"percent_0": "-5"}, "greater than or equal to 0"),
        ({"percent_0": "94.99999"}, "no more than 4 decimal places"),
        ({"percent_0": ""}, "required"),
        ({"maker_1": "hol_nobody", "percent_1": "0.5"}, "is not a holder that we know"),
        ({"maker_1": "hol_nobody"}, "Give both the holder id and the part"),
        ({"percent_1": "5"}, "Give both the holder id and the part"),
    ],
)
def test_parts_that_do_not_add_up_are_refused_at_their_field(
    maker: Client, party: Party, change: dict[str, str], words: str
) -> None:
    asset = sealed_asset(party)
    body = {**parts(asset), **change}
    answer = maker.post(f"/sell/{asset.code}/agreement", body)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert "data-errors" in answer.content.decode()
    assert not Agreement.objects.exists()


def test_a_source_cannot_be_given_less_than_it_asks(
    maker: Client, party: Party, mia: User
) -> None:
    model = model_of(party_of(mia))
    asset = sealed_asset(party)
    assert asset.run
    asset.run.steps.update(model_source=model)
    body = parts(asset, "84", **{f"source_{model.code}": "11"})
    answer = maker.post(f"/sell/{asset.code}/agreement", body)
    assert answer.status_code == 422
    assert "its owner asks for 120000" in text_of(answer)


def test_a_second_maker_and_an_unclaimed_owner_are_waited_for_and_kept(
    maker: Client, party: Party, dan: User
) -> None:
    asset = sealed_asset(party)
    nobody = stranger_holder()
    body = parts(
        asset,
        "70",
        maker_1=party_of(dan).holder.code,
        percent_1="20",
        maker_2=nobody.code,
        percent_2="5",
    )
    text = text_of(maker.post(f"/sell/{asset.code}/agreement", body, follow=True))
    assert "Waiting" in text
    assert "Kept until claimed" in text


def test_sources_that_ask_for_more_than_everything_are_named(
    maker: Client, party: Party, mia: User
) -> None:
    greedy = register_source(
        party=party_of(mia),
        kind="model",
        name="Greedy",
        digest=bytes(31) + b"\1",
        ask_ppm=990_000,
    )
    asset = sealed_asset(party)
    assert asset.run
    asset.run.steps.update(model_source=greedy)
    text = text_of(maker.get(f"/sell/{asset.code}"))
    assert "more than everything" in text


def test_a_new_version_leaves_licenses_with_the_old_one(
    maker: Client, party: Party, ben: User, dan: User
) -> None:
    asset = published_asset(party)
    row = licensed(asset, party_of(ben))
    body = parts(asset, "75", maker_1=party_of(dan).holder.code, percent_1="20")
    maker.post(f"/sell/{asset.code}/agreement", body)
    assert asset.agreements.count() == 2
    row.refresh_from_db()
    assert row.agreement.version == 1


def test_an_unsealed_work_takes_no_agreement(maker: Client, party: Party) -> None:
    asset = examined_asset(party)
    answer = maker.post(f"/sell/{asset.code}/agreement", parts(asset))
    assert answer.status_code == 422
    assert not Agreement.objects.exists()


# --- licenses

OFFER = {"commercial": "on", "commercial_price": "$40.00", "term_days": "365"}
METERED = {
    "metered": "on",
    "metered_rate": "0.60",
    "metered_per": "1000",
    "metered_deposit": "10",
    "term_days": "1095",
}


def test_publishing_puts_the_work_on_sale(maker: Client, party: Party) -> None:
    asset = sealed_asset(party)
    url = f"/sell/{asset.code}/publish"
    assert "First decide who is paid" in text_of(maker.get(f"/sell/{asset.code}"))
    agreed(asset)
    answer = maker.post(url, {**OFFER, **METERED, "term_days": "1095"}, follow=True)
    assert "The work is on sale" in text_of(answer)
    asset.refresh_from_db()
    assert asset.published_at
    offers = {offer.use: offer for offer in Offer.objects.all()}
    assert offers["commercial"].price_units == 40_000_000
    assert offers["pay-per-use"].rate_units == 600_000
    assert offers["pay-per-use"].deposit_units == 10_000_000
    assert {offer.term_days for offer in offers.values()} == {1095}
    assert Job.objects.filter(kind="asset.mint").exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"term_days": "365"}, "Choose at least one license"),
        ({**OFFER, "commercial_price": ""}, "must be more than 0"),
        ({**OFFER, "commercial_price": "cheap"}, "Write an amount such as"),
        ({**OFFER, "commercial_price": "1.2345678"}, "Write an amount such as"),
        ({**OFFER, "commercial_price": "9223372036855"}, "more than 1,000,000,000"),
        ({**OFFER, "term_days": "1"}, "Select a valid choice"),
        ({**METERED, "metered_rate": ""}, "needs a rate and a deposit"),
        ({**METERED, "metered_deposit": ""}, "needs a rate and a deposit"),
        (
            {**METERED, "metered_price": "1", "metered_deposit": "1000000000"},
            "together more than 1,000,000,000",
        ),
    ],
)
def test_offers_that_make_no_sense_are_refused_at_their_field(
    maker: Client, party: Party, body: dict[str, str], words: str
) -> None:
    asset = sealed_asset(party)
    agreed(asset)
    answer = maker.post(f"/sell/{asset.code}/publish", body)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Listing.objects.exists()


def test_what_cannot_be_published_says_why(maker: Client, party: Party) -> None:
    asset = sealed_asset(party)
    answer = maker.post(f"/sell/{asset.code}/publish", OFFER)
    assert answer.status_code == 422
    assert not Listing.objects.exists()
    agreed(asset)
    judged(asset, standing="suspended")
    answer = maker.post(f"/sell/{asset.code}/publish", OFFER)
    assert "suspended" in text_of(answer)
    assert not Listing.objects.exists()


def test_new_offers_replace_the_old_ones_which_stay_with_their_orders(
    maker: Client, party: Party
) -> None:
    asset = published_asset(party)
    text = text_of(maker.get(f"/sell/{asset.code}"))
    assert 'value="40.00"' in text
    maker.post(f"/sell/{asset.code}/publish", {**OFFER, "commercial_price": "55"})
    current = Offer.objects.filter(withdrawn_at__isnull=True)
    assert [offer.price_units for offer in current] == [55_000_000]
    assert Offer.objects.filter(withdrawn_at__isnull=False).count() == 3


def test_a_work_goes_off_sale_and_back(maker: Client, party: Party) -> None:
    asset = published_asset(party)
    answer = maker.post(f"/sell/{asset.code}/withdraw", follow=True)
    assert "off sale" in text_of(answer)
    assert Listing.objects.get().state == "withdrawn"
    assert "No longer on sale" in text_of(Client().get(f"/a/{asset.code}"))
    maker.post(f"/sell/{asset.code}/publish", OFFER)
    assert Listing.objects.get().state == "live"
