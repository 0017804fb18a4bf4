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
        uint32 pendingAt; // when the newest commit happened
        uint32 activeAt; // when the active root was committed
    }

    struct Funds {
        uint64 deposited;
        uint64 refunded;
        uint64 earnedActive;
        uint64 earnedPending; // equal to earnedActive when nothing is pending
    }

    struct Totals {
        address guardian;
        uint64 paid;
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

    struct Redirection {
        address to;
        uint64 nonce;
    }

    IERC20 internal immutable _token;
    uint32 internal immutable _challengeWindow;
    uint32 internal immutable _refundDelay;

    Anchoring internal _anchoring;
    Settling internal _settling;
    bytes32 internal _activeRoot;
    bytes32 internal _pendingRoot;
    Funds internal _funds;
    Totals internal _totals;
    mapping(address account => Account) internal _accounts;
    /// @dev Cumulative units paid, four holders of 64 bits per slot.
    mapping(uint256 slot => uint256 packed) internal _claimed;
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

    /// @dev When the newest commit can no longer be vetoed.
    function _windowEnd() internal view returns (uint256) {
        return uint256(_settling.pendingAt) + _challengeWindow;
    }

    /// @dev Is the newest commit's window over? True as well when that commit was
    /// vetoed or never happened; then there is no pending root to confuse it with,
    /// because no root is zero.
    function _isMatured() internal view returns (bool) {
        return block.timestamp >= _windowEnd();
    }

    /// @dev What may be paid in all by somebody who shows `root`. Reverts unless that
    /// is the active root or a matured pending one. With a matured pending root the
    /// active one is paid under the newer sum, which `paid` may have reached already.
    function _earnedUnder(bytes32 root) internal view returns (uint256) {
        bool matured = _isMatured();
        if (root != _activeRoot && !(matured && root == _pendingRoot)) {
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
