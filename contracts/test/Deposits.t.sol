// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {
    ERC3009
} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

import {Administered} from "../src/Administered.sol";
import {IColophonLedger} from "../src/IColophonLedger.sol";
import {LedgerFixture} from "./LedgerFixture.sol";
import {FeeToken} from "./HostileTokens.sol";

contract DepositsTest is LedgerFixture {
    bytes32 internal constant PERMIT = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );
    bytes32 internal constant RECEIVE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    struct Signature {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    // ---- plain

    function test_a_deposit_is_credited_and_told() public {
        usd.mint(ada, 50);
        vm.prank(ada);
        usd.approve(address(ledger), 50);
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Deposited(ada, 0, 50, REF);
        vm.prank(ada);
        ledger.deposit(ada, 50, REF);
        (uint32 index, uint256 got, uint256 back, uint256 frozenAt,, bool known) =
            ledger.accountOf(ada);
        assertEq(index, 0, "index");
        assertEq(got, 50, "deposited");
        assertEq(back, 0, "refunded");
        assertEq(frozenAt, 0, "frozen");
        assertTrue(known, "known");
        assertEq(usd.balanceOf(address(ledger)), 50, "balance");
    }

    function test_the_first_deposit_fixes_the_index() public {
        _deposit(ada, 1);
        _deposit(ben, 1);
        _deposit(ada, 1);
        (uint32 index,,,,,) = ledger.accountOf(ada);
        assertEq(index, 0, "ada");
        (index,,,,,) = ledger.accountOf(ben);
        assertEq(index, 1, "ben");
        assertEq(ledger.accountCount(), 2, "count");
        assertEq(ledger.deposited(), 3, "sum");
    }

    function test_somebody_else_pays_from_their_own_pocket() public {
        usd.mint(ben, 30);
        vm.prank(ben);
        usd.approve(address(ledger), 30);
        vm.prank(ben);
        ledger.deposit(ada, 30, REF);
        (, uint256 got,,,,) = ledger.accountOf(ada);
        assertEq(got, 30, "ada has it");
        assertEq(usd.balanceOf(ben), 0, "ben paid");
    }

    function test_an_allowance_of_another_is_out_of_reach() public {
        usd.mint(ada, 30);
        vm.prank(ada);
        usd.approve(address(ledger), 30);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(ledger), 0, 30
            )
        );
        vm.prank(eve);
        ledger.deposit(ada, 30, REF);
    }

    function test_nothing_is_refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.NothingDeposited.selector, ada)
        );
        vm.prank(ada);
        ledger.deposit(ada, 0, REF);
    }

    function test_nobody_is_refused() public {
        usd.mint(ada, 1);
        vm.prank(ada);
        usd.approve(address(ledger), 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                Administered.ZeroAddress.selector, bytes32("account")
            )
        );
        vm.prank(ada);
        ledger.deposit(address(0), 1, REF);
    }

    function test_more_than_64_bits_are_refused() public {
        _deposit(ada, type(uint64).max);
        usd.mint(ben, 1);
        vm.prank(ben);
        usd.approve(address(ledger), 1);
        vm.expectRevert();
        vm.prank(ben);
        ledger.deposit(ben, 1, REF);
    }

    function test_what_arrives_counts_not_what_was_said() public {
        FeeToken fee = new FeeToken();
        ledger = _deploy(address(fee));
        fee.mint(ada, 1000);
        vm.prank(ada);
        fee.approve(address(ledger), 1000);
        vm.prank(ada);
        ledger.deposit(ada, 1000, REF);
        assertEq(ledger.deposited(), 990, "after the fee");
    }

    function test_a_frozen_account_takes_nothing() public {
        _deposit(ada, 5);
        vm.prank(ada);
        ledger.requestRefund();
        usd.mint(ben, 1);
        vm.prank(ben);
        usd.approve(address(ledger), 1);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.AccountFrozen.selector, ada, START)
        );
        vm.prank(ben);
        ledger.deposit(ada, 1, REF);
    }

    function test_a_pause_stops_every_way_in() public {
        vm.prank(guardian);
        ledger.pause();
        bytes4 stopped = IColophonLedger.LedgerPaused.selector;
        vm.expectRevert(stopped);
        ledger.deposit(ada, 1, REF);
        vm.expectRevert(stopped);
        ledger.depositWithPermit(ada, 1, REF, 0, 0, 0, 0);
        vm.expectRevert(stopped);
        ledger.depositWithAuthorization(ada, 1, REF, 0, 0, 0, 0, 0);
    }

    // ---- ERC-3009

    function test_one_signature_pays_and_anybody_relays() public {
        usd.mint(ada, 40);
        Signature memory signature = _authorization(adaKey, ada, 40, REF);
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Deposited(ada, 0, 40, REF);
        vm.prank(eve);
        _relay(ada, 40, REF, signature);
        assertEq(usd.balanceOf(ada), 0, "ada paid");
        assertTrue(usd.authorizationState(ada, REF), "ref used up");
    }

    function test_the_same_order_is_not_paid_twice() public {
        usd.mint(ada, 80);
        Signature memory signature = _authorization(adaKey, ada, 40, REF);
        _relay(ada, 40, REF, signature);
        vm.expectRevert(
            abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, ada, REF)
        );
        _relay(ada, 40, REF, signature);
    }

    function test_another_ref_breaks_the_authorization() public {
        usd.mint(ada, 40);
        Signature memory signature = _authorization(adaKey, ada, 40, REF);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        _relay(ada, 40, keccak256("another order"), signature);
    }

    function test_another_amount_breaks_the_authorization() public {
        usd.mint(ada, 40);
        Signature memory signature = _authorization(adaKey, ada, 40, REF);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        _relay(ada, 39, REF, signature);
    }

    function test_another_signer_is_refused() public {
        usd.mint(ada, 40);
        Signature memory signature = _authorization(eveKey, ada, 40, REF);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        _relay(ada, 40, REF, signature);
    }

    // ---- ERC-2612

    function test_a_permit_pays_and_anybody_relays() public {
        usd.mint(ada, 40);
        Signature memory p = _permit(adaKey, 40);
        vm.prank(eve);
        ledger.depositWithPermit(ada, 40, REF, START + 60, p.v, p.r, p.s);
        (, uint256 got,,,,) = ledger.accountOf(ada);
        assertEq(got, 40, "deposited");
    }

    function test_a_permit_used_first_by_another_still_pays() public {
        usd.mint(ada, 40);
        Signature memory p = _permit(adaKey, 40);
        vm.prank(eve);
        usd.permit(ada, address(ledger), 40, START + 60, p.v, p.r, p.s);
        vm.prank(ben);
        ledger.depositWithPermit(ada, 40, REF, START + 60, p.v, p.r, p.s);
        (, uint256 got,,,,) = ledger.accountOf(ada);
        assertEq(got, 40, "deposited");
    }

    function test_a_spent_permit_does_not_reach_a_later_allowance() public {
        usd.mint(ada, 80);
        Signature memory p = _permit(adaKey, 40);
        ledger.depositWithPermit(ada, 40, REF, START + 60, p.v, p.r, p.s);
        vm.prank(ada);
        usd.approve(address(ledger), 40);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.PermitFailed.selector, ada)
        );
        vm.prank(eve);
        ledger.depositWithPermit(ada, 40, REF, START + 60, p.v, p.r, p.s);
    }

    function test_a_front_run_permit_does_not_pay_twice() public {
        usd.mint(ada, 80);
        Signature memory p = _permit(adaKey, 40);
        vm.prank(eve);
        usd.permit(ada, address(ledger), 40, START + 60, p.v, p.r, p.s);
        ledger.depositWithPermit(ada, 40, REF, START + 60, p.v, p.r, p.s);
        vm.prank(ada);
        usd.approve(address(ledger), 40);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.PermitFailed.selector, ada)
        );
        vm.prank(eve);
        ledger.depositWithPermit(ada, 40, REF, START + 60, p.v, p.r, p.s);
    }

    function test_a_made_up_permit_does_not_reach_an_allowance() public {
        usd.mint(ada, 40);
        vm.prank(ada);
        usd.approve(address(ledger), 40);
        Signature memory p = _permit(eveKey, 40);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.PermitFailed.selector, ada)
        );
        vm.prank(eve);
        ledger.depositWithPermit(ada, 40, REF, START + 60, p.v, p.r, p.s);
    }

    function test_a_front_run_permit_fits_its_own_amount_only() public {
        usd.mint(ada, 40);
        Signature memory p = _permit(adaKey, 40);
        vm.prank(eve);
        usd.permit(ada, address(ledger), 40, START + 60, p.v, p.r, p.s);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.PermitFailed.selector, ada)
        );
        vm.prank(eve);
        ledger.depositWithPermit(ada, 39, REF, START + 60, p.v, p.r, p.s);
    }

    function test_a_late_permit_is_refused() public {
        usd.mint(ada, 40);
        Signature memory p = _permit(adaKey, 40);
        vm.warp(START + 61);
        vm.expectRevert(
            abi.encodeWithSelector(
                IColophonLedger.SignatureExpired.selector, START + 60
            )
        );
        vm.prank(eve);
        ledger.depositWithPermit(ada, 40, REF, START + 60, p.v, p.r, p.s);
    }

    function test_the_account_itself_may_use_its_allowance() public {
        usd.mint(ada, 40);
        vm.prank(ada);
        usd.approve(address(ledger), 40);
        vm.prank(ada);
        ledger.depositWithPermit(ada, 40, REF, START + 60, 0, 0, 0);
        assertEq(ledger.deposited(), 40, "deposited");
    }

    // ---- fuzz

    function test_fuzz_deposits_add_up(uint64[6] memory amounts, uint8 pattern) public {
        uint256 sum = 0;
        uint256 adas = 0;
        for (uint256 i = 0; i < amounts.length; ++i) {
            uint256 amount = bound(amounts[i], 1, type(uint64).max / 8);
            bool isAda = pattern >> i & 1 == 1;
            _deposit(isAda ? ada : ben, amount);
            sum += amount;
            if (isAda) adas += amount;
        }
        (, uint256 got,,,,) = ledger.accountOf(ada);
        assertEq(got, adas, "ada");
        assertEq(ledger.deposited(), sum, "sum");
        assertEq(usd.balanceOf(address(ledger)), sum, "balance");
    }

    // ---- how things are signed

    function _authorization(uint256 key, address from, uint256 value, bytes32 nonce)
        private
        view
        returns (Signature memory)
    {
        bytes32 structHash = keccak256(
            abi.encode(RECEIVE, from, address(ledger), value, 0, START + 60, nonce)
        );
        return _tokenSigned(key, structHash);
    }

    function _permit(uint256 key, uint256 value)
        private
        view
        returns (Signature memory)
    {
        uint256 nonce = usd.nonces(ada);
        return _tokenSigned(
            key,
            keccak256(
                abi.encode(PERMIT, ada, address(ledger), value, nonce, START + 60)
            )
        );
    }

    function _tokenSigned(uint256 key, bytes32 structHash)
        private
        view
        returns (Signature memory)
    {
        bytes32 digest = keccak256(
            abi.encodePacked("\x19\x01", usd.DOMAIN_SEPARATOR(), structHash)
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return Signature(v, r, s);
    }

    function _relay(address from, uint256 value, bytes32 ref, Signature memory a)
        private
    {
        ledger.depositWithAuthorization(from, value, ref, 0, START + 60, a.v, a.r, a.s);
    }
}
