"""The origin map of a work: from its run's steps and the copies at hand.

Computed before the file is signed, so that the credential can name the regions, and
again when a copy comes late. Source: DESIGN section 8; docs/origin-map.md.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from colophon import statement
from colophon.acts import Step as Act
from colophon.errors import CouldNotCheck, InputError
from colophon.originmap.blame import MAX_LINKS, VERSION
from colophon.originmap.chain import chain_to
from colophon.originmap.moves import PARAMETER, Geometry, read_geometry
from colophon.originmap.work import Source, compute
from colophon.steps import parse_step
from outbox.claims import Claim
from outbox.enqueue import enqueue
from provenance.envelopes import envelope_of
from provenance.errors import ErasedError
from provenance.files import local_copy, store_path
from provenance.models import (
    Asset,
    Disclosure,
    OriginMap,
    Rendition,
    Run,
    StepFile,
)

TRIES = 3


@dataclass(frozen=True)
class Made:
    """A map that was computed, or why there is none."""

    found: dict[str, Any] = field(default_factory=dict)
    digest: bytes = b""
    path: str = ""
    problem: str = ""


def map_asset(*, asset: Asset, claim: Claim | None = None) -> OriginMap | None:
    """Compute the map of an examined work; then its file is signed.

    A copy that cannot be read, or a computation that dies three times, leaves a work
    without a map and the reason for its owner; it never holds up the work.

    Writes: OriginMap, Job. Lock: unique OriginMap.asset.

    Raises:
        CouldNotCheck: the child died or ran out of time; try again.
    """
    have = 0 if asset.run is None else asset.run.proxies.exclude(path="").count()
    existing = OriginMap.objects.filter(asset=asset).first()
    fresh = existing and (existing.version, existing.proxies) == (VERSION, have)
    made = None if fresh or not have else _made(asset, claim)
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        if made is not None:
            existing, _ = OriginMap.objects.update_or_create(
                asset=asset,
                defaults={
                    "version": VERSION,
                    "proxies": have,
                    "found": made.found,
                    "digest": made.digest,
                    "path": made.path,
                    "problem": made.problem,
                    "computed_at": timezone.now(),
                },
            )
        enqueue("asset.sign", key=f"sign:{asset.code}", payload={"asset": asset.pk})
    return existing


def _made(asset: Asset, claim: Claim | None) -> Made:
    try:
        return _compute(asset)
    except (InputError, ErasedError) as error:
        return Made(problem=str(error))
    except CouldNotCheck as error:
        if claim is None or claim.attempts < TRIES:
            raise
        return Made(problem=str(error))


def _compute(asset: Asset) -> Made:
    """The map by the pictures at hand; an empty one when they lead nowhere."""
    run = asset.run
    assert run is not None
    steps = _acts(run)
    pictures = _pictures(asset, run)
    at_hand = {file: copy for file, (copy, _) in pictures.items()}
    paths = dict(pictures.values())
    places = chain_to(bytes(asset.uploaded_digest), steps, at_hand, _geometry(run))
    if not 0 < len(places) <= MAX_LINKS:
        return Made()
    with ExitStack() as stack:
        sources = [
            Source(stack.enter_context(local_copy(paths[one.picture], ".jpg")), True)
            for one in places
        ]
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="colophon-"))
        overlay = Path(folder) / "map.png"
        found = compute(places, sources, overlay)
        digest, _, path = store_path(overlay)
    return Made(found, digest, path)


def _acts(run: Run) -> list[Act]:
    """The run's steps as they were signed, in order.

    Raises:
        ErasedError: the content of one is gone.
    """
    rows = run.steps.select_related("entry").order_by("position")
    return [
        parse_step(statement.read_statement(envelope_of(row.entry).payload))
        for row in rows
    ]


def _pictures(asset: Asset, run: Run) -> dict[bytes, tuple[bytes, str]]:
    """For the digest of a file, the digest and the place of its copy.

    Of the uploaded file our own copy is read, whatever its maker sent.
    """
    kept = {
        bytes(digest): path
        for digest, path in run.proxies.exclude(path="").values_list("digest", "path")
    }
    named = StepFile.objects.filter(
        step__run=run, proxy_digest__isnull=False
    ).values_list("digest", "proxy_digest")
    found = {
        bytes(file): (bytes(copy), kept[bytes(copy)])
        for file, copy in named
        if copy and bytes(copy) in kept
    }
    ours = asset.renditions.filter(kind=Rendition.Kind.PROXY).first()
    if ours is not None:
        found[bytes(asset.uploaded_digest)] = (bytes(ours.digest), ours.path)
    return found


def _geometry(run: Run) -> dict[int, Geometry]:
    """What steps tell of their geometry, as far as it was opened to the site."""
    rows = Disclosure.objects.filter(step__run=run, field=f"parameters/{PARAMETER}")
    found = {}
    for at, value in rows.values_list("step__position", "value"):
        try:
            found[at] = read_geometry(value)
        except InputError:
            continue  # then the geometry is searched for, like one that nobody told
    return found
