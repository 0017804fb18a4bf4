// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    IERC20Permit
} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {
    MessageHashUtils
} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {LedgerState} from "./LedgerState.sol";

/// @title Deposits
/// @notice Three ways in: an ERC-3009 authorization, an ERC-2612 permit, an allowance.
abstract contract Deposits is LedgerState {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    /// @notice Moves money of the caller into the ledger for `account`.
    /// @dev Needs an allowance. The caller pays; the account alone can spend it and get
    /// it back. Refused while the account waits for a refund, so that nobody can undo
    /// a request by sending a cent.
    /// @param account who may spend the money
    /// @param amount units to move
    /// @param ref what the deposit is for
    function deposit(address account, uint256 amount, bytes32 ref)
        external
        nonReentrant
        whenNotPaused
    {
        uint256 before = _token.balanceOf(address(this));
        _token.safeTransferFrom(msg.sender, address(this), amount);
        _credit(account, before, ref);
    }

    /// @notice Moves money of `account` into the ledger by its ERC-2612 permit. Anybody
    /// may send it.
    /// @dev A permit that somebody used before this call does no harm: it is accepted
    /// when the signature is the account's newest permit and was not spent here before,
    /// or when the account itself calls. A permit does not sign `ref`, so a reader must
    /// match `account` and `ref` together.
    /// @param account owner and payer
    /// @param amount units to move, exactly those of the permit
    /// @param ref what the deposit is for
    /// @param deadline Unix seconds, of the permit
    /// @param v of the permit's signature
    /// @param r of the permit's signature
    /// @param s of the permit's signature
    function depositWithPermit(
        address account,
        uint256 amount,
        bytes32 ref,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused {
        _usePermit(account, amount, deadline, v, r, s);
        uint256 before = _token.balanceOf(address(this));
        // The account signed this very allowance for this very contract.
        // slither-disable-next-line arbitrary-send-erc20
        _token.safeTransferFrom(account, address(this), amount);
        _credit(account, before, ref);
    }

    /// @notice Moves money of `account` into the ledger by its ERC-3009 authorization.
    /// Anybody may send it.
    /// @dev The authorization's nonce is `ref` = keccak256(order id ‖ terms digest): one
    /// signature pays and accepts the terms, and the token refuses it a second time.
    /// @param account payer and signer
    /// @param amount units to move
    /// @param ref what the deposit is for, and the nonce
    /// @param validAfter Unix seconds; valid only later
    /// @param validBefore Unix seconds; valid only earlier
    /// @param v of the authorization's signature
    /// @param r of the authorization's signature
    /// @param s of the authorization's signature
    function depositWithAuthorization(
        address account,
        uint256 amount,
        bytes32 ref,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused {
        uint256 before = _token.balanceOf(address(this));
        IERC3009(address(_token))
            .receiveWithAuthorization(
                account, address(this), amount, validAfter, validBefore, ref, v, r, s
            );
        _credit(account, before, ref);
    }

    /// @dev Credits what arrived since `before` was measured.
    function _credit(address account, uint256 before, bytes32 ref) private {
        _requireAddress(account, "account");
        uint256 amount = _token.balanceOf(address(this)) - before;
        if (amount == 0) revert NothingDeposited(account);
        Account memory entry = _accounts[account];
        if (entry.frozenAt != 0) revert AccountFrozen(account, entry.frozenAt);
        if (entry.number == 0) {
            entry.number = _totals.accounts + 1;
            _totals.accounts = entry.number;
        }
        _funds.deposited = (uint256(_funds.deposited) + amount).toUint64();
        // The sum over all accounts fits 64 bits, so one account's does.
        entry.deposited += uint64(amount);
        _accounts[account] = entry;
        emit Deposited(account, entry.number - 1, amount, ref);
    }

    /// @dev Makes sure that `account` allowed this deposit. See `depositWithPermit`.
    function _usePermit(
        address account,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) private {
        IERC20Permit permitted = IERC20Permit(address(_token));
        try permitted.permit(account, address(this), amount, deadline, v, r, s) {
            _accounts[account].permits = permitted.nonces(account).toUint40();
        } catch {
            if (msg.sender == account) return;
            uint256 nonce = permitted.nonces(account);
            if (block.timestamp > deadline) revert SignatureExpired(deadline);
            if (nonce <= _accounts[account].permits) revert PermitFailed(account);
            bytes32 digest = MessageHashUtils.toTypedDataHash(
                permitted.DOMAIN_SEPARATOR(),
                keccak256(
                    abi.encode(
                        PERMIT_TYPEHASH,
                        account,
                        address(this),
                        amount,
                        nonce - 1,
                        deadline
                    )
                )
            );
            if (ECDSA.recover(digest, v, r, s) != account) {
                revert PermitFailed(account);
            }
            _accounts[account].permits = nonce.toUint40();
        }
    }
}
