"""A wallet in the page: announced by EIP-6963, signing in Python, asking anvil.

The page sees an EIP-1193 provider and nothing else. It starts on another network and
does not know ours, so that switching and adding are asked for as with a fresh wallet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from playwright.sync_api import BrowserContext

from chain.anvil import Anvil, AnvilError

NAME = "Pocket"
MAINNET = "0x1"
UNKNOWN_CHAIN, DECLINED, FAULT = 4902, 4001, -32000
PROVIDER = """
(() => {
  const request = async ({ method, params }) => {
    const answer = await window.askPocket(method, params ?? []);
    if (answer.error) throw answer.error;
    return answer.result;
  };
  const info = { uuid: "5a4f0c1e-7f2c-4a0e-9d0b-6f0d3a1c2b4e", name: "Pocket",
                 icon: "", rdns: "example.pocket" };
  const detail = Object.freeze({ info: Object.freeze(info), provider: { request } });
  const announce = () => dispatchEvent(
    new CustomEvent("eip6963:announceProvider", { detail })
  );
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


class Refusal(Exception):  # noqa: N818 - a wallet's answer, not a fault
    """What the wallet answers instead, as EIP-1193 and EIP-1474 have it."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass
class PocketWallet:
    """One account that signs whatever the page asks, unless told to decline.

    Attributes:
        chain: the node that everything else is asked of.
        asked: the methods that pages called, in order.
        declines: methods that the person declines.
    """

    chain: Anvil
    account: LocalAccount = field(default_factory=Account.create)
    asked: list[str] = field(default_factory=list)
    declines: set[str] = field(default_factory=set)
    network: str = MAINNET
    networks: set[str] = field(default_factory=lambda: {MAINNET})

    @property
    def address(self) -> str:
        return str(self.account.address)

    def put_into(self, context: BrowserContext) -> None:
        """Every page of the context finds this wallet."""
        context.expose_function("askPocket", self._answer)
        context.add_init_script(PROVIDER)

    def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        self.asked.append(method)
        if method in self.declines:
            words = "User rejected the request."
            return {"error": {"code": DECLINED, "message": words}}
        try:
            own = getattr(self, f"_{method}", None)
            return {"result": own(*params) if own else self._forward(method, params)}
        except Refusal as refusal:
            return {"error": {"code": refusal.code, "message": str(refusal)}}

    def _forward(self, method: str, params: list[Any]) -> object:
        try:
            return self.chain.rpc(method, *params)
        except AnvilError as error:
            raise Refusal(FAULT, str(error)) from error

    def _eth_requestAccounts(self) -> list[str]:  # noqa: N802 - EIP-1193's names
        return [self.address]

    def _eth_accounts(self) -> list[str]:
        return [self.address]

    def _eth_chainId(self) -> str:  # noqa: N802
        return self.network

    def _personal_sign(self, text: str, _address: str) -> str:
        signed = self.account.sign_message(encode_defunct(hexstr=text))
        return "0x" + bytes(signed.signature).hex()

    def _eth_signTypedData_v4(self, address: str, text: str) -> str:  # noqa: N802
        if address.lower() != self.address.lower():
            raise Refusal(DECLINED, f"{address} is not an account of this wallet")
        message = json.loads(text)
        if int(message["domain"]["chainId"]) != int(self.network, 16):
            raise Refusal(FAULT, "the message is for another network")
        signed = self.account.sign_typed_data(full_message=message)
        return "0x" + bytes(signed.signature).hex()

    def _wallet_switchEthereumChain(self, wanted: dict[str, str]) -> None:  # noqa: N802
        if wanted["chainId"] not in self.networks:
            raise Refusal(UNKNOWN_CHAIN, "Unrecognized chain ID.")
        self.network = wanted["chainId"]

    def _wallet_addEthereumChain(self, wanted: dict[str, Any]) -> None:  # noqa: N802
        if not wanted.get("rpcUrls"):
            raise Refusal(FAULT, "a network needs an RPC URL")
        self.networks.add(wanted["chainId"])
        self.network = wanted["chainId"]
