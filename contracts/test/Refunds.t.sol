// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IColophonLedger} from "../src/IColophonLedger.sol";
import {HostileToken, IReceiver} from "./HostileTokens.sol";
import {LedgerFixture} from "./LedgerFixture.sol";
import {Wallet} from "./Redirect.t.sol";
import {Tree} from "./Tree.sol";

/// @notice An account that asks for its refund a second time while it gets the first.
contract GreedyAccount is IReceiver {
    address private immutable _ledger;
    bytes private _call;
    bool public tried;
    bytes4 public refusal;

    constructor(address ledger) {
        _ledger = ledger;
    }

    function prepare(bytes calldata call_) external {
        _call = call_;
    }

    function request() external {
        (bool done,) = _ledger.call(abi.encodeWithSignature("requestRefund()"));
        require(done, "request failed");
    }

    function onMoney(uint256) external {
        tried = true;
        (bool done, bytes memory answer) = _ledger.call(_call);
        refusal = done ? bytes4(0) : bytes4(answer);
    }
}

contract RefundsTest is LedgerFixture {
    bytes32 internal constant TYPE =
        keccak256("RefundRequest(address account,uint256 nonce,uint256 deadline)");
    uint256 internal constant LATER = START + 365 days;

    function setUp() public override {
        super.setUp();
        _deposit(ada, 1000);
        _deposit(ben, 500);
    }

    // ---- the request

    function test_a_request_freezes_the_account() public {
        vm.expectEmit(address(ledger));
        emit IColophonLedger.RefundRequested(ada, START);
        vm.prank(ada);
        ledger.requestRefund();
        (,,, uint256 frozenAt, uint256 requests,) = ledger.accountOf(ada);
        assertEq(frozenAt, START, "frozen");
        assertEq(requests, 1, "requests");
    }

    function test_only_an_account_can_ask() public {
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.UnknownAccount.selector, eve)
        );
        vm.prank(eve);
        ledger.requestRefund();
    }

    function test_one_request_at_a_time() public {
        _request(ada);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.AccountFrozen.selector, ada, START)
        );
        vm.prank(ada);
        ledger.requestRefund();
    }

    function test_a_signed_request_may_be_relayed() public {
        bytes memory signature = _signedRequest(adaKey, ada, 0, LATER);
        vm.expectEmit(address(ledger));
        emit IColophonLedger.RefundRequested(ada, START);
        vm.prank(eve);
        ledger.requestRefundFor(ada, LATER, signature);
    }

    function test_a_contract_wallet_may_ask_by_signature() public {
        address wallet = address(new Wallet(ada));
        _deposit(wallet, 10);
        ledger.requestRefundFor(wallet, LATER, _signedRequest(adaKey, wallet, 0, LATER));
        (,,, uint256 frozenAt,,) = ledger.accountOf(wallet);
        assertEq(frozenAt, START, "frozen");
    }

    function test_nobody_asks_for_another() public {
        bytes memory signature = _signedRequest(eveKey, ada, 0, LATER);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.InvalidSignature.selector, ada)
        );
        ledger.requestRefundFor(ada, LATER, signature);
    }

    function test_a_late_request_is_refused() public {
        bytes memory signature = _signedRequest(adaKey, ada, 0, START);
        vm.warp(START + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.SignatureExpired.selector, START)
        );
        ledger.requestRefundFor(ada, START, signature);
    }

    function test_a_request_is_used_once() public {
        bytes memory signature = _signedRequest(adaKey, ada, 0, LATER);
        ledger.requestRefundFor(ada, LATER, signature);
        vm.warp(START + 1);
        _spend(300, 0);
        vm.warp(START + DELAY);
        _refund(ada, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.RefundNotRequested.selector, ada)
        );
        _refund(ada, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.InvalidSignature.selector, ada)
        );
        ledger.requestRefundFor(ada, LATER, signature);
    }

    // ---- the refund

    function test_the_unspent_rest_comes_back() public {
        _request(ada);
        _spend(300, 100);
        vm.warp(START + DELAY);
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Refunded(ada, 700);
        vm.prank(eve);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 700, "ada");
        assertEq(ledger.refunded(), 700, "sum");
        (, uint256 got, uint256 back, uint256 frozenAt,,) = ledger.accountOf(ada);
        assertEq(got, 1000, "deposited");
        assertEq(back, 700, "refunded");
        assertEq(frozenAt, 0, "free again");
        _assertSolvent();
    }

    function test_what_came_back_cannot_be_earned_any_more() public {
        _request(ada);
        _spend(300, 100);
        vm.warp(START + DELAY);
        _refund(ada, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IColophonLedger.EarnedExceedsFunds.selector, 801, 800
            )
        );
        vm.prank(settler);
        ledger.commit(2, 20, LOG_ROOT, 0, 0, 801, 0);
        vm.prank(settler);
        ledger.commit(2, 20, LOG_ROOT, 0, 0, 800, 0);
        _assertSolvent();
    }

    function test_a_pause_does_not_stop_refunds() public {
        _request(ada);
        _spend(300, 100);
        vm.prank(guardian);
        ledger.pause();
        vm.warp(START + DELAY);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 700, "ada");
    }

    function test_nothing_comes_back_unasked() public {
        _spend(300, 100);
        vm.warp(START + DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.RefundNotRequested.selector, ada)
        );
        _refund(ada, 0);
    }

    function test_nothing_comes_back_before_the_delay() public {
        _request(ada);
        _spend(300, 100);
        vm.warp(START + DELAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IColophonLedger.RefundTooEarly.selector, START + DELAY
            )
        );
        _refund(ada, 0);
    }

    function test_a_root_older_than_the_request_is_not_enough() public {
        _spend(0, 0);
        vm.warp(START + 2 days);
        _request(ada);
        vm.warp(START + 2 days + DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(
                IColophonLedger.RootTooOld.selector, START, START + 2 days + 5 * DELAY
            )
        );
        _refund(ada, 0);
    }

    function test_a_root_of_the_same_second_is_not_enough() public {
        _spend(0, 0);
        vm.warp(START);
        _request(ada);
        vm.warp(START + DELAY);
        vm.expectPartialRevert(IColophonLedger.RootTooOld.selector);
        _refund(ada, 0);
    }

    function test_a_root_inside_its_window_is_not_enough() public {
        _request(ada);
        vm.warp(START + DELAY);
        _spend(300, 100);
        vm.warp(START + DELAY + WINDOW - 1);
        vm.expectPartialRevert(IColophonLedger.RootTooOld.selector);
        _refund(ada, 0);
        vm.warp(START + DELAY + WINDOW);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 700, "a second later it is");
    }

    function test_the_newest_matured_root_decides() public {
        _request(ada);
        _spend(300, 100);
        uint256[] memory old = spends;
        bytes32 oldEarnings = earningsRoot;
        _spend(350, 100);
        vm.warp(START + DELAY);
        uint256 word = old[0];
        bytes32[] memory proof = Tree.proof(old, 0, 1, oldEarnings);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.refund(ada, word, proof);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 650, "with what came late");
    }

    function test_a_wrong_amount_spent_is_refused() public {
        _request(ada);
        _spend(300, 100);
        vm.warp(START + DELAY);
        bytes32[] memory proof = Tree.proof(spends, 0, 1, earningsRoot);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.refund(ada, Tree.word(0, ada), proof);
    }

    function test_the_leaf_of_another_is_refused() public {
        _request(ada);
        _spend(300, 0);
        vm.warp(START + DELAY);
        bytes32[] memory proof = Tree.proof(spends, 1, 1, earningsRoot);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.refund(ada, spends[1], proof);
    }

    function test_the_earnings_tree_proves_no_spending() public {
        _request(ada);
        earnings = [Tree.word(0, ada)];
        _spend(300, 100);
        vm.warp(START + DELAY);
        bytes32[] memory proof = Tree.proof(earnings, 0, 1, spendRoot);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.refund(ada, earnings[0], proof);
    }

    // ---- accounts that the tree does not name

    function test_an_empty_leaf_means_nothing_spent() public {
        _request(ada);
        spends = [uint256(0), Tree.word(100, ben)];
        _settle();
        vm.warp(START + DELAY);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 1000, "all of it");
    }

    function test_a_foreign_leaf_means_nothing_spent() public {
        _request(ada);
        spends = [Tree.word(900, eve), Tree.word(100, ben)];
        _settle();
        vm.warp(START + DELAY);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 1000, "all of it");
    }

    function test_an_index_beyond_the_tree_means_nothing_spent() public {
        _request(ben);
        spends = [Tree.word(300, ada)];
        _settle();
        vm.warp(START + DELAY);
        bytes32[] memory proof = Tree.proof(spends, 0, 1, earningsRoot);
        ledger.refund(ben, spends[0], proof);
        assertEq(usd.balanceOf(ben), 500, "all of it");
    }

    function test_a_leaf_at_another_index_does_not_count() public {
        _request(ben);
        spends = [Tree.word(400, ben)];
        _settle();
        vm.warp(START + DELAY);
        bytes32[] memory proof = Tree.proof(spends, 0, 1, earningsRoot);
        ledger.refund(ben, spends[0], proof);
        assertEq(usd.balanceOf(ben), 500, "his index is 1, not 0");
    }

    function test_inside_the_tree_nobody_plays_absent() public {
        _request(ben);
        spends = [Tree.word(300, ada), Tree.word(400, ben)];
        _settle();
        vm.warp(START + DELAY);
        bytes32[] memory proof = Tree.proof(spends, 0, 1, earningsRoot);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.refund(ben, spends[0], proof);
        bytes32[] memory shorter = new bytes32[](1);
        shorter[0] = earningsRoot;
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.refund(ben, uint256(spendRoot), shorter);
        _refund(ben, 1);
        assertEq(usd.balanceOf(ben), 100, "500 less 400");
    }

    // ---- when the operator is gone

    function test_without_any_root_everything_comes_back_in_the_end() public {
        _request(ada);
        vm.warp(START + 5 * DELAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IColophonLedger.RootTooOld.selector, 0, START + 5 * DELAY
            )
        );
        ledger.refund(ada, 0, new bytes32[](0));
        vm.warp(START + 5 * DELAY);
        ledger.refund(ada, 0, new bytes32[](0));
        assertEq(usd.balanceOf(ada), 1000, "all of it");
    }

    function test_when_the_operator_is_gone_the_last_root_decides() public {
        _spend(300, 100);
        uint256 gone = block.timestamp + 5 * DELAY;
        _request(ada);
        vm.warp(gone - 1);
        vm.expectPartialRevert(IColophonLedger.RootTooOld.selector);
        _refund(ada, 0);
        vm.warp(gone);
        vm.expectRevert();
        ledger.refund(ada, 0, new bytes32[](0));
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 700, "what the last root leaves");
    }

    function test_vetoes_without_end_do_not_keep_the_money() public {
        _request(ada);
        uint32 epoch = 1;
        for (uint256 i = 0; i < 35; ++i) {
            vm.prank(settler);
            ledger.commit(epoch, 0, LOG_ROOT, 0, 0, 0, 0);
            vm.prank(guardian);
            ledger.veto(epoch);
            epoch += 2;
            vm.warp(block.timestamp + 1 days);
        }
        ledger.refund(ada, 0, new bytes32[](0));
        assertEq(usd.balanceOf(ada), 1000, "all of it");
    }

    function test_a_pause_without_end_does_not_keep_the_money() public {
        _request(ada);
        vm.prank(guardian);
        ledger.pause();
        vm.warp(START + 5 * DELAY);
        ledger.refund(ada, 0, new bytes32[](0));
        assertEq(usd.balanceOf(ada), 1000, "all of it");
    }

    // ---- the floor

    function test_what_is_earned_stays_even_while_pending() public {
        _request(ada);
        _spend(300, 100);
        vm.warp(START + DELAY - 1);
        bytes32 matured = earningsRoot;
        earnings = [Tree.word(1450, _holder(0))];
        _commit();
        earningsRoot = matured;
        vm.warp(START + DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.RefundShort.selector, 700, 50)
        );
        _refund(ada, 0);
        vm.prank(guardian);
        ledger.veto(2);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 700, "after the veto");
        _assertSolvent();
    }

    function test_the_account_itself_may_take_less() public {
        _request(ada);
        earnings = [Tree.word(1400, _holder(0))];
        spends = [Tree.word(300, ada), Tree.word(100, ben)];
        _settle();
        vm.warp(START + DELAY);
        bytes32[] memory proof = Tree.proof(spends, 0, 1, earningsRoot);
        uint256 word = spends[0];
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.RefundShort.selector, 700, 100)
        );
        vm.prank(eve);
        ledger.refund(ada, word, proof);
        vm.prank(ada);
        ledger.refund(ada, word, proof);
        assertEq(usd.balanceOf(ada), 100, "what is free");
        (, uint256 got, uint256 back,,,) = ledger.accountOf(ada);
        assertEq(got - back, 900, "the rest is still hers");
        _pay(0, 1);
        assertEq(ledger.paid(), 1400, "and the holder was not hurt");
        _assertSolvent();
    }

    function test_more_spent_than_deposited_gives_nothing() public {
        _request(ada);
        spends = [Tree.word(5000, ada)];
        _settle();
        vm.warp(START + DELAY);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 0, "nothing");
        (,,, uint256 frozenAt,,) = ledger.accountOf(ada);
        assertEq(frozenAt, 0, "but free again");
    }

    function test_a_second_round_counts_from_where_the_first_ended() public {
        _request(ada);
        _spend(300, 0);
        vm.warp(START + DELAY);
        _refund(ada, 0);
        _deposit(ada, 50);
        _request(ada);
        _spend(320, 0);
        vm.warp(block.timestamp + DELAY);
        _refund(ada, 0);
        assertEq(usd.balanceOf(ada), 700 + 30, "50 less 20");
        _assertSolvent();
    }

    function test_an_account_cannot_be_refunded_inside_its_refund() public {
        HostileToken host = new HostileToken();
        ledger = _deploy(address(host));
        GreedyAccount greedy = new GreedyAccount(address(ledger));
        host.mint(address(this), 1000);
        host.approve(address(ledger), 1000);
        ledger.deposit(address(greedy), 500, REF);
        ledger.deposit(ada, 500, REF);
        greedy.request();
        vm.warp(START + 5 * DELAY);
        host.setMood(address(greedy), HostileToken.Mood.CallsReceiver);
        greedy.prepare(
            abi.encodeCall(
                ledger.refund, (address(greedy), uint256(0), new bytes32[](0))
            )
        );
        ledger.refund(address(greedy), 0, new bytes32[](0));
        bytes4 lock = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        assertTrue(greedy.tried() && greedy.refusal() == lock, "locked");
        assertEq(host.balanceOf(address(greedy)), 500, "once");
    }

    function test_a_refund_that_does_not_arrive_is_not_booked() public {
        HostileToken host = new HostileToken();
        ledger = _deploy(address(host));
        host.mint(address(this), 500);
        host.approve(address(ledger), 500);
        ledger.deposit(ada, 500, REF);
        _request(ada);
        vm.warp(START + 5 * DELAY);
        host.setMood(ada, HostileToken.Mood.SaysNo);
        vm.expectRevert();
        ledger.refund(ada, 0, new bytes32[](0));
        (,, uint256 back, uint256 frozenAt,,) = ledger.accountOf(ada);
        assertEq(back, 0, "not booked");
        assertEq(frozenAt, START, "the request lives");
    }

    function test_fuzz_a_refund_is_deposit_less_spent_and_never_too_much(
        uint64 spent,
        uint64 others,
        uint64 earned
    ) public {
        _request(ada);
        spends = [Tree.word(spent, ada), Tree.word(others, ben)];
        uint256 owed = bound(earned, 0, 1500);
        earnings = [Tree.word(owed, _holder(0))];
        _settle();
        vm.warp(START + DELAY);
        uint256 rest = spent < 1000 ? 1000 - spent : 0;
        uint256 free = 1500 - owed;
        bytes32[] memory proof = Tree.proof(spends, 0, 1, earningsRoot);
        uint256 word = spends[0];
        vm.prank(ada);
        ledger.refund(ada, word, proof);
        assertEq(usd.balanceOf(ada), rest < free ? rest : free, "the smaller");
        _pay(0, 1);
        assertEq(ledger.paid(), owed, "the holder has everything");
        _assertSolvent();
    }

    // ---- shorthand

    function _request(address account) private {
        vm.prank(account);
        ledger.requestRefund();
        vm.warp(block.timestamp + 1);
    }

    /// @dev One settlement in which Ada and Ben have spent so much.
    function _spend(uint256 adas, uint256 bens) private {
        spends = [Tree.word(adas, ada), Tree.word(bens, ben)];
        _settle();
    }

    function _signedRequest(
        uint256 key,
        address account,
        uint256 nonce,
        uint256 deadline
    ) private view returns (bytes memory) {
        bytes32 structHash = keccak256(abi.encode(TYPE, account, nonce, deadline));
        return _signed(key, _typed(structHash));
    }
}
