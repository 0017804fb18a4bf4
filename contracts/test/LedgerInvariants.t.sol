// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LedgerHandler} from "./LedgerHandler.sol";
import {Test} from "./Test.sol";

/// @notice paid ≤ earned ≤ deposited − refunded, the money is there, claims never fall,
/// a replay pays nothing, a vetoed root never pays: after any calls in any order.
contract LedgerInvariantsTest is Test {
    LedgerHandler private handler;

    function setUp() public {
        handler = new LedgerHandler();
    }

    /// @notice Tells forge whom to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_the_ledger_keeps_its_promises() public view {
        assertEq(handler.check(), "", "promise");
    }

    /// @dev A campaign in which nothing ever succeeds would prove nothing, so the same
    /// handler must reach every kind of success on a fixed path.
    function test_the_handler_reaches_every_kind_of_success() public {
        for (uint256 i = 0; i < 400; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            handler.deposit(seed, seed >> 8);
            if (i % 3 == 0) handler.commitHonestly(seed);
            if (i % 7 == 0) handler.commitLies(seed, uint64(seed >> 64));
            if (i % 11 == 0) handler.veto(seed);
            if (i % 4 == 0) handler.wait_(seed % 4);
            handler.pay(seed, seed >> 32, seed >> 64);
            handler.redirect(seed, seed >> 32, i % 2 == 0 ? seed : seed >> 64);
            if (i % 9 == 0) handler.requestRefund(seed);
            handler.refund(seed, seed >> 32, true);
            handler.changeMood(seed >> 8, seed >> 16);
            handler.pauseOrNot(seed);
            assertEq(handler.check(), "", "promise");
        }
        string[8] memory kinds = [
            "deposit",
            "honest commit",
            "lying commit",
            "veto",
            "pay",
            "request",
            "refund",
            "redirect"
        ];
        for (uint256 i = 0; i < kinds.length; ++i) {
            assertTrue(handler.done(kinds[i]) > 2, kinds[i]);
        }
        assertTrue(handler.ledger().paid() > 0, "something was paid");
    }
}
