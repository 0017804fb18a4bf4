"""Pictures of strangers: refused before decoding, decoded alike, reduced bare."""

from __future__ import annotations

import io
import re
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from colophon import fingerprints, pictures
from colophon.child import Child
from colophon.containers import png_chunk
from colophon.errors import InputError
from colophon.sniff import sniff
from tests.colophon import hostile
from tests.colophon.conftest import MakePicture


def decoded(path: Path) -> Image.Image:
    return pictures.decode(pictures.check(path))


def digest(path: Path) -> str:
    return pictures.pixel_digest(decoded(path))


@pytest.mark.parametrize(
    ("make", "words"),
    [case[1:] for case in hostile.HOSTILE],
    ids=[case[0] for case in hostile.HOSTILE],
)
def test_a_hostile_file_is_refused_quickly_with_the_reason(
    tmp_path: Path, make: Callable[[], bytes], words: str
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(make())
    began = time.process_time()  # what others do on the machine is no matter here
    with pytest.raises(InputError, match=re.escape(words)) as refused:
        decoded(path)
    assert refused.value.field == "file"
    assert time.process_time() - began < 3


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.jpg"
    with path.open("wb") as out:
        out.truncate(pictures.MAX_BYTES + 1)
    with pytest.raises(InputError, match="50 MB"):
        pictures.check(path)


def test_swelling_text_in_a_png_stays_small(tmp_path: Path, reader: Child) -> None:
    path = tmp_path / "text.png"
    path.write_bytes(hostile.text_bomb())
    with pytest.raises(InputError):
        reader.call(
            "colophon.examine:examine_here",
            {
                "path": str(path),
                "out_dir": str(tmp_path),
                "trust_anchors": [],
                "tsa_anchors": [],
            },
        )
    status = Path(f"/proc/{reader.pid}/status").read_text()
    peak_kib = int(status.partition("VmHWM:")[2].split()[0])
    assert peak_kib < 300 * 1024


def test_a_tail_that_does_nothing_is_accepted_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    path.write_bytes(hostile.picture("JPEG") + bytes(100))
    assert pictures.check(path).tail_bytes == 100


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_decodes_to_rgb_or_rgba(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "work.png"
    gray = Image.radial_gradient("L").resize((40, 30))
    if mode == "I;16":
        wide = np.asarray(gray, dtype=np.uint16) * 257
        image = Image.fromarray(wide)
    else:
        image = gray.convert("RGB").convert(mode)
    image.save(path)
    found = decoded(path)
    assert found.size == (40, 30)
    assert found.mode == ("RGBA" if mode in {"LA", "RGBA"} else "RGB")
    if mode in {"L", "LA", "RGB", "RGBA", "I;16"}:
        same = np.asarray(found)[:, :, 0]
        assert np.array_equal(same, np.asarray(gray))


def test_sixteen_bit_color_keeps_its_high_byte(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    rows = b"\0" + b"".join(bytes([n, 200] * 3) for n in (10, 99, 250))
    path.write_bytes(
        hostile.png_header(3, 1, depth=16)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + hostile.end()
    )
    assert np.asarray(decoded(path))[0, :, 0].tolist() == [10, 99, 250]


def test_a_palette_with_transparency_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "palette.png"
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.save(path, transparency=0)
    found = decoded(path)
    assert found.mode == "RGBA"
    assert found.getpixel((0, 0)) == (255, 0, 0, 0)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_lossless_webp_has_the_digest_of_its_samples(
    tmp_path: Path, mode: str
) -> None:
    image = Image.radial_gradient("L").resize((40, 30)).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize((40, 30)))
    image.save(tmp_path / "work.webp", lossless=True, exact=True)
    image.save(tmp_path / "work.png")
    assert digest(tmp_path / "work.webp") == digest(tmp_path / "work.png")


def test_an_avif_is_turned_by_its_property_and_keeps_alpha(tmp_path: Path) -> None:
    image = Image.radial_gradient("L").resize((40, 30)).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((40, 30)))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "lying.avif", exif=exif, quality=100)
    image.save(tmp_path / "upright.avif", quality=100)
    lying, upright = (decoded(tmp_path / f"{n}.avif") for n in ("lying", "upright"))
    assert lying.mode == upright.mode == "RGBA"
    turned = upright.transpose(Image.Transpose.ROTATE_270)
    assert lying.tobytes() == turned.tobytes()


@pytest.mark.parametrize("transparency", [None, 3])
def test_a_gif_has_the_digest_of_its_palette_in_rows(
    tmp_path: Path, transparency: int | None
) -> None:
    image = Image.radial_gradient("L").resize((40, 30)).quantize(9)
    more = {} if transparency is None else {"transparency": transparency}
    for form in ("gif", "png"):
        image.save(tmp_path / f"work.{form}", **more)
    found = decoded(tmp_path / "work.gif")
    assert found.mode == ("RGB" if transparency is None else "RGBA")
    assert digest(tmp_path / "work.gif") == digest(tmp_path / "work.png")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
@pytest.mark.parametrize("packing", ["raw", "tiff_lzw", "tiff_deflate"])
def test_a_tiff_has_the_digest_of_its_samples(
    tmp_path: Path, mode: str, packing: str
) -> None:
    gray = Image.radial_gradient("L").resize((40, 30))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(gray, dtype=np.uint16) * 257)
    else:
        image = gray.convert("RGB").convert(mode)
    image.save(tmp_path / "work.tif", compression=packing)
    image.save(tmp_path / "work.png")
    assert digest(tmp_path / "work.tif") == digest(tmp_path / "work.png")


def test_a_deep_tiff_of_the_other_byte_order_reads_alike(tmp_path: Path) -> None:
    wide = np.asarray(Image.radial_gradient("L").resize((40, 30)), np.uint16) * 257
    Image.fromarray(wide).save(tmp_path / "little.tif")
    table = struct.pack(">I", 8) + struct.pack(">H", 7)
    rows = [(256, 40), (257, 30), (258, 16), (259, 1), (262, 1), (273, 98), (279, 2400)]
    table += b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in rows)
    data = b"MM\0*" + table + bytes(4) + wide.astype(">u2").tobytes()
    (tmp_path / "big.tif").write_bytes(data)
    assert digest(tmp_path / "big.tif") == digest(tmp_path / "little.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_as_a_jpeg_is(tmp_path: Path, orientation: int) -> None:
    image = Image.radial_gradient("L").convert("RGB").resize((40, 30))
    image.paste((255, 0, 0), (0, 0, 9, 5))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for form in ("tif", "png"):
        image.save(tmp_path / f"work.{form}", exif=exif)
    assert digest(tmp_path / "work.tif") == digest(tmp_path / "work.png")


def test_a_color_profile_changes_no_sample(tmp_path: Path) -> None:
    image = Image.radial_gradient("L").resize((40, 30)).convert("RGB")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(tmp_path / "bare.webp", lossless=True)
    image.save(tmp_path / "told.webp", lossless=True, icc_profile=profile)
    assert digest(tmp_path / "bare.webp") == digest(tmp_path / "told.webp")


def test_a_cmyk_jpeg_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    Image.new("CMYK", (20, 20), (0, 255, 255, 0)).save(path, quality=95)
    red, green, blue = decoded(path).getpixel((10, 10))
    assert (red > 200, green < 60, blue < 60) == (True, True, True)


def test_orientation_is_applied(tmp_path: Path) -> None:
    upright = Image.new("RGB", (30, 20), (0, 0, 255))
    upright.paste((255, 0, 0), (0, 0, 15, 20))
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    lying.save(tmp_path / "lying.png", exif=exif)
    assert decoded(tmp_path / "lying.png").size == (30, 20)
    assert digest(tmp_path / "lying.png") == digest(tmp_path / "upright.png")


def test_the_digest_follows_its_written_rule(tmp_path: Path) -> None:
    import hashlib

    Image.new("RGB", (3, 2), (1, 2, 3)).save(tmp_path / "work.png")
    expected = hashlib.sha256(b"RGB,3,2\n" + bytes([1, 2, 3]) * 6).hexdigest()
    assert digest(tmp_path / "work.png") == expected


def test_the_digest_ignores_metadata_and_compression(tmp_path: Path) -> None:
    image = Image.radial_gradient("L").convert("RGB").resize((300, 280))
    image.save(tmp_path / "one.png", compress_level=1)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "Ada")
    image.save(tmp_path / "two.png", compress_level=9, pnginfo=notes)
    image.putpixel((299, 279), (9, 9, 9))
    image.save(tmp_path / "three.png")
    one, two, three = (digest(tmp_path / f"{n}.png") for n in ("one", "two", "three"))
    assert one == two != three


def test_the_digest_tells_sizes_with_equal_samples_apart(tmp_path: Path) -> None:
    for size in ((6, 2), (2, 6)):
        Image.new("RGB", size, (5, 5, 5)).save(tmp_path / f"{size[0]}.png")
    assert digest(tmp_path / "6.png") != digest(tmp_path / "2.png")


def test_a_rendition_carries_pixels_and_nothing_else() -> None:
    image = Image.radial_gradient("L").convert("RGB")
    image.info.update(
        comment=b"<script>",
        icc_profile=b"x" * 500,
        exif=b"Exif\0\0",
        xmp=b"<x:xmpmeta>",
    )
    data = pictures.jpeg(image, quality=86)
    for trace in (b"script", b"ICC", b"Exif", b"xmp", b"Pillow"):
        assert trace not in data
    assert Image.open(io.BytesIO(data)).size == (256, 256)


def test_transparent_pixels_turn_white() -> None:
    image = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert pictures.opaque(image).getpixel((0, 0)) == (255, 255, 255)


def test_a_color_profile_is_applied_and_a_broken_one_passed_over() -> None:
    image = Image.new("RGB", (2, 2), (200, 100, 50))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert pictures.opaque(image, profile).mode == "RGB"
    assert pictures.opaque(image, b"junk").getpixel((0, 0)) == (200, 100, 50)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2000, 1000), (512, 256)), ((100, 50), (100, 50)), ((4000, 2), (512, 1))],
)
def test_a_reduction_fits_and_never_grows(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert pictures.reduced(Image.new("RGB", size), 512).size == expected


def test_a_proxy_keeps_full_color() -> None:
    data = pictures.jpeg(Image.new("RGB", (8, 8)), quality=95, full_color=True)
    assert Image.open(io.BytesIO(data)).layer[0][1:3] == (1, 1)


def photo(seed: int, size: tuple[int, int] = (512, 384)) -> Image.Image:
    """A picture with some structure: soft blobs, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def test_fingerprints_of_a_recompressed_picture_are_near_and_of_others_far() -> None:
    image, other = photo(1), photo(2)
    out = io.BytesIO()
    image.resize((400, 300)).save(out, "JPEG", quality=60)
    near = pictures.reduced(Image.open(out), 512)
    mine, again, theirs = (fingerprints.pdq(i) for i in (image, near, other))
    assert mine
    assert again
    assert theirs
    assert fingerprints.hamming(mine["hash"], again["hash"]) <= 31
    assert fingerprints.hamming(mine["hash"], theirs["hash"]) > 64
    assert fingerprints.iscc(image).startswith("ISCC:")
    assert fingerprints.iscc(image) != fingerprints.iscc(other)


def test_a_turned_or_mirrored_picture_is_found_by_the_eight_queries() -> None:
    image = photo(3)
    stored = fingerprints.pdq(image)
    assert stored
    for turn in (Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT):
        query = fingerprints.pdq(image.transpose(turn))
        assert query
        distances = [fingerprints.hamming(stored["hash"], t) for t in query["turned"]]
        assert min(distances) <= 31 < distances[0]


def test_a_cropped_picture_is_found_by_the_stored_crops() -> None:
    image = photo(4, (1000, 800))
    stored = fingerprints.pdq(pictures.reduced(image, 512))
    query = fingerprints.pdq(pictures.reduced(image.crop((100, 80, 900, 720)), 512))
    assert stored
    assert query
    best = min(fingerprints.hamming(query["hash"], c) for c in stored["crops"])
    assert best <= 31 < fingerprints.hamming(query["hash"], stored["hash"])


def test_a_flat_picture_has_a_low_quality() -> None:
    found = fingerprints.pdq(Image.new("RGB", (64, 64), (90, 90, 90)))
    assert found
    assert found["quality"] < 50


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_hamming_is_a_distance(one: bytes, two: bytes) -> None:
    count = fingerprints.hamming(one.hex(), two.hex())
    assert count == fingerprints.hamming(two.hex(), one.hex())
    assert (count == 0) == (one == two)
    flipped = bytes([one[0] ^ 1]) + one[1:]
    assert fingerprints.hamming(one.hex(), flipped.hex()) == 1


@pytest.mark.parametrize(("one", "two"), [("ab", "abcd"), ("zz", "zz")])
def test_hamming_refuses_what_is_no_hash(one: str, two: str) -> None:
    with pytest.raises(InputError):
        fingerprints.hamming(one, two)


def test_names_do_not_decide_what_a_file_is(picture: MakePicture) -> None:
    data = picture("work.png").read_bytes()
    assert sniff(data, "work.jpg") == "image/png"
    assert sniff(b"words", "work.jpg") == "image/jpeg"
    assert sniff(b"words") == "application/octet-stream"


@pytest.mark.parametrize(
    "box", [(100, 0, 1000, 800), (0, 0, 900, 720)], ids=["one side", "a corner"]
)
def test_a_lopsided_crop_is_found_by_the_stored_crops(
    box: tuple[int, int, int, int],
) -> None:
    image = photo(5, (1000, 800))
    stored = fingerprints.pdq(pictures.reduced(image, 512))
    query = fingerprints.pdq(pictures.reduced(image.crop(box), 512))
    assert stored
    assert query
    best = min(fingerprints.hamming(query["hash"], c) for c in stored["crops"])
    assert best <= 31 < fingerprints.hamming(query["hash"], stored["hash"])


def test_a_bordered_and_turned_picture_is_found_by_its_own_crops() -> None:
    image = photo(6, (1000, 800))
    stored = fingerprints.pdq(pictures.reduced(image, 512))
    framed = ImageOps.expand(image, 40, "white").transpose(Image.Transpose.ROTATE_90)
    query = fingerprints.pdq(pictures.reduced(framed, 512))
    assert stored
    assert query
    kept = [stored["hash"], *stored["crops"]]

    def best(asked: list[str]) -> int:
        return min(fingerprints.hamming(a, k) for a in asked for k in kept)

    assert best(query["asked"]) <= 31 < best(query["turned"])
    assert query["asked"][:8] == query["turned"]


def test_iscc_prints_find_a_turned_picture_and_tell_others_apart() -> None:
    image, other = photo(7), photo(8)
    stored = fingerprints.iscc_bits(fingerprints.iscc(image))
    turned = fingerprints.iscc_turned(image.transpose(Image.Transpose.ROTATE_270))
    far = fingerprints.iscc_turned(other)
    assert len(stored) == 64
    assert min(fingerprints.hamming(stored, each) for each in turned) <= 31
    assert min(fingerprints.hamming(stored, each) for each in far) > 64


@pytest.mark.parametrize("code", ["", "ISCC:KAA", "ISCC:!!", "ISCC:" + "A" * 60])
def test_what_is_no_image_code_of_256_bits_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="is no ISCC"):
        fingerprints.iscc_bits(code)
