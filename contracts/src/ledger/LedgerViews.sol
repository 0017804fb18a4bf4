// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LedgerState} from "./LedgerState.sol";

/// @title What anybody can read
/// @notice The ledger's state, unpacked.
abstract contract LedgerViews is LedgerState {
    /// @notice The settlement token.
    /// @return its address
    function token() external view returns (address) {
        return address(_token);
    }

    /// @notice How long a commit can be vetoed.
    /// @return seconds
    function challengeWindow() external view returns (uint32) {
        return _challengeWindow;
    }

    /// @notice How long a refund takes at least.
    /// @return seconds
    function refundDelay() external view returns (uint32) {
        return _refundDelay;
    }

    /// @notice Who may write checkpoints.
    /// @return the anchorer
    function anchorer() external view returns (address) {
        return _anchoring.anchorer;
    }

    /// @notice Who may commit settlements.
    /// @return the settler
    function settler() external view returns (address) {
        return _settling.settler;
    }

    /// @notice Who may veto and pause.
    /// @return the guardian
    function guardian() external view returns (address) {
        return _totals.guardian;
    }

    /// @notice Are deposits and commits stopped?
    /// @return true while they are
    function paused() external view returns (bool) {
        return _anchoring.paused;
    }

    /// @notice Entries of the largest anchored checkpoint.
    /// @return the size
    function size() external view returns (uint64) {
        return _anchoring.size;
    }

    /// @notice The number that the next commit must carry, 1 at first.
    /// @return the epoch
    function epoch() external view returns (uint32) {
        return _settling.epoch;
    }

    /// @notice The root promoted last, keccak256(earningsRoot ‖ spendRoot).
    /// @return the root, or zero
    function activeRoot() external view returns (bytes32) {
        return _activeRoot();
    }

    /// @notice The newest root, payable once `maturesAt` is reached.
    /// @return the root, or zero
    function pendingRoot() external view returns (bytes32) {
        return _pendingRoot();
    }

    /// @notice When the pending root can be paid from and no longer be vetoed.
    /// @return Unix seconds, zero when nothing is pending
    function maturesAt() external view returns (uint256) {
        return _maturesAt();
    }

    /// @notice When the active root was committed.
    /// @return Unix seconds, zero when there is none
    function activeCommittedAt() external view returns (uint256) {
        return _settling.activeAt;
    }

    /// @notice Cumulative units earned under the active root.
    /// @return units
    function earnedActive() external view returns (uint256) {
        return _funds.earnedActive;
    }

    /// @notice Cumulative units earned under the pending root, or under the active one
    /// when nothing is pending.
    /// @return units
    function earnedPending() external view returns (uint256) {
        return _funds.earnedPending;
    }

    /// @notice Units deposited since the beginning.
    /// @return units
    function deposited() external view returns (uint256) {
        return _funds.deposited;
    }

    /// @notice Units given back since the beginning.
    /// @return units
    function refunded() external view returns (uint256) {
        return _totals.refunded;
    }

    /// @notice Units paid to holders since the beginning.
    /// @return units
    function paid() external view returns (uint256) {
        return _funds.paid;
    }

    /// @notice How many accounts have deposited; the next one's index.
    /// @return the number
    function accountCount() external view returns (uint32) {
        return _totals.accounts;
    }

    /// @notice What the ledger knows of an account.
    /// @param account the account
    /// @return index its position in the spend tree; means nothing when not `known`
    /// @return deposited_ units it deposited
    /// @return refunded_ units it got back
    /// @return frozenAt when it asked for a refund, zero when it is not waiting for one
    /// @return requests refund requests so far, which is the next one's nonce
    /// @return known whether it ever deposited
    function accountOf(address account)
        external
        view
        returns (
            uint32 index,
            uint256 deposited_,
            uint256 refunded_,
            uint256 frozenAt,
            uint256 requests,
            bool known
        )
    {
        Account memory entry = _accounts[account];
        known = entry.number != 0;
        index = known ? entry.number - 1 : 0;
        return
            (
                index,
                entry.deposited,
                entry.refunded,
                entry.frozenAt,
                entry.requests,
                known
            );
    }

    /// @notice Cumulative units paid to a holder.
    /// @param index the holder's position in the earnings tree
    /// @return units
    function claimed(uint256 index) external view returns (uint256) {
        return uint64(_claims[index >> 2].packed >> ((index & 3) << 6));
    }

    /// @notice Where a holder's payouts go instead of the leaf's account.
    /// @param index the holder's position in the earnings tree
    /// @return the address, zero when there is no redirection
    function redirectOf(uint256 index) external view returns (address) {
        return _redirections[index].to;
    }

    /// @notice The nonce that the holder's next `Redirect` must carry.
    /// @param index the holder's position in the earnings tree
    /// @return the nonce
    function redirectNonce(uint256 index) external view returns (uint256) {
        return _redirections[index].nonce;
    }

    /// @notice The EIP-712 domain separator of this contract on this chain.
    /// @return the separator
    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }
}
