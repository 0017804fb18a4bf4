"""Records about one sealed file: the seal, what examination found, its standing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colophon.errors import InputError
from colophon.fields import Fields, format_time
from colophon.records.shape import (
    about_file,
    digests,
    label,
    only_subject,
    plain,
    sha,
)
from colophon.statement import (
    EXAMINATION_TYPE,
    SEAL_TYPE,
    STANDING_TYPE,
    Json,
    open_predicate,
)
from colophon.units import PPM

MAX_STEPS = 1_000
MAX_IDENTITIES = 8
STANDINGS = (
    "active",
    "pending",
    "contested",
    "suspended",
    "expired",
    "superseded",
)


@dataclass(frozen=True)
class Seal:
    """What was signed: made right after the credential was put into the file.

    Attributes:
        file: SHA-256 of the sealed file; it is the asset.
        uploaded: SHA-256 of the file as it was uploaded.
        hard_binding: algorithm and hash of the C2PA hard binding.
        claim_signature: SHA-256 of the C2PA claim signature.
        pixels: SHA-256 of the decoded pixels; None for what has none.
        steps: envelope digests of its steps, in order.
        run: the recorded run; None when its steps were written down afterwards.
        manifest: label of the active C2PA manifest.
        registrant: party that registered it.
        identities: what of the registrant was verified, such as ``email``.
        title, origin, creator: as declared and published.
    """

    asset: str
    file: bytes
    uploaded: bytes
    hard_binding: tuple[str, bytes]
    claim_signature: bytes
    pixels: bytes | None
    steps: tuple[bytes, ...]
    run: str | None
    manifest: str
    registrant: str
    identities: tuple[str, ...]
    title: str
    origin: str | None
    creator: str | None
    sealed_at: datetime


def seal(
    *,
    asset: str,
    file: bytes,
    uploaded: bytes,
    hard_binding: tuple[str, bytes],
    claim_signature: bytes,
    manifest: str,
    registrant: str,
    title: str,
    sealed_at: datetime,
    pixels: bytes | None = None,
    steps: Sequence[bytes] = (),
    run: str | None = None,
    identities: Sequence[str] = (),
    origin: str | None = None,
    creator: str | None = None,
) -> Json:
    """The seal statement, signed by the platform.

    Raises:
        InputError: names the field that is wrong.
    """
    algorithm, binding = hard_binding
    declared = {"title": title, "origin": origin, "creator": creator or None}
    predicate = {
        "asset": asset,
        "uploaded": sha(uploaded),
        "hard_binding": {"alg": algorithm, "hash": binding.hex()},
        "claim_signature": sha(claim_signature),
        "pixels": pixels and sha(pixels),
        "steps": [sha(one) for one in steps],
        "run": run,
        "manifest": manifest,
        "registrant": plain({"party": registrant, "verified": list(identities)}),
        "declared": plain(declared),
        "sealed_at": format_time(sealed_at),
    }
    made = about_file(asset, file, SEAL_TYPE, plain(predicate))
    parse_seal(made)
    return made


def parse_seal(value: Mapping[str, Any]) -> Seal:
    """Check a seal statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, SEAL_TYPE)
    declared, registrant = fields.object("declared"), fields.object("registrant")
    found = Seal(
        asset=fields.identifier("asset"),
        file=only_subject(value),
        uploaded=fields.sha256("uploaded"),
        hard_binding=_binding(fields.object("hard_binding")),
        claim_signature=fields.sha256("claim_signature"),
        pixels=fields.maybe_sha256("pixels"),
        steps=digests(fields, "steps", MAX_STEPS),
        run=fields.maybe_identifier("run"),
        manifest=fields.text("manifest"),
        registrant=registrant.identifier("party"),
        identities=_identities(registrant),
        title=declared.text("title", limit=160),
        origin=declared.maybe_text("origin"),
        creator=declared.maybe_text("creator", limit=120),
        sealed_at=fields.time("sealed_at"),
    )
    for one in (declared, registrant, fields):
        one.close()
    return found


@dataclass(frozen=True)
class Examination:
    """What the platform found when it compared a file with others and its steps.

    Attributes:
        methods: how it looked for look-alikes, such as ``pdq`` and ``iscc``.
        earlier_look_alikes: earlier works of others that look like it, not cleared.
        changes_examined: the steps were compared picture by picture.
        undeclared_changes: changes between two steps that no step declares.
        changed_ppm: (step digest, how much of the picture it changed).
    """

    asset: str
    file: bytes
    examined_at: datetime
    methods: tuple[str, ...]
    earlier_look_alikes: int
    changes_examined: bool
    undeclared_changes: int
    changed_ppm: tuple[tuple[bytes, int], ...]


def examination(
    *,
    asset: str,
    file: bytes,
    examined_at: datetime,
    methods: Sequence[str],
    earlier_look_alikes: int,
    undeclared_changes: int | None = None,
    changed_ppm: Sequence[tuple[bytes, int]] = (),
) -> Json:
    """The examination statement, signed by the platform.

    ``undeclared_changes`` is None when the steps could not be compared.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "asset": asset,
        "examined_at": format_time(examined_at),
        "methods": list(methods),
        "earlier_look_alikes": earlier_look_alikes,
        "undeclared_changes": undeclared_changes,
        "changed": [{"step": sha(step), "ppm": ppm} for step, ppm in changed_ppm],
    }
    made = about_file(asset, file, EXAMINATION_TYPE, plain(predicate))
    parse_examination(made)
    return made


def parse_examination(value: Mapping[str, Any]) -> Examination:
    """Check an examination statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, EXAMINATION_TYPE)
    compared = fields.has("undeclared_changes")
    found = Examination(
        asset=fields.identifier("asset"),
        file=only_subject(value),
        examined_at=fields.time("examined_at"),
        methods=_words(fields, "methods"),
        earlier_look_alikes=fields.integer("earlier_look_alikes"),
        changes_examined=compared,
        undeclared_changes=fields.integer("undeclared_changes") if compared else 0,
        changed_ppm=_changed(fields),
    )
    fields.close()
    return found


@dataclass(frozen=True)
class Standing:
    """A change of an asset's standing; the newest one counts."""

    asset: str
    file: bytes
    before: str
    after: str
    reason: str
    at: datetime


def standing(
    *, asset: str, file: bytes, before: str, after: str, reason: str, at: datetime
) -> Json:
    """The standing statement, signed by the platform.

    ``before`` equals ``after`` when the standing is only confirmed.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "asset": asset,
        "from": before,
        "to": after,
        "reason": reason,
        "at": format_time(at),
    }
    made = about_file(asset, file, STANDING_TYPE, predicate)
    parse_standing(made)
    return made


def parse_standing(value: Mapping[str, Any]) -> Standing:
    """Check a standing statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, STANDING_TYPE)
    found = Standing(
        fields.identifier("asset"),
        only_subject(value),
        fields.choice("from", STANDINGS),
        fields.choice("to", STANDINGS),
        label(fields, "reason"),
        fields.time("at"),
    )
    fields.close()
    return found


def _binding(fields: Fields) -> tuple[str, bytes]:
    """Algorithm and hash of the hard binding."""
    sizes = {"sha256": 32, "sha384": 48, "sha512": 64}
    algorithm = fields.choice("alg", tuple(sizes))
    binding = fields.hexadecimal("hash", sizes[algorithm])
    fields.close()
    return algorithm, binding


def _identities(fields: Fields) -> tuple[str, ...]:
    return _words(fields, "verified") if fields.has("verified") else ()


def _words(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of machine words without repetition."""
    items = fields.items(key, limit=MAX_IDENTITIES)
    inner = Fields({str(at): one for at, one in enumerate(items)}, fields.at(key))
    found = tuple(label(inner, str(at)) for at in range(len(items)))
    if len(set(found)) != len(found):
        raise InputError("repeats a word", fields.at(key))
    return found


def _changed(fields: Fields) -> tuple[tuple[bytes, int], ...]:
    """How much each step changed."""
    found = []
    for one in fields.objects("changed", limit=MAX_STEPS):
        found.append((one.sha256("step"), one.integer("ppm", 0, PPM)))
        one.close()
    return tuple(found)
