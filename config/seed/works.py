"""What the demo shows: one line for each work, in the order of their making."""

from __future__ import annotations

from dataclasses import dataclass

PORTRAIT, WIDE, SQUARE = (880, 1100), (1120, 800), (940, 940)


@dataclass(frozen=True)
class Work:
    """One work of the demo.

    Attributes:
        key: short name, also of its files.
        by: who makes it.
        how: declared at upload (human, algorithm, ai, hybrid), or recorded as it
            happens (by-hand, with-model, model-only, remix).
        model: short name of the model it used.
        uses: key of an earlier work that is part of it.
        newer_than: key of the version that it replaces.
        co: a second creator and their ppm of the gross.
        fate: published, draft, waiting (for the second creator), contested,
            suspended, refused, or last (published when all else is done).
        price: a rough price level, 1 to 5.
    """

    key: str
    title: str
    by: str
    how: str
    style: str
    seed: int
    size: tuple[int, int] = PORTRAIT
    alt: str = ""
    words: str = ""
    model: str = ""
    uses: str = ""
    newer_than: str = ""
    co: tuple[str, int] | None = None
    fate: str = "published"
    price: int = 2
    teach: bool = False
    tools: tuple[str, str] = ("Krita", "5.2")
    form: str = "jpg"

    @property
    def recorded(self) -> bool:
        """Whether its steps are recorded as they happen."""
        return self.how in {"by-hand", "with-model", "model-only", "remix"}


WORKS = (
    Work(
        "night-current",
        "Night current",
        "ada",
        "with-model",
        "currents",
        15,
        SQUARE,
        "Long soft lines around five painted shapes",
        "Generated as a ground, then painted over by hand in one evening.",
        model="tidewater",
        price=4,
    ),
    Work(
        "marsh-1",
        "Marsh study",
        "ada",
        "human",
        "ridges",
        3,
        WIDE,
        "Hills behind hills in green and sand",
        "First study; see the second version.",
        price=1,
    ),
    Work(
        "kaamos",
        "Kaamos",
        "tomas",
        "by-hand",
        "ridges",
        11,
        WIDE,
        "Pale hills under a low moon",
        "Six weeks without sunrise, from the cabin window.",
        price=3,
    ),
    Work(
        "alfama",
        "Window over Alfama",
        "ines",
        "by-hand",
        "glass",
        22,
        PORTRAIT,
        "Stained panes in red, teal and navy",
        "Cut paper, scanned and colored.",
        price=3,
        tools=("Affinity Photo", "2.6"),
        form="png",
    ),
    Work(
        "terrazzo",
        "Terrazzo",
        "noor",
        "algorithm",
        "packing",
        42,
        WIDE,
        "Discs and segments packed without touching",
        "A packing program of ours, two thousand tries.",
        price=2,
        teach=True,
    ),
    Work(
        "low-water",
        "Low water",
        "ada",
        "with-model",
        "lights",
        59,
        WIDE,
        "Lamps mirrored in dark water, with painted boats",
        "The model knew the harbor; the boats are mine.",
        model="tidewater",
        price=3,
    ),
    Work(
        "orchard",
        "Small orchard",
        "yuki",
        "human",
        "packing",
        31,
        SQUARE,
        "Rings and discs like fruit seen from above",
        price=1,
    ),
    Work(
        "ferry-lights",
        "Ferry lights",
        "ada",
        "model-only",
        "lights",
        24,
        PORTRAIT,
        "Blurred lamps over black water",
        "Straight from Tidewater-XL.",
        model="tidewater",
        price=1,
    ),
    Work(
        "notice",
        "Street notice",
        "noor",
        "model-only",
        "weave",
        16,
        PORTRAIT,
        "Ribbons turning on a grid",
        "A poster study by Lumen Sketch.",
        model="lumen",
        price=1,
    ),
    Work(
        "thaw",
        "Thaw",
        "tomas",
        "with-model",
        "marble",
        18,
        WIDE,
        "Dark veins through ice blue, with brush marks",
        "A ground from Tidewater-XL, scratched back by hand.",
        model="tidewater",
        price=3,
    ),
    Work(
        "tidal-marble",
        "Tidal marble",
        "ines",
        "algorithm",
        "marble",
        14,
        PORTRAIT,
        "Bands of ink on water",
        "Ink on water, as a program sees it.",
        price=2,
        teach=True,
    ),
    Work(
        "lanterns",
        "Paper lanterns",
        "ines",
        "with-model",
        "currents",
        28,
        PORTRAIT,
        "Lines of wind and five lanterns",
        "Line by Tessera Ink, lanterns by hand.",
        model="ink",
        price=4,
    ),
    Work(
        "birch",
        "Birch machine",
        "tomas",
        "ai",
        "weave",
        45,
        WIDE,
        "Pale arcs on black",
        fate="suspended",
        price=1,
    ),
    Work(
        "nobody",
        "Poster for nobody",
        "noor",
        "with-model",
        "weave",
        37,
        SQUARE,
        "Woven ribbons under broad brush strokes",
        "Lumen Sketch drew the paper, we drew the people.",
        model="lumen",
        price=2,
    ),
    Work(
        "rain",
        "Rain on asphalt",
        "yuki",
        "by-hand",
        "lights",
        66,
        SQUARE,
        "Headlights smeared down a wet street",
        "Painted from the bus, line 42.",
        price=2,
        tools=("Procreate", "5.4"),
    ),
    Work(
        "signal-garden",
        "Signal garden",
        "yuki",
        "model-only",
        "glass",
        35,
        WIDE,
        "Panes in amber and slate",
        model="ink",
        price=1,
    ),
    Work(
        "switchyard",
        "Switchyard",
        "noor",
        "hybrid",
        "weave",
        71,
        WIDE,
        "Arcs of track in four colors",
        "Declared after the fact: half program, half model.",
        fate="contested",
        price=2,
    ),
    Work(
        "two-hands",
        "Two hands",
        "ines",
        "by-hand",
        "marble",
        52,
        SQUARE,
        "Two kinds of bands that meet in the middle",
        "Drawn together with Tomas.",
        co=("tomas", 400_000),
        price=3,
    ),
    Work(
        "marsh-2",
        "Marsh study, second version",
        "ada",
        "human",
        "ridges",
        9,
        WIDE,
        "Hills behind hills, darker, with a sun",
        "The sky was wrong in the first one.",
        newer_than="marsh-1",
        price=2,
    ),
    Work(
        "kaamos-printed",
        "Kaamos, printed",
        "noor",
        "remix",
        "glass",
        60,
        WIDE,
        "A landscape behind a broken pane",
        "Tomas Virtanen's Kaamos, cut into a screen print.",
        uses="kaamos",
        price=3,
    ),
    Work(
        "kaamos-wall",
        "Kaamos on a wall",
        "ines",
        "remix",
        "currents",
        75,
        PORTRAIT,
        "A poster on a wall of wind",
        "The print, pasted up and photographed in the mind.",
        uses="kaamos-printed",
        price=2,
    ),
    Work(
        "draft",
        "Study without a name",
        "ada",
        "human",
        "glass",
        83,
        SQUARE,
        "Panes, unfinished",
        fate="draft",
    ),
    Work(
        "together",
        "Breakwater",
        "ada",
        "human",
        "marble",
        97,
        WIDE,
        "Water against stone",
        "Waiting for Tomas to agree to his share.",
        co=("tomas", 300_000),
        fate="waiting",
    ),
    Work("broken", "Broken export", "ada", "human", "lights", 5, fate="refused"),
    Work(
        "morning-after",
        "Morning after",
        "ada",
        "human",
        "ridges",
        88,
        WIDE,
        "Dunes at first light",
        "Listed just now; its anchor is on the way.",
        fate="last",
        price=2,
    ),
)

BY_KEY = {work.key: work for work in WORKS}
