"""The operator's page, the developers' pages, and the files that machines look for."""

from __future__ import annotations

import json
import logging
import re
import socket
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from chain.models import Intent, Network
from colophon.digest import canonical, sha256
from colophon.keys import Ed25519Key
from colophon.note import COSIGNATURE, NoteKey
from colophon.policy import POLICY
from log.models import Witness
from outbox.enqueue import enqueue
from outbox.models import Heartbeat, Job
from royalties.models import Accrual, Payout, Settlement
from tests.cast import PASSWORD, open_user, party_of
from tests.reading import text_of
from tests.royalties import factories


@pytest.fixture
def operator(db: None) -> Client:
    return _client(open_user("Olga", is_staff=True))


def _client(user: User) -> Client:
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


def parked(kind: str = "license.deliver") -> Job:
    with transaction.atomic():
        job = enqueue(kind, key=f"{kind}:1", payload={"license": 1})
    Job.objects.filter(pk=job.pk).update(
        parked_at=timezone.now(), attempts=12, last_error="CouldNotCheck: <b>TSA</b>"
    )
    return job


# --- who may


def test_only_staff_have_an_operations_page(ada: User, operator: Client) -> None:
    assert operator.get("/ops/").status_code == 200
    assert _client(ada).get("/ops/").status_code == 404
    answer = Client().get("/ops/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_only_staff_may_retry_and_only_by_post(ada: User, operator: Client) -> None:
    job = parked()
    path = f"/ops/jobs/{job.pk}/retry"
    assert _client(ada).post(path).status_code == 404
    assert Client().post(path).status_code == 302
    assert operator.get(path).status_code == 405
    job.refresh_from_db()
    assert job.parked_at is not None


def test_a_forged_form_retries_nothing(operator: Client) -> None:
    job = parked()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    answer = strict.post(f"/ops/jobs/{job.pk}/retry")
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "This form has grown old" in page
    assert "<style" not in page  # the policy would refuse it
    job.refresh_from_db()
    assert job.parked_at is not None


# --- what it shows


def test_an_empty_site_has_a_page(operator: Client) -> None:
    text = text_of(operator.get("/ops/"))
    assert "No process has ever said that it lives" in text
    assert "no contracts are deployed yet" in text
    assert "Last settlement none yet" in text


def test_a_parked_job_is_shown_and_runs_again_with_an_audit_line(
    operator: Client, caplog: pytest.LogCaptureFixture
) -> None:
    job = parked()
    page = operator.get("/ops/")
    assert "Jobs are parked" in text_of(page)
    assert "&lt;b&gt;TSA&lt;/b&gt;" in page.content.decode()
    with caplog.at_level(logging.WARNING):
        answer = operator.post(f"/ops/jobs/{job.pk}/retry", follow=True)
    assert "license.deliver runs again within moments" in text_of(answer)
    (line,) = [one for one in caplog.records if one.message == "job_retried"]
    assert vars(line)["by"] == "olga@colophon.test"
    job.refresh_from_db()
    assert (job.parked_at, job.attempts) == (None, 0)
    again = operator.post(f"/ops/jobs/{job.pk}/retry", follow=True)
    assert "is not parked any more" in text_of(again)


def test_depth_and_age_of_the_queue_are_shown_by_kind(operator: Client) -> None:
    with transaction.atomic():
        enqueue("asset.judge", key="a", due_at=timezone.now() - timedelta(minutes=9))
        enqueue("asset.judge", key="b", due_at=timezone.now() + timedelta(hours=1))
    page = operator.get("/ops/")
    (row,) = page.context["jobs"]["kinds"]
    assert (row["kind"], row["due"], row["later"], row["parked"]) == (
        "asset.judge",
        1,
        1,
        0,
    )
    assert page.context["jobs_late"]
    assert "oldest waits 0:09:" in text_of(page)


def test_a_silent_process_is_told_from_a_living_one(operator: Client) -> None:
    Heartbeat.objects.create(process="relay")
    Heartbeat.objects.create(
        process="worker", beat_at=timezone.now() - timedelta(minutes=5)
    )
    text = text_of(operator.get("/ops/"))
    assert "relay Alive" in text
    assert "worker Silent" in text


def test_the_chain_and_what_halts_it_are_shown(operator: Client) -> None:
    factories.network()
    Network.objects.update(halted_reason="a deep reorganization", followed_block=4_711)
    Intent.objects.create(
        kind="pay", key="pay:1:0", role="relayer", state="needs_human", error="no funds"
    )
    text = text_of(operator.get("/ops/"))
    assert "Settling is halted a deep reorganization" in text
    assert "4,711" in text
    assert "the follower is late" in text
    assert "Transactions need a person" in text
    assert "pay:1:0 : no funds" in text


def test_what_waits_to_be_sent_says_why(operator: Client) -> None:
    factories.network()
    why = "the next fee would exceed CHAIN_MAX_FEE_GWEI"
    Intent.objects.create(kind="pay", key="pay:1:0", role="relayer", error=why)
    Intent.objects.create(kind="pay", key="pay:2:0", role="relayer")
    text = text_of(operator.get("/ops/"))
    assert f"Not sent yet, and tried again: pay:1:0 : {why}" in text
    assert "pay:2:0" not in text


def test_a_payout_that_nothing_answers_is_shown(
    operator: Client, ada: User, mia: User, ben: User
) -> None:
    factories.story(party_of(ada), party_of(mia), party_of(ben))
    ended = timezone.now() - timedelta(minutes=11)
    Intent.objects.filter(kind="pay").update(state="final", final_at=ended)
    assert "without an answer" not in text_of(operator.get("/ops/"))
    Payout.objects.update(state="sending")
    assert "Payouts without an answer 1 " in text_of(operator.get("/ops/"))
    Intent.objects.filter(kind="pay").update(final_at=timezone.now())
    assert "without an answer" not in text_of(operator.get("/ops/"))


def test_settling_that_stands_still_is_shown(
    operator: Client, ada: User, mia: User, ben: User
) -> None:
    factories.story(party_of(ada), party_of(mia), party_of(ben))
    assert "Settling stands still" not in text_of(operator.get("/ops/"))
    Settlement.objects.update(state="failed")
    Intent.objects.filter(kind="commit").update(error="canceled by hand")
    text = text_of(operator.get("/ops/"))
    assert "Settling stands still the commit of settlement 1 failed: canceled" in text


def test_money_and_the_ledger_are_shown(
    operator: Client, ada: User, mia: User, ben: User
) -> None:
    told = factories.story(party_of(ada), party_of(mia), party_of(ben))
    factories.used(told.license, 1_000)
    page = operator.get("/ops/")
    assert page.context["money"]["unsettled_units"] == 600_000
    assert "Waits to be settled $0.60" in text_of(page)
    assert "1, matured" in text_of(page)
    assert all(one.holds for one in page.context["money"]["ledger"])
    Accrual.objects.filter(position=0).update(units=1)
    text = text_of(operator.get("/ops/"))
    assert f"settlement 1, {told.license.code}: " in text


def test_the_page_works_while_redis_and_the_node_are_away(
    operator: Client, settings: Any
) -> None:
    """Both addresses refuse connections here; nothing may ask them."""
    factories.network()
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
    settings.CHAIN_RPC_URLS = [f"http://127.0.0.1:{port}"]
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.REDIS_URL,
        }
    }
    assert operator.get("/ops/").status_code == 200
    job = parked()
    assert operator.post(f"/ops/jobs/{job.pk}/retry").status_code == 302


def test_the_page_costs_the_same_however_many_jobs_wait(
    operator: Client, django_assert_max_num_queries: Any
) -> None:
    with transaction.atomic():
        for number in range(30):
            enqueue("asset.judge", key=f"judge:{number}")
    with django_assert_max_num_queries(36):
        operator.get("/ops/")


# --- developers


def test_the_developers_page_needs_no_account_and_names_this_site(
    db: None, client: Client
) -> None:
    text = text_of(client.get("/developers"))
    assert django_settings.SITE_URL in text
    for kind in ("cloudevents+json", "cloudevents-batch+json", "x-ndjson"):
        assert f"application/{kind}" in text
    for word in ("colophon statement check", "colophon trace", "colophon log check"):
        assert word in text


def test_every_link_of_the_developers_pages_leads_somewhere(
    db: None, client: Client
) -> None:
    factories.network()
    for page in ("/developers", "/developers/api", f"/policy/{POLICY.id}"):
        html = client.get(page).content.decode()
        for place in sorted(set(re.findall(r'href="(/[^"#]*)', html))):
            if place.startswith(("/static/", "/log/checkpoint")):
                continue
            answer = client.get(place, follow=True)
            assert answer.status_code in {200, 503}, (page, place)


def test_the_api_is_described_in_openapi_3_1(db: None, client: Client) -> None:
    answer = client.get("/api/v1/openapi.json")
    said = json.loads(answer.content)
    assert said["openapi"].startswith("3.1")
    assert answer["Access-Control-Allow-Origin"] == "*"
    usage = said["paths"]["/api/v1/usage"]["post"]
    assert set(usage["requestBody"]["content"]) == {
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
    }
    ids = [
        one["operationId"]
        for methods in said["paths"].values()
        for one in methods.values()
        if isinstance(one, dict) and "operationId" in one
    ]
    assert len(ids) == len(set(ids))


def test_the_reference_lists_every_operation(db: None, client: Client) -> None:
    said = json.loads(client.get("/api/v1/openapi.json").content)
    text = text_of(client.get("/developers/api"))
    for path, methods in said["paths"].items():
        for method in methods:
            if method in {"get", "post", "put", "patch", "delete"}:
                assert f"{method.upper()} {path}" in text


def test_the_policy_page_shows_the_digest_that_verdicts_carry(
    db: None, client: Client
) -> None:
    text = text_of(client.get(f"/policy/{POLICY.id}"))
    assert POLICY.digest.hex() in text
    for rule in POLICY.rules:
        assert rule.id in text
    data = json.loads(client.get(f"/policy/{POLICY.id}.json").content)
    assert sha256(canonical(data)) == POLICY.digest
    for path in ("/policy/2001-01", "/policy/2001-01.json"):
        assert client.get(path).status_code == 404


def test_no_page_loosens_the_content_security_policy(db: None, client: Client) -> None:
    for path in ("/developers", "/developers/api", f"/policy/{POLICY.id}"):
        policy = client.get(path)["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy


# --- liveness and readiness


def beats(**ages: float) -> None:
    """Processes and the age of their beats; `_` stands for `:`, `__` for `@`."""
    for name, age in ages.items():
        Heartbeat.objects.create(
            process=name.replace("__", "@").replace("_", ":"),
            beat_at=timezone.now() - timedelta(seconds=age),
        )


def test_a_process_that_answers_is_alive(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


def test_a_site_without_processes_is_not_ready(db: None, client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["down"]) == (503, [])


def test_it_is_ready_while_each_role_has_a_process(db: None, client: Client) -> None:
    beats(relay=1, worker_chain__new=5, worker_chain__replaced=600)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_it_is_not_ready_when_a_role_is_silent(db: None, client: Client) -> None:
    beats(relay=1, worker_chain__a=61, worker_chain__b=600)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["down"]) == (503, ["worker:chain"])


# --- small files


def test_security_txt_has_what_rfc_9116_asks_for(db: None, client: Client) -> None:
    answer = client.get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(
        line.split(": ", 1) for line in answer.content.decode().splitlines() if line
    )
    until = datetime.fromisoformat(fields["Expires"])
    assert timezone.now() < until < timezone.now() + timedelta(days=365)
    assert fields["Contact"].startswith("mailto:")
    assert fields["Canonical"].endswith("/.well-known/security.txt")


def test_a_file_without_a_page_has_an_icon_too(db: None, client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert finders.find(answer["Location"].removeprefix("/static/"))


def test_robots_keep_out_of_what_belongs_to_a_person(db: None, client: Client) -> None:
    lines = client.get("/robots.txt").content.decode().splitlines()
    for path in ("/ops/", "/royalties", "/settings", "/api/"):
        assert f"Disallow: {path}" in lines
    assert f"Sitemap: {django_settings.SITE_URL}/sitemap.xml" in lines


def test_the_sitemap_lists_what_is_on_sale(
    ada: User, mia: User, ben: User, client: Client
) -> None:
    asset = factories.model_asset(party_of(ada), party_of(mia), title="<&>")
    text = client.get("/sitemap.xml").content.decode()
    assert f"<loc>{django_settings.SITE_URL}/a/{asset.code}</loc>" in text
    asset.listing.state = "withdrawn"
    asset.listing.save()
    assert asset.code not in client.get("/sitemap.xml").content.decode()


# --- witnesses


def test_a_witness_that_disagrees_or_is_silent_is_on_the_page(
    operator: Client, settings: Any
) -> None:
    signer = Ed25519Key.from_seed(b"2" * 32)
    vkey = NoteKey.of_signer("w2.example", signer, COSIGNATURE).vkey
    settings.LOG_WITNESSES = [f"http://127.0.0.1:9 {vkey}"]
    assert "Witness w2.example not asked yet" in text_of(operator.get("/ops/"))
    row = Witness.objects.create(vkey=vkey, trouble="connection refused")
    assert "silent: connection refused" in text_of(operator.get("/ops/"))
    row.disagrees, row.trouble = True, "it cosigned another root over 4 entries"
    row.save()
    page = text_of(operator.get("/ops/"))
    assert "A witness remembers another history of the log" in page
    assert "disagrees: it cosigned another root over 4 entries" in page
