"""`python -m config.stack story|demo`: what the Makefile calls."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from config.stack.process import StackError
from config.stack.stack import ROOT


def main() -> int:
    """Run one of the two; the exit status for make."""
    parser = argparse.ArgumentParser(prog="python -m config.stack")
    commands = parser.add_subparsers(dest="command", required=True)
    story = commands.add_parser("story", help="from a picture to a paid royalty")
    story.add_argument("--picture", type=Path, help="a JPEG or PNG of yours")
    options = parser.parse_args()
    try:
        return _story(options.picture)
    except StackError as error:
        print(f"colophon: {error}", file=sys.stderr)  # noqa: T201
        return 1


def _story(picture: Path | None) -> int:
    from config.story.play import play
    from config.story.scenes import StoryError

    if picture is not None and not picture.is_file():
        print(f"colophon: {picture} is not a file", file=sys.stderr)  # noqa: T201
        return 2
    try:
        told = play(picture, ROOT / "var" / "story")
    except StoryError as error:
        print(f"colophon: the story broke: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(told, indent=2, default=str))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
