"""Which step last changed each pixel: the chain's map, its shares, its findings.

Ownership of a pixel changes only through a visible, local change. What happens to the
whole picture is listed and never counted, except that a step which declares the whole
picture AI-made counts as that. What cannot be shown is unknown. Source:
docs/origin-map.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from colophon.originmap.compare import REPORTED_MOVED, Compared, compare, drift
from colophon.originmap.moves import Geometry
from colophon.originmap.picture import (
    Field,
    Mask,
    Picture,
    Pixels,
    Size,
    shrunk,
    work_size,
)

VERSION = "origin-map-v1"
UNKNOWN = 255  # the label of pixels that no step can be shown to have made
MAX_LINKS = 250
TEXTURE = 0.25
MATCHLESS = 0.60  # more than this cannot be a local change
HIDDEN_DE, HIDDEN_FEWEST = 8.0, 64
HIDDEN_SHARE, HIDDEN_SHARE_PROXY = 0.0002, 0.001

Labels = NDArray[np.uint8]


class Kind(StrEnum):
    """Who made what a pixel shows."""

    AI = "ai"
    HUMAN = "human"
    PROGRAM = "program"
    UNKNOWN = "unknown"


class Does(StrEnum):
    """What a step declares that it does to the picture."""

    BEGIN = "begin"
    REMAKE = "remake"  # the whole picture anew, by a model
    LOCAL = "local"
    ANY = "any"
    GEOMETRY = "geometry"
    TONE = "tone"
    FILTER = "filter"
    SAVE = "save"


_RIM = np.ones((11, 11), np.uint8)
_TONES = {Does.ANY, Does.TONE, Does.FILTER}
_OWNING = {Does.LOCAL, Does.ANY}
_NO_PLACE = {Does.GEOMETRY, Does.TONE, Does.SAVE}


@dataclass(frozen=True)
class Link:
    """One step of the chain: what it declares and the picture that it left."""

    picture: Picture
    kind: Kind
    does: Does
    geometry: Geometry | None = None


@dataclass(frozen=True)
class Finding:
    """Something that a step did and did not declare, or that does not fit.

    Attributes:
        link: position in the chain, from 0.
        code: geometry, tone, local, texture, misfit, unmatched or drift.
        words: one sentence.
        share: of the picture, 0 to 1.
    """

    link: int
    code: str
    words: str
    share: float = 1.0


@dataclass
class OriginMap:
    """The map of the last picture.

    Attributes:
        labels: for each pixel the position of the link, or UNKNOWN.
        kinds: of the links, by position.
        whole: what happened to the whole picture: position and word.
        findings: what was not declared.
        weak: share of pixels with a difference too faint to attribute.
        proxies: whether only smaller copies were at hand.
    """

    labels: Labels
    kinds: tuple[Kind, ...]
    whole: list[tuple[int, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    weak: float = 0.0
    proxies: bool = False

    def by_link(self) -> list[float]:
        """The share of each link's pixels, 0 to 1."""
        counts = np.bincount(self.labels.ravel(), minlength=UNKNOWN + 1)
        return [float(counts[at] / self.labels.size) for at in range(len(self.kinds))]

    def nobodys(self) -> float:
        """The share of pixels that no link owns, 0 to 1."""
        return float((self.labels == UNKNOWN).mean())

    def shares(self) -> dict[Kind, float]:
        """The share of each kind; they sum to one."""
        shares = dict.fromkeys(Kind, 0.0)
        for kind, share in zip(self.kinds, self.by_link(), strict=True):
            shares[kind] += share
        shares[Kind.UNKNOWN] += self.nobodys()
        return shares


def blame(links: Sequence[Link]) -> OriginMap:
    """The map of a chain of pictures.

    Args:
        links: in the order of the steps, at least one.

    Raises:
        ValueError: no link, or more than 250.
    """
    if not 0 < len(links) <= MAX_LINKS:
        raise ValueError(f"a chain has 1 to {MAX_LINKS} links")
    first = links[0].picture
    size = work_size(first.size)
    made = OriginMap(
        np.zeros((size[1], size[0]), np.uint8),
        tuple(link.kind for link in links),
        proxies=any(link.picture.proxy for link in links),
    )
    walk = _Walk(made, shrunk(first.pixels, size), 0)
    for at in range(1, len(links)):
        walk.step(at, links)
    return made


@dataclass
class _Walk:
    """The map so far, and the picture as its pixels were last attributed."""

    made: OriginMap
    attributed: Pixels
    since: int  # the first link whose changes may hide in a drift

    def step(self, at: int, links: Sequence[Link]) -> None:
        """Take one more link into the map."""
        before, link = links[at - 1].picture, links[at]
        size = work_size(link.picture.size)
        if link.does in {Does.BEGIN, Does.REMAKE}:
            self._begin(at, link, size)
            return
        found = compare(
            before,
            link.picture,
            geometry=link.geometry,
            tone_declared=link.does in _TONES,
        )
        self._whole(at, link, found)
        labels = np.asarray(found.way(self.made.labels, size, nearest=True), np.uint8)
        labels = np.where(found.valid, labels, np.uint8(UNKNOWN))
        slow, away = drift(found, self.attributed, link.picture)
        mask = found.changed.mask
        attributed = found.carry(self.attributed)
        self.made.labels = labels
        owned = self._attribute(at, link, found)
        slow = _clear(slow & ~mask & ~owned, away, proxy=link.picture.proxy)
        self._drift(at, links, slow)
        # With the soft edge of the change, which the mask does not reach.
        fresh = cv2.dilate((mask | slow).astype(np.uint8), _RIM) == 1
        self.attributed = np.where(fresh[..., None], found.after, attributed)
        self.made.weak = float(found.changed.weak.mean())

    def _begin(self, at: int, link: Link, size: Size) -> None:
        self.made.labels = np.full((size[1], size[0]), at, np.uint8)
        self.attributed = shrunk(link.picture.pixels, size)
        self.since = at
        if link.does is Does.REMAKE:
            self.made.whole.append((at, "made anew by a model"))

    def _whole(self, at: int, link: Link, found: Compared) -> None:
        """List what happened to the whole picture, and name what was not declared."""
        if link.geometry:
            self.made.whole.extend((at, move.name) for move in link.geometry.moves)
        if found.geometry:
            self.made.whole.append((at, found.geometry))
            if found.misfit:
                words = f"The declared geometry does not lead here: {found.geometry}."
                self._find(at, "misfit", words)
            elif link.does not in {Does.GEOMETRY, Does.ANY}:
                words = f"The picture was {found.geometry}, which no step says."
                self._find(at, "geometry", words)
        if found.matched is not None:
            self.made.whole.append((at, "colors changed"))
            if link.does not in _TONES and found.matched.moved > REPORTED_MOVED:
                words = "The colors of the whole picture changed, which no step says."
                self._find(at, "tone", words)
        if abs(found.changed.detail) > TEXTURE:
            grew = "grew" if found.changed.detail > 0 else "shrank"
            self.made.whole.append((at, f"fine detail {grew}"))
            if link.does not in {Does.FILTER, Does.ANY}:
                words = (
                    f"Fine detail {grew} over the whole picture, which no step says."
                )
                self._find(at, "texture", words)

    def _attribute(self, at: int, link: Link, found: Compared) -> Mask:
        """Write the link's label where it changed something; where it did."""
        mask, labels = found.changed.mask, self.made.labels
        share = float(mask[found.valid].mean()) if found.valid.any() else 1.0
        none = np.zeros_like(mask)
        if not mask.any():
            return none
        if share > MATCHLESS and link.kind is Kind.AI and link.does in _OWNING:
            labels[...] = at
            self.made.whole.append((at, "made anew by a model"))
            return np.ones_like(mask)
        if link.does is Does.FILTER:
            return none
        if share > MATCHLESS:
            labels[mask] = UNKNOWN
            words = "The picture does not match the one before it."
            self._find(at, "unmatched", words, share)
            return mask
        if link.does in _OWNING:
            rough = abs(found.changed.detail) > TEXTURE and link.kind is not Kind.AI
            labels[mask] = UNKNOWN if rough else at
            return mask
        away, proxy = found.changed.distance, link.picture.proxy
        hidden = _clear(mask, away, proxy=proxy)
        if hidden.any():
            words = "Part of the picture changed, which no step says."
            self._find(at, "local", words, float(hidden.mean()))
        labels[mask] = UNKNOWN
        return mask

    def _drift(self, at: int, links: Sequence[Link], slow: Mask) -> None:
        """Pixels that moved little by little: of one kind of maker, or unknown."""
        if not slow.any():
            return
        kinds = {
            one.kind for one in links[self.since + 1 : at + 1] if one.does in _OWNING
        }
        if len(kinds) == 1 and links[at].does in _OWNING:
            self.made.labels[slow] = at
            return
        self.made.labels[slow] = UNKNOWN
        words = "Faint changes of several steps add up to a visible one."
        self._find(at, "drift", words, float(slow.mean()))

    def _find(self, at: int, code: str, words: str, share: float = 1.0) -> None:
        self.made.findings.append(Finding(at, code, words, share))


def _clear(mask: Mask, distance: Field, *, proxy: bool) -> Mask:
    """The parts that are large and different enough to be no artifact."""
    share = HIDDEN_SHARE_PROXY if proxy else HIDDEN_SHARE
    least = max(HIDDEN_FEWEST, share * mask.size)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    sums = np.bincount(parts.ravel(), distance.ravel(), minlength=count)
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = (areas >= least) & (sums / np.maximum(areas, 1) >= HIDDEN_DE)
    keep[0] = False
    return np.asarray(keep[parts], np.bool_)
