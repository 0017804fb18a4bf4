// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {
    ERC20Permit
} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {
    ERC3009
} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {
    SignatureChecker
} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Play money with six decimals
/// @notice Stands in for a regulated dollar token on test networks: ERC-20 with
/// ERC-2612 permits and ERC-3009 authorizations. Anyone may mint any amount, so it is
/// worth nothing, and it must never be deployed where value is meant.
contract TestUSD is ERC20, ERC20Permit, ERC3009 {
    /// @dev The EIP-712 domain is ("Test USD", "1", chain id, this address).
    constructor() ERC20("Test USD", "tUSD") ERC20Permit("Test USD") {}

    /// @notice The faucet: gives anyone any amount.
    /// @param to who receives it
    /// @param amount units of 10^-6
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice ERC-3009 transfer, signature as bytes, contract wallets included.
    /// @param from payer and signer
    /// @param to receiver
    /// @param value units of 10^-6
    /// @param validAfter Unix seconds; valid only later
    /// @param validBefore Unix seconds; valid only earlier
    /// @param nonce any 32 bytes not used before by `from`
    /// @param signature 65 bytes, or whatever an ERC-1271 wallet accepts
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        bytes32 typehash = TRANSFER_WITH_AUTHORIZATION_TYPEHASH;
        _requireSignature(
            from,
            keccak256(
                abi.encode(typehash, from, to, value, validAfter, validBefore, nonce)
            ),
            signature
        );
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @notice ERC-3009 transfer that only the receiver may send, signature as bytes.
    /// @param from payer and signer
    /// @param to receiver, who must be the caller
    /// @param value units of 10^-6
    /// @param validAfter Unix seconds; valid only later
    /// @param validBefore Unix seconds; valid only earlier
    /// @param nonce any 32 bytes not used before by `from`
    /// @param signature 65 bytes, or whatever an ERC-1271 wallet accepts
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        if (to != msg.sender) revert ERC20InvalidReceiver(to);
        bytes32 typehash = RECEIVE_WITH_AUTHORIZATION_TYPEHASH;
        _requireSignature(
            from,
            keccak256(
                abi.encode(typehash, from, to, value, validAfter, validBefore, nonce)
            ),
            signature
        );
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @notice Makes an authorization useless before it is used, signature as bytes.
    /// @param authorizer who signed it and signs this
    /// @param nonce the nonce to use up
    /// @param signature 65 bytes, or whatever an ERC-1271 wallet accepts
    function cancelAuthorization(
        address authorizer,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _requireSignature(
            authorizer,
            keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce)),
            signature
        );
        _cancelAuthorization(authorizer, nonce);
    }

    /// @notice Six, as the dollar tokens that it stands in for.
    /// @return the number of decimals
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _requireSignature(
        address signer,
        bytes32 structHash,
        bytes calldata signature
    ) private view {
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) {
            revert ERC3009InvalidSignature();
        }
    }
}
