// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LedgerFixture} from "./LedgerFixture.sol";
import {Tree} from "./Tree.sol";

/// @notice The gas goals. Every call here is a transaction of its own (isolated), so
/// that storage is cold and the 21,000 and the calldata count, as on a chain;
/// `bench/gas/run.py` gives the same figures on anvil.
/// forge-config: default.isolate = true
/// forge-config: ci.isolate = true
contract GasTest is LedgerFixture {
    uint256 private constant HOLDERS = 1024;

    function setUp() public override {
        super.setUp();
        _deposit(ada, 1_000_000_000_000);
        vm.prank(anchorer);
        ledger.anchor(5, LOG_ROOT);
    }

    function test_an_anchor_costs_at_most_29k() public {
        vm.prank(anchorer);
        ledger.anchor(1_234_567, LOG_ROOT);
        assertLe(_used(), 29_000, "anchor");
    }

    function test_a_commit_costs_at_most_53k_whatever_the_event_count() public {
        _settleAll(700_000);
        _settleAll(800_000);
        uint32[2] memory counts = [uint32(1), 4_000_000_000];
        for (uint32 i = 0; i < 2; ++i) {
            vm.prank(settler);
            ledger.commit(
                3 + i,
                1_234_567 + i,
                LOG_ROOT,
                earningsRoot,
                spendRoot,
                999_999_999_999,
                counts[i]
            );
            assertLe(_used(), 53_000, "commit");
            vm.warp(block.timestamp + WINDOW);
        }
    }

    function test_a_payment_costs_at_most_13200_each_at_64_holders() public {
        _settleAll(7_000_000);
        _settleAll(8_000_000);
        _pay(0, 64);
        _settleAll(25_678_901);
        uint256[] memory words = Tree.slice(earnings, 0, 64);
        bytes32[] memory proof = Tree.proof(earnings, 0, 64, spendRoot);
        ledger.pay(0, words, proof);
        assertLe(_used(), 64 * 13_200, "pay");
        assertEq(usd.balanceOf(_far(63)), 25_678_901, "and it is paid");
    }

    /// @dev One settlement in which every holder has earned `each` in all.
    function _settleAll(uint256 each) private {
        delete earnings;
        for (uint256 i = 0; i < HOLDERS; ++i) {
            earnings.push(Tree.word(each, _far(i)));
        }
        _settle();
    }

    /// @dev An address without zero bytes to speak of, as real ones are.
    function _far(uint256 index) private pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("holder", index)))));
    }

    function _used() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }
}
