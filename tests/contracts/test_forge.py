"""The contracts' own tests, and the byte for byte rebuild, as parts of this suite.

forge runs the Solidity tests (unit, fuzz, invariants, gas goals). A failure prints what
forge printed; `contracts/tools/forge test` repeats it by hand.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORGE = ROOT / "contracts" / "tools" / "forge"
LEAST_TESTS = 180
LEAST_LONG_CALLS = 200_000


def run_forge(*arguments: str, profile: str) -> str:
    """What `forge test` printed; fails the test with it when forge failed."""
    run = subprocess.run(
        [str(FORGE), "test", *arguments],
        cwd=ROOT,
        env=os.environ | {"FOUNDRY_PROFILE": profile},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_every_solidity_test_passes() -> None:
    said = run_forge(profile="default")
    passed = re.search(r"(\d+) tests passed, 0 failed, 0 skipped", said)
    assert passed, said
    assert int(passed[1]) >= LEAST_TESTS


def test_the_committed_artifacts_rebuild_byte_for_byte() -> None:
    run = subprocess.run(
        [sys.executable, "contracts/build.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.long
def test_the_invariants_survive_200_000_hostile_calls() -> None:
    said = run_forge("--match-contract", "LedgerInvariants", profile="ci")
    calls = re.search(r"calls: (\d+), reverts: 0", said)
    assert calls, said
    assert int(calls[1]) >= LEAST_LONG_CALLS


@pytest.mark.long
def test_the_fuzz_tests_survive_10_000_runs_each() -> None:
    said = run_forge("--match-test", "test_fuzz", profile="ci")
    runs = [int(found) for found in re.findall(r"\(runs: (\d+)", said)]
    assert len(runs) >= 10, said
    assert set(runs) == {10_000}
