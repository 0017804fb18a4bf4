// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {
    SignatureChecker
} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {Administered} from "../Administered.sol";
import {IColophonLedger} from "../IColophonLedger.sol";

/// @title What the ledger stores, and what its parts share
/// @notice Fields that are read together share a slot: the size lies with the anchorer,
/// the epoch with the settler, the sums with each other.
abstract contract LedgerState is
    IColophonLedger,
    Administered,
    EIP712,
    ReentrancyGuardTransient
{
    struct Anchoring {
        address anchorer;
        uint64 size;
        bool paused;
    }

    struct Settling {
        address settler;
        uint32 epoch; // the next commit's number
        uint32 pendingAt; // when the pending root was committed; 0 when there is none
        uint32 activeAt; // when the active root was committed
    }

    struct Funds {
        uint64 deposited;
        uint64 paid;
        uint64 earnedActive;
        uint64 earnedPending; // equal to earnedActive when nothing is pending
    }

    struct Totals {
        address guardian;
        uint64 refunded;
        uint32 accounts;
    }

    struct Account {
        uint32 number; // index + 1; 0 means unknown
        uint64 deposited;
        uint64 refunded;
        uint40 frozenAt; // 0 means not frozen
        uint40 permits; // token permit nonces below this one are used up here
        uint16 requests; // refund requests so far, the next one's nonce
    }

    struct Claims {
        uint256 packed; // cumulative units paid to four holders, 64 bits each
    }

    struct Redirection {
        address to;
        uint64 nonce;
    }

    IERC20 internal immutable _token;
    uint32 internal immutable _challengeWindow;
    uint32 internal immutable _refundDelay;

    Anchoring internal _anchoring;
    Settling internal _settling;
    /// @dev The pending root lies at the parity of `epoch - 1`, the active one at the
    /// other, so a commit overwrites what is no longer payable and moves nothing.
    bytes32[2] internal _roots;
    Funds internal _funds;
    Totals internal _totals;
    mapping(address account => Account) internal _accounts;
    // Written through a storage pointer, which Slither does not follow.
    // slither-disable-next-line uninitialized-state
    mapping(uint256 group => Claims) internal _claims;
    /// @dev One bit per holder index: does a redirection exist?
    mapping(uint256 slot => uint256 bits) internal _redirected;
    mapping(uint256 index => Redirection) internal _redirections;

    /// @dev Refuses deposits and commits while paused.
    modifier whenNotPaused() {
        if (_anchoring.paused) revert LedgerPaused();
        _;
    }

    /// @param token_ the settlement token
    /// @param challengeWindow_ seconds of the challenge window
    /// @param refundDelay_ seconds between a refund's request and the refund
    constructor(IERC20 token_, uint32 challengeWindow_, uint32 refundDelay_) {
        if (address(token_).code.length == 0) revert NotAContract(address(token_));
        if (challengeWindow_ == 0 || refundDelay_ == 0) {
            revert InvalidDelay(challengeWindow_, refundDelay_);
        }
        _token = token_;
        _challengeWindow = challengeWindow_;
        _refundDelay = refundDelay_;
        _settling.epoch = 1;
    }

    /// @dev The root promoted last, or zero.
    function _activeRoot() internal view returns (bytes32) {
        return _roots[_settling.epoch & 1];
    }

    /// @dev The newest root, or zero when it was vetoed or nothing was committed.
    function _pendingRoot() internal view returns (bytes32) {
        return _roots[1 - (_settling.epoch & 1)];
    }

    /// @dev When the pending root can no longer be vetoed; 0 when nothing is pending.
    function _maturesAt() internal view returns (uint256) {
        uint256 pendingAt = _settling.pendingAt;
        return pendingAt == 0 ? 0 : pendingAt + _challengeWindow;
    }

    /// @dev Is there a pending root whose window is over?
    function _isMatured() internal view returns (bool) {
        uint256 end = _maturesAt();
        return end != 0 && block.timestamp >= end;
    }

    /// @dev What may be paid in all by somebody who shows `root`. Reverts unless that
    /// is the active root or a matured pending one. With a matured pending root the
    /// active one is paid under the newer sum, which `paid` may have reached already.
    function _earnedUnder(bytes32 root) internal view returns (uint256) {
        bool matured = _isMatured();
        if (!(matured && root == _pendingRoot()) && root != _activeRoot()) {
            revert UnknownRoot(root);
        }
        return matured ? _funds.earnedPending : _funds.earnedActive;
    }

    /// @dev Reverts unless `signer` signed the typed data and the deadline holds.
    function _requireSignature(
        address signer,
        bytes32 structHash,
        uint256 deadline,
        bytes calldata signature
    ) internal view {
        if (block.timestamp > deadline) {
            revert SignatureExpired(deadline);
        }
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) {
            revert InvalidSignature(signer);
        }
    }
}
