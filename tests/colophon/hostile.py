"""Hostile files, made on the fly: bombs, cut-off files, polyglots, misnamed files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from colophon.containers import PNG_MAGIC, png_chunk


def png_header(width: int, height: int, *, depth: int = 8, color: int = 2) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return PNG_MAGIC + png_chunk(b"IHDR", body)


def flood(width: int, height: int) -> bytes:
    """A PNG that swells to its stated size from a few kilobytes."""
    packer = zlib.compressobj(9)
    row = b"\0" + bytes(3 * width)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return png_header(width, height) + png_chunk(b"IDAT", packed) + end()


def end() -> bytes:
    return png_chunk(b"IEND", b"")


def picture(kind: str, size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert("RGB").save(out, kind)
    return out.getvalue()


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG whose frame header lies about its size."""
    data = bytearray(picture("JPEG"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def text_bomb() -> bytes:
    """A PNG whose text swells to 256 MiB."""
    packed = zlib.compress(bytes(256 << 20), 9)
    body = b"Comment\0\0" + packed
    good = picture("PNG")
    cut = good.index(b"IDAT") - 4
    return good[:cut] + png_chunk(b"zTXt", body) + good[cut:]


def too_few_pixels() -> bytes:
    packed = zlib.compress(bytes(100))
    return png_header(64, 64) + png_chunk(b"IDAT", packed) + end()


def animated() -> bytes:
    good = picture("PNG")
    cut = good.index(b"IDAT") - 4
    return good[:cut] + png_chunk(b"acTL", struct.pack(">II", 60, 0)) + good[cut:]


def frames(kind: str) -> bytes:
    """A moving picture."""
    out = io.BytesIO()
    images = [Image.new("RGB", (64, 64), (90 * n, 9, 9)) for n in range(3)]
    images[0].save(out, kind, save_all=True, append_images=images[1:])
    return out.getvalue()


def avif_data() -> int:
    """Where the coded data of our AVIF begins."""
    return picture("AVIF").index(b"mdat")


def avif_with(kind: bytes, place: int, *words: int) -> bytes:
    """An AVIF with other words in a box, so many bytes behind its type and flags."""
    data = bytearray(picture("AVIF"))
    at = data.index(kind) + 4 + place
    new = struct.pack(f">{len(words)}I", *words)
    data[at : at + len(new)] = new
    return bytes(data)


def gif_of_size(
    width: int, height: int, screen: tuple[int, int] | None = None
) -> bytes:
    """A GIF whose frame lies about its size."""
    data = bytearray(picture("GIF"))
    at = data.index(b",\0\0\0\0") + 5
    data[at : at + 4] = struct.pack("<HH", width, height)
    data[6:10] = struct.pack("<HH", *(screen or (width, height)))
    return bytes(data)


def gif_with(words: bytes) -> bytes:
    """A GIF with a block for an application that nobody knows."""
    data = picture("GIF")
    block = b"!\xff\x0bUNKNOWN1.00" + bytes([len(words)]) + words + b"\0"
    return data[:-1] + block + data[-1:]


def saved_tiff(mode: str, **options: str) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").convert(mode).save(out, "TIFF", **options)
    return out.getvalue()


def tiff_with(changes: dict[int, int | None], count: int = 1) -> bytes:
    """A TIFF with other values of some tags; None takes a tag away."""
    data = bytearray(picture("TIFF"))
    place = struct.unpack_from("<I", data, 4)[0]
    for index in range(struct.unpack_from("<H", data, place)[0]):
        at = place + 2 + 12 * index
        tag = struct.unpack_from("<H", data, at)[0]
        if tag not in changes:
            continue
        value = changes[tag]
        if value is None:
            struct.pack_into("<H", data, at, 60_000)
        else:
            struct.pack_into("<HII", data, at + 2, 4, count, value)
    return bytes(data)


def tiff_of_side(side: int) -> bytes:
    return tiff_with({256: side, 257: side, 278: side})


def tiff_around(words: bytes) -> bytes:
    """A TIFF with something that nothing points to, before its directory."""
    data = picture("TIFF")
    place, count = (8, struct.unpack_from("<H", data, 8)[0])
    table = data[place : place + 2 + 12 * count + 4]
    head = data[:4] + struct.pack("<I", len(data) + len(words))
    return head + data[8:] + words + table


def avif_frame(width: int, height: int) -> bytes:
    """An AVIF whose coded data begins with a frame of this size."""
    bits = "00011" + "00000" + "1111" * 2 + f"{width - 1:016b}{height - 1:016b}"
    data = bytearray(picture("AVIF"))
    at = avif_data() + 8  # behind a delimiter of two bytes, the header's own two
    length = data[at - 1]
    data[at : at + length] = int(bits.ljust(8 * length, "0"), 2).to_bytes(length)
    return bytes(data)


def avif_of_size(width: int, height: int) -> bytes:
    """An AVIF that states a large size everywhere."""
    data = bytearray(avif_frame(width, height))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def padded_zip() -> bytes:
    body = zip_tail()
    return struct.pack(">I", len(body) + 8) + b"free" + body


def webp_zip() -> bytes:
    body = zip_tail()
    return b"JUNK" + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def webp_of_size(width: int, height: int) -> bytes:
    """A WebP whose bitstream lies about its size."""
    data = bytearray(picture("WEBP"))
    place = data.index(b"\x9d\x01\x2a") + 3
    data[place : place + 4] = struct.pack("<HH", width, height)
    return bytes(data)


def webp_with(*chunks: bytes) -> bytes:
    """A WebP with more chunks, in front of its own."""
    body = b"".join(chunks) + picture("WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_canvas(width: int, height: int, flags: int = 0) -> bytes:
    """The extended header of a WebP."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X" + struct.pack("<IB", 10, flags) + bytes(3) + sides


def broken_checksum() -> bytes:
    good = bytearray(picture("PNG"))
    good[good.index(b"IDAT") + 10] ^= 1
    return bytes(good)


def two_sizes() -> bytes:
    """A PNG with two headers."""
    good = picture("PNG")
    return good[:33] + png_chunk(b"IHDR", good[16:29]) + good[33:]


def zip_tail() -> bytes:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("payload.txt", "hello")
    return out.getvalue()


# Name, bytes, and words that the refusal must hold.
HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("pixel flood", lambda: flood(7_100, 7_100), "pixels; the most"),
    ("flood by header alone", lambda: png_header(60_000, 60_000) + end(), "a side"),
    ("side too long", lambda: flood(17_000, 1), "a side has at most"),
    ("tall jpeg", lambda: jpeg_of_size(1, 65_000), "a side has at most"),
    ("huge jpeg", lambda: jpeg_of_size(16_000, 16_000), "pixels; the most"),
    ("zero size", lambda: png_header(0, 5) + end(), "zero"),
    ("negative size", lambda: png_header(0xFFFFFFFF, 1) + end(), "a side"),
    ("no size", lambda: PNG_MAGIC + end(), "states no size"),
    ("two headers", two_sizes, "more than one size"),
    ("cut-off jpeg", lambda: picture("JPEG")[:-200], "cut off"),
    ("cut-off png", lambda: picture("PNG")[:-30], "cut off"),
    ("half a png", lambda: picture("PNG")[:60] + end(), "cut off"),
    ("no pixels", lambda: png_header(8, 8) + end(), "damaged"),
    (
        "wrong pixels",
        lambda: png_header(8, 8) + png_chunk(b"IDAT", b"x") + end(),
        "damag",
    ),
    ("too few pixels", too_few_pixels, "damaged"),
    ("broken checksum", broken_checksum, "damaged"),
    ("unknown color", lambda: png_header(8, 8, color=5) + end(), "damaged"),
    ("only a magic", lambda: b"\xff\xd8\xff", "cut off"),
    ("magic and junk", lambda: b"\xff\xd8\xff\xe0" + b"junk" * 500, "cut off"),
    ("endless segment", lambda: b"\xff\xd8\xff\xe0\xff\xff" + bytes(9), "cut off"),
    ("segment of no length", lambda: b"\xff\xd8\xff\xe0\0\0" + bytes(9), "cut off"),
    ("animated png", animated, "animated"),
    ("animated gif", lambda: frames("GIF"), "animated"),
    ("huge gif", lambda: gif_of_size(60_000, 60_000), "a side has at most"),
    ("gif of no size", lambda: gif_of_size(0, 64), "zero"),
    ("gif with a border", lambda: gif_of_size(64, 64, (65, 64)), "fill its frame"),
    ("cut-off gif", lambda: picture("GIF")[:-20], "cut off"),
    ("gif without a frame", lambda: b"GIF89a" + bytes(7) + b";", "states no size"),
    ("half a gif", lambda: picture("GIF")[:-200] + b"\0;", "damaged"),
    ("gif with zip", lambda: picture("GIF") + zip_tail(), "behind the picture"),
    ("gif with script", lambda: gif_with(b"<script>"), "behind the picture"),
    ("animated webp", lambda: frames("WEBP"), "animated"),
    ("animation flag", lambda: webp_with(webp_canvas(64, 64, 2)), "animated"),
    ("huge webp", lambda: webp_of_size(16_000, 16_000), "pixels; the most"),
    ("webp of no size", lambda: webp_of_size(0, 64), "zero"),
    ("huge canvas", lambda: webp_with(webp_canvas(60_000, 9)), "more than one size"),
    ("two webp in one", lambda: webp_with(picture("WEBP")[12:]), "more than one"),
    ("webp without a picture", lambda: webp_with()[:12] + b"JUNK" + bytes(4), "cut"),
    ("cut-off webp", lambda: picture("WEBP")[:-20], "cut off"),
    ("endless chunk", lambda: webp_with(b"JUNK\xff\xff\xff\xff"), "cut off"),
    ("webp with zip", lambda: picture("WEBP") + zip_tail(), "behind the picture"),
    ("webp with script", lambda: picture("WEBP") + b"<script>", "behind the picture"),
    ("animated avif", lambda: frames("AVIF"), "animated"),
    ("huge avif", lambda: avif_of_size(16_000, 16_000), "pixels; the most"),
    ("wide avif", lambda: avif_of_size(60_000, 1), "a side has at most"),
    ("huge frame in avif", lambda: avif_frame(16_000, 16_000), "more than one size"),
    ("smaller than said", lambda: avif_with(b"ispe", 4, 65, 64), "more than one size"),
    ("avif of no size", lambda: avif_with(b"ispe", 4, 0, 64), "more than one size"),
    ("avif without a size", lambda: avif_with(b"ispe", -4, 0x6E6F6E65), "more than"),
    ("cut-off avif", lambda: picture("AVIF")[:-20], "cut off"),
    ("avif without data", lambda: picture("AVIF")[: avif_data() - 4], "cut off"),
    ("avif data elsewhere", lambda: avif_with(b"iloc", 14, 0x7FFFFFFF), "cut off"),
    ("avif of many pieces", lambda: avif_with(b"iloc", 10, 0xFFFF0001), "in pieces"),
    ("avif with zip", lambda: picture("AVIF") + zip_tail(), "behind the picture"),
    ("avif with padded zip", lambda: picture("AVIF") + padded_zip(), "behind the"),
    ("avif with script", lambda: picture("AVIF") + b"<script>", "behind the picture"),
    ("heic", lambda: b"\0\0\0\x18ftypheic" + bytes(12), "image/heic"),
    ("webp with packed zip", lambda: webp_with(webp_zip()), "behind the picture"),
    ("wav", lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(28), "audio/wav"),
    ("tiff of two pages", lambda: frames("TIFF"), "several pictures"),
    (
        "huge tiff",
        lambda: tiff_with({256: 16_000, 257: 16_000, 278: 16_000}),
        "pixels; the most",
    ),
    ("wide tiff", lambda: tiff_with({256: 60_000}), "a side has at most"),
    ("tiff of no size", lambda: tiff_with({256: 0}), "zero"),
    ("tiff without its size", lambda: tiff_with({256: None}), "states no size"),
    ("tiff of another size", lambda: tiff_with({257: 128}), "damaged"),
    ("tiff of odd samples", lambda: tiff_with({262: 8}), "must hold gray, RGB"),
    ("tiff of fractions", lambda: saved_tiff("F"), "must hold gray, RGB"),
    ("tiff of missing strips", lambda: tiff_with({278: 9}), "damaged"),
    (
        "tiff of many strips",
        lambda: tiff_with({273: 1 << 30}, count=1 << 20),
        "cut off",
    ),
    ("tiff by fax", lambda: saved_tiff("1", compression="group4"), "may be packed"),
    ("cut-off tiff", lambda: picture("TIFF")[:-20], "cut off"),
    ("tiff without data", lambda: tiff_with({273: None}), "cut off"),
    ("tiff data elsewhere", lambda: tiff_with({273: 0x7FFFFFFF}), "cut off"),
    ("directory elsewhere", lambda: b"II*\0\xff\xff\xff\x7f", "cut off"),
    ("directory in the head", lambda: b"II*\0\0\0\0\0" + bytes(90), "cut off"),
    ("tiff with zip", lambda: picture("TIFF") + zip_tail(), "behind the picture"),
    ("tiff with script", lambda: picture("TIFF") + b"<script>", "behind the picture"),
    ("tiff around a zip", lambda: tiff_around(zip_tail()), "behind the picture"),
    ("bmp", lambda: picture("BMP"), "image/bmp"),
    ("pdf", lambda: b"%PDF-1.7\n%junk", "application/pdf"),
    ("zip", zip_tail, "application/zip"),
    ("svg", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    ("html", lambda: b"<!DOCTYPE html><script>alert(1)</script>", "text/html"),
    ("program", lambda: b"\x7fELF" + bytes(100), "executable"),
    ("script", lambda: b"#!/bin/sh\necho", "none of these"),
    ("empty", lambda: b"", "none of these"),
    ("zeros", lambda: bytes(1000), "none of these"),
    ("jpeg with zip", lambda: picture("JPEG") + zip_tail(), "behind the picture"),
    ("png with zip", lambda: picture("PNG") + zip_tail(), "behind the picture"),
    ("jpeg with html", lambda: picture("JPEG") + b"<HTML><b>", "behind the picture"),
    ("png with script", lambda: picture("PNG") + b"\n<sCript>", "behind the picture"),
    ("jpeg with pdf", lambda: picture("JPEG") + b"%PDF-1.4", "behind the picture"),
    ("jpeg with program", lambda: picture("JPEG") + b"MZ" + bytes(64), "behind"),
    ("pdf before jpeg", lambda: b"%PDF-1.4\n" + picture("JPEG"), "application/pdf"),
]
