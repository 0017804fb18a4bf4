// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {
    ERC3009
} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

import {TestUSD} from "../src/TestUSD.sol";
import {Wallet} from "./Redirect.t.sol";
import {Test} from "./Test.sol";

contract TestUSDTest is Test {
    bytes32 private constant TRANSFER = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant RECEIVE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant CANCEL =
        keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    bytes32 private constant NONCE = keccak256("nonce");
    uint256 private constant START = 1_800_000_000;

    TestUSD private usd;
    address private ada;
    address private ben;
    address private eve;
    uint256 private adaKey;
    uint256 private eveKey;

    function setUp() public {
        vm.warp(START);
        usd = new TestUSD();
        (ada, adaKey) = actor("ada");
        (ben,) = actor("ben");
        (eve, eveKey) = actor("eve");
        usd.mint(ada, 100);
    }

    function test_anyone_mints_dollars_with_six_decimals() public {
        vm.prank(eve);
        usd.mint(ben, 7);
        assertEq(usd.balanceOf(ben), 7, "balance");
        assertEq(usd.decimals(), 6, "decimals");
        assertEq(usd.symbol(), "tUSD", "symbol");
    }

    function test_a_bytes_signature_transfers() public {
        bytes memory signature = _authorized(adaKey, TRANSFER, ada);
        vm.prank(eve);
        usd.transferWithAuthorization(ada, ben, 60, 0, START + 1, NONCE, signature);
        assertEq(usd.balanceOf(ben), 60, "ben");
        vm.expectPartialRevert(ERC3009.ERC3009UsedAuthorization.selector);
        usd.transferWithAuthorization(ada, ben, 60, 0, START + 1, NONCE, signature);
    }

    function test_a_contract_wallet_transfers() public {
        Wallet wallet = new Wallet(ada);
        usd.mint(address(wallet), 60);
        bytes memory signature = _authorized(adaKey, TRANSFER, address(wallet));
        usd.transferWithAuthorization(
            address(wallet), ben, 60, 0, START + 1, NONCE, signature
        );
        assertEq(usd.balanceOf(ben), 60, "ben");
    }

    function test_only_the_receiver_receives() public {
        bytes memory signature = _authorized(adaKey, RECEIVE, ada);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, ben)
        );
        vm.prank(eve);
        usd.receiveWithAuthorization(ada, ben, 60, 0, START + 1, NONCE, signature);
        vm.prank(ben);
        usd.receiveWithAuthorization(ada, ben, 60, 0, START + 1, NONCE, signature);
        assertEq(usd.balanceOf(ben), 60, "ben");
    }

    function test_a_canceled_authorization_is_useless() public {
        bytes memory cancel = _signed(adaKey, keccak256(abi.encode(CANCEL, ada, NONCE)));
        usd.cancelAuthorization(ada, NONCE, cancel);
        bytes memory signature = _authorized(adaKey, TRANSFER, ada);
        vm.expectPartialRevert(ERC3009.ERC3009UsedAuthorization.selector);
        usd.transferWithAuthorization(ada, ben, 60, 0, START + 1, NONCE, signature);
    }

    function test_a_stranger_signs_nothing() public {
        bytes memory signature = _authorized(eveKey, TRANSFER, ada);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        usd.transferWithAuthorization(ada, ben, 60, 0, START + 1, NONCE, signature);
        signature = _authorized(eveKey, RECEIVE, ada);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        vm.prank(ben);
        usd.receiveWithAuthorization(ada, ben, 60, 0, START + 1, NONCE, signature);
        signature = _signed(eveKey, keccak256(abi.encode(CANCEL, ada, NONCE)));
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        usd.cancelAuthorization(ada, NONCE, signature);
    }

    function test_an_authorization_has_its_time() public {
        bytes memory signature = _authorized(adaKey, TRANSFER, ada);
        vm.warp(START + 1);
        vm.expectPartialRevert(ERC3009.ERC3009InvalidAuthorizationTime.selector);
        usd.transferWithAuthorization(ada, ben, 60, 0, START + 1, NONCE, signature);
    }

    function _authorized(uint256 key, bytes32 kind, address from)
        private
        view
        returns (bytes memory)
    {
        return _signed(
            key, keccak256(abi.encode(kind, from, ben, 60, 0, START + 1, NONCE))
        );
    }

    function _signed(uint256 key, bytes32 structHash)
        private
        view
        returns (bytes memory)
    {
        bytes32 digest = keccak256(
            abi.encodePacked("\x19\x01", usd.DOMAIN_SEPARATOR(), structHash)
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
