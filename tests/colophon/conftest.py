"""Pictures, authorities and a time-stamper that the tests of foreign files share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from colophon.authority import Authorities, make_authorities
from colophon.child import Child, Limits
from colophon.formats import FORMATS
from colophon.manifest import Action, ClaimPlan, Signed, sign_file
from log import tsa

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
AI = IPTC + "trainedAlgorithmicMedia"
HUMAN = IPTC + "humanEdits"
MADE_BY_AI = (Action("c2pa.created", AI), Action("c2pa.edited", HUMAN))

MakePicture = Callable[..., Path]


@dataclass
class Studio:
    """One deployment's authorities, time-stamper and warm signing child."""

    pki: Authorities
    tsa_url: str
    child: Child
    claim_anchors: list[str] = field(default_factory=list)
    tsa_anchors: list[str] = field(default_factory=list)

    def sign(
        self,
        src: Path,
        plan: ClaimPlan | None = None,
        *,
        dst: Path | None = None,
        tsa_url: str | None = "own",
        by: Authorities | None = None,
    ) -> Signed:
        """Sign a picture; by another's authority when `by` names it."""
        signer = (by or self.pki).claim
        suffixes = {one.suffix: mime for mime, one in FORMATS.items()}
        return sign_file(
            src,
            dst or src.with_name(f"signed-{src.name}"),
            suffixes[src.suffix],
            plan or ClaimPlan(title="Work", actions=MADE_BY_AI),
            chain_pem=signer.chain.read_bytes(),
            key=signer.key.read_bytes(),
            tsa_url=self.tsa_url if tsa_url == "own" else tsa_url,
            child=self.child,
            trust_anchors=self.claim_anchors,
            tsa_anchors=self.tsa_anchors,
        )

    @property
    def anchors(self) -> tuple[list[str], list[str]]:
        """Both trust lists, in the order in which readers take them."""
        return self.claim_anchors, self.tsa_anchors


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    pki = make_authorities(tmp_path_factory.mktemp("pki"))
    child = Child(Limits(network=True))
    with tsa.server(tsa.load(pki.tsa.chain, pki.tsa.key), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Studio(
            pki,
            f"http://127.0.0.1:{server.server_port}",
            child,
            [pki.claim.root.read_text()],
            [pki.tsa.root.read_text()],
        )
        server.shutdown()
        thread.join()
    child.close()


@pytest.fixture(scope="session")
def thief(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    """Somebody else's authorities, made just like ours."""
    return make_authorities(tmp_path_factory.mktemp("thief"))


@pytest.fixture(scope="session")
def reader() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


@pytest.fixture
def picture(tmp_path: Path) -> MakePicture:
    """Make a picture file that differs by name."""

    def make(name: str = "work.jpg", size: tuple[int, int] = (320, 240)) -> Path:
        seed = sum(name.encode())
        image = Image.radial_gradient("L").resize(size).convert("RGB")
        image.paste((seed % 256, 40, 90), (10, 10, size[0] // 2, size[1] // 3))
        path = tmp_path / name
        image.save(path)
        return path

    return make
