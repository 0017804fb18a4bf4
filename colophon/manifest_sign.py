"""Sign one file's credential. Runs inside a child process, never outside.

The child parses the file and its older credentials, and may reach the network for
the time-stamp alone. It never holds the key: each signature is asked for.

Source: c2pa-python 0.38.1, as measured.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from colophon import child_main, pictures, xmp
from colophon.credential_read import CLAIM_LIST, TSA_LIST, locked
from colophon.errors import CouldNotCheck, InputError
from colophon.formats import JPEG
from colophon.sniff import HEAD_BYTES, sniff
from colophon.strip import strip_metadata

OPENED = "c2pa.opened"
PARENT = "parent"
THUMBNAIL = "thumbnail.jpg"
THUMBNAIL_SIDE = 256
THUMBNAIL_QUALITY = 80


def sign(
    *,
    src: str,
    dst: str,
    mime: str,
    definition: dict[str, Any],
    reopened: dict[str, Any],
    rights: dict[str, Any] | None,
    parent: str | None,
    files: dict[str, str],
    thumbnail: str | None,
    chain_pem: str,
    tsa_url: str | None,
    trust_anchors: list[str],
    tsa_anchors: list[str],
    strip: bool,
) -> dict[str, Any]:
    """Do the work of `manifest.sign_file`; parameters as it passes them."""
    import c2pa

    source = Path(src)
    known = has_credential(source)
    if known and parent and Path(parent).resolve() != source:
        raise InputError(
            "the file already has a credential, so it is its own parent", "parent"
        )
    begins = definition["assertions"][0]["data"]["actions"][0]["action"]
    origin = parent or (src if known or begins == OPENED else None)
    chosen = reopened if origin else definition
    data = source.read_bytes()
    if (found := sniff(data[:HEAD_BYTES])) != mime:
        raise InputError(f"the file is {found}, not {mime}", "mime")
    if strip:
        data = strip_metadata(data, mime)
    if rights:
        data = xmp.write_rights(data, mime, _rights(rights))
    lists = (("manifest", CLAIM_LIST, trust_anchors), ("tsa", TSA_LIST, tsa_anchors))
    try:
        builder = _builder(locked(*lists), chosen, origin, files, thumbnail)
        signer = c2pa.Signer.from_callback(
            _ask, c2pa.C2paSigningAlg.ES256, chain_pem, tsa_url
        )
        with Path(dst).open("w+b") as out:
            manifest = builder.sign(signer, mime, io.BytesIO(data), out)
    except c2pa.C2paError as error:
        raise CouldNotCheck("signing", str(error)[:300]) from error
    return {"manifest_bytes": len(manifest), "kept_history": known}


def has_credential(path: Path) -> bool:
    """Tell whether a file carries or names a credential, intact or not."""
    import c2pa

    context = c2pa.Context.from_dict(locked())
    try:
        with path.open("rb") as stream:
            return c2pa.Reader.try_create(None, stream, None, context) is not None
    except c2pa.C2paError:
        return True


def _builder(
    settings: dict[str, Any],
    definition: dict[str, Any],
    origin: str | None,
    files: dict[str, str],
    thumbnail: str | None,
) -> Any:
    import c2pa

    file_ingredients = definition.pop("file_ingredients")
    context = c2pa.Context.from_dict(
        {**settings, "builder": {"thumbnail": {"enabled": False}}}
    )
    if thumbnail:
        definition["thumbnail"] = {"format": JPEG, "identifier": THUMBNAIL}
    builder = c2pa.Builder(definition, context)
    if thumbnail:
        builder.add_resource(THUMBNAIL, io.BytesIO(_thumbnail(Path(thumbnail))))
    if origin:
        place = Path(origin)
        about = {"title": definition["title"], "relationship": "parentOf"}
        _add(builder, {**about, "label": PARENT}, place)
    for label, path in files.items():
        _add(builder, file_ingredients[label], Path(path))
    return builder


def _thumbnail(path: Path) -> bytes:
    """Reduce a picture to the thumbnail that goes into the credential."""
    image = pictures.opaque(pictures.decode(pictures.check(path)))
    small = pictures.reduced(image, THUMBNAIL_SIDE)
    return pictures.jpeg(small, quality=THUMBNAIL_QUALITY)


def _add(builder: Any, about: dict[str, Any], path: Path) -> None:
    with path.open("rb") as stream:
        kind = sniff(stream.read(HEAD_BYTES), path.name)
        stream.seek(0)
        builder.add_ingredient(about, kind, stream)


def _rights(fields: dict[str, Any]) -> xmp.Rights:
    return xmp.Rights(**{**fields, "creators": tuple(fields["creators"])})


def _ask(data: bytes) -> bytes:
    question = {"sign": base64.b64encode(data).decode()}
    return base64.b64decode(child_main.ask(question))
