// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {LedgerState} from "./LedgerState.sol";

/// @title Anchors, settlements and roles
/// @notice What only the anchorer, the settler, the guardian and the admin may do.
abstract contract Settlements is LedgerState {
    using SafeCast for uint256;

    /// @notice Writes a log checkpoint. Only the anchorer.
    /// @param size entries it covers, more than ever before
    /// @param root RFC 6962 root at that size
    function anchor(uint64 size, bytes32 root) external {
        Anchoring memory anchoring = _anchoring;
        if (msg.sender != anchoring.anchorer) {
            revert Unauthorized(msg.sender, "anchorer");
        }
        if (size <= anchoring.size) revert SizeNotGrowing(size, anchoring.size);
        _anchoring.size = size;
        emit Anchored(size, root);
    }

    /// @notice Commits a settlement and opens its window. Only the settler.
    /// @dev Promotes the settlement before, whose window must be over.
    /// @param epoch the number that is due, `epoch()`
    /// @param size entries of the log; anchored too if that is more than ever before
    /// @param logRoot RFC 6962 root at that size
    /// @param earningsRoot root of the earnings tree
    /// @param spendRoot root of the spend tree
    /// @param earned cumulative units earned by all holders
    /// @param count usage events in this settlement
    function commit(
        uint32 epoch,
        uint64 size,
        bytes32 logRoot,
        bytes32 earningsRoot,
        bytes32 spendRoot,
        uint64 earned,
        uint32 count
    ) external whenNotPaused {
        _advance(epoch);
        _promote(earned);
        _pendingRoot = Hashes.efficientKeccak256(earningsRoot, spendRoot);
        if (size > _anchoring.size) {
            _anchoring.size = size;
            emit Anchored(size, logRoot);
        }
        emit Committed(epoch, size, logRoot, earningsRoot, spendRoot, earned, count);
    }

    /// @notice Drops the pending settlement inside its window. Only the guardian.
    /// @dev The active root stays payable. The next number is skipped as well, so a
    /// commit that was built on the dropped one and is already on its way cannot apply.
    /// @param epoch number of the pending settlement
    function veto(uint32 epoch) external {
        if (msg.sender != _totals.guardian) {
            revert Unauthorized(msg.sender, "guardian");
        }
        if (_pendingRoot == 0 || uint256(epoch) + 1 != _settling.epoch) {
            revert NothingPending(epoch);
        }
        uint256 end = _windowEnd();
        if (block.timestamp >= end) revert WindowOver(end);
        delete _pendingRoot;
        _funds.earnedPending = _funds.earnedActive;
        _settling.epoch = epoch + 2;
        emit Vetoed(epoch);
    }

    /// @notice Stops deposits and commits. Only the guardian.
    function pause() external whenNotPaused {
        if (msg.sender != _totals.guardian) {
            revert Unauthorized(msg.sender, "guardian");
        }
        _anchoring.paused = true;
        emit Paused(msg.sender);
    }

    /// @notice Lets deposits and commits go on. Only the admin.
    function unpause() external onlyAdmin {
        if (!_anchoring.paused) revert LedgerNotPaused();
        _anchoring.paused = false;
        emit Unpaused(msg.sender);
    }

    /// @notice Replaces the anchorer. Only the admin.
    /// @param to the new one
    function setAnchorer(address to) external onlyAdmin {
        _setAnchorer(to);
    }

    /// @notice Replaces the settler. Only the admin.
    /// @param to the new one
    function setSettler(address to) external onlyAdmin {
        _setSettler(to);
    }

    /// @notice Replaces the guardian. Only the admin.
    /// @param to the new one
    function setGuardian(address to) external onlyAdmin {
        _setGuardian(to);
    }

    /// @dev Checks the settler and the epoch, and moves on to the next.
    function _advance(uint32 given) private {
        Settling memory settling = _settling;
        if (msg.sender != settling.settler) revert Unauthorized(msg.sender, "settler");
        if (given != settling.epoch) revert WrongEpoch(given, settling.epoch);
        if (_pendingRoot != 0) {
            uint256 end = _windowEnd();
            if (block.timestamp < end) revert WindowOpen(end);
            settling.activeAt = settling.pendingAt;
        }
        settling.epoch = given + 1;
        settling.pendingAt = block.timestamp.toUint32();
        _settling = settling;
    }

    /// @dev Makes the pending settlement the active one and books the new sum.
    function _promote(uint64 earned) private {
        Funds memory funds = _funds;
        uint64 before = funds.earnedPending;
        if (earned < before) revert EarnedFell(earned, before);
        uint256 available = funds.deposited - funds.refunded;
        if (earned > available) revert EarnedExceedsFunds(earned, available);
        bytes32 pending = _pendingRoot;
        if (pending != 0) _activeRoot = pending;
        funds.earnedActive = before;
        funds.earnedPending = earned;
        _funds = funds;
    }

    function _setAnchorer(address to) internal {
        _requireAddress(to, "anchorer");
        emit RoleChanged("anchorer", _anchoring.anchorer, to);
        _anchoring.anchorer = to;
    }

    function _setSettler(address to) internal {
        _requireAddress(to, "settler");
        if (to == _totals.guardian) revert RoleConflict(to);
        emit RoleChanged("settler", _settling.settler, to);
        _settling.settler = to;
    }

    function _setGuardian(address to) internal {
        _requireAddress(to, "guardian");
        if (to == _settling.settler) revert RoleConflict(to);
        emit RoleChanged("guardian", _totals.guardian, to);
        _totals.guardian = to;
    }
}
