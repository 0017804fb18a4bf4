// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {BalanceTree} from "../src/BalanceTree.sol";
import {ColophonLedger} from "../src/ColophonLedger.sol";
import {IColophonLedger} from "../src/IColophonLedger.sol";
import {HostileToken, IReceiver} from "./HostileTokens.sol";
import {LedgerFixture} from "./LedgerFixture.sol";
import {Tree} from "./Tree.sol";

/// @notice Calls the ledger back in the middle of its own payment.
contract Reentrant is IReceiver {
    ColophonLedger private immutable _ledger;
    bytes private _call;
    bool public tried;
    bytes4 public refusal;

    constructor(ColophonLedger ledger) {
        _ledger = ledger;
    }

    function prepare(bytes calldata call_) external {
        _call = call_;
    }

    function onMoney(uint256) external {
        tried = true;
        (bool done, bytes memory answer) = address(_ledger).call(_call);
        refusal = done ? bytes4(0) : bytes4(answer);
    }
}

contract PayoutsTest is LedgerFixture {
    function setUp() public override {
        super.setUp();
        _deposit(ada, 1_000_000);
    }

    // ---- the normal course

    function test_a_holder_gets_what_the_root_says() public {
        _equalEarnings(4, 100);
        _settle();
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Paid(2, _holder(2), 100);
        vm.prank(eve);
        _pay(2, 1);
        assertEq(usd.balanceOf(_holder(2)), 100, "paid");
        assertEq(usd.balanceOf(eve), 0, "nothing for the caller");
        assertEq(ledger.claimed(2), 100, "claimed");
        assertEq(ledger.paid(), 100, "sum");
    }

    function test_a_batch_pays_every_holder() public {
        _equalEarnings(64, 100);
        _settle();
        _pay(0, 64);
        for (uint256 i = 0; i < 64; ++i) {
            assertEq(usd.balanceOf(_holder(i)), 100, "paid");
            assertEq(ledger.claimed(i), 100, "claimed");
        }
        assertEq(ledger.paid(), 6400, "sum");
        _assertSolvent();
    }

    function test_a_replay_pays_nothing() public {
        _equalEarnings(4, 100);
        _settle();
        _pay(0, 4);
        vm.recordLogs();
        _pay(0, 4);
        _pay(0, 2);
        _pay(3, 1);
        assertEq(vm.getRecordedLogs().length, 0, "no event");
        assertEq(ledger.paid(), 400, "sum");
        assertEq(usd.balanceOf(_holder(3)), 100, "once");
    }

    function test_the_next_root_pays_the_difference() public {
        _equalEarnings(4, 100);
        _settle();
        _pay(0, 4);
        _equalEarnings(8, 130);
        _settle();
        _pay(0, 8);
        assertEq(usd.balanceOf(_holder(0)), 130, "100 and 30");
        assertEq(usd.balanceOf(_holder(7)), 130, "130 at once");
        assertEq(ledger.paid(), 8 * 130, "sum");
    }

    function test_a_falling_balance_pays_nothing_and_claims_stay() public {
        _equalEarnings(2, 100);
        _settle();
        _pay(0, 2);
        earnings[0] = Tree.word(40, _holder(0));
        earnings[1] = Tree.word(200, _holder(1));
        earnings.push(Tree.word(300, _holder(2)));
        _settle();
        _pay(0, 4);
        assertEq(ledger.claimed(0), 100, "stays");
        assertEq(ledger.claimed(1), 200, "grows");
        assertEq(usd.balanceOf(_holder(0)), 100, "kept");
    }

    function test_an_empty_position_is_passed_over() public {
        _equalEarnings(3, 100);
        _settle();
        vm.recordLogs();
        _pay(0, 4);
        assertEq(vm.getRecordedLogs().length, 6, "three payments, two events each");
        assertEq(ledger.claimed(3), 0, "nothing");
    }

    function test_a_tree_of_one_leaf_works() public {
        _equalEarnings(1, 100);
        _settle();
        _pay(0, 1);
        assertEq(usd.balanceOf(_holder(0)), 100, "paid");
    }

    function test_the_active_root_stays_payable_beside_a_pending_one() public {
        _equalEarnings(4, 100);
        _settle();
        uint256[] memory old = earnings;
        bytes32 oldSpend = spendRoot;
        _equalEarnings(4, 150);
        _commit();
        ledger.pay(0, Tree.slice(old, 0, 1), Tree.proof(old, 0, 1, oldSpend));
        assertEq(usd.balanceOf(_holder(0)), 100, "by the active root");
        vm.warp(ledger.maturesAt());
        _pay(0, 4);
        ledger.pay(0, Tree.slice(old, 0, 4), Tree.proof(old, 0, 4, oldSpend));
        assertEq(ledger.paid(), 600, "the older root adds nothing");
        _assertSolvent();
    }

    function test_a_pause_does_not_stop_payments() public {
        _equalEarnings(4, 100);
        _settle();
        vm.prank(guardian);
        ledger.pause();
        _pay(0, 4);
        assertEq(ledger.paid(), 400, "paid");
    }

    // ---- proofs that must fail

    function test_a_pending_root_does_not_pay_inside_its_window() public {
        _equalEarnings(2, 100);
        _commit();
        vm.warp(ledger.maturesAt() - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IColophonLedger.UnknownRoot.selector, ledger.pendingRoot()
            )
        );
        _pay(0, 2);
        vm.warp(ledger.maturesAt());
        _pay(0, 2);
        assertEq(ledger.paid(), 200, "a second later it does");
    }

    function test_a_vetoed_root_never_pays() public {
        _equalEarnings(2, 100);
        _commit();
        bytes32 root = ledger.pendingRoot();
        vm.prank(guardian);
        ledger.veto(1);
        vm.warp(block.timestamp + 10 * WINDOW);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.UnknownRoot.selector, root)
        );
        _pay(0, 2);
    }

    function test_a_replaced_root_no_longer_pays() public {
        _equalEarnings(2, 100);
        _settle();
        bytes32 first = ledger.pendingRoot();
        uint256[] memory old = earnings;
        bytes32 oldSpend = spendRoot;
        _equalEarnings(2, 110);
        _settle();
        _equalEarnings(2, 120);
        _commit();
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.UnknownRoot.selector, first)
        );
        ledger.pay(0, Tree.slice(old, 0, 2), Tree.proof(old, 0, 2, oldSpend));
    }

    function test_a_changed_word_fails() public {
        _equalEarnings(4, 100);
        _settle();
        earnings[1] = Tree.word(101, _holder(1));
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        _pay(0, 4);
    }

    function test_a_leaf_answers_to_its_own_position_only() public {
        _equalEarnings(4, 100);
        _settle();
        bytes32[] memory proof = Tree.proof(earnings, 1, 1, spendRoot);
        uint256[] memory words = Tree.slice(earnings, 1, 1);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.pay(0, words, proof);
        vm.expectRevert(abi.encodeWithSelector(BalanceTree.OutsideTree.selector, 5, 2));
        ledger.pay(5, words, proof);
        ledger.pay(1, words, proof);
        assertEq(ledger.claimed(1), 100, "its own");
    }

    function test_a_node_is_not_a_leaf() public {
        _equalEarnings(4, 100);
        _settle();
        bytes32[] memory proof = new bytes32[](2);
        proof[0] = Tree.subtree(earnings, 2, 2);
        proof[1] = spendRoot;
        uint256[] memory words = new uint256[](1);
        words[0] = uint256(Tree.subtree(earnings, 0, 2));
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.pay(0, words, proof);
    }

    function test_the_spend_tree_pays_nobody() public {
        _equalEarnings(2, 100);
        spends.push(Tree.word(70, ada));
        spends.push(Tree.word(70, ben));
        _settle();
        uint256[] memory words = Tree.slice(spends, 0, 2);
        bytes32[] memory proof = Tree.proof(spends, 0, 2, earningsRoot);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.pay(0, words, proof);
    }

    /// @dev The words and the proof are right for position 0, so only the check of the
    /// position keeps them from paying four other holders.
    function test_an_unaligned_subtree_fails() public {
        _equalEarnings(8, 100);
        _settle();
        uint256[] memory words = Tree.slice(earnings, 0, 4);
        bytes32[] memory proof = Tree.proof(earnings, 0, 4, spendRoot);
        for (uint256 first = 1; first < 4; ++first) {
            vm.expectRevert(
                abi.encodeWithSelector(BalanceTree.NotAligned.selector, first, 4)
            );
            ledger.pay(first, words, proof);
        }
    }

    function test_three_words_fail() public {
        _equalEarnings(4, 100);
        _settle();
        vm.expectRevert(abi.encodeWithSelector(BalanceTree.NotAPowerOfTwo.selector, 3));
        ledger.pay(0, Tree.slice(earnings, 0, 3), Tree.proof(earnings, 0, 4, spendRoot));
    }

    function test_no_words_fail() public {
        _equalEarnings(4, 100);
        _settle();
        vm.expectRevert(abi.encodeWithSelector(BalanceTree.NotAPowerOfTwo.selector, 0));
        ledger.pay(0, new uint256[](0), new bytes32[](1));
    }

    function test_no_proof_fails() public {
        _equalEarnings(1, 100);
        _settle();
        vm.expectRevert(BalanceTree.EmptyProof.selector);
        ledger.pay(0, earnings, new bytes32[](0));
    }

    function test_nothing_pays_before_the_first_root() public {
        _equalEarnings(2, 100);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        _pay(0, 2);
    }

    // ---- roots that lie

    function test_leaves_above_the_sum_are_not_paid() public {
        _equalEarnings(4, 100);
        earningsRoot = Tree.root(earnings);
        spendRoot = Tree.root(spends);
        vm.prank(settler);
        ledger.commit(1, 1, LOG_ROOT, earningsRoot, spendRoot, 250, 1);
        vm.warp(ledger.maturesAt());
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Unpaid(2, _holder(2), 100);
        _pay(0, 4);
        assertEq(ledger.paid(), 200, "two of four");
        assertEq(usd.balanceOf(_holder(3)), 0, "no more");
        _assertSolvent();
    }

    function test_a_leaf_above_64_bits_is_not_paid() public {
        earnings.push(Tree.word(type(uint96).max, _holder(0)));
        earnings.push(Tree.word(100, _holder(1)));
        earningsRoot = Tree.root(earnings);
        spendRoot = Tree.root(spends);
        vm.prank(settler);
        ledger.commit(1, 1, LOG_ROOT, earningsRoot, spendRoot, 500, 1);
        vm.warp(ledger.maturesAt());
        _pay(0, 2);
        assertEq(ledger.claimed(0), 0, "too large");
        assertEq(ledger.claimed(1), 100, "its neighbor is paid");
    }

    // ---- hostile tokens and receivers

    function test_one_bad_receiver_does_not_stop_the_others() public {
        HostileToken host = _hostile();
        _equalEarnings(16, 100);
        _settle();
        for (uint256 mood = 1; mood <= 8; ++mood) {
            host.setMood(_holder(mood), HostileToken.Mood(mood));
        }
        _pay(0, 16);
        for (uint256 i = 0; i < 16; ++i) {
            HostileToken.Mood mood = host.mood(_holder(i));
            bool pays = i == 0 || i > 8 || mood == HostileToken.Mood.Floods
                || mood == HostileToken.Mood.SaysNothing;
            assertEq(ledger.claimed(i), pays ? 100 : 0, "claimed");
            assertEq(host.balanceOf(_holder(i)), pays ? 100 : 0, "balance");
        }
        assertEq(ledger.paid(), 1000, "ten of sixteen");
        host.setMood(_holder(1), HostileToken.Mood.Pays);
        _pay(1, 1);
        assertEq(host.balanceOf(_holder(1)), 100, "later it gets its money");
    }

    function test_a_failed_payment_is_told() public {
        HostileToken host = _hostile();
        _equalEarnings(2, 100);
        _settle();
        host.setMood(_holder(1), HostileToken.Mood.Reverts);
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Unpaid(1, _holder(1), 100);
        _pay(0, 2);
    }

    function test_fifty_are_paid_beside_bad_ones() public {
        HostileToken host = _hostile();
        _equalEarnings(64, 100);
        _settle();
        host.setMood(_holder(5), HostileToken.Mood.Reverts);
        host.setMood(_holder(6), HostileToken.Mood.BurnsGas);
        host.setMood(_holder(63), HostileToken.Mood.FloodsInRevert);
        ledger.pay{gas: 4_000_000}(0, earnings, Tree.proof(earnings, 0, 64, spendRoot));
        assertEq(ledger.paid(), 6100, "61 of 64");
    }

    function test_too_little_gas_fails_as_a_whole() public {
        _equalEarnings(4, 100);
        _settle();
        bytes32[] memory proof = Tree.proof(earnings, 0, 4, spendRoot);
        vm.expectPartialRevert(IColophonLedger.InsufficientGas.selector);
        ledger.pay{gas: 160_000}(0, earnings, proof);
        assertEq(ledger.paid(), 0, "nothing happened");
    }

    function test_a_receiver_cannot_enter_pay_again() public {
        HostileToken host = _hostile();
        Reentrant receiver = new Reentrant(ledger);
        _equalEarnings(4, 100);
        earnings[1] = Tree.word(100, address(receiver));
        _settle();
        host.setMood(address(receiver), HostileToken.Mood.CallsReceiver);
        receiver.prepare(
            abi.encodeCall(
                ledger.pay, (0, earnings, Tree.proof(earnings, 0, 4, spendRoot))
            )
        );
        _pay(0, 4);
        _assertLocked(receiver);
        assertEq(host.balanceOf(address(receiver)), 100, "once");
        assertEq(ledger.paid(), 400, "sum");
    }

    function test_no_other_door_is_open_in_the_middle() public {
        HostileToken host = _hostile();
        bytes[4] memory calls = [
            abi.encodeCall(ledger.deposit, (ada, 1, REF)),
            abi.encodeCall(ledger.depositWithPermit, (ada, 1, REF, 0, 0, 0, 0)),
            abi.encodeCall(
                ledger.depositWithAuthorization, (ada, 1, REF, 0, 0, 0, 0, 0)
            ),
            abi.encodeCall(ledger.refund, (ada, 0, new bytes32[](0)))
        ];
        Reentrant[4] memory receivers;
        _equalEarnings(4, 100);
        for (uint256 i = 0; i < 4; ++i) {
            receivers[i] = new Reentrant(ledger);
            receivers[i].prepare(calls[i]);
            earnings[i] = Tree.word(100, address(receivers[i]));
            host.setMood(address(receivers[i]), HostileToken.Mood.CallsReceiver);
        }
        _settle();
        _pay(0, 4);
        for (uint256 i = 0; i < 4; ++i) {
            _assertLocked(receivers[i]);
        }
    }

    // ---- fuzz

    function test_fuzz_any_aligned_subtree_pays_exactly_its_holders(
        uint256 seed,
        uint8 holders,
        uint8 place
    ) public {
        uint256 count = bound(holders, 1, 40);
        _randomEarnings(seed, count);
        _settle();
        uint256 span = 1 << (seed % 7);
        if (span > Tree.width(earnings)) span = Tree.width(earnings);
        uint256 first = (place % (Tree.width(earnings) / span)) * span;
        _pay(first, span);
        _pay(first, span);
        for (uint256 i = 0; i < count; ++i) {
            uint256 due =
                i >= first && i < first + span ? uint256(earnings[i] >> 160) : 0;
            assertEq(usd.balanceOf(_holder(i)), due, "balance");
            assertEq(ledger.claimed(i), due, "claimed");
        }
        _assertSolvent();
    }

    function test_fuzz_a_forged_proof_fails(
        uint256 seed,
        uint256 index,
        uint256 units,
        address thief
    ) public {
        _randomEarnings(seed, 20);
        _settle();
        uint256 forged = Tree.word(units % (1 << 64), thief);
        index %= 32;
        vm.assume(index >= 20 ? forged != 0 : forged != earnings[index]);
        uint256[] memory words = new uint256[](1);
        words[0] = forged;
        bytes32[] memory proof = Tree.proof(earnings, index, 1, spendRoot);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.pay(index, words, proof);
    }

    function test_fuzz_no_position_beyond_the_tree_is_paid(uint256 index) public {
        _equalEarnings(4, 100);
        _settle();
        index = bound(index, 4, type(uint256).max);
        uint256[] memory words = Tree.slice(earnings, index % 4, 1);
        bytes32[] memory proof = Tree.proof(earnings, index % 4, 1, spendRoot);
        vm.expectRevert(
            abi.encodeWithSelector(BalanceTree.OutsideTree.selector, index, 2)
        );
        ledger.pay(index, words, proof);
    }

    function _randomEarnings(uint256 seed, uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            uint256 units = uint256(keccak256(abi.encode(seed, i))) % 20_000;
            earnings.push(Tree.word(units, _holder(i)));
        }
    }

    /// @dev The lock must answer, not some other check that happens to fail.
    function _assertLocked(Reentrant receiver) private view {
        bytes4 lock = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        assertTrue(receiver.tried() && receiver.refusal() == lock, "locked");
    }

    function _hostile() private returns (HostileToken host) {
        host = new HostileToken();
        ledger = _deploy(address(host));
        host.mint(ada, 1_000_000);
        vm.prank(ada);
        host.approve(address(ledger), 1_000_000);
        vm.prank(ada);
        ledger.deposit(ada, 1_000_000, REF);
    }
}
