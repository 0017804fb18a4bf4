// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BalanceTree} from "../src/BalanceTree.sol";
import {Test} from "./Test.sol";
import {Tree} from "./Tree.sol";

/// @notice Gives the library calldata to read.
contract TreeReader {
    function rootOf(uint256 first, uint256[] calldata words, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return BalanceTree.rootOf(first, words, proof);
    }

    function rootOfLeaf(uint256 index, uint256 word, bytes32[] calldata proof)
        external
        pure
        returns (bytes32, bool)
    {
        return BalanceTree.rootOfLeaf(index, word, proof);
    }
}

contract BalanceTreeTest is Test {
    TreeReader private reader;

    function setUp() public {
        reader = new TreeReader();
    }

    /// @dev Computed by hand from the definition, outside of both implementations.
    function test_a_known_tree_has_its_known_root() public view {
        uint256[] memory words = new uint256[](2);
        words[0] = Tree.word(1, address(0x11));
        words[1] = Tree.word(2, address(0x22));
        bytes32 left = keccak256(
            hex"0000000000000000000000010000000000000000000000000000000000000011"
        );
        bytes32 right = keccak256(
            hex"0000000000000000000000020000000000000000000000000000000000000022"
        );
        assertEq(
            reader.rootOf(0, words, new bytes32[](1)),
            keccak256(bytes.concat(left, right)),
            "root"
        );
    }

    function test_fuzz_every_aligned_subtree_leads_to_the_root(
        uint256 seed,
        uint8 count,
        uint8 height,
        uint8 place
    ) public view {
        uint256[] memory words = _words(seed, bound(count, 1, 70));
        uint256 width = Tree.width(words);
        uint256 span = 1 << (height % 8);
        if (span > width) span = width;
        uint256 first = (place % (width / span)) * span;
        bytes32 root = reader.rootOf(
            first,
            Tree.slice(words, first, span),
            Tree.proof(words, first, span, bytes32(0))
        );
        assertEq(root, Tree.root(words), "root");
    }

    function test_fuzz_a_leaf_is_inside_or_outside(
        uint256 seed,
        uint8 count,
        uint256 index
    ) public view {
        uint256[] memory words = _words(seed, bound(count, 1, 40));
        uint256 width = Tree.width(words);
        uint256 cut = index % width;
        (bytes32 root, bool outside) = reader.rootOfLeaf(
            index, Tree.slice(words, cut, 1)[0], Tree.proof(words, cut, 1, bytes32(0))
        );
        assertEq(root, Tree.root(words), "root");
        assertTrue(outside == (index >= width), "outside");
    }

    function test_fuzz_one_changed_bit_changes_the_root(uint256 seed, uint256 change)
        public
        view
    {
        uint256[] memory words = _words(seed, 16);
        bytes32 root = Tree.root(words);
        bytes32[] memory proof = Tree.proof(words, 8, 4, bytes32(0));
        uint256[] memory part = Tree.slice(words, 8, 4);
        uint256 bit = 1 << (change >> 8 & 0xff);
        uint256 place = change % 6;
        if (place < 4) part[place] ^= bit;
        else proof[place - 4] ^= bytes32(bit);
        assertTrue(reader.rootOf(8, part, proof) != root, "differs");
    }

    function test_a_proof_deeper_than_a_number_is_handled() public view {
        bytes32[] memory proof = new bytes32[](300);
        (, bool outside) = reader.rootOfLeaf(type(uint256).max, 1, proof);
        assertTrue(!outside, "inside a tree that deep");
    }

    function test_an_empty_proof_is_refused() public {
        vm.expectRevert(BalanceTree.EmptyProof.selector);
        reader.rootOfLeaf(0, 1, new bytes32[](0));
    }

    function _words(uint256 seed, uint256 count)
        private
        pure
        returns (uint256[] memory words)
    {
        words = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            words[i] = uint256(keccak256(abi.encode(seed, i)));
        }
    }
}
