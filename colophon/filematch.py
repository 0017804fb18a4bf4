"""The file in hand against the seal and its credential: checks 1 to 3.

The sealed file is the asset; the upload, a buyer's copy and a file with the same
pixels are tied to it by record. A file that only looks alike is never a match here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from colophon.checks import Checklist, Code
from colophon.credential import Inspection
from colophon.credential_codes import is_hard, meaning
from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.fields import Fields
from colophon.manifest import LOG_LABEL
from colophon.origin import IPTC, has_ai
from colophon.records import Delivery, Seal
from colophon.statement import Json

SEALED, UPLOADED, DELIVERY, PIXELS, NONE = (
    "sealed",
    "uploaded",
    "delivery",
    "pixels",
    "none",
)
STATES = ("trusted", "valid", "invalid", "none", "remote", "error")
_CAPTURES = frozenset({IPTC + "digitalCapture", IPTC + "computationalCapture"})
_EXPIRED = "signingCredential.expired"


@dataclass(frozen=True)
class FileDigests:
    """What identifies the file in hand: its bytes, and its pixels when decoded."""

    sha256: bytes
    pixels: bytes | None = None


@dataclass(frozen=True)
class CredentialFacts:
    """What the C2PA reader said of one file, in a form that a bundle can carry.

    Attributes:
        state: trusted, valid, invalid, none, remote or error.
        clean: no hard failure in it or in its history.
        expired: the signer's certificate ended and no time-stamp helps.
        failures: all failure codes.
        attributed: its actions are among the signer's own assertions.
        complete: it says that all actions are included.
        signature: SHA-256 of the claim signature, hex; "" when not read.
        binding: algorithm and hex hash of the hard binding.
        steps: step digests that its own assertion names, hex.
        captured: it goes back to a capture credential of another known signer.
    """

    state: str
    clean: bool = False
    expired: bool = False
    failures: tuple[str, ...] = ()
    attributed: bool = False
    complete: bool = False
    signer: str = ""
    signature: str = ""
    binding: tuple[str, str] = ("", "")
    steps: tuple[str, ...] | None = None
    source_types: tuple[str, ...] = ()
    origin: str = "UNKNOWN"
    captured: bool = False

    @classmethod
    def of(cls, seen: Inspection) -> CredentialFacts:
        """The facts of an inspection."""
        detail = seen.detail
        own = detail.assertions.get(LOG_LABEL)
        named = own.get("steps") if isinstance(own, dict) else None
        return cls(
            state=seen.state.lower(),
            clean=seen.intact,
            expired=_EXPIRED in seen.failures,
            failures=seen.failures,
            attributed=detail.actions_attributed,
            complete=detail.all_actions_included,
            signer=seen.organization or seen.common_name or "",
            signature=detail.signature_sha256,
            binding=(detail.hard_binding_alg, detail.hard_binding),
            steps=tuple(map(str, named)) if isinstance(named, list) else None,
            source_types=seen.source_types,
            origin=seen.origin,
            captured=_captured(seen),
        )

    def to_json(self) -> Json:
        """The member `credential.json`."""
        body = dict(vars(self))
        body["binding"] = {"alg": self.binding[0], "hash": self.binding[1]}
        body["steps"] = None if self.steps is None else list(self.steps)
        for key in ("failures", "source_types"):
            body[key] = list(body[key])
        return {"v": 1, **body}

    @classmethod
    def from_json(cls, value: Any) -> CredentialFacts:
        """Read the member.

        Raises:
            InputError: malformed; the field is named.
        """
        one = Fields(value, "credential")
        one.integer("v", 1, 1)
        binding = one.object("binding")
        found = cls(
            state=one.choice("state", STATES),
            clean=one.flag("clean"),
            expired=one.flag("expired"),
            failures=_texts(one, "failures"),
            attributed=one.flag("attributed"),
            complete=one.flag("complete"),
            signer=_text(one, "signer"),
            signature=_text(one, "signature"),
            binding=(_text(binding, "alg"), _text(binding, "hash")),
            steps=_texts(one, "steps") if one.has("steps") else None,
            source_types=_texts(one, "source_types"),
            origin=one.text("origin"),
            captured=one.flag("captured"),
        )
        binding.close()
        one.close()
        return found

    @property
    def digest(self) -> bytes:
        """What a verdict names when it rests on these facts."""
        return sha256(canonical(self.to_json()))

    @property
    def clean_but_expired(self) -> bool:
        """Nothing was changed; only the signer's certificate ran out."""
        return self.expired and not any(is_hard(code) for code in self.failures)

    @property
    def has_ai(self) -> bool:
        """Whether its source types name generative AI."""
        return has_ai(self.source_types)


def match(
    file: FileDigests, seal: Seal, deliveries: Iterable[Delivery], checks: Checklist
) -> str:
    """Check 1: which of the asset's files this is.

    Args:
        file: digests of the file in hand.
        seal: the seal of the asset.
        deliveries: records of buyers' copies, signed by the platform.
        checks: takes the result.
    """
    if file.sha256 == seal.file:
        checks.passed(1, "This is the sealed file, byte for byte.")
        return SEALED
    for one in deliveries:
        if one.delivered == file.sha256 and one.file == seal.file:
            words = f"This is a licensed copy of the sealed file ({one.license})."
            checks.passed(1, words)
            return DELIVERY
    if file.sha256 == seal.uploaded:
        checks.passed(1, "This is the file as it was uploaded, before it was sealed.")
        return UPLOADED
    if file.pixels is not None and file.pixels == seal.pixels:
        words = "The picture is the sealed one, pixel for pixel; the file around it is"
        checks.passed(1, f"{words} not, and what it says is not vouched for.")
        return PIXELS
    words = "This is not the file that the evidence is about."
    checks.failed(1, words, Code.MISMATCH, f"sha256 {file.sha256.hex()}")
    return NONE


def check_credential(
    found: CredentialFacts, kind: str, seal: Seal, checks: Checklist
) -> None:
    """Checks 2 and 3: the credential inside the file in hand."""
    if found.state in {"error", "remote"}:
        words = "The credential could not be read here."
        checks.skipped(2, words, Code.UNREADABLE)
        checks.skipped(3, words, Code.UNREADABLE)
        return
    if found.state == "none":
        words = "This copy carries no Content Credential."
        if kind == SEALED:
            checks.failed(2, "The sealed file has no Content Credential.")
        else:
            checks.skipped(2, words)
        checks.skipped(3, words)
        return
    _check_intact(found, kind, seal, checks)
    _check_signer(found, checks)


def _check_intact(
    found: CredentialFacts, kind: str, seal: Seal, checks: Checklist
) -> None:
    """Check 2: intact, and the very credential that the seal names."""
    hard = [code for code in found.failures if is_hard(code)]
    if hard or not found.clean:
        words = meaning(hard[0]).words if hard else "The credential does not hold."
        if found.expired and not hard:
            checks.failed(2, meaning(_EXPIRED).words, Code.EXPIRED)
        elif kind == UPLOADED:
            checks.skipped(2, "Its credential was broken when it was uploaded.")
        else:
            checks.failed(2, words, Code.MISMATCH, *hard)
    elif kind == SEALED and (odd := _not_sealed(found, seal)):
        checks.failed(2, odd)
    else:
        checks.passed(2, "Its Content Credential is intact.")


def _not_sealed(found: CredentialFacts, seal: Seal) -> str:
    """What about the credential is not as the seal says; "" when all is."""
    algorithm, binding = seal.hard_binding
    if found.signature != seal.claim_signature.hex():
        return "The credential is not the one that was sealed."
    if found.binding != (algorithm, binding.hex()):
        return "The credential is bound to other content than the seal says."
    steps = tuple(one.hex() for one in seal.steps)
    if found.steps is not None and found.steps != steps:
        return "The credential names other steps than the seal."
    return ""


def _check_signer(found: CredentialFacts, checks: Checklist) -> None:
    """Check 3: is the C2PA signer on a list of the trust file."""
    who = found.signer or "an unnamed signer"
    if found.state == "trusted":
        checks.passed(3, f"Its signer, {who}, is on your trust list.")
    elif found.state == "valid":
        words = f"Its signer, {who}, is not on your trust list."
        checks.failed(3, words, Code.UNKNOWN_SIGNER)
    else:
        checks.skipped(3, "The credential does not hold, so its signer means nothing.")


def _captured(seen: Inspection) -> bool:
    """Whether the history goes back to a capture that somebody else vouches for.

    The first manifest of the history must record a capture, no signer on the way
    may be unknown, and it must not be the one who signed last: a platform's own
    signature under a declared capture proves nothing.
    """
    if seen.state != "Trusted" or seen.delta_failures or seen.recorded_failures:
        return False
    by_label = {str(one.get("label")): one for one in seen.manifests}
    at, line = str(seen.detail.active_manifest), []
    while at in by_label and at not in line:
        line.append(at)
        parents = [
            str(one.get("manifest"))
            for one in by_label[at].get("ingredients", [])
            if one.get("relationship") == "parentOf"
        ]
        at = parents[0] if len(parents) == 1 else ""
    first = by_label.get(line[-1], {}) if len(line) > 1 else {}
    actions = first.get("actions") or [{}]
    captured = actions[0].get("action") == "c2pa.created"
    kind = str(actions[0].get("source_type")).replace("https://", "http://", 1)
    own = seen.organization
    return captured and kind in _CAPTURES and first.get("signer") not in {None, own}


def _text(one: Fields, key: str) -> str:
    value = one.raw(key)
    if not isinstance(value, str):
        raise InputError("is not text", one.at(key))
    return value


def _texts(one: Fields, key: str) -> tuple[str, ...]:
    items = one.items(key)
    if not all(isinstance(item, str) for item in items):
        raise InputError("is not a list of texts", one.at(key))
    return tuple(items)
