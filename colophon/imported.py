"""Turn the settings that a generator left in a PNG into a claimed step.

ComfyUI writes `prompt` and `workflow` (JSON), AUTOMATIC1111 and its relatives
`parameters` (text). Anyone can write such chunks: what is made of them is a claim, says
so, has no ticket and is no evidence of time. Everything is bounded before it is read.

Source: W3C PNG third edition, section 11.3.3 (tEXt, zTXt, iTXt).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from colophon import a1111, comfyui
from colophon.acts import Tool
from colophon.claimed import Settings
from colophon.containers import png_parts
from colophon.digest import sha256
from colophon.drafts import Draft
from colophon.errors import InputError
from colophon.origin import IPTC

MAX_FILE = 50 * 1024 * 1024
MAX_TEXT = 1024 * 1024
MAX_KEYWORD = 79
PARAMETERS, PROMPT, WORKFLOW = "parameters", "prompt", "workflow"
KEYWORDS = (PARAMETERS, PROMPT, WORKFLOW)
ITXT_PARTS = 3  # language, translated keyword, text
DEFLATE = 0  # the one method of compression there is
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


def claimed_step(path: Path) -> tuple[Draft, dict[str, Any]]:
    """The step that a picture claims for itself.

    Returns:
        The draft, with the file as its output, and the arguments of `Recording.keep`
        beside it: action, source type, kind and tool.

    Raises:
        InputError: no PNG, too large, or no settings that can be read; it says why.
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    if not path.is_file():
        raise InputError("is no file", "file")
    if size > MAX_FILE:
        raise InputError(f"has {size:,} bytes; at most {MAX_FILE:,} are read", "file")
    data = path.read_bytes()
    keyword, text, found = settings(data)
    draft = Draft(strict=True)
    draft.output(data, name=path.name)
    if len(found.prompts) == 1:
        draft.prompt(found.prompts[0])
    elif found.prompts:
        draft.parameters(prompts=list(found.prompts))
    draft.parameters(**found.parameters)
    # Whoever has the file can show later that the claim is all of it, unchanged.
    draft.parameters(settings_sha256=sha256(text.encode()).hex(), settings_in=keyword)
    draft.note(
        f"Claimed, not seen: imported from the {found.generator} settings in the file."
    )
    term = "trainedAlgorithmicMedia"
    if found.begins_elsewhere:
        term = "compositeWithTrainedAlgorithmicMedia"
    return draft, {
        "action": "c2pa.created",
        "source_type": IPTC + term,
        "kind": "agent",
        "tool": Tool(f"{found.generator} (imported)", found.version or "unknown"),
    }


def settings(data: bytes) -> tuple[str, str, Settings]:
    """Keyword and text of the chunk that tells most, and what it says.

    Raises:
        InputError: no PNG, no such chunk, or one that cannot be read.
    """
    texts = dict(_texts(data))
    if PROMPT in texts:
        keyword = PROMPT
    elif WORKFLOW in texts:
        keyword = WORKFLOW
    elif PARAMETERS in texts:
        text = texts[PARAMETERS]
        return PARAMETERS, text, a1111.read(text)
    else:
        raise InputError("has no settings of ComfyUI or AUTOMATIC1111", "file")
    found = comfyui.read(texts[keyword], keyword, max_bytes=MAX_TEXT)
    return keyword, texts[keyword], found


def _texts(data: bytes) -> Iterator[tuple[str, str]]:
    """The chunks that may hold settings; no other one is unpacked."""
    seen: set[str] = set()
    for part in png_parts(data):
        if part.kind not in _TEXTS:
            continue
        body = data[part.body : part.end - 4]
        name, ended, rest = body[: MAX_KEYWORD + 1].partition(b"\0")
        keyword = name.decode("latin-1")
        if not ended or keyword not in KEYWORDS:
            continue
        if keyword in seen:
            raise InputError("is there twice; which one counts is unclear", keyword)
        seen.add(keyword)
        rest = body[len(name) + 1 :]
        yield keyword, _text(bytes(part.kind), rest, keyword)


def _text(kind: bytes, rest: bytes, keyword: str) -> str:
    """The text of a chunk, behind its keyword."""
    if kind == b"tEXt":
        return _decoded(_bounded(rest, keyword), keyword, latin=True)
    if kind == b"zTXt":
        packed = _packed(rest[:1], rest[1:], keyword)
        return _decoded(packed, keyword, latin=True)
    flag, method = rest[:1], rest[1:2]
    parts = rest[2:].split(b"\0", ITXT_PARTS - 1)
    if flag not in {b"\0", b"\1"} or len(parts) < ITXT_PARTS:
        raise InputError("is a damaged iTXt chunk", keyword)
    if flag == b"\1":
        return _decoded(_packed(method, parts[2], keyword), keyword)
    return _decoded(_bounded(parts[2], keyword), keyword)


def _packed(method: bytes, packed: bytes, keyword: str) -> bytes:
    """Unpack a text; one that would become too large is never made."""
    if method != bytes([DEFLATE]):
        raise InputError("is compressed in an unknown way", keyword)
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, MAX_TEXT + 1)
    except zlib.error as error:
        raise InputError("is compressed and damaged", keyword) from error
    if len(text) <= MAX_TEXT and not unpacker.eof:
        raise InputError("is compressed and cut off", keyword)
    return _bounded(text, keyword)


def _bounded(text: bytes, keyword: str) -> bytes:
    if len(text) > MAX_TEXT:
        raise InputError(f"is over {MAX_TEXT:,} bytes; not read", keyword)
    return text


def _decoded(text: bytes, keyword: str, *, latin: bool = False) -> str:
    """UTF-8; where PNG says Latin-1, that too, for words and never for JSON.

    Many tools write UTF-8 into tEXt, and Latin-1 is hardly ever UTF-8 by accident.
    """
    try:
        found = text.decode("utf-8")
    except UnicodeDecodeError as error:
        if not latin or keyword != PARAMETERS:
            raise InputError("is not UTF-8", keyword) from error
        found = text.decode("latin-1")
    if "\0" in found:
        raise InputError("contains U+0000", keyword)
    return found
