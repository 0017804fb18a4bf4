#!/usr/bin/env python3
"""Plant each bug of mutants.json in a copy of the contracts; the tests must notice.

    python contracts/tools/mutants.py          all of them, about half a minute each
    python contracts/tools/mutants.py 3 17     the ones with these numbers

Ends with 1 when a bug went unnoticed, or when its place in the sources is gone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = Path(__file__).with_suffix(".json")


def copy_project(folder: Path) -> None:
    """What forge needs, with the tools linked."""
    built = shutil.ignore_patterns("out", "cache", "artifacts")
    shutil.copytree(ROOT / "contracts", folder / "contracts", ignore=built)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    # forge takes the nearest repository for the root.
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)


def verdict(folder: Path, mutant: dict[str, str]) -> str:
    """Empty when a test noticed the bug, else what is wrong."""
    path = folder / "contracts" / "src" / mutant["file"]
    sound = path.read_text()
    if mutant["find"] not in sound:
        return "its place in the sources is gone"
    path.write_text(sound.replace(mutant["find"], mutant["replace"], 1))
    run = subprocess.run(
        ["contracts/tools/forge", "test", "--fail-fast"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    path.write_text(sound)
    if "[FAIL" in run.stdout:
        return ""
    if run.returncode == 0:
        return "went unnoticed"
    said = (run.stdout + run.stderr).strip().splitlines() or ["no output"]
    return f"could not be tested: {said[-1]}"


def main(chosen: list[int]) -> int:
    """Run the mutants with these numbers, or all; 0 when every one was noticed."""
    mutants = json.loads(MUTANTS.read_text())
    missed = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        copy_project(folder)
        for number, mutant in enumerate(mutants):
            if chosen and number not in chosen:
                continue
            wrong = verdict(folder, mutant)
            missed += bool(wrong)
            place = f"{number:3} {mutant['file']}: {' '.join(mutant['find'].split())}"
            print(f"{place[:76]} … {wrong or 'noticed'}", flush=True)
    print(f"{missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main([int(one) for one in sys.argv[1:]]))
