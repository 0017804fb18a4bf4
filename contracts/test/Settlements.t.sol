// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../src/Administered.sol";
import {IColophonLedger} from "../src/IColophonLedger.sol";
import {LedgerFixture} from "./LedgerFixture.sol";
import {Tree} from "./Tree.sol";

contract SettlementsTest is LedgerFixture {
    function setUp() public override {
        super.setUp();
        _deposit(ada, 1000);
    }

    // ---- anchor

    function test_an_anchor_is_told_and_kept() public {
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Anchored(10, LOG_ROOT);
        vm.prank(anchorer);
        ledger.anchor(10, LOG_ROOT);
        assertEq(ledger.size(), 10, "size");
    }

    function test_an_anchor_needs_its_role() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                Administered.Unauthorized.selector, settler, bytes32("anchorer")
            )
        );
        vm.prank(settler);
        ledger.anchor(10, LOG_ROOT);
    }

    function test_a_log_neither_shrinks_nor_repeats() public {
        vm.prank(anchorer);
        ledger.anchor(10, LOG_ROOT);
        for (uint64 size = 9; size <= 10; ++size) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IColophonLedger.SizeNotGrowing.selector, size, 10
                )
            );
            vm.prank(anchorer);
            ledger.anchor(size, LOG_ROOT);
        }
    }

    function test_a_pause_does_not_stop_anchors() public {
        vm.prank(guardian);
        ledger.pause();
        vm.prank(anchorer);
        ledger.anchor(10, LOG_ROOT);
        assertEq(ledger.size(), 10, "size");
        assertTrue(ledger.paused(), "the pause survives");
    }

    // ---- commit

    function test_a_commit_is_told_and_pending() public {
        _equalEarnings(4, 100);
        bytes32 root = Tree.root(earnings);
        bytes32 spend = Tree.root(spends);
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Anchored(10, LOG_ROOT);
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Committed(1, 10, LOG_ROOT, root, spend, 400, 7);
        _commit();
        assertEq(ledger.epoch(), 2, "epoch");
        assertEq(ledger.size(), 10, "size");
        assertEq(ledger.activeRoot(), bytes32(0), "active");
        assertEq(
            ledger.pendingRoot(), keccak256(abi.encodePacked(root, spend)), "pending"
        );
        assertEq(ledger.maturesAt(), START + WINDOW, "matures");
        assertEq(ledger.earnedPending(), 400, "earned");
        assertEq(ledger.earnedActive(), 0, "not yet");
    }

    function test_the_next_commit_promotes_the_one_before() public {
        _equalEarnings(4, 100);
        _settle();
        bytes32 first = ledger.pendingRoot();
        _equalEarnings(4, 120);
        _commit();
        assertEq(ledger.activeRoot(), first, "active");
        assertTrue(ledger.pendingRoot() != first, "pending");
        assertEq(ledger.earnedActive(), 400, "active sum");
        assertEq(ledger.earnedPending(), 480, "pending sum");
        assertEq(ledger.activeCommittedAt(), START, "when");
    }

    function test_a_commit_needs_its_role() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                Administered.Unauthorized.selector, anchorer, bytes32("settler")
            )
        );
        vm.prank(anchorer);
        ledger.commit(1, 1, LOG_ROOT, 0, 0, 0, 0);
    }

    function test_a_resent_commit_changes_nothing() public {
        _equalEarnings(4, 100);
        _settle();
        bytes32 root = ledger.pendingRoot();
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.WrongEpoch.selector, 1, 2)
        );
        vm.prank(settler);
        ledger.commit(1, 10, LOG_ROOT, earningsRoot, spendRoot, 400, 7);
        assertEq(ledger.pendingRoot(), root, "pending");
    }

    function test_a_commit_waits_for_the_window_before() public {
        _equalEarnings(4, 100);
        _commit();
        vm.warp(START + WINDOW - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.WindowOpen.selector, START + WINDOW)
        );
        vm.prank(settler);
        ledger.commit(2, 20, LOG_ROOT, 0, 0, 400, 0);
    }

    function test_earned_never_falls() public {
        _equalEarnings(4, 100);
        _settle();
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.EarnedFell.selector, 399, 400)
        );
        vm.prank(settler);
        ledger.commit(2, 20, LOG_ROOT, 0, 0, 399, 0);
    }

    function test_earned_stays_within_the_funds() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IColophonLedger.EarnedExceedsFunds.selector, 1001, 1000
            )
        );
        vm.prank(settler);
        ledger.commit(1, 1, LOG_ROOT, 0, 0, 1001, 0);
        vm.prank(settler);
        ledger.commit(1, 1, LOG_ROOT, 0, 0, 1000, 0);
        assertEq(ledger.earnedPending(), 1000, "all of it");
    }

    function test_a_size_already_anchored_is_no_error() public {
        vm.prank(anchorer);
        ledger.anchor(500, LOG_ROOT);
        vm.recordLogs();
        vm.prank(settler);
        ledger.commit(1, 500, LOG_ROOT, 0, 0, 0, 0);
        assertEq(vm.getRecordedLogs().length, 1, "no Anchored");
        assertEq(ledger.size(), 500, "size");
    }

    function test_a_pause_stops_commits() public {
        vm.prank(guardian);
        ledger.pause();
        vm.expectRevert(IColophonLedger.LedgerPaused.selector);
        vm.prank(settler);
        ledger.commit(1, 1, LOG_ROOT, 0, 0, 0, 0);
    }

    function test_fuzz_a_commit_is_refused_or_keeps_the_order(
        uint64 first,
        uint64 second,
        uint64 funds
    ) public {
        uint256 sum = uint256(funds % 1e18) + 1000;
        if (sum > 1000) _deposit(ben, sum - 1000);
        bool fits = first <= sum;
        if (!fits) vm.expectPartialRevert(IColophonLedger.EarnedExceedsFunds.selector);
        vm.prank(settler);
        ledger.commit(1, 1, LOG_ROOT, 0, 0, first, 0);
        if (!fits) return;
        vm.warp(START + WINDOW);
        bytes4 wrong = second < first
            ? IColophonLedger.EarnedFell.selector
            : IColophonLedger.EarnedExceedsFunds.selector;
        bool good = second >= first && second <= sum;
        if (!good) vm.expectPartialRevert(wrong);
        vm.prank(settler);
        ledger.commit(2, 1, LOG_ROOT, 0, 0, second, 0);
        assertEq(ledger.earnedPending(), good ? second : first, "pending");
        _assertSolvent();
    }

    // ---- veto

    function test_a_veto_drops_the_pending_root_and_keeps_the_active_one() public {
        _equalEarnings(4, 100);
        _settle();
        bytes32 first = ledger.pendingRoot();
        uint256[] memory old = earnings;
        bytes32 oldSpend = spendRoot;
        _equalEarnings(4, 200);
        _commit();
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Vetoed(2);
        vm.prank(guardian);
        ledger.veto(2);
        assertEq(ledger.epoch(), 4, "epoch 3 is used up too");
        assertEq(ledger.activeRoot(), first, "active");
        assertEq(ledger.pendingRoot(), bytes32(0), "pending");
        assertEq(ledger.maturesAt(), 0, "matures");
        assertEq(ledger.earnedPending(), 400, "sum");
        ledger.pay(0, Tree.slice(old, 0, 4), Tree.proof(old, 0, 4, oldSpend));
        assertEq(ledger.paid(), 400, "still payable");
    }

    function test_after_a_veto_the_next_commit_need_not_wait() public {
        _equalEarnings(4, 100);
        _settle();
        bytes32 first = ledger.pendingRoot();
        _equalEarnings(4, 200);
        _commit();
        vm.prank(guardian);
        ledger.veto(2);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.WrongEpoch.selector, 3, 4)
        );
        vm.prank(settler);
        ledger.commit(3, 30, LOG_ROOT, 0, 0, 500, 0);
        _equalEarnings(4, 150);
        _commit();
        assertEq(ledger.activeRoot(), first, "active stays");
        assertEq(ledger.activeCommittedAt(), START, "and its time");
        bytes32 third = ledger.pendingRoot();
        vm.warp(block.timestamp + WINDOW);
        _pay(0, 4);
        assertEq(ledger.paid(), 600, "payable once matured");
        _equalEarnings(4, 160);
        _commit();
        assertEq(ledger.activeRoot(), third, "and promoted");
    }

    function test_the_very_first_commit_can_be_vetoed() public {
        _equalEarnings(4, 100);
        _commit();
        vm.prank(guardian);
        ledger.veto(1);
        assertEq(ledger.activeRoot(), bytes32(0), "active");
        assertEq(ledger.pendingRoot(), bytes32(0), "pending");
        assertEq(ledger.epoch(), 3, "epoch");
        _settle();
        _pay(0, 4);
        assertEq(ledger.paid(), 400, "the corrected one pays");
    }

    function test_a_veto_needs_its_role() public {
        _commit();
        vm.expectRevert(
            abi.encodeWithSelector(
                Administered.Unauthorized.selector, admin, bytes32("guardian")
            )
        );
        vm.prank(admin);
        ledger.veto(1);
    }

    function test_a_veto_after_the_window_is_too_late() public {
        _commit();
        vm.warp(START + WINDOW);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.WindowOver.selector, START + WINDOW)
        );
        vm.prank(guardian);
        ledger.veto(1);
    }

    function test_a_veto_names_the_pending_epoch() public {
        _commit();
        uint32[3] memory wrong = [uint32(0), 2, type(uint32).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IColophonLedger.NothingPending.selector, wrong[i]
                )
            );
            vm.prank(guardian);
            ledger.veto(wrong[i]);
        }
    }

    function test_a_veto_hits_once() public {
        _commit();
        vm.prank(guardian);
        ledger.veto(1);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.NothingPending.selector, 2)
        );
        vm.prank(guardian);
        ledger.veto(2);
    }

    function test_a_veto_before_any_commit_finds_nothing() public {
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.NothingPending.selector, 0)
        );
        vm.prank(guardian);
        ledger.veto(0);
    }

    /// @dev Whatever the order of commits and vetoes, the active root is the newest
    /// that was never vetoed and whose window is over by the next commit.
    function test_fuzz_vetoes_never_disturb_the_active_root(uint16 vetoes) public {
        bytes32 active;
        bytes32 pending;
        for (uint256 i = 0; i < 16; ++i) {
            earnings = [Tree.word(i, _holder(0))];
            _commit();
            if (pending != 0) active = pending;
            pending = ledger.pendingRoot();
            if (vetoes >> i & 1 == 1) {
                uint32 epoch = ledger.epoch() - 1;
                vm.prank(guardian);
                ledger.veto(epoch);
                pending = 0;
            }
            vm.warp(block.timestamp + WINDOW);
            assertEq(ledger.activeRoot(), active, "active");
            assertEq(ledger.pendingRoot(), pending, "pending");
        }
    }
}
