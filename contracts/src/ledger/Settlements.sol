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
        // Read together, both cost one access to storage.
        (address sender, uint64 anchored) = (_anchoring.anchorer, _anchoring.size);
        if (msg.sender != sender) revert Unauthorized(msg.sender, "anchorer");
        if (size <= anchored) revert SizeNotGrowing(size, anchored);
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
    ) external {
        (bool paused, uint64 anchored) = (_anchoring.paused, _anchoring.size);
        if (paused) revert LedgerPaused();
        _advance(epoch);
        _book(earned);
        _roots[epoch & 1] = Hashes.efficientKeccak256(earningsRoot, spendRoot);
        if (size > anchored) {
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
        Settling storage settling = _settling;
        uint256 end = _maturesAt();
        if (end == 0 || uint256(epoch) + 1 != settling.epoch) {
            revert NothingPending(epoch);
        }
        if (block.timestamp >= end) revert WindowOver(end);
        // Epoch e goes, e + 2 is due: the parities stay, the active root takes the
        // place of the dropped one.
        _roots[epoch & 1] = _activeRoot();
        delete _roots[1 - (epoch & 1)];
        _funds.earnedPending = _funds.earnedActive;
        settling.epoch = epoch + 2;
        settling.pendingAt = 0;
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

    /// @dev Checks the settler, the epoch and the window, and makes the pending root the
    /// active one.
    function _advance(uint32 given) private {
        Settling memory settling = _settling;
        if (msg.sender != settling.settler) revert Unauthorized(msg.sender, "settler");
        if (given != settling.epoch) revert WrongEpoch(given, settling.epoch);
        if (settling.pendingAt == 0) {
            // Nothing is promoted: the active root moves out of the new one's place.
            _roots[1 - (given & 1)] = _roots[given & 1];
        } else {
            uint256 end = uint256(settling.pendingAt) + _challengeWindow;
            if (block.timestamp < end) revert WindowOpen(end);
            settling.activeAt = settling.pendingAt;
        }
        settling.epoch = given + 1;
        settling.pendingAt = block.timestamp.toUint32();
        _settling = settling;
    }

    /// @dev Promotes the sum before and books the new one.
    function _book(uint64 earned) private {
        (uint64 before, uint64 deposited) = (_funds.earnedPending, _funds.deposited);
        if (earned < before) revert EarnedFell(earned, before);
        uint64 available = deposited - _totals.refunded;
        if (earned > available) revert EarnedExceedsFunds(earned, available);
        (_funds.earnedActive, _funds.earnedPending) = (before, earned);
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
