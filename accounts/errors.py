"""Problems: errors with an HTTP status and a stable code, and their registry.

Any app above this one subclasses `Problem` in its own errors.py; the class itself is
the registration. `/developers/errors` and docs/api-errors.md list the registry.
Source: RFC 9457 (problem details for HTTP APIs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from colophon.errors import ColophonError


@dataclass(frozen=True)
class ProblemCode:
    """One kind of problem that the API answers with.

    Attributes:
        code: stable machine word, the fragment of the problem's type URL.
        status: the HTTP status it comes with.
        title: the same short sentence each time.
        meaning: what happened and what to do about it.
    """

    code: str
    status: int
    title: str
    meaning: str


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    detail: str
    code: str = "invalid"


REGISTRY: dict[str, ProblemCode] = {}


def register(code: str, status: int, title: str, meaning: str) -> ProblemCode:
    """Enter a problem code into the registry.

    Raises:
        ValueError: the code is taken by another problem.
    """
    entry = ProblemCode(code, status, title, meaning)
    if REGISTRY.setdefault(code, entry) != entry:
        raise ValueError(f"problem code {code} is taken")
    return entry


class Problem(ColophonError):  # noqa: N818 - the word of RFC 9457
    """An error that a person or a program is told about, with its status.

    A subclass sets `status`, `code`, `title` and `meaning`; `detail` is about the
    one case at hand and says what to do.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = ""
    title: ClassVar[str] = ""
    meaning: ClassVar[str] = ""

    def __init__(self, detail: str = "", *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.meaning
        self.errors = tuple(errors)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" in cls.__dict__:
            register(cls.code, cls.status, cls.title, cls.meaning)


class KeyConflictError(Problem):
    status = 409
    code = "key-conflict"
    title = "This key is already enrolled"
    meaning = (
        "A signing key can be enrolled once, by one account. Make a new key, or use "
        "the account that enrolled this one."
    )


class KeyStateError(Problem):
    status = 409
    code = "key-state"
    title = "The key is not in a state for this"
    meaning = "The key is already revoked, or the time asked for is outside its life."


class NoPartyError(Problem):
    status = 403
    code = "no-party"
    title = "You cannot act for this party"
    meaning = (
        "Name a party that you are a member of, or leave `party` out. "
        "`GET /api/v1/me` lists yours."
    )


class NotOwnerError(Problem):
    status = 403
    code = "not-owner"
    title = "Only an owner of the party may do this"
    meaning = "Wallets, payout and keys are changed by the party's owners."


class WalletProofError(Problem):
    status = 403
    code = "wallet-proof"
    title = "The wallet's signature was not accepted"
    meaning = (
        "The text was not issued to this session, is older than five minutes, was "
        "used before, or was not signed by the wallet it names. Ask for a new one."
    )


class WalletTakenError(Problem):
    status = 409
    code = "wallet-taken"
    title = "This wallet belongs to another account"
    meaning = (
        "A wallet is linked to one account. Sign in to that account and unlink it "
        "first, or use another wallet."
    )


class UnknownWalletError(Problem):
    status = 404
    code = "unknown-wallet"
    title = "No account uses this wallet yet"
    meaning = (
        "Sign in with your e-mail address, open Settings and link the wallet. From "
        "then on it signs you in."
    )


class TooManyTriesError(Problem):
    status = 429
    code = "too-many-tries"
    title = "Too many tries"
    meaning = "Wait a minute, then try again."
