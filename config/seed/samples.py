"""Sample files for Verify, in `var/demo`: genuine, changed, stripped and foreign."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from colophon.authority import make_authorities
from colophon.manifest import Action, ClaimPlan, sign_file
from config.seed import art
from provenance.declare import IPTC
from provenance.files import local_copy
from provenance.models import Asset, Rendition

NAMES = ("genuine.jpg", "resized.jpg", "stripped.png", "tampered.jpg", "foreign.jpg")
FOREIGN_SEED = 404
MARKER = 0xFF  # begins a marker in JPEG data: neither changed nor made


def make(asset: Asset, folder: Path, secrets: Path) -> None:
    """Write the five files.

    Args:
        asset: a sealed JPEG work of the demo.
        folder: where a visitor finds them.
        secrets: where the stranger's certificate authority is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sealed = asset.renditions.get(kind=Rendition.Kind.SEALED)
    with local_copy(sealed.path, ".jpg") as copy:
        data = copy.read_bytes()
    (folder / "genuine.jpg").write_bytes(data)
    (folder / "tampered.jpg").write_bytes(_tampered(data))
    with Image.open(folder / "genuine.jpg") as opened:
        picture = opened.convert("RGB")
    small = picture.resize((picture.width * 3 // 5, picture.height * 3 // 5))
    small.save(folder / "resized.jpg", quality=82)
    picture.save(folder / "stripped.png")
    _foreign(folder / "foreign.jpg", secrets)


def _tampered(data: bytes) -> bytes:
    """One byte of the picture's own data changed, far from any header."""
    at = len(data) - 4_000
    while not all(0 < one < MARKER - 1 for one in data[at - 1 : at + 1]):
        at += 1
    return data[:at] + bytes([data[at] + 1]) + data[at + 1 :]


def _foreign(path: Path, secrets: Path) -> None:
    """A picture with an intact credential by an authority that nobody here trusts."""
    plain = path.with_name("foreign-plain.jpg")
    art.save(art.draw("glass", FOREIGN_SEED, (900, 700)), plain)
    stranger = make_authorities(secrets).claim
    plan = ClaimPlan(
        title="A stranger's picture",
        actions=(Action("c2pa.created", source_type=IPTC + "digitalCreation"),),
        generator="Some other program",
        generator_version="1.0",
    )
    path.unlink(missing_ok=True)
    sign_file(
        plain,
        path,
        "image/jpeg",
        plan,
        chain_pem=stranger.chain.read_bytes(),
        key=stranger.key.read_bytes(),
        tsa_url=None,
    )
    plain.unlink()
