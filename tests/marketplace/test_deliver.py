"""Deliveries: each buyer's own signed copy, opened once by whoever may."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts.models import User
from colophon.credential import inspect_file
from colophon.formats import FORMATS
from colophon.sniff import sniff
from log.models import Entry
from marketplace import deliver
from marketplace.deliver import grant_download, make_delivery, redeem
from marketplace.errors import CopyNotReadyError, GrantError, RevokedError
from marketplace.models import Delivery, Grant, License
from marketplace.publish import publish_listing
from provenance.authorities import claim_roots, tsa_roots
from provenance.models import Asset, LicensedCopy
from tests import factories
from tests.cast import party_of
from tests.loop import Person, picture, seal, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(ada: User) -> Asset:
    """A really signed work on sale."""
    asset = seal(upload(Person.of(ada), picture()))
    factories.agreed(asset)
    publish_listing(asset=asset, plans=list(factories.OFFERS))
    return Asset.objects.get(pk=asset.pk)


def copy_of(row: Delivery) -> bytes:
    with default_storage.open(row.path) as file:
        return bytes(file.read())


def read_back(data: bytes) -> Any:
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        return inspect_file(Path(file.name), claim_roots(), tsa_roots())


def test_each_buyer_gets_a_copy_with_the_license_inside(
    work: Asset, ben: User, dan: User
) -> None:
    licenses = [factories.licensed(work, party_of(one)) for one in (ben, dan)]
    copies = [make_delivery(license_row=one) for one in licenses]
    assert bytes(copies[0].digest) != bytes(copies[1].digest)
    for row, made in zip(licenses, copies, strict=True):
        found = read_back(copy_of(made))
        assert found.state == "Trusted"
        said = str(found.detail.assertions)
        assert row.code in said
        others = {one.code for one in licenses} - {row.code}
        assert not any(one in said for one in others)
        parents = [one["relationship"] for one in found.detail.ingredients]
        assert parents == ["parentOf"]
        assert LicensedCopy.objects.get(digest=made.digest).asset == work


@pytest.mark.parametrize("mime", FORMATS)
def test_a_copy_keeps_the_format_of_the_work(ada: User, ben: User, mime: str) -> None:
    work = seal(upload(Person.of(ada), picture(form=FORMATS[mime].decoder)))
    factories.agreed(work)
    publish_listing(asset=work, plans=list(factories.OFFERS))
    row = factories.licensed(Asset.objects.get(pk=work.pk), party_of(ben))
    made = make_delivery(license_row=row)
    copy = copy_of(made)
    assert made.mime == sniff(copy) == mime
    found = read_back(copy)
    assert found.state == "Trusted"
    assert row.code in str(found.detail.assertions)


def test_delivering_twice_makes_one_copy(work: Asset, ben: User) -> None:
    row = factories.licensed(work, party_of(ben))
    first = make_delivery(license_row=row)
    assert make_delivery(license_row=row) == first
    assert Entry.objects.filter(kind="delivery").count() == 1


def test_two_workers_at_once_make_one_copy(
    work: Asset, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker commits while we sign."""
    row, real = factories.licensed(work, party_of(ben)), deliver.sign_file

    def slow(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(deliver, "sign_file", real)
        make_delivery(license_row=row)
        return real(*args, **options)

    monkeypatch.setattr(deliver, "sign_file", slow)
    found = make_delivery(license_row=row)
    assert Delivery.objects.get() == found
    assert Entry.objects.filter(kind="delivery").count() == 1
    assert LicensedCopy.objects.count() == 1


@pytest.fixture
def copied(ada: User, ben: User) -> License:
    """A license whose copy is ready; its bytes are made up."""
    asset = factories.published_asset(party_of(ada))
    row = factories.licensed(asset, party_of(ben))
    factories.delivered(row)
    return row


def test_a_link_works_once(copied: License, ben: User) -> None:
    token = grant_download(license_row=copied, user=ben)
    assert redeem(token=token) == copied.delivery
    copied.delivery.refresh_from_db()
    first = copied.delivery.first_downloaded_at
    assert first is not None
    with pytest.raises(GrantError):
        redeem(token=token)
    redeem(token=grant_download(license_row=copied, user=ben))
    copied.delivery.refresh_from_db()
    assert copied.delivery.first_downloaded_at == first


def test_a_link_works_for_a_minute(copied: License, ben: User) -> None:
    token = grant_download(license_row=copied, user=ben)
    row = Grant.objects.get()
    assert row.expires_at - timezone.now() <= timedelta(seconds=60)
    Grant.objects.update(expires_at=timezone.now())
    with pytest.raises(GrantError):
        redeem(token=token)


def test_a_link_is_kept_as_a_digest(copied: License, ben: User) -> None:
    token = grant_download(license_row=copied, user=ben)
    assert token not in Grant.objects.get().digest
    with pytest.raises(GrantError):
        redeem(token=Grant.objects.get().digest)
    with pytest.raises(GrantError):
        redeem(token="")


def test_before_the_copy_there_is_no_link(ada: User, ben: User) -> None:
    asset = factories.published_asset(party_of(ada))
    row = factories.licensed(asset, party_of(ben))
    with pytest.raises(CopyNotReadyError):
        grant_download(license_row=row, user=ben)


def test_a_revoked_license_opens_nothing(copied: License, ben: User) -> None:
    copied.state = License.State.REVOKED
    with pytest.raises(RevokedError):
        grant_download(license_row=copied, user=ben)
    assert not Grant.objects.exists()


def test_a_download_is_an_attachment_that_nothing_runs_in(
    copied: License, ben: User, client: Client
) -> None:
    token = grant_download(license_row=copied, user=ben)
    answer = client.get(f"/download/{token}")
    data = b"".join(answer.streaming_content)  # type: ignore[arg-type]
    assert data == copy_of(copied.delivery)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"/download/{token}").status_code == 403
