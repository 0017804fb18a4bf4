// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {BalanceTree} from "../BalanceTree.sol";
import {LedgerState} from "./LedgerState.sol";

/// @title Refunds
/// @notice An account asks, waits, and gets back what it did not spend.
abstract contract Refunds is LedgerState {
    using SafeERC20 for IERC20;

    /// @notice The operator counts as gone when this many refund delays have passed
    /// after a request became due and no newer root has matured.
    uint256 public constant SILENCE_DELAYS = 4;

    bytes32 private constant REFUND_REQUEST_TYPEHASH =
        keccak256("RefundRequest(address account,uint256 nonce,uint256 deadline)");

    /// @notice Asks for the caller's unspent money and freezes the account until it is
    /// given back. What the account uses from now on is not covered.
    function requestRefund() external {
        _requestRefund(msg.sender);
    }

    /// @notice Asks for an account's unspent money by its signature. Anybody may relay.
    /// @dev EIP-712 type `RefundRequest(address account,uint256 nonce,uint256 deadline)`;
    /// the nonce is the number of the account's requests so far.
    /// @param account the account
    /// @param deadline Unix seconds until which the signature is good
    /// @param signature by the account, ERC-1271 wallets included
    function requestRefundFor(
        address account,
        uint256 deadline,
        bytes calldata signature
    ) external {
        uint256 nonce = _accounts[account].requests;
        _requireSignature(
            account,
            keccak256(abi.encode(REFUND_REQUEST_TYPEHASH, account, nonce, deadline)),
            deadline,
            signature
        );
        _requestRefund(account);
    }

    /// @notice Gives an account its unspent money back. Anybody may call it, and
    /// nothing stops it.
    /// @dev Uses the newest matured root, which must be younger than the request unless
    /// the operator is gone. What the account spent is what the leaf at its own index
    /// says under its own name; an empty leaf, a foreign one or an index beyond the tree
    /// means nothing spent. Before the first matured root `proof` is empty.
    /// @param account the account
    /// @param spendWord the leaf at the account's index, `spent units << 160 | account`;
    /// when the tree is too small, the leaf at the index cut to the tree's depth
    /// @param proof sibling hashes from the bottom up, then the earnings root
    function refund(address account, uint256 spendWord, bytes32[] calldata proof)
        external
        nonReentrant
    {
        Account memory entry = _accounts[account];
        _requireDue(account, entry.frozenAt);
        uint256 spent = _spentBy(account, entry, spendWord, proof);
        uint256 rest = Math.saturatingSub(entry.deposited - entry.refunded, spent);
        uint256 free = _freeFunds();
        if (rest > free) {
            if (msg.sender != account) revert RefundShort(rest, free);
            rest = free;
        }
        _accounts[account].refunded = entry.refunded + uint64(rest);
        _accounts[account].frozenAt = 0;
        _totals.refunded += uint64(rest);
        emit Refunded(account, rest);
        if (rest != 0) _token.safeTransfer(account, rest);
    }

    function _requestRefund(address account) private {
        Account storage entry = _accounts[account];
        if (entry.number == 0) revert UnknownAccount(account);
        if (entry.frozenAt != 0) revert AccountFrozen(account, entry.frozenAt);
        entry.frozenAt = uint40(block.timestamp);
        entry.requests += 1;
        emit RefundRequested(account, block.timestamp);
    }

    /// @dev Reverts unless the account asked and the delay is over.
    function _requireDue(address account, uint256 frozenAt) private view {
        if (frozenAt == 0) revert RefundNotRequested(account);
        uint256 readyAt = frozenAt + _refundDelay;
        if (block.timestamp < readyAt) revert RefundTooEarly(readyAt);
    }

    /// @dev What the account spent in all according to the newest matured root.
    function _spentBy(
        address account,
        Account memory entry,
        uint256 word,
        bytes32[] calldata proof
    ) private view returns (uint256) {
        (bytes32 newest, uint256 committedAt) = _newestMatured();
        uint256 goneAt = entry.frozenAt + _refundDelay * (1 + SILENCE_DELAYS);
        if (committedAt <= entry.frozenAt && block.timestamp < goneAt) {
            revert RootTooOld(committedAt, goneAt);
        }
        if (newest == 0 && proof.length == 0) return 0;
        (bytes32 spendRoot, bool outside) =
            BalanceTree.rootOfLeaf(entry.number - 1, word, proof);
        bytes32 root =
            Hashes.efficientKeccak256(BalanceTree.otherRoot(proof), spendRoot);
        if (root != newest) revert UnknownRoot(root);
        bool named = !outside && BalanceTree.accountOf(word) == account;
        return named ? BalanceTree.unitsOf(word) : 0;
    }

    /// @dev Units that no holder has earned, under either root.
    function _freeFunds() private view returns (uint256) {
        Funds memory funds = _funds;
        // earnedPending is never below earnedActive, so it is the larger of the two.
        return funds.deposited - _totals.refunded - funds.earnedPending;
    }

    /// @dev The pending root once matured, else the active one.
    function _newestMatured() private view returns (bytes32 root, uint256 committedAt) {
        if (_isMatured()) return (_pendingRoot(), _settling.pendingAt);
        return (_activeRoot(), _settling.activeAt);
    }
}
