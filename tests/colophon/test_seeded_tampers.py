"""Over 500 tampers that chance chose: each is found, named, and raises nothing."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from random import Random

import pytest

from colophon.authority import Authorities
from colophon.checks import Code, Result
from colophon.evidence import Bundle
from colophon.report import Outcome, Report
from colophon.verify import verify
from tests.colophon.bundles import (
    CREDENTIAL,
    FILE,
    Story,
    at,
    authorities,
    trust_of,
)
from tests.colophon.seeded import CLASSES
from tests.colophon.tampers import Case

SEEDS = 48
FULLY_CHECKED = 50  # the digest of a bundle names its whole content


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def case(pki: Authorities) -> Case:
    return Case(Story(pki).tell(), FILE, CREDENTIAL, trust_of(pki))


def report_of(case: Case) -> Report:
    return verify(case.file, case.credential, case.bundle, case.trust, as_of=at(60))


def test_there_are_500() -> None:
    assert SEEDS * len(CLASSES) >= 500


@pytest.mark.parametrize("name", CLASSES)
def test_every_seeded_tamper_is_found_and_named(case: Case, name: str) -> None:
    good = report_of(case)
    assert good.verdict is not None
    assert good.outcome is Outcome.GENUINE
    for seed in range(SEEDS):
        cheat = CLASSES[name](case, Random(f"{name} {seed}"), bool(seed % 2))
        where = f"{name}, seed {seed}: {cheat.words}"
        report = report_of(cheat.case)
        failed = [one for one in report.checks if one.result is not Result.PASSED]
        assert failed, where
        assert {one.number for one in failed} & set(cheat.checks), where
        named = [one for one in failed if one.code is not Code.NONE]
        assert named, where
        assert all(one.words.endswith(".") for one in named), where
        assert report.verdict is not None, where
        assert report.verdict.evidence <= good.verdict.evidence, where
        assert report.verdict.rights <= good.verdict.rights, where
        assert report.recorded_bytes() != good.recorded_bytes(), where


def _repacked(case: Case, rng: Random) -> Case:
    """Another archive of the same evidence: other order, other packing, other notes."""
    made = case.bundle.to_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        rng.shuffle(names)
        for name in names:
            how = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            day = (1980 + rng.randrange(60), 1 + rng.randrange(12), 3, 4, 5, 6)
            new.writestr(zipfile.ZipInfo(name, day), old.read(name), how)
    return replace(case, bundle=Bundle.from_bytes(out.getvalue()))


def test_500_other_packings_of_the_same_evidence_raise_no_alarm(case: Case) -> None:
    good = report_of(case).recorded_bytes()
    for seed in range(500):
        again = _repacked(case, Random(seed))
        assert again.bundle.digest == case.bundle.digest, seed
        if seed < FULLY_CHECKED:
            assert report_of(again).recorded_bytes() == good, seed
