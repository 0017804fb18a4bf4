"""Play the whole story on a fresh stack and say as JSON what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from config.stack import ports
from config.stack.process import StackError
from config.stack.stack import ROOT, Stack
from config.story import picture, scenes
from config.story.cast import enter
from config.story.scenes import Story, StoryError

SPEED = {
    "COLOPHON_SETTLE_SECONDS": "4",
    "COLOPHON_CHECKPOINT_SECONDS": "2",
    "COLOPHON_PAYOUT_THRESHOLD": "1",
}


def play(source: Path | None, folder: Path) -> dict[str, Any]:
    """Play the story; returns its JSON.

    Args:
        source: a picture; drawn here when None.
        folder: emptied first; gets the signed file, the bundle and the stack's data.

    Raises:
        StackError: a process did not start.
        StoryError: a scene did not come to its end.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stack = Stack(folder / "state", ports.any_free(), _say, SPEED)
    with stack:
        if stack.chain is None:
            raise StackError("the story needs the local chain; run `npm ci`")
        return _tell(stack, source, folder)


def _tell(stack: Stack, source: Path | None, folder: Path) -> dict[str, Any]:
    assert stack.chain is not None
    chain = stack.chain
    given = _picture(source, folder)
    story = Story(stack.url, folder, enter(stack))
    token = json.loads((stack.var / "contracts.json").read_text())["contracts"][
        "Token"
    ]["address"]
    story.scene("register", scenes.register_sources)
    story.scene("enroll", scenes.enroll_keys)
    story.scene("record", lambda one: scenes.record_steps(one, given))
    story.scene("upload_sign_seal", scenes.upload)
    story.scene("publish", scenes.agree_and_publish)
    story.scene("anchor_verdict_mint", scenes.wait_for_verdict)
    story.scene("license", lambda one: scenes.license_it(one, chain, token))
    story.scene("deliver", scenes.download)
    story.scene("use", scenes.report_uses)
    story.scene("settle_pay", scenes.settle)
    story.scene("verify", _verify)
    return _report(story, stack, token)


def _picture(source: Path | None, folder: Path) -> Path:
    target = folder / f"source{source.suffix if source else '.jpg'}"
    if source is None:
        picture.draw(target)
    else:
        shutil.copyfile(source, target)
    return target


def _verify(story: Story) -> None:
    """A stranger's check: signed file, bundle and trust file, and the command line."""
    folder, url = story.folder, story.url
    asset = story.found["asset"]
    bundle = folder / "night-current.colophon"
    answer = httpx.get(f"{url}/api/v1/assets/{asset}/evidence", timeout=30)
    answer.raise_for_status()
    bundle.write_bytes(answer.content)
    trust = folder / "trust.json"
    trust.unlink(missing_ok=True)
    _command("trust", "fetch", url, "-o", str(trust))
    signed = next((story.folder / "state" / "files").glob(f"blobs/{_blob(story)}"))
    final = folder / "night-current.jpg"
    shutil.copyfile(signed, final)
    shown = _command(
        "verify",
        str(final),
        "--bundle",
        str(bundle),
        "--trust",
        str(trust),
        "--offline",
        "--json",
    )
    story.found["verify"] = json.loads(shown)
    _command("log", "check", f"{url}/log")
    story.found["files"] = {"signed": final, "bundle": bundle, "trust": trust}


def _blob(story: Story) -> str:
    digest = story.found["judged"]["sha256"]
    return f"{digest[:2]}/{digest[2:]}"


def _command(*words: str) -> str:
    """Run the command line as anyone would; a failed check ends the story."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "colophon.cli", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise StoryError(
            f"colophon {' '.join(words[:2])} ended with {done.returncode}:\n"
            f"{done.stdout}\n{done.stderr}"
        )
    return done.stdout


def _report(story: Story, stack: Stack, token: str) -> dict[str, Any]:
    """What the story found, checked: the parts and the fee are what was charged."""
    found = story.found
    assert stack.chain is not None
    paid = {
        name: scenes.balance_of(stack.chain, token, person.wallet.address)
        for name, person in story.people.items()
        if name != "Ben"
    }
    fee = found["due_units"] - sum(paid.values())
    expected = found["agreement"]["fee_ppm"] * found["due_units"] // 1_000_000
    if abs(fee - expected) > 1:
        raise StoryError(f"the fee is {fee} units, expected about {expected}")
    judged = found["judged"]
    return {
        "asset": found["asset"],
        "digests": {
            "uploaded": judged["uploaded_sha256"],
            "sealed": judged["sha256"],
            "seal": judged["seal"]["digest"],
        },
        "log_index": judged["seal"]["log_index"],
        "checkpoint": {key: judged["anchor"][key] for key in ("size", "root")},
        "anchor_tx": judged["anchor"]["tx_hash"],
        "verdict": judged["verdict"],
        "token": judged["token"],
        "license": found["license"],
        "uses": found["uses"],
        "settlement": found["settlement"],
        "due_units": found["due_units"],
        "paid_units": paid,
        "fee_units": fee,
        "verify": found["verify"],
        "seconds": story.seconds,
        "files": {
            key: str(path.relative_to(ROOT)) for key, path in found["files"].items()
        },
    }


def _say(words: str) -> None:
    print(f"  {words}", file=sys.stderr, flush=True)  # noqa: T201
