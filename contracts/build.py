#!/usr/bin/env python3
"""Compile the contracts and write their artifacts, or check the committed ones.

    python contracts/build.py           writes contracts/artifacts/*.json
    python contracts/build.py --check   rebuilds elsewhere, compares byte for byte

Needs `npm ci` first: forge, solc and OpenZeppelin come from node_modules, at the
versions that package.json pins. The same sources give the same bytes on any machine,
because every path inside the compiler's metadata is relative to the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "contracts" / "src"
ARTIFACTS = ROOT / "contracts" / "artifacts"
FORGE = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
NAMES = ("ColophonAsset", "ColophonLedger", "TestUSD")
TESTS = "contracts/test/*"
PACKAGES = ("@openzeppelin/contracts", "solc")


class BuildError(Exception):
    """The build cannot go on; the message says what to do."""


def source_hash() -> str:
    """Digest of all that decides the bytecode and lies in this repository.

    SHA-256 over one line per source file (`sha256  path`, sorted by path) and one per
    pinned npm package (`name@version`). Needs neither forge nor node_modules.
    """
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(SOURCES)}"
        for path in sorted(SOURCES.rglob("*.sol"))
    ]
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    lines += [f"{name}@{pinned[name]}" for name in PACKAGES]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def compile_sources(work: Path) -> Path:
    """Run forge over contracts/src into `work`; give the folder of its output."""
    if not FORGE.exists():
        raise BuildError(f"{FORGE.relative_to(ROOT)} is missing; run: npm ci")
    command = [str(FORGE), "build", "--root", str(ROOT), "--skip", TESTS]
    command += ["--out", str(work / "out"), "--cache-path", str(work / "cache")]
    environment = os.environ | {"FOUNDRY_CONFIG": "contracts/foundry.toml"}
    environment.pop("FOUNDRY_PROFILE", None)
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        raise BuildError(f"forge failed:\n{run.stdout}{run.stderr}")
    return work / "out"


def immutable_ranges(deployed: dict[str, Any]) -> list[dict[str, int]]:
    """Where the constructor writes into the code, in order.

    The compiler groups these ranges by numbers of its own, which change with whatever
    else it compiles; the ranges alone do not.
    """
    groups = deployed.get("immutableReferences", {}).values()
    ranges = [one for group in groups for one in group]
    return sorted(ranges, key=lambda one: one["start"])


def artifact(name: str, out: Path) -> dict[str, Any]:
    """What the committed file says of one contract."""
    built = json.loads((out / f"{name}.sol" / f"{name}.json").read_text())
    metadata = built["metadata"]
    for part in ("bytecode", "deployedBytecode"):
        if built[part]["linkReferences"]:
            raise BuildError(f"{name} needs linking; make its libraries internal")
    return {
        "name": name,
        "abi": built["abi"],
        "bytecode": built["bytecode"]["object"],
        "deployedBytecode": built["deployedBytecode"]["object"],
        "immutableReferences": immutable_ranges(built["deployedBytecode"]),
        "compiler": metadata["compiler"]["version"],
        "evmVersion": metadata["settings"]["evmVersion"],
        "optimizer": metadata["settings"]["optimizer"],
        "sourceHash": source_hash(),
    }


def render(name: str, out: Path) -> bytes:
    """The bytes of one artifact file."""
    return (json.dumps(artifact(name, out), indent=1) + "\n").encode()


def differences(out: Path) -> list[str]:
    """Names of committed artifacts that are not what the sources give."""
    found = []
    for name in NAMES:
        path = ARTIFACTS / f"{name}.json"
        if not path.exists() or path.read_bytes() != render(name, out):
            found.append(f"contracts/artifacts/{name}.json")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Write or check; 0 when the artifacts are right, 1 when they are not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="contracts-") as folder:
            out = compile_sources(Path(folder))
            if options.check:
                drifted = differences(out)
            else:
                ARTIFACTS.mkdir(exist_ok=True)
                for name in NAMES:
                    (ARTIFACTS / f"{name}.json").write_bytes(render(name, out))
                drifted = []
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    if drifted:
        print(
            f"build.py: not what the sources give: {', '.join(drifted)}\n"
            "run: python contracts/build.py, and commit the result",
            file=sys.stderr,
        )
        return 1
    print(f"{len(NAMES)} artifacts {'match' if options.check else 'written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
