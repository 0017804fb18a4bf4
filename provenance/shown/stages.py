"""How far a work has come, stage by stage, in words."""

from __future__ import annotations

from typing import Any

from colophon.policy import Standing
from provenance.models import Asset
from provenance.shown.story import anchor_of

POLL_SECONDS = 2


def progress_of(asset: Asset) -> dict[str, Any]:
    """Stages in the order of the loop, each done or not, and whether more follows."""
    sealed = hasattr(asset, "seal")
    logged = sealed and asset.seal.entry.index is not None
    anchored = logged and anchor_of(asset) is not None
    verdict = asset.verdicts.first()
    judged = verdict is not None and verdict.standing != Standing.PENDING
    stages = [
        ("Received", True, "The file is kept, and its SHA-256 is known."),
        (
            "Examined",
            hasattr(asset, "findings"),
            "Credential, digests and look-alikes.",
        ),
        ("Signed and sealed", sealed, "A Content Credential is put into the file."),
        ("In the log", logged, "The seal has its place in the public log."),
        ("Anchored", anchored, "The log's head is written to the ledger."),
        ("Judged", judged, "The evidence is weighed, and the badge follows."),
    ]
    refused = bool(asset.refused_reason)
    return {
        "stages": stages,
        "done": sum(1 for _, done, _ in stages if done),
        "pending": not refused and not all(done for _, done, _ in stages),
        "poll_seconds": POLL_SECONDS,
    }


def pill_of(asset: Asset) -> tuple[str, str]:
    """The state of a work in a list: word and kind of partials/status_pill.html."""
    if asset.stage == "refused":
        return "Refused", "bad"
    if asset.stage == "published":
        return "Published", "ok"
    if asset.stage == "sealed":
        return "Ready to publish", "wait"
    return "Processing", "wait"
