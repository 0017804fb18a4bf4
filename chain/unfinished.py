"""A deployment under way: what was signed for each contract, kept before it is sent.

The file lies beside the contracts file and is there only while a deployment is not
done. It is what makes a second run go on where the first one ended: there is no
database row to lock yet, and the deployer's nonces must not be used twice.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from chain.errors import NotDeployedError
from chain.keys import Signed
from colophon.digest import sha256


@dataclass(frozen=True)
class Try:
    """One signed creation of a contract.

    Attributes:
        code: SHA-256 of the bytecode with its arguments; another code is another
            contract, whatever it is called.
        nonce: the deployer's.
        raw: the bytes, in hex.
    """

    contract: str
    code: str
    sender: str
    nonce: int
    raw: str
    tx_hash: str


class Unfinished:
    """The tries of one chain, oldest first."""

    def __init__(self, chain: str) -> None:
        """Read them.

        Args:
            chain: chain id and genesis; tries for another chain are of no use here.

        Raises:
            NotDeployedError: the file is not one of ours.
        """
        contracts = Path(settings.CHAIN_CONTRACTS_FILE)
        self._path = contracts.with_name(f"{contracts.stem}.unfinished.json")
        self._chain = chain
        self._tries = self._read()

    def of(self, contract: str, code: bytes, sender: str) -> list[Try]:
        """What was signed to create this very contract."""
        wanted = (contract, sha256(code).hex(), sender)
        return [
            one for one in self._tries if (one.contract, one.code, one.sender) == wanted
        ]

    def keep(
        self, contract: str, code: bytes, sender: str, nonce: int, signed: Signed
    ) -> Try:
        """Store a signed creation; only then it may be sent."""
        made = Try(
            contract,
            sha256(code).hex(),
            sender,
            nonce,
            signed.raw.hex(),
            signed.tx_hash,
        )
        self._tries.append(made)
        content = {"chain": self._chain, "tries": [asdict(one) for one in self._tries]}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        fresh.replace(self._path)
        return made

    def done(self) -> None:
        """All contracts are there and written down: forget the tries."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> list[Try]:
        if not self._path.is_file():
            return []
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if found["chain"] != self._chain:
                return []
            return [Try(**one) for one in found["tries"]]
        except (ValueError, KeyError, TypeError) as error:
            raise NotDeployedError(
                f"{self._path.name} is not readable: remove it"
            ) from error
