"""Serve the log as C2SP tlog-tiles: anyone can mirror and check all of it.

Tiles and bundles never change, so they may be kept for ever; a checkpoint must be
asked for each time, since witnesses cosign it later. Only what the newest checkpoint
covers is served.
"""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from colophon.errors import InputError
from colophon.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, parse_path
from log import tiles
from log.keys import log_keys
from log.models import Checkpoint

FOR_EVER = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
TOKEN = "application/timestamp-token"  # noqa: S105 - a media type


@require_safe
def checkpoint(_request: HttpRequest, size: int | None = None) -> HttpResponse:
    """The newest signed checkpoint, or the one of a size."""
    row = _newest() if size is None else Checkpoint.objects.filter(size=size).first()
    if row is None:
        raise Http404("The log has no such checkpoint.")
    return _answer(row.note.encode(), TEXT, ALWAYS_ASK)


@require_safe
def checkpoint_timestamp(_request: HttpRequest, size: int) -> HttpResponse:
    """The RFC 3161 token (DER) over a checkpoint's note text."""
    row = Checkpoint.objects.filter(size=size, timestamp__isnull=False).first()
    if row is None or row.timestamp is None:
        raise Http404("That checkpoint has no time-stamp.")
    return _answer(bytes(row.timestamp), TOKEN, FOR_EVER)


@require_safe
def tile(_request: HttpRequest, path: str) -> HttpResponse:
    """A tile of hashes or a bundle of entries, full or partial."""
    try:
        wanted, is_bundle = parse_path(f"tile/{path}")
    except InputError as error:
        raise Http404(f"Not a tile: {error}") from error
    newest = _newest()
    if newest is None or not _is_covered(wanted, newest.size):
        raise Http404("No checkpoint covers that tile.")
    data = tiles.load_bundle(wanted) if is_bundle else tiles.load(wanted)
    return _answer(data, BYTES, FOR_EVER)


@require_safe
def keys(_request: HttpRequest) -> HttpResponse:
    """The log's origin and its keys as C2SP verifier keys, the present one last."""
    listed = [{"vkey": key.vkey, "spki": key.public_spki.hex()} for key in log_keys()]
    answer = JsonResponse({"origin": settings.LOG_ORIGIN, "keys": listed})
    answer["Cache-Control"] = ALWAYS_ASK
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


def _newest() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


def _is_covered(wanted: Tile, size: int) -> bool:
    hashes = size >> (TILE_HEIGHT * wanted.level)
    return wanted.index * TILE_WIDTH + wanted.width <= hashes


def _answer(data: bytes, kind: str, caching: str) -> HttpResponse:
    answer = HttpResponse(data, content_type=kind)
    answer["Cache-Control"] = caching
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
