"""From a picture to a paid royalty, told in Chromium on a stack of real parts."""

from __future__ import annotations

import pytest

from tests.flows import buying, checking, making, paying
from tests.flows.story import Story

pytestmark = [pytest.mark.browser, pytest.mark.chain]


def test_a_maker_signs_up_and_confirms_her_address(story: Story) -> None:
    story.play(making.sign_up)


def test_wallets_are_linked_by_one_signature(story: Story) -> None:
    story.play(making.link_wallets)


def test_owners_register_model_and_data_with_what_they_ask(story: Story) -> None:
    story.play(making.register_sources)


def test_a_recorder_records_the_steps_over_http(story: Story) -> None:
    story.play(making.record_steps)


def test_an_upload_is_examined_signed_sealed_and_logged(story: Story) -> None:
    story.play(making.upload)


def test_the_parts_are_agreed_on(story: Story) -> None:
    story.play(making.agree)


def test_the_work_goes_on_sale(story: Story) -> None:
    story.play(making.publish)


def test_a_buyer_finds_it_by_words_and_a_filter(story: Story) -> None:
    story.play(buying.find)


def test_one_signature_pays_and_licenses(story: Story) -> None:
    story.play(buying.license_it)


def test_the_buyer_downloads_a_copy(story: Story) -> None:
    story.play(buying.download)


def test_the_page_shows_certified_provenance_and_why(story: Story) -> None:
    story.play(making.see_badge)


def test_reported_uses_are_counted_once(story: Story) -> None:
    story.play(buying.report_uses)


def test_everybody_named_is_paid_on_the_chain(story: Story) -> None:
    story.play(paying.be_paid)


def test_every_cent_says_why_it_was_earned(story: Story) -> None:
    story.play(paying.see_why)


def test_a_stranger_verifies_the_copy_by_form(story: Story) -> None:
    story.play(checking.verify_by_form)


def test_a_stranger_verifies_by_digest_alone(story: Story) -> None:
    story.play(checking.verify_by_digest)


def test_what_was_not_used_comes_back(story: Story) -> None:
    story.play(paying.get_rest_back)
