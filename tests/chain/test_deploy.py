"""Deploying: once, found again, and never on the wrong chain."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chain import contracts, faults, identity, keys, read
from chain.anvil import Anvil
from chain.deploy import deploy
from chain.errors import ChainError, Later, WrongChainError
from chain.gateway import Gateway
from chain.models import Intent, Network
from tests.chain.actor import Actor, Crash, crash
from tests.chain.proxy import Proxy

pytestmark = [pytest.mark.chain, pytest.mark.django_db]


def test_deploying_again_does_nothing(act: Actor, settings: Any) -> None:
    block = act.node.rpc("eth_blockNumber")
    out = StringIO()
    call_command("deploy_contracts", stdout=out)
    assert "nothing to do" in out.getvalue()
    out = StringIO()
    call_command("deploy_contracts", "--if-needed", stdout=out)
    assert out.getvalue() == ""
    assert act.node.rpc("eth_blockNumber") == block
    listed = json.loads(Path(settings.CHAIN_CONTRACTS_FILE).read_text())
    assert listed["contracts"] == Network.objects.get().contracts
    assert listed["roles"]["anchorer"] == keys.role_address("anchorer")


def test_a_new_database_adopts_the_live_contracts(act: Actor) -> None:
    before = Network.objects.get().contracts
    Network.objects.all().delete()
    deploy(say=lambda _: None)
    assert Network.objects.get().contracts == before


def test_the_roles_are_on_the_chain(act: Actor) -> None:
    for role in ("admin", "anchorer", "settler", "guardian"):
        told = read._ask("ColophonLedger", role)[0]
        assert told == keys.role_address(role)
    assert read._ask("ColophonAsset", "minter")[0] == keys.role_address("minter")
    assert read._ask("ColophonLedger", "challengeWindow")[0] == "5"
    assert read.token_domain()["name"] == "Test USD"


def test_an_empty_chain_with_an_old_database_is_refused(
    act: Actor, settings: Any
) -> None:
    with Anvil.start() as other:
        settings.CHAIN_RPC_URLS = [other.url]
        identity.forget()
        intent = act.want()
        with pytest.raises(Later, match="make reset"):
            act.send(intent)
        with pytest.raises(CommandError, match="make reset"):
            call_command("deploy_contracts", stdout=StringIO())
        with pytest.raises(CommandError, match="make reset"):
            call_command("chain_check", stdout=StringIO())
    assert Intent.objects.get().state == "queued"


def test_another_genesis_with_the_same_contracts_is_refused(
    act: Actor, proxy: Proxy
) -> None:
    def renamed(result: dict[str, Any], params: list[Any]) -> dict[str, Any]:
        return {**result, "hash": "0x" + "11" * 32} if params[0] == "0x0" else result

    proxy.rewrites["eth_getBlockByNumber"] = renamed
    identity.forget()
    with pytest.raises(WrongChainError, match="another genesis"):
        read.epoch()
    proxy.rewrites.clear()
    assert read.epoch() == 1


def test_another_chain_id_is_refused(act: Actor, settings: Any) -> None:
    with Anvil.start(chain_id=4242) as other:
        settings.CHAIN_RPC_URLS = [other.url]
        identity.forget()
        with pytest.raises(WrongChainError, match="4242"):
            read.epoch()


def test_other_code_at_the_address_is_refused(act: Actor) -> None:
    ledger = read.address_of("ColophonLedger")
    act.node.rpc("anvil_setCode", ledger, "0x00")
    identity.forget()
    with pytest.raises(WrongChainError, match="other code"):
        read.epoch()
    act.node.rpc("anvil_setCode", ledger, "0x")
    identity.forget()
    with pytest.raises(WrongChainError, match="no code"):
        read.epoch()


def test_a_contracts_file_of_another_chain_is_not_adopted(
    chain_settings: Any, db: None, tmp_path: Path
) -> None:
    chain_settings.CHAIN_CONTRACTS_FILE = tmp_path / "contracts.json"
    lines: list[str] = []
    with Anvil.start() as one:
        deploy(say=lines.append, gateway=Gateway([one.url]))
    Network.objects.all().delete()
    with Anvil.start() as two:
        deploy(say=lines.append, gateway=Gateway([two.url]))
    assert sum(line.startswith("ColophonLedger") for line in lines) == 2


@pytest.mark.parametrize("turn", [1, 2, 3])
@pytest.mark.parametrize("point", ["before_sign", "after_sign", "after_send"])
def test_a_deployment_goes_on_where_it_was_interrupted(
    chain_settings: Any, db: None, tmp_path: Path, point: str, turn: int
) -> None:
    """At each contract: nothing is deployed twice, and no nonce is lost."""
    chain_settings.CHAIN_CONTRACTS_FILE = tmp_path / "contracts.json"
    calls: list[int] = []

    def crash_in_turn() -> None:
        calls.append(1)
        if len(calls) == turn:
            raise Crash

    with Anvil.start() as one:
        gateway = Gateway([one.url])
        faults.hook(point, crash_in_turn)
        with pytest.raises(Crash):
            deploy(say=lambda _: None, gateway=gateway)
        faults.hook(point, None)
        assert not Network.objects.exists()
        network = deploy(say=lambda _: None, gateway=gateway)
        assert gateway.nonce(keys.role_address("deployer")) == 3
        identity.verify(gateway, network)
    assert [path.name for path in tmp_path.iterdir()] == ["contracts.json"]


def test_a_crash_between_the_database_and_the_file_is_made_good(
    chain_settings: Any, db: None, tmp_path: Path
) -> None:
    chain_settings.CHAIN_CONTRACTS_FILE = tmp_path / "contracts.json"
    faults.hook("after_deploy", crash)
    with Anvil.start() as one:
        with pytest.raises(Crash):
            deploy(say=lambda _: None, gateway=Gateway([one.url]))
        faults.hook("after_deploy", None)
        assert not chain_settings.CHAIN_CONTRACTS_FILE.exists()
        network = deploy(say=lambda _: None, gateway=Gateway([one.url]))
    listed = json.loads(chain_settings.CHAIN_CONTRACTS_FILE.read_text())
    assert listed["contracts"] == network.contracts
    assert [path.name for path in tmp_path.iterdir()] == ["contracts.json"]


def test_what_was_signed_for_another_chain_is_not_used(
    chain_settings: Any, db: None, tmp_path: Path
) -> None:
    chain_settings.CHAIN_CONTRACTS_FILE = tmp_path / "contracts.json"
    faults.hook("after_send", crash)
    with Anvil.start() as one, pytest.raises(Crash):
        deploy(say=lambda _: None, gateway=Gateway([one.url]))
    faults.hook("after_send", None)
    with Anvil.start(chain_id=4242) as two:
        network = deploy(say=lambda _: None, gateway=Gateway([two.url]))
        identity.verify(Gateway([two.url]), network)


def test_a_broken_file_of_an_unfinished_deployment_is_told(
    chain_settings: Any, db: None, tmp_path: Path
) -> None:
    chain_settings.CHAIN_CONTRACTS_FILE = tmp_path / "contracts.json"
    (tmp_path / "contracts.unfinished.json").write_text("{}")
    with pytest.raises(ChainError, match="remove it"):
        deploy(say=lambda _: None)


def test_a_broken_contracts_file_is_told(
    chain_settings: Any, db: None, tmp_path: Path
) -> None:
    chain_settings.CHAIN_CONTRACTS_FILE = tmp_path / "contracts.json"
    chain_settings.CHAIN_CONTRACTS_FILE.write_text("{}")
    with pytest.raises(ChainError, match="remove it"):
        deploy(say=lambda _: None)


def test_a_public_chain_needs_money_and_a_token(
    chain_settings: Any, db: None, tmp_path: Path
) -> None:
    chain_settings.CHAIN_CONTRACTS_FILE = tmp_path / "contracts.json"
    chain_settings.KEYS_DIR = tmp_path / "keys"
    chain_settings.CHAIN_PUBLIC = True
    lines: list[str] = []
    with pytest.raises(ChainError, match="deployer"):
        deploy(say=lines.append)
    assert len(lines) == 7
    gateway = Gateway(chain_settings.CHAIN_RPC_URLS)
    gateway.request("anvil_setBalance", [keys.role_address("deployer"), hex(10**18)])
    with pytest.raises(ChainError, match="COLOPHON_TOKEN_ADDRESS"):
        deploy(say=lines.append)
    chain_settings.CHAIN_TOKEN_ADDRESS = "0x" + "12" * 20
    with pytest.raises(ChainError, match="no contract"):
        deploy(say=lines.append)
    assert not Network.objects.exists()


def test_the_check_command_says_that_all_is_well(act: Actor) -> None:
    act.follow()
    out = StringIO()
    call_command("chain_check", "--full", stdout=out)
    assert "chain 31337 is the one of this database" in out.getvalue()
    assert "\n-" not in out.getvalue()


def test_the_intent_command_lists_cancels_and_resumes(act: Actor) -> None:
    intent = act.want()
    out = StringIO()
    call_command("chain_intent", stdout=out)
    assert intent.key in out.getvalue()
    call_command("chain_intent", "--cancel", intent.key, stdout=out)
    intent.refresh_from_db()
    assert intent.state == "canceled"
    with pytest.raises(CommandError, match="no intent"):
        call_command("chain_intent", "--requeue", "unknown", stdout=out)
    call_command("chain_intent", "--resume", stdout=out)
    assert "nothing was halted" in out.getvalue()


def test_every_kind_is_a_function_of_the_contracts(live: Any) -> None:
    from chain.kinds import KINDS

    for kind in KINDS.values():
        assert contracts._function(kind)["name"] == kind.function
