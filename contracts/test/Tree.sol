// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Builds balance trees and proofs by plain recursion, so that the contract's
/// own hashing is checked against something written differently.
library Tree {
    function word(uint256 units, address account) internal pure returns (uint256) {
        return units << 160 | uint160(account);
    }

    function root(uint256[] memory words) internal pure returns (bytes32) {
        return subtree(words, 0, width(words));
    }

    /// @dev Siblings from the subtree of `count` words at `first` upward, then `other`.
    function proof(uint256[] memory words, uint256 first, uint256 count, bytes32 other)
        internal
        pure
        returns (bytes32[] memory path)
    {
        uint256 depth = 0;
        for (uint256 span = count; span < width(words); span *= 2) {
            ++depth;
        }
        path = new bytes32[](depth + 1);
        uint256 place = first / count;
        for (uint256 level = 0; level < depth; ++level) {
            uint256 span = count << level;
            path[level] = subtree(words, (place ^ 1) * span, span);
            place /= 2;
        }
        path[depth] = other;
    }

    function subtree(uint256[] memory words, uint256 first, uint256 count)
        internal
        pure
        returns (bytes32)
    {
        if (count == 1) {
            return keccak256(abi.encode(first < words.length ? words[first] : 0));
        }
        bytes32 left = subtree(words, first, count / 2);
        bytes32 right = subtree(words, first + count / 2, count / 2);
        return keccak256(abi.encodePacked(left, right));
    }

    function width(uint256[] memory words) internal pure returns (uint256 leaves) {
        leaves = 1;
        while (leaves < words.length) leaves *= 2;
    }

    function slice(uint256[] memory words, uint256 first, uint256 count)
        internal
        pure
        returns (uint256[] memory part)
    {
        part = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            if (first + i < words.length) part[i] = words[first + i];
        }
    }
}
