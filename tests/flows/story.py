"""The story of one work, from the sign-up of its maker to the money in her wallet.

Scenes build on each other, so each is played once, in order, when a test first asks
for it or a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.flows import buying, checking, making, paying
from tests.flows.stage import Stage, Visitor

Scene = Callable[["Story"], None]
SCENES: tuple[Scene, ...] = (
    making.sign_up,
    making.link_wallets,
    making.register_sources,
    making.record_steps,
    making.upload,
    making.agree,
    making.publish,
    buying.find,
    buying.license_it,
    buying.download,
    making.see_badge,
    buying.report_uses,
    paying.be_paid,
    paying.see_why,
    checking.verify_by_form,
    checking.verify_by_digest,
    paying.get_rest_back,
)


@dataclass
class Story:
    """What the scenes share and find out.

    Attributes:
        people: visitors by name.
        found: ids, digests and files, by a short word.
    """

    stage: Stage
    people: dict[str, Visitor] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    played: list[Scene] = field(default_factory=list)
    broken: str = ""

    def __getitem__(self, name: str) -> Visitor:
        """Somebody of the story, who comes in when first called."""
        if name not in self.people:
            self.people[name] = self.stage.visitor(name)
        return self.people[name]

    def play(self, until: Scene) -> None:
        """Play what was not played yet, up to and with a scene."""
        for scene in SCENES[len(self.played) : SCENES.index(until) + 1]:
            assert not self.broken, f"the story broke in {self.broken}"
            self.broken = scene.__name__
            scene(self)
            self.broken = ""
            self.played.append(scene)

    def play_all(self) -> None:
        """Play to the end."""
        self.play(SCENES[-1])
