"""The market on the real contract: whoever sends, licenses and refunds follow logs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from eth_account import Account

from accounts.models import User
from chain import abi, read
from chain.contracts import abi_of, address_of
from chain.errors import Later
from chain.models import Intent
from config.jobs import EVENTS
from marketplace.cancel import cancel_purchase
from marketplace.issue import fail_order
from marketplace.models import License, Order, Refund
from marketplace.order import authorize, make_order, typed_data
from marketplace.refund import ask_refund, deadline_from_now, refund_message
from outbox.inline import drain
from provenance.models import Asset
from royalties import mature
from royalties.models import UsageEvent
from royalties.verify import verify
from tests import factories
from tests.cast import party_of
from tests.chain.actor import Actor
from tests.royalties import factories as ledger
from tests.royalties.factories import build_settlement

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

START = 100_000_000
MARKET = {
    "order.paid",
    "deposit.seen",
    "deposit.gone",
    "refund.asked",
    "refund.requested",
    "refund.paid",
    "refund.send",
    "refund.sent",
    "settlement.committed",
    "settlement.follow",
}
SOON = timedelta(milliseconds=100)
Buy = Callable[[User, str], Order]


@pytest.fixture(autouse=True)
def market(chain_settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The site's own events; a long wait, so that a slow test is not too late."""
    from config import jobs

    monkeypatch.setattr(jobs, "EVENTS", EVENTS)
    chain_settings.REFUND_DELAY_SECONDS = 3600  # the contract of the tests has 10
    return chain_settings


@pytest.fixture
def work(act: Actor, ada: User) -> Asset:
    return factories.published_asset(party_of(ada))


@pytest.fixture
def wallet(act: Actor) -> Any:
    """Ben's wallet with $100.00 and a little gas."""
    return funded(act)


def funded(act: Actor) -> Any:
    made = Account.create()
    act.finish(act.send(act.want("fund", to=made.address, amount=START)))
    act.node.rpc("anvil_setBalance", made.address, hex(10**18))
    return made


def ordered(work: Asset, user: User, wallet: Any, use: str = "pay-per-use") -> Order:
    order = make_order(
        offer=factories.offer_of(work, use),
        buyer=party_of(user),
        user=user,
        account=wallet.address,
    )
    order.expires_at += timedelta(hours=6)  # the chain's clock is set forward here
    order.save()
    return order


def signature(order: Order, wallet: Any) -> str:
    made = wallet.sign_typed_data(full_message=typed_data(order))
    return "0x" + bytes(made.signature).hex()


def hear(act: Actor, *, ahead: timedelta = SOON) -> None:
    """Blocks become final, their logs are read, and their jobs run."""
    act.mine(3)
    act.follow()
    drain(kinds=MARKET, ahead=ahead)


def bought(act: Actor, work: Asset, user: User, wallet: Any) -> License:
    """A metered license, paid the usual way."""
    order = authorize(
        order=(made := ordered(work, user, wallet)), signature=signature(made, wallet)
    )
    assert order.intent is not None
    act.finish(act.send(order.intent))
    hear(act)
    return License.objects.get(order=order)


def by_hand(act: Actor, wallet: Any, contract: str, function: str, **args: Any) -> None:
    """A call that the wallet sends itself."""
    entry = abi.find(abi_of(contract), "function", function)
    data = abi.encode_call(entry, abi.normalize(entry, args))
    act.node.rpc("anvil_impersonateAccount", wallet.address)
    call = {
        "from": wallet.address,
        "to": address_of(contract),
        "data": "0x" + data.hex(),
    }
    tx = act.node.rpc("eth_sendTransaction", call)
    act.mine(1)
    assert act.node.rpc("eth_getTransactionReceipt", tx)["status"] == "0x1"


def test_somebody_else_sends_the_buyers_signature_first(
    act: Actor, work: Asset, ben: User, wallet: Any, settings: Any
) -> None:
    """Ours reverts; the money is in, so the license is issued all the same."""
    settings.CHAIN_REFUSALS = 1
    made = ordered(work, ben, wallet)
    order = authorize(order=made, signature=signature(made, wallet))
    assert order.intent is not None
    args = Intent.objects.get(pk=order.intent.pk).args
    act.finish(act.send(act.want("deposit", **args)))
    act.send(order.intent)
    drain(kinds=MARKET, ahead=SOON)
    order.refresh_from_db()
    assert (order.state, order.uncharged) == ("failed", False)
    assert "nother transaction used the payment" in order.failed_reason
    hear(act)
    order.refresh_from_db()
    assert (order.state, order.failed_reason) == ("paid", "")
    row = License.objects.get()
    assert row.final_at is not None
    fail_order(order_pk=order.pk, reason="late")
    hear(act)
    assert License.objects.get() == row


def test_a_wallet_without_money_is_told_so_and_charged_nothing(
    act: Actor, work: Asset, ben: User, settings: Any
) -> None:
    settings.CHAIN_REFUSALS = 1
    empty = Account.create()
    made = ordered(work, ben, empty)
    order = authorize(order=made, signature=signature(made, empty))
    assert order.intent is not None
    act.send(order.intent)
    drain(kinds=MARKET, ahead=SOON)
    order.refresh_from_db()
    assert (order.state, order.uncharged) == ("failed", True)
    assert order.failed_reason.startswith("Your wallet holds too little Test USD")


@pytest.mark.parametrize("change", [0, -1])
def test_a_plain_deposit_of_the_right_amount_issues(
    act: Actor, work: Asset, ben: User, wallet: Any, change: int
) -> None:
    order = ordered(work, ben, wallet)
    amount = order.amount_units + change
    spender = address_of("ColophonLedger")
    by_hand(act, wallet, "Token", "approve", spender=spender, value=amount)
    by_hand(
        act,
        wallet,
        "ColophonLedger",
        "deposit",
        account=wallet.address,
        amount=amount,
        ref=bytes(order.ref),
    )
    hear(act)
    order.refresh_from_db()
    if change:
        assert (order.state, order.received_units) == ("open", amount)
        assert not License.objects.exists()
    else:
        assert order.state == "paid"
        assert License.objects.get().order == order


def asked(row: License, wallet: Any, user: User) -> Refund:
    """The buyer asks here, with one signature."""
    deadline = deadline_from_now()
    state = read.account_of(row.account)
    assert state is not None
    message = refund_message(row.account, nonce=state.requests, deadline=deadline)
    made = wallet.sign_typed_data(full_message=message)
    return ask_refund(
        account=row.account,
        nonce=state.requests,
        deadline=deadline,
        signature="0x" + bytes(made.signature).hex(),
        party=row.buyer,
        user=user,
    )


def settled(act: Actor) -> None:
    """One settlement, committed in a later second, and matured."""
    pass_time(act, 2)
    factories.logged()
    made = build_settlement(epoch=read.epoch())
    assert made is not None
    assert made.intent is not None
    act.finish(act.send(made.intent))
    hear(act)
    pass_time(act, 6)
    hear(act)
    final = read.final_block()
    assert final is not None
    assert mature.mature_due(final=final) == 1


def pass_time(act: Actor, seconds: int) -> None:
    at = int(read.chain_time().timestamp()) + seconds
    act.node.rpc("evm_setNextBlockTimestamp", at)
    act.mine(1)


def broken() -> list[str]:
    return [f"{one.invariant.id}: {one.findings}" for one in verify() if not one.holds]


def test_a_refund_leaves_what_was_spent_and_returns_the_rest_to_the_unit(
    act: Actor, work: Asset, ben: User, eve: User, wallet: Any
) -> None:
    row = bought(act, work, ben, wallet)
    other = bought(act, work, eve, funded(act))
    License.objects.filter(pk=other.pk).update(fee_due_at=other.issued_at)
    ledger.used(row, 1_001)  # $0.60 and a bit: 600,600 units
    refund = asked(row, wallet, ben)
    assert refund.intent is not None
    act.finish(act.send(refund.intent))
    hear(act)
    refund.refresh_from_db()
    row.refresh_from_db()
    assert (refund.state, row.is_closed) == ("requested", True)
    other.refresh_from_db()
    assert other.frozen_at is None
    late = timezone.now() + timedelta(minutes=1)
    ledger.used(row, 50_000, at=late)
    assert UsageEvent.objects.latest("pk").reason == "account_frozen"
    settled(act)
    drain(kinds=MARKET, ahead=timedelta(hours=2))
    assert not Intent.objects.filter(kind="refund").exists()  # the delay is not over
    pass_time(act, 3601)
    drain(kinds=MARKET, ahead=timedelta(hours=2))
    sent = Intent.objects.get(kind="refund")
    act.finish(act.send(sent))
    hear(act)
    refund.refresh_from_db()
    spent = 2_000_000 + 600_600
    assert (refund.state, refund.units) == ("paid", 12_000_000 - spent)
    assert read.balance_of(wallet.address) == START - spent
    assert broken() == []
    ledger.used(row, 50_000, at=timezone.now())  # others do not pay for these
    ledger.used(other, 1_000)
    settled(act)
    assert broken() == []
    totals = read.totals()
    assert totals["earned_pending"] == spent + 2_600_000
    again = bought(act, work, ben, wallet)
    assert (again.state, again.is_closed) == ("active", False)
    assert broken() == []


def test_a_stranger_cannot_ask_for_somebodys_refund(
    act: Actor, work: Asset, ben: User, wallet: Any, settings: Any
) -> None:
    settings.CHAIN_REFUSALS = 1
    row = bought(act, work, ben, wallet)
    deadline = deadline_from_now()
    message = refund_message(row.account, nonce=0, deadline=deadline)
    forged = Account.create().sign_typed_data(full_message=message)
    intent = act.want(
        "request_refund",
        account=row.account,
        deadline=deadline,
        signature=bytes(forged.signature),
    )
    try:
        act.send(intent)
    except Later:
        pytest.fail("it is refused at once")
    intent.refresh_from_db()
    assert intent.state == "reverted"
    assert "InvalidSignature" in intent.error
    hear(act)
    assert not Refund.objects.exists()


def test_a_wallet_that_asks_the_contract_itself_is_served_too(
    act: Actor, work: Asset, ben: User, wallet: Any
) -> None:
    row = bought(act, work, ben, wallet)
    by_hand(act, wallet, "ColophonLedger", "requestRefund")
    hear(act)
    row.refresh_from_db()
    assert row.is_closed
    settled(act)
    pass_time(act, 3601)
    drain(kinds=MARKET, ahead=timedelta(hours=2))
    act.finish(act.send(Intent.objects.get(kind="refund")))
    hear(act)
    assert Refund.objects.get().units == 10_000_000
    assert read.balance_of(wallet.address) == START - 2_000_000
    assert broken() == []


def test_a_canceled_purchase_comes_back_to_the_unit(
    act: Actor, work: Asset, ben: User, wallet: Any
) -> None:
    row = bought(act, work, ben, wallet)
    assert read.balance_of(wallet.address) < START
    cancel_purchase(license_row=row)
    refund = asked(row, wallet, ben)
    assert refund.intent is not None
    act.finish(act.send(refund.intent))
    hear(act)
    drain(kinds=MARKET, ahead=timedelta(hours=2))
    settled(act)
    pass_time(act, 3601)
    drain(kinds=MARKET, ahead=timedelta(hours=2))
    act.finish(act.send(Intent.objects.get(kind="refund")))
    hear(act)
    refund.refresh_from_db()
    assert (refund.state, refund.units) == ("paid", row.order.amount_units)
    assert read.balance_of(wallet.address) == START
    assert read.totals()["earned_pending"] == 0
    assert broken() == []
