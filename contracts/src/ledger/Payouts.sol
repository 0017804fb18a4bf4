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

    /// @dev Gas wanted before each payment: 64/63 of TRANSFER_GAS, as EIP-150 keeps a
    /// part back, and 30,000 to tell and to book how it went.
    uint256 private constant GAS_BEFORE_TRANSFER = 151_905;

    // Assembly takes literals only; a test compares them with what they stand for.
    bytes32 private constant PAID_TOPIC =
        0x4f2d18324ee95128de091ed2adc501295479000ce4c2cec607aeb1b67e189e2f;
    bytes32 private constant UNPAID_TOPIC =
        0xc225311abbfbdd0d3079c9526b7069dfa073af31d73b1a201b1c811a6dd9e0a4;
    uint256 private constant TRANSFER_SELECTOR = 0xa9059cbb000000000000000000000000;

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
        uint256 paidBefore = _funds.paid;
        uint256 budget = Math.saturatingSub(cap, paidBefore);
        uint256 spent = budget - _payEach(firstIndex, words, budget);
        if (spent != 0) _funds.paid = uint64(paidBefore + spent);
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

    /// @dev Pays the holders of `words` and returns what is left of `budget`. The lock
    /// of `pay` guards the sum, which is booked at the end.
    function _payEach(uint256 index, uint256[] calldata words, uint256 budget)
        private
        returns (uint256)
    {
        uint256 redirected = _redirected[index >> 8];
        uint256 source = BalanceTree.sourceOf(words);
        unchecked {
            uint256 end = source + (words.length << 5);
            uint256 step = Math.min(words.length, 4) << 5;
            while (true) {
                budget = _payGroup(index, source, source + step, budget, redirected);
                source += step;
                if (source == end) return budget;
                index += 4;
                if (index & 0xff == 0) redirected = _redirected[index >> 8];
            }
        }
        return budget;
    }

    /// @dev Pays up to four holders, those that share one slot of claims, and returns
    /// what is left of `budget`. The lock of `pay` guards the claims, which are booked
    /// when it is known who got the money. Nothing overflows: a claim stays within
    /// `earned`, of 64 bits, because what one holder was ever paid is part of what all
    /// were.
    function _payGroup(
        uint256 index,
        uint256 source,
        uint256 end,
        uint256 budget,
        uint256 redirected
    ) private returns (uint256) {
        Claims storage claims = _claims[index >> 2];
        uint256 stored = claims.packed;
        uint256 packed = stored;
        unchecked {
            for (; source != end; source += 32) {
                uint256 word = BalanceTree.wordAt(source);
                uint256 owed = BalanceTree.unitsOf(word);
                uint256 shift = (index & 3) << 6;
                uint256 before = uint64(packed >> shift);
                if (owed > before) {
                    owed -= before;
                    address to = BalanceTree.accountOf(word);
                    if (redirected != 0) to = _receiver(index, to, redirected);
                    if (owed > budget) {
                        emit Unpaid(index, to, owed);
                    } else if (_send(index, to, owed)) {
                        packed += owed << shift;
                        budget -= owed;
                    }
                }
                ++index;
            }
        }
        if (packed != stored) claims.packed = packed;
        return budget;
    }

    /// @dev Sends `amount` to `to` and tells by event how that went. The call has
    /// bounded gas, never reverts and copies at most one word of what comes back; a
    /// token that returns nothing is accepted, one that returns anything but true not.
    function _send(uint256 index, address to, uint256 amount)
        private
        returns (bool success)
    {
        if (gasleft() < GAS_BEFORE_TRANSFER) {
            revert InsufficientGas(gasleft(), GAS_BEFORE_TRANSFER);
        }
        address target = address(_token);
        assembly ("memory-safe") {
            // The call data starts at 0x10: selector, receiver, amount. The amount runs
            // into the free memory pointer, whose own bytes come after it. The compiler
            // may have left a leaf's units above its address.
            to := shr(96, shl(96, to))
            mstore(0x00, TRANSFER_SELECTOR)
            mstore(0x14, to)
            mstore(0x34, amount)
            success := call(TRANSFER_GAS, target, 0, 0x10, 0x44, 0x00, 0x20)
            if returndatasize() {
                // An answer must be a whole word, and that word must be true.
                let isTrue := and(gt(returndatasize(), 0x1f), eq(mload(0x00), 1))
                success := and(success, isTrue)
            }
            mstore(0x34, 0)
            mstore(0x00, amount)
            switch success
            case 0 { log3(0x00, 0x20, UNPAID_TOPIC, index, to) }
            default { log3(0x00, 0x20, PAID_TOPIC, index, to) }
        }
    }

    /// @dev Where a holder's money goes. `bits` are those of its 256 neighbors, one for
    /// each redirection.
    function _receiver(uint256 index, address account, uint256 bits)
        private
        view
        returns (address)
    {
        return bits >> (index & 0xff) & 1 == 0 ? account : _redirections[index].to;
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
