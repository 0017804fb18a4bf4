// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ColophonLedger} from "../src/ColophonLedger.sol";
import {TestUSD} from "../src/TestUSD.sol";
import {Test} from "./Test.sol";
import {Tree} from "./Tree.sol";

/// @notice A ledger with its cast: Ada and Ben deposit, holders earn, Eve attacks.
abstract contract LedgerFixture is Test {
    uint32 internal constant WINDOW = 1 days;
    uint32 internal constant DELAY = 7 days;
    bytes32 internal constant REF = keccak256("order 1, terms 1");
    bytes32 internal constant LOG_ROOT = keccak256("log root");
    uint256 internal constant START = 1_800_000_000;

    TestUSD internal usd;
    ColophonLedger internal ledger;
    address internal admin;
    address internal anchorer;
    address internal settler;
    address internal guardian;
    address internal ada;
    address internal ben;
    address internal eve;
    uint256 internal adaKey;
    uint256 internal benKey;
    uint256 internal eveKey;

    // The newest settlement committed by `_settle`.
    uint256[] internal earnings;
    uint256[] internal spends;
    bytes32 internal earningsRoot;
    bytes32 internal spendRoot;

    function setUp() public virtual {
        vm.warp(START);
        (admin,) = actor("admin");
        (anchorer,) = actor("anchorer");
        (settler,) = actor("settler");
        (guardian,) = actor("guardian");
        (ada, adaKey) = actor("ada");
        (ben, benKey) = actor("ben");
        (eve, eveKey) = actor("eve");
        usd = new TestUSD();
        ledger = _deploy(address(usd));
    }

    function _deploy(address token) internal returns (ColophonLedger) {
        return new ColophonLedger(
            IERC20(token), admin, anchorer, settler, guardian, WINDOW, DELAY
        );
    }

    function _holder(uint256 index) internal pure returns (address) {
        return address(uint160(0xA0000 + index));
    }

    function _deposit(address account, uint256 amount) internal {
        usd.mint(account, amount);
        vm.prank(account);
        usd.approve(address(ledger), amount);
        vm.prank(account);
        ledger.deposit(account, amount, REF);
    }

    /// @dev Holders 0..count-1 have earned `each`; nobody's spending is listed.
    function _equalEarnings(uint256 count, uint256 each) internal {
        delete earnings;
        for (uint256 i = 0; i < count; ++i) {
            earnings.push(Tree.word(each, _holder(i)));
        }
    }

    function _earned() internal view returns (uint64 total) {
        for (uint256 i = 0; i < earnings.length; ++i) {
            total += uint64(earnings[i] >> 160);
        }
    }

    /// @dev Commits `earnings` and `spends`; the window stays open.
    function _commit() internal {
        earningsRoot = Tree.root(earnings);
        spendRoot = Tree.root(spends);
        uint32 epoch = ledger.epoch();
        vm.prank(settler);
        ledger.commit(
            epoch, uint64(epoch) * 10, LOG_ROOT, earningsRoot, spendRoot, _earned(), 7
        );
    }

    /// @dev Commits and waits until the root is payable.
    function _settle() internal {
        _commit();
        vm.warp(block.timestamp + WINDOW);
    }

    function _pay(uint256 first, uint256 count) internal {
        ledger.pay(
            first,
            Tree.slice(earnings, first, count),
            Tree.proof(earnings, first, count, spendRoot)
        );
    }

    function _refund(address account, uint256 index) internal {
        ledger.refund(
            account,
            index < spends.length ? spends[index] : 0,
            Tree.proof(spends, index, 1, earningsRoot)
        );
    }

    function _typed(bytes32 structHash) internal view returns (bytes32) {
        return
            keccak256(
                abi.encodePacked("\x19\x01", ledger.DOMAIN_SEPARATOR(), structHash)
            );
    }

    function _signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The promise the whole contract is about, and that the money is there.
    function _assertSolvent() internal view {
        uint256 net = ledger.deposited() - ledger.refunded();
        assertLe(ledger.paid(), ledger.earnedPending(), "paid <= earned");
        assertLe(ledger.earnedActive(), ledger.earnedPending(), "active <= pending");
        assertLe(ledger.earnedPending(), net, "earned <= deposited - refunded");
        assertLe(net - ledger.paid(), usd.balanceOf(address(ledger)), "money is there");
    }
}
