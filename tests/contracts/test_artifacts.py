"""The committed artifacts belong to the sources beside them (fast, without forge)."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("ColophonAsset", "ColophonLedger", "TestUSD")
EIP_170_BYTES = 24_576
LEDGER_FUNCTIONS = {
    "deposit": "address,uint256,bytes32",
    "depositWithPermit": "address,uint256,bytes32,uint256,uint8,bytes32,bytes32",
    "depositWithAuthorization": (
        "address,uint256,bytes32,uint256,uint256,uint8,bytes32,bytes32"
    ),
    "anchor": "uint64,bytes32",
    "commit": "uint32,uint64,bytes32,bytes32,bytes32,uint64,uint32",
    "veto": "uint32",
    "pay": "uint256,uint256[],bytes32[]",
    "redirect": "uint256,address,uint256,bytes,uint256,bytes32[]",
    "requestRefund": "",
    "requestRefundFor": "address,uint256,bytes",
    "refund": "address,uint256,bytes32[]",
    "pause": "",
    "unpause": "",
}
LEDGER_EVENTS = {
    "Deposited": "address indexed,uint32,uint256,bytes32 indexed",
    "Anchored": "uint64 indexed,bytes32",
    "Committed": "uint32 indexed,uint64,bytes32,bytes32,bytes32,uint64,uint32",
    "Vetoed": "uint32 indexed",
    "Paid": "uint256 indexed,address indexed,uint256",
    "Unpaid": "uint256 indexed,address indexed,uint256",
    "Redirected": "uint256 indexed,address indexed,address indexed",
    "RefundRequested": "address indexed,uint256",
    "Refunded": "address indexed,uint256",
}


def load_build() -> ModuleType:
    """contracts/build.py as a module; it is a script, not a package."""
    spec = importlib.util.spec_from_file_location(
        "contracts_build", ROOT / "contracts" / "build.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name: str) -> dict[str, Any]:
    path = ROOT / "contracts" / "artifacts" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def signatures(name: str, kind: str) -> dict[str, str]:
    """Name to argument types of each function or event in an artifact's ABI."""
    return {
        entry["name"]: ",".join(
            one["type"] + (" indexed" if one.get("indexed") else "")
            for one in entry["inputs"]
        )
        for entry in read(name)["abi"]
        if entry["type"] == kind
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_was_built_from_the_sources_on_disk(name: str) -> None:
    assert read(name)["sourceHash"] == load_build().source_hash(), (
        "run: python contracts/build.py, and commit the result"
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_names_its_compiler_and_fits_the_chain(name: str) -> None:
    artifact = read(name)
    packages = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert artifact["name"] == name
    assert artifact["compiler"].startswith(packages["solc"] + "+commit.")
    assert artifact["evmVersion"] == "prague"
    assert artifact["optimizer"] == {"enabled": True, "runs": 200}
    assert len(bytes.fromhex(artifact["bytecode"][2:])) > 1_000
    runtime = bytes.fromhex(artifact["deployedBytecode"][2:])
    assert 1_000 < len(runtime) <= EIP_170_BYTES


def test_a_changed_source_changes_the_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = load_build()
    copy = tmp_path / "src"
    shutil.copytree(build.SOURCES, copy)
    monkeypatch.setattr(build, "SOURCES", copy)
    before = build.source_hash()
    assert before == read("ColophonLedger")["sourceHash"]
    part = copy / "ledger" / "Payouts.sol"
    part.write_text(part.read_text() + "\n")
    assert build.source_hash() != before


def test_a_renamed_source_changes_the_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = load_build()
    copy = tmp_path / "src"
    shutil.copytree(build.SOURCES, copy)
    monkeypatch.setattr(build, "SOURCES", copy)
    before = build.source_hash()
    (copy / "TestUSD.sol").rename(copy / "TestEUR.sol")
    assert build.source_hash() != before


def test_the_ledger_has_the_documented_functions_and_events() -> None:
    functions = signatures("ColophonLedger", "function")
    events = signatures("ColophonLedger", "event")
    assert {name: functions.get(name) for name in LEDGER_FUNCTIONS} == LEDGER_FUNCTIONS
    assert {name: events.get(name) for name in LEDGER_EVENTS} == LEDGER_EVENTS


def test_drift_is_told_and_ends_with_1(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build = load_build()
    monkeypatch.setattr(build, "compile_sources", lambda work: work)
    monkeypatch.setattr(build, "ARTIFACTS", tmp_path)
    monkeypatch.setattr(build, "render", lambda name, _out: name.encode())
    for name in NAMES:
        (tmp_path / f"{name}.json").write_text(name)
    assert build.main(["--check"]) == 0
    (tmp_path / "TestUSD.json").write_text("something else")
    assert build.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "TestUSD.json" in said
    assert "ColophonLedger.json" not in said


def test_without_the_tools_the_build_says_what_to_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build = load_build()
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "FORGE", tmp_path / "forge")
    assert build.main(["--check"]) == 1
    assert "npm ci" in capsys.readouterr().err
