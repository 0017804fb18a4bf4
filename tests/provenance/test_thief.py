"""A thief with a script of her own: how far the record of somebody else's work goes.

She writes her own steps, holds her own keys and has a verified address; nothing that
the recorder would refuse stops her. The first test is the control: with an honest
story the same way leads to the seal on the page.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from accounts.keys import signer_for
from accounts.models import User
from accounts.register import open_account
from colophon import statement
from colophon.acts import (
    Actor,
    File,
    Input,
    Model,
    Proxies,
    TicketRef,
    Tool,
)
from colophon.digest import sha256
from colophon.keys import Ed25519Key, Signer
from colophon.origin import IPTC
from colophon.pipeline import ApiError, OpenRun
from colophon.recorder import record
from colophon.steps import build_step
from outbox.inline import drain
from provenance.examine import examine_asset
from provenance.models import Asset, Source, Step, Verdict
from tests.loop import SOON, Person, altered, failed, judge, picture, seal, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

AI = IPTC + "trainedAlgorithmicMedia"
HAND = IPTC + "digitalCreation"
EDIT = IPTC + "humanEdits"
WEIGHTS = sha256(b"tidewater-xl 3.1 weights")
DRAFTS = (sha256(b"draft 1"), sha256(b"draft 2"))
CERTIFIED = "Certified provenance"


def model_of(owner: Person, digest: bytes = WEIGHTS, ask: int = 120_000) -> Source:
    """A model registered by its owner."""
    said = {"kind": "model", "name": "Tidewater-XL", "digest": digest.hex()}
    found = owner.api.ask("POST", "/api/v1/sources", json={**said, "ask_ppm": ask})
    return Source.objects.get(code=found["id"])


def runtime_of(owner: Person, digest: bytes = WEIGHTS) -> Ed25519Key:
    """A key with which the owner's own machine speaks for the model."""
    key = Ed25519Key.generate()
    owner.api.enroll(key, purpose="runtime", models=(digest,))
    return key


def say(
    person: Person,
    run: OpenRun,
    index: int,
    output: bytes,
    *,
    key: Signer | None = None,
    ticket: TicketRef | None = None,
    send: bool = True,
    **facts: Any,
) -> statement.Envelope:
    """A step as anyone with a text editor could write it."""
    signer = key or person.key
    drafts = facts.pop("drafts", ())
    now = datetime.now(UTC)
    given: dict[str, Any] = {
        "action": "c2pa.created",
        "source_type": HAND,
        "started_on": now,
        "finished_on": now,
        "run": run.id,
        **facts,
    }
    made, _ = build_step(
        outputs=[File("work.jpg", sha256(output))],
        actor=Actor(signer.key_id, given.pop("kind", "human")),
        tool=Tool("Krita", "5.2"),
        index=index,
        ticket=ticket or run.ticket,
        proxy=Proxies(intermediates=tuple(drafts)) if drafts else None,
        **given,
    )
    envelope = statement.sign(made, signer)
    if send:
        person.api.send_step(run.id, {"envelope": envelope.to_json()})
    return envelope


def begin(person: Person) -> OpenRun:
    """An enrolled key and, after it, a ticket."""
    person.api.enroll(person.key)
    return person.api.open_run("work")


def register(person: Person, data: bytes, run: OpenRun) -> Verdict:
    """From the upload to the verdict, with everything that a site can give."""
    return judge(seal(upload(person, data, run=run.id)), person)


# --- the control --------------------------------------------------------------------


def test_an_honest_maker_reaches_certified_provenance(
    maker: Person, owner: Person, tmp_path: Path
) -> None:
    model_of(owner)
    runtime = runtime_of(owner)
    data = picture(1)
    with record("spring", **maker.recorder(tmp_path, strict=True)) as run:
        with run.step("c2pa.created", source_type=AI, kind="agent", key=runtime) as one:
            one.model(WEIGHTS, "Tidewater-XL 3.1")
            one.prompt("a harbor at night")
            one.output(b"ground")
        with run.step("c2pa.drawing", source_type=EDIT, kind="human") as one:
            one.input(b"ground")
            one.intermediate(b"a third")
            one.intermediate(b"two thirds")
            one.output(data)
    verdict = judge(seal(upload(maker, data, run=run.id)), maker)
    assert failed(verdict) == {}
    assert failed(verdict, "R") == {}
    assert (verdict.evidence_level, verdict.rights_level) == (3, 2)
    assert (verdict.origin_class, verdict.standing) == ("HYBRID", "active")
    assert verdict.word == CERTIFIED


# --- her word alone -----------------------------------------------------------------


def test_made_by_hand_without_work_in_progress_ends_at_e2(thief: Person) -> None:
    run, data = begin(thief), picture(2)
    say(thief, run, 0, data)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert set(failed(verdict)) == {"e3.grounded"}
    assert verdict.word == "Credentialed"


def test_one_draft_is_too_few_and_the_finished_file_is_no_draft(
    thief: Person,
) -> None:
    run, data = begin(thief), picture(2)
    say(thief, run, 0, data, drafts=(DRAFTS[0], sha256(data)))
    verdict = register(thief, data, run)
    assert set(failed(verdict)) == {"e3.grounded"}


def test_the_same_drafts_do_not_count_for_two_steps(thief: Person) -> None:
    run, data = begin(thief), picture(2)
    say(thief, run, 0, b"ground", drafts=DRAFTS)
    parent = [Input("ground", sha256(b"ground"))]
    edit = {"action": "c2pa.drawing", "source_type": EDIT, "inputs": parent}
    say(thief, run, 1, data, drafts=DRAFTS, **edit)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert "step 2" in failed(verdict)["e3.grounded"]


def test_a_declared_upload_ends_at_e2_whatever_it_says(maker: Person) -> None:
    data = picture(3)
    verdict = judge(seal(upload(maker, data, origin="human")), maker)
    assert verdict.evidence_level == 2
    assert {"e3.custody", "e3.grounded"} <= set(failed(verdict))
    assert (verdict.origin_class, verdict.word) == ("HUMAN_MADE", "Credentialed")


def test_a_step_signed_on_the_platform_ends_at_e2(thief: Person, settings: Any) -> None:
    """Her account's key, which the platform keeps, cannot be made to look hers."""
    run, data = thief.api.open_run("work"), picture(2)
    kept = signer_for(thief.party)
    with pytest.raises(ApiError, match="custody"):
        say(thief, run, 0, data, key=kept, drafts=DRAFTS)
    say(
        thief,
        run,
        0,
        data,
        key=kept,
        custody="server",
        drafts=DRAFTS,
    )
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert set(failed(verdict)) == {"e3.custody"}


# --- models -------------------------------------------------------------------------


def test_naming_a_famous_model_without_its_runtime_key_ends_at_e2(
    thief: Person, owner: Person
) -> None:
    model_of(owner)
    run, data = begin(thief), picture(2)
    model = {"source_type": AI, "kind": "agent", "model": Model(WEIGHTS)}
    say(thief, run, 0, data, drafts=DRAFTS, **model)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert "did not enroll the key" in failed(verdict)["e3.grounded"]


def test_an_unregistered_model_does_not_count(thief: Person) -> None:
    run, data = begin(thief), picture(2)
    model = {"source_type": AI, "kind": "agent", "model": Model(sha256(b"mine"))}
    say(thief, run, 0, data, **model)
    found = failed(register(thief, data, run))
    assert {"e3.models", "e3.grounded"} <= set(found)


def test_a_model_and_a_runtime_key_of_ones_own_end_at_e2(thief: Person) -> None:
    model_of(thief)
    runtime = runtime_of(thief)
    run, data = begin(thief), picture(2)
    model = {"source_type": AI, "kind": "agent", "model": Model(WEIGHTS)}
    say(thief, run, 0, data, key=runtime, **model)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert set(failed(verdict)) == {"e3.grounded"}


def test_a_runtime_key_for_somebody_elses_model_ends_at_e2(
    thief: Person, owner: Person
) -> None:
    model_of(owner)
    runtime = runtime_of(thief)  # she enrolls it; the owner never did
    run, data = begin(thief), picture(2)
    model = {"source_type": AI, "kind": "agent", "model": Model(WEIGHTS)}
    say(thief, run, 0, data, key=runtime, **model)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert set(failed(verdict)) == {"e3.grounded"}


def test_claiming_the_digest_of_a_famous_model_too_ends_at_e2(
    thief: Person, owner: Person
) -> None:
    model_of(owner)
    model_of(thief, ask=0)
    runtime = runtime_of(thief)
    run, data = begin(thief), picture(2)
    model = {"source_type": AI, "kind": "agent", "model": Model(WEIGHTS)}
    say(thief, run, 0, data, key=runtime, **model)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert set(failed(verdict)) == {"e3.grounded"}
    step = Step.objects.get(run__code=run.id)
    assert step.model_source is not None
    assert step.model_source.party == owner.party  # who registered first is paid


def test_the_word_human_does_not_hide_a_model(thief: Person, owner: Person) -> None:
    model_of(owner)
    run, data = begin(thief), picture(2)
    say(thief, run, 0, data, drafts=DRAFTS, model=Model(WEIGHTS))
    verdict = register(thief, data, run)
    assert "e3.readable" in failed(verdict)
    assert verdict.origin_class == "UNKNOWN"


# --- clocks, keys, tickets and runs -------------------------------------------------


def test_a_back_dated_clock_changes_nothing(thief: Person) -> None:
    run, data = begin(thief), picture(2)
    then = datetime.now(UTC) - timedelta(days=3_000)
    say(thief, run, 0, data, started_on=then, finished_on=then)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    asset = verdict.asset
    anchor = asset.first_anchor()
    assert anchor is not None
    assert datetime.now(UTC) - anchor.block_at < timedelta(hours=1)


def test_a_key_enrolled_after_the_ticket_ends_at_e2(thief: Person) -> None:
    run, data = thief.api.open_run("work"), picture(2)
    thief.api.enroll(thief.key)
    say(thief, run, 0, data, drafts=DRAFTS)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert set(failed(verdict)) == {"e3.keys"}


def test_steps_without_a_ticket_end_at_e2(thief: Person) -> None:
    run, data = begin(thief), picture(2)
    signer, now = thief.key, datetime.now(UTC)
    made, _ = build_step(
        outputs=[File("work.jpg", sha256(data))],
        action="c2pa.created",
        source_type=HAND,
        actor=Actor(signer.key_id, "human"),
        tool=Tool("Krita", "5.2"),
        started_on=now,
        finished_on=now,
        run=run.id,
        index=0,
        proxy=Proxies(intermediates=DRAFTS),
    )
    body = {"envelope": statement.sign(made, signer).to_json()}
    thief.api.send_step(run.id, body)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert "e3.bracket" in failed(verdict)


def test_a_ticket_of_another_run_is_refused(thief: Person, maker: Person) -> None:
    old, run = begin(thief), thief.api.open_run("later")
    for ticket in (old.ticket, begin(maker).ticket):
        with pytest.raises(ApiError, match="not this run's ticket"):
            say(thief, run, 0, b"x", ticket=ticket)
    mixed = TicketRef(run.ticket.nonce, old.ticket.digest)
    with pytest.raises(ApiError, match="not this run's ticket"):
        say(thief, run, 0, b"x", ticket=mixed)
    assert not Step.objects.exists()


def test_steps_of_another_run_cannot_be_spliced_in(
    thief: Person, maker: Person
) -> None:
    theirs, run = begin(maker), begin(thief)
    stolen = say(maker, theirs, 0, b"x")
    with pytest.raises(ApiError, match="expected run_"):
        thief.api.send_step(run.id, {"envelope": stolen.to_json()})
    with pytest.raises(ApiError, match="404"):
        thief.api.send_step(theirs.id, {"envelope": stolen.to_json()})
    assert Step.objects.filter(run__code=run.id).count() == 0


def test_somebody_elses_run_cannot_be_named_at_upload(
    thief: Person, maker: Person
) -> None:
    run, data = begin(maker), picture(1)
    say(maker, run, 0, data)
    with pytest.raises(ApiError, match="is no run of yours"):
        upload(thief, data, run=run.id)
    assert not Asset.objects.exists()


def test_a_run_that_does_not_lead_to_the_file_ends_at_e2(thief: Person) -> None:
    run, data = begin(thief), picture(2)
    say(thief, run, 0, b"another file", drafts=DRAFTS)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert "e3.chain" in failed(verdict)


def test_a_gap_in_the_story_ends_at_e2(thief: Person) -> None:
    """An AI step left out shows as an input from nowhere."""
    run, data = begin(thief), picture(2)
    parent = [Input("generated.png", sha256(b"generated elsewhere"))]
    edit = {"action": "c2pa.drawing", "source_type": EDIT, "inputs": parent}
    say(thief, run, 0, data, drafts=DRAFTS, **edit)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert {"e3.chain", "e3.grounded"} <= set(failed(verdict))
    assert verdict.origin_class == "UNKNOWN"


def test_opening_a_picture_from_nowhere_ends_at_e2(thief: Person) -> None:
    run, data = begin(thief), picture(2)
    parent = [Input("photo.jpg", sha256(data))]
    opened = {"action": "c2pa.opened", "source_type": None, "inputs": parent}
    say(thief, run, 0, data, **opened)
    found = failed(register(thief, data, run))
    assert {"e3.chain", "e3.grounded"} <= set(found)


def test_a_silent_step_that_changes_the_picture_ends_at_e2(thief: Person) -> None:
    """Many small "resized" steps do not add up to an edit that nobody declared."""
    run, data = begin(thief), picture(2)
    say(thief, run, 0, b"sketch", drafts=DRAFTS)
    parent = [Input("sketch", sha256(b"sketch"))]
    silent = {"action": "c2pa.transcoded", "source_type": None, "inputs": parent}
    say(thief, run, 1, data, **silent)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert "e3.changes" in failed(verdict)


# --- somebody else's registered picture ---------------------------------------------

CHANGES = {
    "the very bytes": lambda image: image,
    "smaller": lambda image: image.resize((240, 180)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "cropped": lambda image: ImageOps.crop(image, 12),
    "mirrored": ImageOps.mirror,
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "gray": lambda image: ImageOps.grayscale(image).convert("RGB"),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
}


@pytest.fixture
def registered(maker: Person) -> bytes:
    """A work of Ada's that was registered first."""
    data = picture(1)
    seal(upload(maker, data))
    return data


@pytest.mark.parametrize("change", CHANGES)
def test_a_look_alike_of_an_earlier_work_is_contested(
    thief: Person, registered: bytes, change: str
) -> None:
    """With faked drafts everything else would pass."""
    data = altered(registered, CHANGES[change])
    if change == "the very bytes":
        data = registered
    run = begin(thief)
    say(thief, run, 0, data, drafts=[sha256(data + bytes([n])) for n in range(4)])
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 2
    assert set(failed(verdict)) == {"e3.first"}
    assert verdict.standing == "contested"
    assert verdict.word == "Contested"


def test_a_copy_of_ones_own_copy_is_contested_too(
    thief: Person, registered: bytes
) -> None:
    """Her first copy is nearer to the second than Ada's picture is."""
    first = altered(registered, CHANGES["brighter"])
    seal(upload(thief, first))
    run = begin(thief)
    data = altered(first, lambda image: image)
    say(thief, run, 0, data, drafts=DRAFTS)
    verdict = register(thief, data, run)
    assert verdict.standing == "contested"
    assert "e3.first" in failed(verdict)


def test_a_second_account_does_not_help_against_the_look_alike(
    thief: Person, registered: bytes, ben: User
) -> None:
    seal(upload(Person.of(ben), altered(registered, CHANGES["brighter"])))
    run, data = begin(thief), altered(registered, CHANGES["smaller"])
    say(thief, run, 0, data, drafts=DRAFTS)
    assert register(thief, data, run).standing == "contested"


def test_an_earlier_upload_counts_though_it_was_examined_later(
    thief: Person, maker: Person
) -> None:
    """With two workers the later upload may be examined first."""
    mine = upload(maker, picture(1))
    data = altered(picture(1), CHANGES["smaller"])
    run = begin(thief)
    say(thief, run, 0, data, drafts=DRAFTS)
    hers = upload(thief, data, run=run.id)
    examine_asset(asset=hers)
    drain(kinds={"asset.sign"}, ahead=SOON)
    hers = Asset.objects.get(pk=hers.pk)
    assert hers.stage == "examined"  # waits for Ada's
    examine_asset(asset=mine)
    drain(kinds={"asset.sign"}, ahead=timedelta(seconds=5))
    hers = Asset.objects.get(pk=hers.pk)
    assert judge(hers, thief).standing == "contested"
    mine = Asset.objects.get(pk=mine.pk)
    assert judge(mine, maker).standing == "active"


def test_ones_own_earlier_work_is_no_objection(maker: Person) -> None:
    seal(upload(maker, picture(1)))
    data = altered(picture(1), CHANGES["brighter"])
    run = begin(maker)
    say(maker, run, 0, data, drafts=DRAFTS)
    verdict = register(maker, data, run)
    assert "e3.first" not in failed(verdict)
    assert verdict.standing == "active"


def test_another_picture_is_no_look_alike(thief: Person, registered: bytes) -> None:
    verdict = judge(seal(upload(thief, picture(2))), thief)
    assert "e3.first" not in failed(verdict)
    assert verdict.standing == "active"


# --- what the record cannot show ----------------------------------------------------


def test_made_up_drafts_of_a_new_picture_are_believed(thief: Person) -> None:
    """The limit of this policy: drafts are digests, and nobody has looked at them.

    Two made-up digests ground a picture that no earlier work looks like. The page
    says "recorded"; it is the maker's own record, signed when it was made.
    """
    run, data = begin(thief), picture(2)
    say(thief, run, 0, data, drafts=DRAFTS)
    verdict = register(thief, data, run)
    assert failed(verdict) == {}
    assert verdict.evidence_level == 3


def test_a_second_party_of_ones_own_is_another_account_to_the_record(
    thief: Person, eve: User
) -> None:
    """The limit of this policy: nothing in the log ties two parties of one person.

    Her second party owns a model and runs it for her first one.
    """
    straw = Person.of(eve, party=open_account(eve, name="Straw Ltd"))
    model_of(straw)
    runtime = runtime_of(straw)
    run, data = begin(thief), picture(2)
    model = {"source_type": AI, "kind": "agent", "model": Model(WEIGHTS)}
    say(thief, run, 0, data, key=runtime, **model)
    verdict = register(thief, data, run)
    assert verdict.evidence_level == 3
    assert verdict.origin_class == "AI"  # it never says that a person made it
