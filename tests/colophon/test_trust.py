"""The trust file: reading it strictly, and what people compare."""

from __future__ import annotations

import base64
import copy
from pathlib import Path
from typing import Any

import pytest

from colophon.authority import make_authorities
from colophon.errors import InputError, TrustError
from colophon.keys import Ed25519Key
from colophon.note import COSIGNATURE, ED25519, NoteKey
from colophon.policy import POLICY
from colophon.trust import Trust, load, save

ORIGIN = "colophon.example/log"


def key_json(seed: int) -> dict[str, str]:
    key = Ed25519Key.from_seed(bytes([seed]) * 32)
    spki = base64.b64encode(key.public_spki).decode()
    return {"key_id": key.key_id, "spki": spki}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    made = make_authorities(tmp_path_factory.mktemp("ca") / "ca")
    log = NoteKey.of_signer(ORIGIN, Ed25519Key.from_seed(b"l" * 32))
    return {
        "v": 1,
        "origin": ORIGIN,
        "site": "http://127.0.0.1:8000",
        "log_keys": [log.vkey],
        "witness_keys": [],
        "quorum": 0,
        "platform_keys": [key_json(1)],
        "verdict_keys": [key_json(2)],
        "chains": [
            {
                "chain_id": 31337,
                "ledger": "0x" + "aB" * 20,
                "code_hash": "11" * 32,
                "public": False,
                "name": "anvil",
            }
        ],
        "c2pa_roots": [made.claim.root.read_text()],
        "tsa_roots": [made.tsa.root.read_text()],
        "policies": [POLICY.digest.hex()],
    }


def test_a_trust_file_comes_back_as_it_was_written(
    data: dict[str, Any], tmp_path: Path
) -> None:
    trust = Trust.from_json(data)
    save(trust, tmp_path / "trust.json")
    assert load(tmp_path / "trust.json") == trust
    assert trust.to_json() == data


def test_keys_and_chains_are_found_by_name(data: dict[str, Any]) -> None:
    trust = Trust.from_json(data)
    assert trust.platform_key(key_json(1)["key_id"]) is not None
    assert trust.platform_key(key_json(2)["key_id"]) is None
    assert trust.verdict_key(key_json(2)["key_id"]) is not None
    assert trust.chain(31337, "0x" + "ab" * 20) is not None
    assert trust.chain(1, "0x" + "ab" * 20) is None


def test_fingerprints_name_everything_that_is_believed(data: dict[str, Any]) -> None:
    kinds = [kind for kind, _ in Trust.from_json(data).fingerprints()]
    for kind in ("log key", "platform key", "verdict key", "C2PA root", "policy"):
        assert kind in kinds
    texts = [text for _, text in Trust.from_json(data).fingerprints()]
    assert any("test network" in text for text in texts)


def test_any_change_changes_the_fingerprint(data: dict[str, Any]) -> None:
    other = copy.deepcopy(data)
    other["chains"][0]["code_hash"] = "12" * 32
    assert Trust.from_json(other).digest != Trust.from_json(data).digest


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["v"], 2, "v"),
        (["origin"], "", "origin"),
        (["site"], "ftp://x", "site"),
        (["log_keys"], [], "log_keys"),
        (["log_keys", 0], "no", "log_keys/0"),
        (["origin"], "other.example/log", "log_keys/0"),
        (["quorum"], 1, "quorum"),
        (["platform_keys", 0, "key_id"], "00" * 32, "platform_keys/0/key_id"),
        (["verdict_keys", 0, "spki"], "!!", "verdict_keys/0/spki"),
        (["chains", 0, "ledger"], "0x12", "chains/0/ledger"),
        (["chains", 0, "public"], "yes", "chains/0/public"),
        (["chains", 0, "code_hash"], "AA" * 32, "chains/0/code_hash"),
        (["c2pa_roots", 0], "-----BEGIN", "c2pa_roots/0"),
        (["tsa_roots", 0], 7, "tsa_roots/0"),
        (["policies", 0], "xx", "policies/0"),
        (["surprise"], 1, "surprise"),
    ],
)
def test_a_wrong_field_is_named(
    data: dict[str, Any], path: list[Any], value: Any, field: str
) -> None:
    bad = copy.deepcopy(data)
    place = bad
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError) as caught:
        Trust.from_json(bad)
    assert caught.value.field == field


def witness(name: str, seed: int, kind: int = COSIGNATURE) -> str:
    return NoteKey.of_signer(name, Ed25519Key.from_seed(bytes([seed]) * 32), kind).vkey


LOG_SEED = ord("l")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"witness_keys": [witness("w1", 7)] * 2}, "witness_keys/1"),
        ({"witness_keys": [witness("w1", 7), witness("w2", 7)]}, "witness_keys/1"),
        ({"witness_keys": [witness("w1", 7), witness("w1", 8)]}, "witness_keys/1"),
        ({"witness_keys": [witness("w1", LOG_SEED)]}, "witness_keys/0"),
        ({"witness_keys": [witness("w1", 7, ED25519)]}, "witness_keys/0"),
        ({"witness_keys": [witness("w1", 7)], "quorum": 2}, "quorum"),
        ({"log_keys": [witness(ORIGIN, LOG_SEED, ED25519)] * 2}, "log_keys/1"),
        ({"log_keys": [witness(ORIGIN, LOG_SEED)]}, "log_keys/0"),
        ({"independent_witnesses": ["w1"]}, "independent_witnesses/0"),
        (
            {"witness_keys": [witness("w1", 7)], "independent_witnesses": ["w1"] * 2},
            "independent_witnesses/1",
        ),
        ({"independent_witnesses": [7]}, "independent_witnesses/0"),
    ],
)
def test_a_witness_counts_once_and_is_not_the_log(
    data: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        Trust.from_json(data | change)
    assert caught.value.field == field


def test_who_runs_a_witness_is_in_the_file_only_where_somebody_said_so(
    data: dict[str, Any],
) -> None:
    two = data | {"witness_keys": [witness("w1", 7), witness("w2", 8)], "quorum": 2}
    assert "independent_witnesses" not in Trust.from_json(two).to_json()
    said = Trust.from_json(two | {"independent_witnesses": ["w2"]})
    assert Trust.from_json(said.to_json()) == said
    assert said.digest != Trust.from_json(two).digest
    kinds = [kind for kind, _ in said.fingerprints()]
    assert (kinds.count("witness"), kinds.count("independent")) == (1, 1)


def test_a_missing_file_is_a_trust_error(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match=r"nothing\.json"):
        load(tmp_path / "nothing.json")
