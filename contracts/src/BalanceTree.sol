// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Positional keccak trees over 32-byte balance words
/// @notice A leaf is `keccak256(word)` over 32 bytes, a node `keccak256(left ‖ right)`
/// over 64 bytes, so neither can be passed off as the other. A word is
/// `units << 160 | account`; the word of an unused position is 0. A tree has 2^n
/// leaves, and the path of a leaf is the binary form of its position.
library BalanceTree {
    /// @notice A subtree has 1, 2, 4, 8… words.
    /// @param count how many words were given
    error NotAPowerOfTwo(uint256 count);

    /// @notice A subtree of 2^k words starts at a multiple of 2^k.
    /// @param firstIndex position of the first word
    /// @param count how many words were given
    error NotAligned(uint256 firstIndex, uint256 count);

    /// @notice A position must lie inside the tree its proof describes. Without this
    /// check one leaf would answer to many positions.
    /// @param firstIndex position of the first word
    /// @param depth levels of the tree according to the proof
    error OutsideTree(uint256 firstIndex, uint256 depth);

    /// @notice A proof ends with the root of the other tree, so it is never empty.
    error EmptyProof();

    /// @notice The units of a word, at most 2^96 - 1.
    /// @param word a leaf word
    /// @return the cumulative amount it carries
    function unitsOf(uint256 word) internal pure returns (uint256) {
        return word >> 160;
    }

    /// @notice The account of a word.
    /// @param word a leaf word
    /// @return the address it names, zero when the position is unused
    function accountOf(uint256 word) internal pure returns (address) {
        return address(uint160(word));
    }

    /// @notice Where in the calldata a list of words begins.
    /// @param words leaf words
    /// @return source offset of the first
    function sourceOf(uint256[] calldata words) internal pure returns (uint256 source) {
        assembly ("memory-safe") {
            source := words.offset
        }
    }

    /// @notice The word at a place in the calldata.
    /// @param source offset inside a list of words
    /// @return word the word there
    function wordAt(uint256 source) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(source)
        }
    }

    /// @notice Root of the tree that holds `words` from `firstIndex` on.
    /// @dev Reverts unless `words` is an aligned subtree and the proof reaches exactly
    /// the top.
    /// @param firstIndex position of `words[0]`, a multiple of `words.length`
    /// @param words 2^k consecutive leaf words
    /// @param proof sibling hashes from the bottom up, then one element that is not
    /// part of this tree (the other tree's root) and is not read here
    /// @return node the root
    function rootOf(
        uint256 firstIndex,
        uint256[] calldata words,
        bytes32[] calldata proof
    ) internal pure returns (bytes32 node) {
        uint256 count = words.length;
        if (count == 0 || count & (count - 1) != 0) revert NotAPowerOfTwo(count);
        if (firstIndex & (count - 1) != 0) revert NotAligned(firstIndex, count);
        return climb(fold(words), firstIndex / count, proof);
    }

    /// @notice Root of the tree that holds one word.
    /// @param index position of the word; only its lowest bits, as many as the proof
    /// has siblings, choose the path
    /// @param word the leaf word
    /// @param proof as in `rootOf`
    /// @return node the root
    /// @return outside whether `index` lies beyond the tree
    function rootOfLeaf(uint256 index, uint256 word, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32 node, bool outside)
    {
        uint256 depth = _depth(proof);
        uint256 position = depth < 256 ? index & ((1 << depth) - 1) : index;
        return (climb(leafHash(word), position, proof), position != index);
    }

    /// @notice Hash of a leaf.
    /// @param word the leaf word
    /// @return hash keccak256 of its 32 bytes
    function leafHash(uint256 word) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, word)
            hash := keccak256(0x00, 0x20)
        }
    }

    /// @notice Root of 2^k words that fill a whole subtree.
    /// @param words the leaf words; their number must be a power of two
    /// @return root the subtree's root
    function fold(uint256[] calldata words) internal pure returns (bytes32 root) {
        if (words.length == 1) return leafHash(words[0]);
        assembly ("memory-safe") {
            // The hashes of one level lie behind the free memory pointer and are
            // overwritten by those of the next; the pointer itself stays. The first
            // level takes two words at a time and hashes them in the scratch space.
            let buffer := mload(0x40)
            let target := buffer
            let source := words.offset
            let end := add(source, shl(5, words.length))
            for {} lt(source, end) { source := add(source, 0x40) } {
                mstore(0x00, calldataload(add(source, 0x20)))
                mstore(0x20, keccak256(0x00, 0x20))
                mstore(0x00, calldataload(source))
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(target, keccak256(0x00, 0x40))
                target := add(target, 0x20)
            }
            for { end := target } gt(sub(end, buffer), 0x20) { end := target } {
                target := buffer
                source := buffer
                for {} lt(source, end) { source := add(source, 0x40) } {
                    mstore(target, keccak256(source, 0x40))
                    target := add(target, 0x20)
                }
            }
            root := mload(buffer)
        }
    }

    /// @notice Climbs from a node to the root of its tree.
    /// @param node hash of the subtree to start from
    /// @param position place of that subtree on its level
    /// @param proof as in `rootOf`
    /// @return the root
    function climb(bytes32 node, uint256 position, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32)
    {
        uint256 depth = _depth(proof);
        uint256 rest = position;
        assembly ("memory-safe") {
            let end := add(proof.offset, shl(5, depth))
            for { let source := proof.offset } lt(source, end) {} {
                // An even position is a left child: the node comes first.
                let place := shl(5, and(rest, 1))
                mstore(place, node)
                mstore(xor(place, 0x20), calldataload(source))
                node := keccak256(0x00, 0x40)
                rest := shr(1, rest)
                source := add(source, 0x20)
            }
        }
        if (rest != 0) revert OutsideTree(position, depth);
        return node;
    }

    /// @notice The last element of a proof: the root of the other tree.
    /// @param proof as in `rootOf`
    /// @return that root
    function otherRoot(bytes32[] calldata proof) internal pure returns (bytes32) {
        return proof[_depth(proof)];
    }

    function _depth(bytes32[] calldata proof) private pure returns (uint256) {
        if (proof.length == 0) revert EmptyProof();
        return proof.length - 1;
    }
}
