"""The log's page: which checkpoints are final, and who does not agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from colophon.finality import WINDOW, State
from colophon.keys import Ed25519Key
from colophon.note import COSIGNATURE, NoteKey, cosignature, split_note
from colophon.trust import Trust
from log.models import Checkpoint, Witness
from provenance.heads import newest_final, newest_heads, witnesses
from provenance.models import Anchor
from provenance.trusted import site_trust
from tests import factories
from tests.reading import text_of

pytestmark = pytest.mark.django_db
SIGNER = Ed25519Key.from_seed(b"2" * 32)
KEY = NoteKey.of_signer("w2.example", SIGNER, COSIGNATURE)


@pytest.fixture
def named(settings: Any) -> None:
    settings.LOG_WITNESSES = [f"http://127.0.0.1:9 {KEY.vkey}"]


@pytest.fixture
def anchor(ada: User) -> Anchor:
    """The newest checkpoint, anchored, stamped and cosigned at one moment."""
    moment = timezone.now().replace(microsecond=0)
    made = factories.anchored(moment)
    row = made.checkpoint
    text, _ = split_note(row.note)
    row.note += cosignature(text, "w2.example", SIGNER, made.block_at)
    row.timestamped_at = made.block_at
    row.save()
    return made


def state() -> State:
    return newest_heads(1)[0].finality.state


@pytest.mark.usefixtures("named")
def test_a_checkpoint_with_all_three_is_final(anchor: Anchor) -> None:
    assert state() is State.FINAL
    final = newest_final()
    assert final is not None
    assert final.size == anchor.checkpoint.size
    page = text_of(Client().get("/log"))
    assert "agree within 0 s" in page
    assert "Final" in page


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("lacks", ["witness", "stamp", "block"])
def test_without_one_of_the_three_it_is_pending(anchor: Anchor, lacks: str) -> None:
    row = anchor.checkpoint
    if lacks == "witness":
        Checkpoint.objects.update(note="".join(row.note.splitlines(True)[:-1]))
    elif lacks == "stamp":
        Checkpoint.objects.update(timestamped_at=None)
    else:
        anchor.delete()
    assert state() is State.PENDING
    assert newest_final() is None
    assert "waits for a" in text_of(Client().get("/log"))


@pytest.mark.usefixtures("named")
def test_clocks_that_disagree_are_shown(anchor: Anchor) -> None:
    late = anchor.block_at + WINDOW + timedelta(minutes=1)
    Checkpoint.objects.update(timestamped_at=late)
    assert state() is State.DISAGREES
    assert newest_final() is None
    page = text_of(Client().get("/log"))
    assert "Disagreement" in page
    assert "time-stamp and chain are 6.0 h apart" in page


@pytest.mark.usefixtures("named")
def test_a_witness_with_another_history_is_shown_to_everybody(anchor: Anchor) -> None:
    words = "it cosigned 500 entries, this log has 4: entries were lost"
    Witness.objects.create(vkey=KEY.vkey, trouble=words, disagrees=True)
    page = text_of(Client().get("/log"))
    assert "A witness remembers another history of this log" in page
    assert "500 entries" in page
    (one,) = witnesses()
    assert (one.name, one.independent, one.disagrees) == ("w2.example", False, True)


def test_without_a_named_witness_the_page_says_so(anchor: Anchor) -> None:
    assert state() is State.PENDING
    assert "No witness is named" in text_of(Client().get("/log"))
    assert site_trust().witness_keys == ()
    assert "independent_witnesses" not in site_trust().to_json()


def test_an_empty_log_has_a_page() -> None:
    assert "no checkpoint yet" in text_of(Client().get("/log"))
    assert Client().post("/log").status_code == 405


def test_the_trust_file_names_the_witnesses(settings: Any) -> None:
    settings.LOG_WITNESSES = [f"http://127.0.0.1:9 {KEY.vkey} independent"]
    trust = Trust.from_json(site_trust().to_json())
    assert trust.witness_keys == (KEY,)
    assert (trust.quorum, trust.independent_witnesses) == (1, ("w2.example",))
