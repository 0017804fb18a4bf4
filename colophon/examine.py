"""Examine one uploaded picture in one go: digests, credential, fingerprints, copies.

One call from the server, one job in the child process, one decode of the picture.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from colophon import child as children
from colophon import (
    containers,
    credential,
    credential_judge,
    credential_read,
    fingerprints,
    pictures,
)
from colophon.errors import InputError
from colophon.findings import findings

EXAMINE_SECONDS = 60.0
VERSION = "examine-v1"


def examine(
    path: Path | str,
    out_dir: Path | str,
    trust_anchors: list[str],
    tsa_anchors: list[str],
    *,
    child: children.Worker | None = None,
    timeout: float = EXAMINE_SECONDS,
) -> dict[str, Any]:
    """Examine an uploaded picture and write its copies.

    Args:
        path: the upload; read, never changed.
        out_dir: gets preview.jpg (at most 1600 pixels), thumbnail.jpg (400) and
            proxy.jpg (512, quality 95, 4:4:4), made of pixels alone.
        trust_anchors: PEM texts for claim signers.
        tsa_anchors: PEM texts for time-stamps.
        child: the process to work in; a shared one when absent.
        timeout: wall seconds.

    Returns:
        `version`, `file` {name, bytes, sha256, mime}, `width`, `height` (upright),
        `transparent`, `pixels` {rule, sha256}, `inspection` (the published view),
        `credential` (Detail as a dict, plus `intact`), `pdq` or None, `iscc`,
        `iscc_turned`,
        `preview`, `thumbnail`, `proxy` (paths), `metadata`, `tail_bytes`.

    Raises:
        InputError: the file is refused; the message says why and what to do.
        CouldNotCheck: the child died or ran out of time.
    """
    source, folder = Path(path).resolve(), Path(out_dir).resolve()
    if not source.is_file():
        raise InputError(f"{path} is not a file", "file")
    folder.mkdir(parents=True, exist_ok=True)
    params = {
        "path": str(source),
        "out_dir": str(folder),
        "trust_anchors": trust_anchors,
        "tsa_anchors": tsa_anchors,
    }
    worker = child or children.default()
    found: dict[str, Any] = worker.call(
        "colophon.examine:examine_here", params, timeout
    )
    return found


def prints(path: Path | str, *, timeout: float = EXAMINE_SECONDS) -> dict[str, Any]:
    """Make a picture's prints anew, in the child process.

    Returns:
        `pdq` or None, `iscc`, `iscc_turned`.

    Raises:
        InputError: the file is refused.
        CouldNotCheck: the child died or ran out of time.
    """
    params = {"path": str(Path(path).resolve())}
    found: dict[str, Any] = children.default().call(
        "colophon.examine:prints_here", params, timeout
    )
    return found


def prints_here(path: str) -> dict[str, Any]:
    """Do the work of `prints` in this process: the child's side."""
    image = pictures.decode(pictures.check(Path(path)))
    return _prints(pictures.reduction(image))


def _prints(small: Any) -> dict[str, Any]:
    return {
        "pdq": fingerprints.pdq(small),
        "iscc": fingerprints.iscc(small),
        "iscc_turned": fingerprints.iscc_turned(small),
    }


def examine_here(
    path: str, out_dir: str, trust_anchors: list[str], tsa_anchors: list[str]
) -> dict[str, Any]:
    """Do the work of `examine` in this process: the child's side."""
    source, folder = Path(path), Path(out_dir)
    checked = pictures.check(source)
    facts = credential.FileFacts(
        source.name,
        len(checked.data),
        hashlib.sha256(checked.data).hexdigest(),
        checked.mime,
    )
    seen = credential_read.read(path, trust_anchors, tsa_anchors)
    inspection = credential_judge.judge(seen, facts)
    image = pictures.decode(checked)
    parts = containers.parts_of(checked.data, checked.mime)
    return {
        "version": VERSION,
        "file": inspection.to_json()["file"],
        "width": image.width,
        "height": image.height,
        "transparent": image.mode == "RGBA",
        "pixels": {
            "rule": pictures.DIGEST_RULE,
            "sha256": pictures.pixel_digest(image),
        },
        "inspection": inspection.to_json(),
        "credential": vars(inspection.detail) | {"intact": inspection.intact},
        "metadata": findings(checked.data, checked.mime, parts),
        "tail_bytes": checked.tail_bytes,
        **_copies(image, folder),
    }


def _copies(image: Any, folder: Path) -> dict[str, Any]:
    """Write the renditions and compute the fingerprints from one reduction."""
    flat = pictures.opaque(image)
    middle = pictures.reduced(flat, pictures.PREVIEW_SIDE)
    # The reduction that fingerprints name: never by another way than this.
    small = pictures.reduced(middle, pictures.PROXY_SIDE)
    shown = pictures.opaque(middle, image.info.get("icc_profile"))
    thumbnail = pictures.reduced(shown, pictures.THUMBNAIL_SIDE)
    quality = pictures.PREVIEW_QUALITY
    written = {
        "preview": pictures.jpeg(shown, quality=quality),
        "thumbnail": pictures.jpeg(thumbnail, quality=quality),
        "proxy": pictures.jpeg(small, quality=pictures.PROXY_QUALITY, full_color=True),
    }
    paths = {}
    for name, data in written.items():
        place = folder / f"{name}.jpg"
        place.write_bytes(data)
        paths[name] = str(place)
    return {**_prints(small), **paths}
