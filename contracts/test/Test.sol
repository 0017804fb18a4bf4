// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/// @notice Assertions that revert, and a few ways to make test data.
abstract contract Test {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    error NotEqual(string what, uint256 found, uint256 expected);
    error NotEqualBytes32(string what, bytes32 found, bytes32 expected);
    error NotEqualText(string what, string found, string expected);
    error NotAtMost(string what, uint256 found, uint256 limit);
    error NotTrue(string what);

    function assertEq(uint256 found, uint256 expected, string memory what)
        internal
        pure
    {
        if (found != expected) revert NotEqual(what, found, expected);
    }

    function assertEq(address found, address expected, string memory what)
        internal
        pure
    {
        assertEq(uint256(uint160(found)), uint256(uint160(expected)), what);
    }

    function assertEq(bytes32 found, bytes32 expected, string memory what)
        internal
        pure
    {
        if (found != expected) revert NotEqualBytes32(what, found, expected);
    }

    function assertEq(string memory found, string memory expected, string memory what)
        internal
        pure
    {
        if (keccak256(bytes(found)) != keccak256(bytes(expected))) {
            revert NotEqualText(what, found, expected);
        }
    }

    function assertLe(uint256 found, uint256 limit, string memory what) internal pure {
        if (found > limit) revert NotAtMost(what, found, limit);
    }

    function assertTrue(bool fact, string memory what) internal pure {
        if (!fact) revert NotTrue(what);
    }

    /// @dev Folds a fuzzed number into [low, high].
    function bound(uint256 number, uint256 low, uint256 high)
        internal
        pure
        returns (uint256)
    {
        if (number >= low && number <= high) return number;
        return low + number % (high - low + 1);
    }

    /// @dev A named address with a known key.
    function actor(string memory name) internal returns (address account, uint256 key) {
        key = uint256(keccak256(bytes(name)));
        account = vm.addr(key);
        vm.label(account, name);
    }
}
