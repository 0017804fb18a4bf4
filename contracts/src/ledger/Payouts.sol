// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {BalanceTree} from "../BalanceTree.sol";
import {LedgerState} from "./LedgerState.sol";

/// @title Payouts
/// @notice Anybody pays any holder what a matured root says, and a holder may move its
/// payouts to another address.
abstract contract Payouts is LedgerState {
    /// @notice Gas that one payment may burn, whatever token or receiver do.
    uint256 public constant TRANSFER_GAS = 120_000;

    bytes32 private constant REDIRECT_TYPEHASH =
        keccak256("Redirect(uint256 index,address to,uint256 nonce,uint256 deadline)");

    /// @dev Gas wanted before each payment: EIP-150 keeps 1/64 back, and the payee's
    /// group still has to be corrected and its events written.
    uint256 private constant GAS_BEFORE_TRANSFER = (TRANSFER_GAS * 64) / 63 + 30_000;

    /// @notice Pays holders what they have earned and not yet received. Anybody may
    /// call it for anybody, and nothing stops it.
    /// @dev Who gets what is fixed by the committed root. A holder whose transfer fails
    /// is passed over with `Unpaid`; a holder that is owed nothing costs no event.
    /// @param firstIndex position of `words[0]` in the earnings tree, a multiple of
    /// `words.length`
    /// @param words 2^k consecutive leaf words, `cumulative units << 160 | account`
    /// @param proof sibling hashes from the bottom up, then the spend root
    function pay(uint256 firstIndex, uint256[] calldata words, bytes32[] calldata proof)
        external
        nonReentrant
    {
        uint256 cap = _earnedUnder(_earningsSide(firstIndex, words, proof));
        uint256 step = Math.min(words.length, 4);
        for (uint256 i = 0; i < words.length; i += step) {
            _payGroup(firstIndex + i, words[i:i + step], cap);
        }
    }

    /// @notice Sends a holder's later payouts to another address. Anybody may relay it.
    /// @dev The address that is paid now signs: the leaf's account before the first
    /// redirection, afterwards the current receiver alone. EIP-712 type
    /// `Redirect(uint256 index,address to,uint256 nonce,uint256 deadline)`.
    /// @param index the holder's position in the earnings tree
    /// @param to who is paid from now on
    /// @param deadline Unix seconds until which the signature is good
    /// @param signature by the current receiver, ERC-1271 wallets included
    /// @param word the holder's leaf; not read once a redirection exists
    /// @param proof the leaf's proof as for `pay`; not read once a redirection exists
    function redirect(
        uint256 index,
        address to,
        uint256 deadline,
        bytes calldata signature,
        uint256 word,
        bytes32[] calldata proof
    ) external {
        if (to == address(0) || to == address(this)) {
            revert InvalidReceiver(to);
        }
        Redirection storage redirection = _redirections[index];
        address from = redirection.to;
        if (from == address(0)) from = _provenHolder(index, word, proof);
        uint64 nonce = redirection.nonce;
        _requireSignature(
            from,
            keccak256(abi.encode(REDIRECT_TYPEHASH, index, to, nonce, deadline)),
            deadline,
            signature
        );
        _redirections[index] = Redirection(to, nonce + 1);
        _redirected[index >> 8] |= 1 << (index & 0xff);
        emit Redirected(index, from, to);
    }

    /// @dev The combined root whose earnings side holds `words`.
    function _earningsSide(
        uint256 firstIndex,
        uint256[] calldata words,
        bytes32[] calldata proof
    ) private pure returns (bytes32) {
        return Hashes.efficientKeccak256(
            BalanceTree.rootOf(firstIndex, words, proof), BalanceTree.otherRoot(proof)
        );
    }

    /// @dev Pays up to four holders, those that share one slot of `_claimed`. Effects
    /// come first; those of failed transfers are taken back.
    function _payGroup(uint256 firstIndex, uint256[] calldata words, uint256 cap)
        private
    {
        uint256 redirected = _redirected[firstIndex >> 8] >> (firstIndex & 0xff);
        uint256 before = _claimed[firstIndex >> 2];
        uint256 budget = Math.saturatingSub(cap, _totals.paid);
        (uint256 packed, uint256 total) =
            _book(firstIndex, words, before, budget, redirected);
        if (total == 0) return;
        _claimed[firstIndex >> 2] = packed;
        _totals.paid += uint64(total);
        uint256 failed = 0;
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 index = firstIndex + i;
            uint256 owed = _lane(packed, index) - _lane(before, index);
            if (owed == 0) continue;
            if (!_payOne(index, _receiver(index, words[i], redirected >> i), owed)) {
                failed += owed;
                packed -= owed << _shift(index);
            }
        }
        if (failed != 0) {
            _claimed[firstIndex >> 2] = packed;
            _totals.paid -= uint64(failed);
        }
    }

    /// @dev Adds to `packed` what each holder is owed, as far as `budget` goes. A lane
    /// cannot overflow: what one holder was ever paid is at most what all were, and
    /// that is at most `earned`, of 64 bits.
    function _book(
        uint256 firstIndex,
        uint256[] calldata words,
        uint256 packed,
        uint256 budget,
        uint256 redirected
    ) private returns (uint256, uint256 total) {
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 index = firstIndex + i;
            uint256 units = BalanceTree.unitsOf(words[i]);
            uint256 before = _lane(packed, index);
            if (units <= before) continue;
            uint256 owed = units - before;
            if (total + owed > budget) {
                emit Unpaid(index, _receiver(index, words[i], redirected >> i), owed);
                continue;
            }
            total += owed;
            packed += owed << _shift(index);
        }
        return (packed, total);
    }

    /// @dev Sends `amount` to `to` and tells by event how that went.
    function _payOne(uint256 index, address to, uint256 amount) private returns (bool) {
        if (gasleft() < GAS_BEFORE_TRANSFER) {
            revert InsufficientGas(gasleft(), GAS_BEFORE_TRANSFER);
        }
        bool success = _transfer(to, amount);
        if (success) emit Paid(index, to, amount);
        else emit Unpaid(index, to, amount);
        return success;
    }

    /// @dev ERC-20 transfer with bounded gas that neither reverts nor copies more than
    /// one word of what comes back. Accepts tokens that return nothing.
    function _transfer(address to, uint256 amount) private returns (bool success) {
        address target = address(_token);
        bytes4 selector = IERC20.transfer.selector;
        uint256 limit = TRANSFER_GAS;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            // The compiler may leave a leaf's units above its address.
            mstore(add(data, 0x04), shr(96, shl(96, to)))
            mstore(add(data, 0x24), amount)
            mstore(0x00, 1)
            success := call(limit, target, 0, data, 0x44, 0x00, 0x20)
            let said := or(iszero(returndatasize()), gt(returndatasize(), 0x1f))
            success := and(success, and(said, eq(mload(0x00), 1)))
        }
    }

    /// @dev Where a holder's money goes; `bit` tells in its lowest bit whether there is
    /// a redirection.
    function _receiver(uint256 index, uint256 word, uint256 bit)
        private
        view
        returns (address)
    {
        if (bit & 1 != 0) return _redirections[index].to;
        return BalanceTree.accountOf(word);
    }

    /// @dev A holder's 64 bits of a `_claimed` slot.
    function _lane(uint256 packed, uint256 index) private pure returns (uint256) {
        return uint64(packed >> _shift(index));
    }

    /// @dev Where those bits begin.
    function _shift(uint256 index) private pure returns (uint256) {
        return (index & 3) << 6;
    }

    /// @dev The account of a leaf that a payable root holds.
    function _provenHolder(uint256 index, uint256 word, bytes32[] calldata proof)
        private
        view
        returns (address)
    {
        (bytes32 earningsRoot, bool outside) =
            BalanceTree.rootOfLeaf(index, word, proof);
        if (outside) revert BalanceTree.OutsideTree(index, proof.length - 1);
        bytes32 spendRoot = BalanceTree.otherRoot(proof);
        _earnedUnder(Hashes.efficientKeccak256(earningsRoot, spendRoot));
        return BalanceTree.accountOf(word);
    }
}
