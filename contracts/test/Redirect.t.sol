// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {BalanceTree} from "../src/BalanceTree.sol";
import {IColophonLedger} from "../src/IColophonLedger.sol";
import {LedgerFixture} from "./LedgerFixture.sol";
import {Tree} from "./Tree.sol";

/// @notice A contract wallet: accepts what its owner signed.
contract Wallet is IERC1271 {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        bool good = ECDSA.recoverCalldata(digest, signature) == _owner;
        return good ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

contract RedirectTest is LedgerFixture {
    bytes32 internal constant TYPE =
        keccak256("Redirect(uint256 index,address to,uint256 nonce,uint256 deadline)");
    uint256 internal constant LATER = START + 30 days;
    uint256 internal constant MIA = 5;

    address internal mia;
    address internal newHome;
    uint256 internal miaKey;
    uint256 internal newKey;

    function setUp() public override {
        super.setUp();
        (mia, miaKey) = actor("mia");
        (newHome, newKey) = actor("mia's new wallet");
        _deposit(ada, 1_000_000);
        _equalEarnings(8, 100);
        earnings[MIA] = Tree.word(100, mia);
        _settle();
    }

    function test_later_payouts_go_to_the_new_address() public {
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Redirected(MIA, mia, newHome);
        vm.prank(eve);
        _redirect(MIA, newHome, _signedBy(miaKey, MIA, newHome, 0, LATER));
        assertEq(ledger.redirectOf(MIA), newHome, "redirect");
        assertEq(ledger.redirectNonce(MIA), 1, "nonce");
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Paid(MIA, newHome, 100);
        _pay(0, 8);
        assertEq(usd.balanceOf(newHome), 100, "new");
        assertEq(usd.balanceOf(mia), 0, "old");
        assertEq(usd.balanceOf(_holder(4)), 100, "neighbor");
        assertEq(ledger.redirectOf(4), address(0), "neighbor's redirect");
    }

    function test_the_current_receiver_moves_on_without_a_proof() public {
        _redirect(MIA, newHome, _signedBy(miaKey, MIA, newHome, 0, LATER));
        bytes memory signature = _signedBy(newKey, MIA, ben, 1, LATER);
        ledger.redirect(MIA, ben, LATER, signature, 0, new bytes32[](0));
        _pay(MIA, 1);
        assertEq(usd.balanceOf(ben), 100, "the newest");
    }

    function test_the_old_address_cannot_take_payouts_back() public {
        _redirect(MIA, newHome, _signedBy(miaKey, MIA, newHome, 0, LATER));
        bytes memory signature = _signedBy(miaKey, MIA, mia, 1, LATER);
        _expectInvalid(newHome);
        _redirect(MIA, mia, signature);
    }

    function test_a_redirect_cannot_be_replayed() public {
        bytes memory first = _signedBy(miaKey, MIA, newHome, 0, LATER);
        _redirect(MIA, newHome, first);
        _redirect(MIA, mia, _signedBy(newKey, MIA, mia, 1, LATER));
        _expectInvalid(mia);
        _redirect(MIA, newHome, first);
    }

    function test_a_stranger_cannot_redirect() public {
        bytes memory signature = _signedBy(eveKey, MIA, eve, 0, LATER);
        _expectInvalid(mia);
        _redirect(MIA, eve, signature);
    }

    function test_a_stranger_cannot_bring_a_leaf_of_its_own() public {
        bytes memory signature = _signedBy(eveKey, MIA, eve, 0, LATER);
        bytes32[] memory proof = Tree.proof(earnings, MIA, 1, spendRoot);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        ledger.redirect(MIA, eve, LATER, signature, Tree.word(100, eve), proof);
    }

    function test_a_holder_cannot_redirect_another_position() public {
        bytes memory signature = _signedBy(miaKey, 4, newHome, 0, LATER);
        _expectInvalid(_holder(4));
        _redirect(4, newHome, signature);
    }

    function test_a_leaf_does_not_redirect_a_position_beyond_the_tree() public {
        uint256 beyond = MIA + 8;
        bytes memory signature = _signedBy(miaKey, beyond, newHome, 0, LATER);
        bytes32[] memory proof = Tree.proof(earnings, MIA, 1, spendRoot);
        vm.expectRevert(
            abi.encodeWithSelector(BalanceTree.OutsideTree.selector, beyond, 3)
        );
        ledger.redirect(beyond, newHome, LATER, signature, earnings[MIA], proof);
    }

    function test_an_unmatured_root_redirects_nothing() public {
        earnings[MIA] = Tree.word(100, eve);
        _commit();
        bytes memory signature = _signedBy(eveKey, MIA, eve, 0, LATER);
        vm.expectPartialRevert(IColophonLedger.UnknownRoot.selector);
        _redirect(MIA, eve, signature);
    }

    function test_nobody_holds_an_empty_position() public {
        delete earnings[2];
        earnings[3] = Tree.word(200, _holder(3));
        _settle();
        bytes memory signature = new bytes(65);
        _expectInvalid(address(0));
        _redirect(2, eve, signature);
    }

    function test_a_late_redirect_is_refused() public {
        bytes memory signature = _signedBy(miaKey, MIA, newHome, 0, LATER);
        vm.warp(LATER + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.SignatureExpired.selector, LATER)
        );
        _redirect(MIA, newHome, signature);
    }

    function test_payouts_do_not_go_nowhere() public {
        address[2] memory wrong = [address(0), address(ledger)];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory signature = _signedBy(miaKey, MIA, wrong[i], 0, LATER);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IColophonLedger.InvalidReceiver.selector, wrong[i]
                )
            );
            _redirect(MIA, wrong[i], signature);
        }
    }

    function test_a_contract_wallet_redirects() public {
        Wallet wallet = new Wallet(mia);
        earnings[MIA] = Tree.word(100, address(wallet));
        _settle();
        bytes memory wrong = _signedBy(eveKey, MIA, eve, 0, LATER);
        _expectInvalid(address(wallet));
        _redirect(MIA, eve, wrong);
        _redirect(MIA, newHome, _signedBy(miaKey, MIA, newHome, 0, LATER));
        assertEq(ledger.redirectOf(MIA), newHome, "redirect");
    }

    function test_a_signature_for_another_ledger_is_worthless() public {
        bytes memory signature = _signed(
            miaKey,
            keccak256(
                abi.encodePacked(
                    "\x19\x01",
                    _deploy(address(usd)).DOMAIN_SEPARATOR(),
                    keccak256(abi.encode(TYPE, MIA, newHome, 0, LATER))
                )
            )
        );
        _expectInvalid(mia);
        _redirect(MIA, newHome, signature);
    }

    /// @dev In trees larger than one bitmap slot, each redirection finds its own holder.
    function test_redirects_far_apart_do_not_meet() public {
        _equalEarnings(1024, 10);
        uint256[4] memory places = [uint256(0), 255, 256, 1023];
        for (uint256 i = 0; i < 4; ++i) {
            earnings[places[i]] = Tree.word(10, mia);
        }
        _settle();
        for (uint256 i = 0; i < 4; ++i) {
            address to = address(uint160(0xB0000 + i));
            _redirect(places[i], to, _signedBy(miaKey, places[i], to, 0, LATER));
        }
        _pay(0, 512);
        _pay(512, 512);
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(usd.balanceOf(address(uint160(0xB0000 + i))), 10, "redirected");
        }
        assertEq(usd.balanceOf(mia), 0, "nothing at the old address");
        assertEq(usd.balanceOf(_holder(1)), 10, "others as before");
        assertEq(usd.balanceOf(_holder(257)), 10, "others as before");
        assertEq(ledger.paid(), 10_240, "all");
    }

    function _redirect(uint256 index, address to, bytes memory signature) private {
        ledger.redirect(
            index,
            to,
            LATER,
            signature,
            earnings[index],
            Tree.proof(earnings, index, 1, spendRoot)
        );
    }

    function _signedBy(
        uint256 key,
        uint256 index,
        address to,
        uint256 nonce,
        uint256 deadline
    ) private view returns (bytes memory) {
        bytes32 structHash = keccak256(abi.encode(TYPE, index, to, nonce, deadline));
        return _signed(key, _typed(structHash));
    }

    function _expectInvalid(address signer) private {
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.InvalidSignature.selector, signer)
        );
    }
}
