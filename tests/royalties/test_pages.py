"""The money pages: what they show, whom they show it to, and what they cost."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import api_keys
from accounts.models import Membership, User
from chain.models import Network
from colophon.statement_check import check_statement
from colophon.statement_file import load_statement
from colophon.trace_file import load_trace
from marketplace.models import License
from outbox.models import Job
from provenance.models import Asset
from provenance.trusted import site_trust
from royalties.models import Accrual, Payout, Tally, UsageEvent
from royalties.overview import by_month, by_role, by_work
from tests.cast import PASSWORD, party_of
from tests.reading import text_of
from tests.royalties import factories

Told = factories.Told


@pytest.fixture
def told(ada: User, mia: User, ben: User) -> Told:
    """Two settlements: the first paid, the second inside its window."""
    found = factories.story(party_of(ada), party_of(mia), party_of(ben))
    factories.used(found.license, 700)
    factories.committed(factories.settled(), days_ago=0)
    return found


@pytest.fixture
def as_mia(mia: User) -> Client:
    return _client(mia)


@pytest.fixture
def as_ben(ben: User) -> Client:
    return _client(ben)


def _client(user: User) -> Client:
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


def test_the_dashboard_shows_figures_from_rows(told: Told, as_mia: Client) -> None:
    text = text_of(as_mia.get("/royalties"))
    # 12 % of the fee and 8,000 uses is paid, of the 700 pending
    assert "Paid $0.816" in text
    assert "Pending $0.0504" in text
    assert "Lifetime $0.8664" in text
    assert "Available $0.00" in text
    assert "Night current" in text
    assert "Model 8,700" in text
    assert "Waiting time" in text


def test_each_tile_leads_to_rows_that_sum_to_it(told: Told, as_mia: Client) -> None:
    page = as_mia.get("/royalties")
    for tile in page.context["tiles"]:
        rows = text_of(as_mia.get(tile["url"]))
        assert f"${tile['units'] / 1_000_000:g}" in rows or tile["units"] == 0


def test_the_available_rows_are_those_of_matured_settlements(
    told: Told, ada: User
) -> None:
    """Ada has no wallet: what matured is available and not paid."""
    client = _client(ada)
    found = client.get("/royalties/earned?state=available")
    assert [line["epoch"] for line in found.context["lines"]] == [1]
    assert found.context["total"] == found.context["left"] == 6_800_000 * 83 // 100
    found = client.get("/royalties/earned?state=pending")
    assert [line["epoch"] for line in found.context["lines"]] == [2]


def test_every_line_says_why(told: Told, as_mia: Client) -> None:
    line = as_mia.get("/royalties/earned").context["lines"][-1]
    text = text_of(as_mia.get(line["why"]))
    assert "Why you earned $0.816" in text
    assert "8,000 uses were reported" in text
    assert "That makes $6.80" in text
    assert "Your share is 12%" in text
    assert "You model 12% $0.816" in text
    assert "Ada creator 83% $5.644" in text
    assert "Colophon fee 5% $0.34" in text
    assert "Settlement 1" in text
    payout = Payout.objects.get(holder__name="Mia")
    assert payout.tx_hash in as_mia.get(line["why"]).content.decode()


def test_a_line_that_is_not_paid_yet_says_so(told: Told, as_mia: Client) -> None:
    line = as_mia.get("/royalties/earned").context["lines"][0]
    assert line["epoch"] == 2
    text = text_of(as_mia.get(line["why"]))
    assert "Not paid yet" in text
    assert "Its fee was settled before." in text


def test_a_statement_shows_its_proof_checked(told: Told, as_mia: Client) -> None:
    text = text_of(as_mia.get("/royalties/statements/1"))
    assert "checked just now, correct" in text
    assert "Earned by everybody so far $6.80" in text


def test_a_statement_whose_proof_fails_says_so(told: Told, as_mia: Client) -> None:
    row = told.settlement
    row.earnings_root = b"\1" * 32
    row.save()
    text = text_of(as_mia.get("/royalties/statements/1"))
    assert "does not hold" in text
    assert "correct" not in text


def test_the_json_of_a_statement_holds_by_itself(told: Told, as_mia: Client) -> None:
    for path in ("/royalties/statements/2.json", "/royalties/statement.json"):
        answer = as_mia.get(path)
        assert "attachment" in answer["Content-Disposition"]
        said = load_statement(answer.content)
        assert check_statement(said, site_trust()).exit_code == 0
    assert len(said.parts) == 2


def test_the_csv_has_every_line_with_exact_amounts(told: Told, as_mia: Client) -> None:
    answer = as_mia.get("/royalties/statements/1.csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["amount"], row["together"], row["part_percent"]) == (
        "0.816",
        "6.80",
        "12.00",
    )
    assert row["transaction"].startswith("0x")


def test_no_cell_of_the_csv_is_a_formula(told: Told, as_mia: Client) -> None:
    for title in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"):
        Asset.objects.update(title=title)
        answer = as_mia.get("/royalties/statements/1.csv")
        (row,) = csv.DictReader(io.StringIO(answer.content.decode(), newline=""))
        assert row["work"] == f"'{title}"


def test_a_payout_has_a_trace_file(told: Told, as_mia: Client) -> None:
    assert "$0.816 paid to you" in text_of(as_mia.get("/royalties/payouts"))
    code = Payout.objects.get().code
    found = load_trace(as_mia.get(f"/royalties/payouts/{code}/trace.json").content)
    assert found.payout.id == code


def test_a_wallet_that_came_after_the_settlement_is_paid_by_the_next(
    told: Told, ada: User
) -> None:
    client = _client(ada)
    text = text_of(client.post("/royalties/settle", follow=True))
    assert "Link a wallet first" in text
    factories.wallet_of(party_of(ada), 2)
    text = text_of(client.post("/royalties/settle", follow=True))
    assert "Your wallet was linked after the last settlement" in text
    assert not Job.objects.filter(payload__has_key="holder").exists()
    factories.matured(_second(told))
    factories.matured(factories.settled())
    for _ in range(2):
        text = text_of(client.post("/royalties/settle", follow=True))
        assert "Your payment is on its way" in text
    assert Job.objects.filter(payload__has_key="holder").count() == 1


def _second(told: Told) -> Any:
    return type(told.settlement).objects.get(epoch=2)


def test_the_button_of_the_page_and_of_the_api_are_one(
    told: Told, mia: User, as_mia: Client
) -> None:
    factories.matured(_second(told))
    as_mia.post("/royalties/settle")
    job = Job.objects.get(kind="payouts.push", payload__has_key="holder")
    answer = as_mia.post("/api/v1/payouts")
    assert answer.json() == {"asked": True, "state": "asked"}
    assert Job.objects.get(kind="payouts.push", payload__has_key="holder") == job


def test_a_key_that_only_reads_asks_for_no_payment(told: Told, mia: User) -> None:
    factories.matured(_second(told))
    before = Job.objects.filter(kind="payouts.push").count()
    for scope, status in (("read", 403), ("report", 403), ("payout", 202)):
        _, secret = api_keys.issue(party_of(mia), mia, "test", [scope])
        answer = Client().post(
            "/api/v1/payouts", headers={"Authorization": f"Bearer {secret}"}
        )
        assert answer.status_code == status, scope
        asked = Job.objects.filter(kind="payouts.push").count() - before
        assert asked == (1 if status == 202 else 0)


def test_without_a_wallet_the_page_says_that_money_is_kept(
    told: Told, ada: User
) -> None:
    text = text_of(_client(ada).get("/royalties"))
    assert "kept for you until you link one" in text
    assert "Link a wallet" in text
    assert "Pay out to" not in text


def test_an_empty_dashboard_says_what_will_be_there(eve: User) -> None:
    text = text_of(_client(eve).get("/royalties"))
    assert "You will see money here when" in text
    assert "made-up figures" in text
    for path in ("earned", "statements", "payouts"):
        assert "Back to royalties" in text_of(_client(eve).get(f"/royalties/{path}"))


def test_a_halted_network_is_told(told: Told, as_mia: Client) -> None:
    Network.objects.update(halted_reason="the ledger does not hold")
    assert "Settling is paused" in text_of(as_mia.get("/royalties"))


PATHS = (
    "/royalties",
    "/royalties/earned",
    "/royalties/statements",
    "/royalties/statements/1",
    "/royalties/statements/1.csv",
    "/royalties/statements/1.json",
    "/royalties/statement.json",
    "/royalties/payouts",
)


def test_a_stranger_is_asked_to_sign_in(told: Told, client: Client) -> None:
    for path in PATHS:
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith(reverse("account_login"))


def test_a_page_that_shows_takes_no_post(told: Told, as_mia: Client) -> None:
    assert {as_mia.post(path).status_code for path in PATHS} == {405}


def test_asking_to_be_paid_takes_no_get(told: Told, as_mia: Client) -> None:
    assert as_mia.get("/royalties/settle").status_code == 405


def test_somebody_else_finds_nothing(told: Told, eve: User, ben: User) -> None:
    payout = Payout.objects.get()
    row = Accrual.objects.filter(holder=payout.holder).first()
    assert row is not None
    for user in (eve, ben):
        client = _client(user)
        for path in (
            "/royalties/statements/1",
            "/royalties/statements/1.csv",
            "/royalties/statements/1.json",
            f"/royalties/payouts/{payout.code}/trace.json",
            f"/royalties/earned/1/{told.license.code}/{row.position}",
        ):
            assert client.get(path).status_code == 404, path


def test_the_dashboard_costs_the_same_however_much_was_earned(
    told: Told, as_mia: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(34):
        as_mia.get("/royalties")
    factories.matured(_second(told))
    for _ in range(3):
        factories.used(told.license, 100)
        factories.matured(factories.settled())
    with django_assert_max_num_queries(34):
        as_mia.get("/royalties")
    with django_assert_max_num_queries(20):
        as_mia.get("/royalties/earned")
    with django_assert_max_num_queries(20):
        as_mia.get("/royalties/statements/1")


def test_months_are_those_of_the_uses(told: Told, mia: User) -> None:
    """Uses count in the month in which they happened, fees in that of the sale."""
    License.objects.update(valid_from=timezone.now() - timedelta(days=200))
    factories.matured(_second(told))
    past = timezone.now() - timedelta(days=100)
    factories.used(told.license, 5_000, at=past)
    factories.settled()
    months = {one["month"]: one["values"] for one in by_month(party_of(mia).holder)}
    assert len(months) == 12
    assert months[f"{past:%Y-%m}"] == [0, 5_000 * 600 * 12 // 100, 0, 0]
    now = months[f"{timezone.now():%Y-%m}"]
    assert now == [0, (2_000_000 + 8_700 * 600) * 12 // 100, 0, 0]


def test_the_chart_and_the_tables_sum_to_the_lifetime(told: Told, mia: User) -> None:
    holder = party_of(mia).holder
    lifetime = sum(holder.accruals.values_list("units", flat=True))
    assert sum(sum(one["values"]) for one in by_month(holder)) == lifetime
    assert sum(one.units for one in by_work(holder, 10)) == lifetime
    assert sum(one.units for one in by_role(holder)) == lifetime
    assert [one.role for one in by_role(holder)] == ["Model"]


# ---------------------------------------------------------------- reported uses


def form_of(client: Client, code: str) -> dict[str, Any]:
    page = client.get(f"/licenses/{code}/usage")
    return {"event_id": page.context["form"].initial["event_id"]}


def test_a_buyer_sees_what_was_used_of_the_deposit(told: Told, as_ben: Client) -> None:
    text = text_of(as_ben.get(f"/licenses/{told.license.code}/usage"))
    assert "Uses counted 8,700" in text
    assert "Used of your deposit $5.22 of $10.00, 52%" in text
    assert "Left $4.78" in text
    assert told.license.code in text


def test_the_form_reports_a_use_once_for_a_double_click(
    told: Told, as_ben: Client
) -> None:
    path = f"/licenses/{told.license.code}/usage"
    now = timezone.now().strftime("%Y-%m-%dT%H:%M")
    data = {**form_of(as_ben, told.license.code), "quantity": 42, "occurred_at": now}
    before = UsageEvent.objects.count()
    first = as_ben.post(path, data, follow=True)
    assert "42 uses were reported" in text_of(first)
    again = as_ben.post(path, data, follow=True)
    assert "nothing was counted twice" in text_of(again)
    assert UsageEvent.objects.count() == before + 1
    changed = as_ben.post(path, {**data, "quantity": 43})
    assert changed.status_code == 422
    assert UsageEvent.objects.count() == before + 1


def test_a_wrong_quantity_is_refused_beside_its_field(
    told: Told, as_ben: Client
) -> None:
    path = f"/licenses/{told.license.code}/usage"
    for quantity in ("", "0", "-1", "1.5", "many", str(10**9 + 1)):
        data = {"event_id": "x", "quantity": quantity}
        answer = as_ben.post(path, {**data, "occurred_at": "2026-01-01T00:00"})
        assert answer.status_code == 422, quantity
        assert "quantity" in answer.context["form"].errors


def test_a_file_reports_many_uses_and_repeats_count_nothing(
    told: Told, as_ben: Client
) -> None:
    path = f"/licenses/{told.license.code}/usage/file"
    now = timezone.now().isoformat()
    data = f"quantity,time\n10,{now}\n10,{now}\n7,{now}\n".encode()
    before = UsageEvent.objects.count()

    def send() -> Any:
        file = io.BytesIO(data)
        file.name = "uses.csv"
        return as_ben.post(path, {"file": file}, follow=True)

    assert "27 uses were reported" in text_of(send())
    assert "nothing was counted twice" in text_of(send())
    assert UsageEvent.objects.count() == before + 3


def test_a_wrong_file_is_refused_and_nothing_is_taken(
    told: Told, as_ben: Client
) -> None:
    path = f"/licenses/{told.license.code}/usage/file"
    before = UsageEvent.objects.count()
    for data in (b"quantity\n1\n", b"quantity,time\n1,today\n", b"", b"\xff"):
        file = io.BytesIO(data or b"\n")
        file.name = "uses.csv"
        answer = as_ben.post(path, {"file": file})
        assert answer.status_code == 422, data
    assert UsageEvent.objects.count() == before


def test_a_used_up_deposit_is_told(told: Told, as_ben: Client) -> None:
    Tally.objects.update(unfunded_units=5)
    text = text_of(as_ben.get(f"/licenses/{told.license.code}/usage"))
    assert "Your deposit is used up" in text


def test_a_license_of_somebody_else_has_no_page(told: Told, as_mia: Client) -> None:
    path = f"/licenses/{told.license.code}/usage"
    assert as_mia.get(path).status_code == 404
    assert as_mia.post(path, {}).status_code == 404
    assert as_mia.post(f"{path}/file", {}).status_code == 404
    assert Client().get(path).status_code == 302
    assert as_mia.get(f"{path}/file").status_code == 405


def test_members_find_the_same_licenses_in_the_library_and_on_the_usage_page(
    told: Told, eve: User, as_mia: Client
) -> None:
    """Whichever of their parties they act for at the moment."""
    code, buyer = told.license.code, told.license.buyer
    member = Membership.Role.MEMBER
    Membership.objects.create(user=eve, party=buyer, role=member)
    as_eve = _client(eve)
    assert f"/library/{code}" in as_eve.get("/library").content.decode()
    assert as_eve.get(f"/library/{code}").status_code == 200
    path = f"/licenses/{code}/usage"
    assert as_eve.get(path).status_code == 200
    now = timezone.now().strftime("%Y-%m-%dT%H:%M")
    data = {**form_of(as_eve, code), "quantity": 42, "occurred_at": now}
    assert "42 uses were reported" in text_of(as_eve.post(path, data, follow=True))
    assert as_mia.get(f"/library/{code}").status_code == 404
    assert as_mia.get(path).status_code == 404


def test_a_license_that_is_not_metered_says_that_uses_are_free(
    told: Told, as_ben: Client, ben: User
) -> None:
    row = factories.license_of(told.asset, party_of(ben), "commercial")
    assert "Uses cost nothing" in text_of(as_ben.get(f"/licenses/{row.code}/usage"))


def test_the_api_gives_the_public_settlements_and_ones_own_statement(
    told: Told, as_mia: Client, client: Client
) -> None:
    listed = client.get("/api/v1/settlements").json()["data"]
    assert [one["epoch"] for one in listed] == [2, 1]
    one = client.get("/api/v1/settlements/1").json()
    assert one["earned_units"] == "6800000"
    assert client.get("/api/v1/settlements/9").status_code == 404
    assert client.get("/api/v1/statement").status_code in {401, 403}
    mine = json.loads(as_mia.get("/api/v1/statement").content)
    assert mine["figures"]["lifetime"] == "866400"
