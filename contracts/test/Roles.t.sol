// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Administered} from "../src/Administered.sol";
import {ColophonLedger} from "../src/ColophonLedger.sol";
import {IColophonLedger} from "../src/IColophonLedger.sol";
import {LedgerFixture} from "./LedgerFixture.sol";

contract RolesTest is LedgerFixture {
    function test_the_constructor_tells_what_it_was_given() public view {
        assertEq(ledger.token(), address(usd), "token");
        assertEq(ledger.admin(), admin, "admin");
        assertEq(ledger.pendingAdmin(), address(0), "pending admin");
        assertEq(ledger.anchorer(), anchorer, "anchorer");
        assertEq(ledger.settler(), settler, "settler");
        assertEq(ledger.guardian(), guardian, "guardian");
        assertEq(ledger.challengeWindow(), WINDOW, "window");
        assertEq(ledger.refundDelay(), DELAY, "delay");
        assertEq(ledger.epoch(), 1, "epoch");
        assertEq(ledger.size(), 0, "size");
        assertEq(ledger.accountCount(), 0, "accounts");
        assertTrue(!ledger.paused(), "paused");
    }

    function test_the_eip712_domain_is_the_documented_one() public view {
        (, string memory name, string memory version, uint256 chainId, address self,,) =
            ledger.eip712Domain();
        assertEq(name, "ColophonLedger", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(self, address(ledger), "contract");
        bytes32 separator = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("ColophonLedger"),
                keccak256("1"),
                block.chainid,
                address(ledger)
            )
        );
        assertEq(ledger.DOMAIN_SEPARATOR(), separator, "separator");
    }

    function test_a_token_without_code_is_refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.NotAContract.selector, eve)
        );
        new ColophonLedger(
            IERC20(eve), admin, anchorer, settler, guardian, WINDOW, DELAY
        );
    }

    function test_window_and_delay_are_not_zero() public {
        IERC20 token = IERC20(address(usd));
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.InvalidDelay.selector, 0, DELAY)
        );
        new ColophonLedger(token, admin, anchorer, settler, guardian, 0, DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.InvalidDelay.selector, WINDOW, 0)
        );
        new ColophonLedger(token, admin, anchorer, settler, guardian, WINDOW, 0);
    }

    function test_no_role_starts_with_nobody() public {
        IERC20 token = IERC20(address(usd));
        _expectZero("admin");
        new ColophonLedger(
            token, address(0), anchorer, settler, guardian, WINDOW, DELAY
        );
        _expectZero("anchorer");
        new ColophonLedger(token, admin, address(0), settler, guardian, WINDOW, DELAY);
        _expectZero("settler");
        new ColophonLedger(token, admin, anchorer, address(0), guardian, WINDOW, DELAY);
        _expectZero("guardian");
        new ColophonLedger(token, admin, anchorer, settler, address(0), WINDOW, DELAY);
    }

    function test_settler_and_guardian_are_two() public {
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.RoleConflict.selector, settler)
        );
        new ColophonLedger(
            IERC20(address(usd)), admin, anchorer, settler, settler, WINDOW, DELAY
        );
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.RoleConflict.selector, guardian)
        );
        vm.prank(admin);
        ledger.setSettler(guardian);
        vm.expectRevert(
            abi.encodeWithSelector(IColophonLedger.RoleConflict.selector, settler)
        );
        vm.prank(admin);
        ledger.setGuardian(settler);
    }

    function test_the_admin_replaces_each_role() public {
        _expectChange("anchorer", anchorer);
        vm.prank(admin);
        ledger.setAnchorer(eve);
        _expectChange("settler", settler);
        vm.prank(admin);
        ledger.setSettler(eve);
        _expectChange("guardian", guardian);
        vm.prank(admin);
        ledger.setGuardian(ben);
        assertEq(ledger.anchorer(), eve, "anchorer");
        assertEq(ledger.settler(), eve, "settler");
        assertEq(ledger.guardian(), ben, "guardian");
    }

    function test_replacing_a_role_keeps_what_shares_its_slot() public {
        _deposit(ada, 10);
        _commit();
        vm.prank(guardian);
        ledger.pause();
        vm.prank(admin);
        ledger.setAnchorer(eve);
        vm.prank(admin);
        ledger.setSettler(eve);
        vm.prank(admin);
        ledger.setGuardian(ben);
        assertEq(ledger.size(), 10, "size");
        assertTrue(ledger.paused(), "paused");
        assertEq(ledger.epoch(), 2, "epoch");
        assertEq(ledger.maturesAt(), START + WINDOW, "matures");
        assertEq(ledger.accountCount(), 1, "accounts");
    }

    function test_nobody_else_replaces_a_role() public {
        _expectNotAdmin(settler);
        ledger.setAnchorer(eve);
        _expectNotAdmin(settler);
        ledger.setSettler(eve);
        _expectNotAdmin(settler);
        ledger.setGuardian(eve);
        _expectNotAdmin(settler);
        ledger.offerAdmin(eve);
        _expectNotAdmin(settler);
        ledger.unpause();
    }

    function test_a_role_is_never_given_to_nobody() public {
        _expectZero("anchorer");
        vm.prank(admin);
        ledger.setAnchorer(address(0));
        _expectZero("settler");
        vm.prank(admin);
        ledger.setSettler(address(0));
        _expectZero("guardian");
        vm.prank(admin);
        ledger.setGuardian(address(0));
    }

    function test_the_admin_changes_in_two_steps() public {
        vm.expectEmit(address(ledger));
        emit Administered.AdminOffered(admin, ben);
        vm.prank(admin);
        ledger.offerAdmin(ben);
        assertEq(ledger.admin(), admin, "not yet");
        assertEq(ledger.pendingAdmin(), ben, "offered");
        vm.expectEmit(address(ledger));
        emit Administered.RoleChanged("admin", admin, ben);
        vm.prank(ben);
        ledger.acceptAdmin();
        assertEq(ledger.admin(), ben, "now");
        assertEq(ledger.pendingAdmin(), address(0), "taken");
        _expectNotAdmin(admin);
        ledger.setAnchorer(eve);
    }

    function test_only_the_one_named_becomes_admin() public {
        vm.prank(admin);
        ledger.offerAdmin(ben);
        vm.expectRevert(
            abi.encodeWithSelector(
                Administered.Unauthorized.selector, eve, bytes32("pendingAdmin")
            )
        );
        vm.prank(eve);
        ledger.acceptAdmin();
    }

    function test_a_withdrawn_offer_cannot_be_taken() public {
        vm.prank(admin);
        ledger.offerAdmin(ben);
        vm.prank(admin);
        ledger.offerAdmin(address(0));
        vm.expectPartialRevert(Administered.Unauthorized.selector);
        vm.prank(ben);
        ledger.acceptAdmin();
    }

    function test_the_guardian_pauses_and_the_admin_ends_it() public {
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Paused(guardian);
        vm.prank(guardian);
        ledger.pause();
        assertTrue(ledger.paused(), "paused");
        vm.expectRevert(IColophonLedger.LedgerPaused.selector);
        vm.prank(guardian);
        ledger.pause();
        vm.expectEmit(address(ledger));
        emit IColophonLedger.Unpaused(admin);
        vm.prank(admin);
        ledger.unpause();
        assertTrue(!ledger.paused(), "over");
        _deposit(ada, 5);
        vm.expectRevert(IColophonLedger.LedgerNotPaused.selector);
        vm.prank(admin);
        ledger.unpause();
    }

    function test_nobody_else_pauses() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                Administered.Unauthorized.selector, admin, bytes32("guardian")
            )
        );
        vm.prank(admin);
        ledger.pause();
    }

    function test_the_code_fits_the_chain() public view {
        assertLe(address(ledger).code.length, 24_576, "EIP-170");
    }

    function _expectZero(bytes32 what) private {
        vm.expectRevert(abi.encodeWithSelector(Administered.ZeroAddress.selector, what));
    }

    function _expectChange(bytes32 role, address from) private {
        vm.expectEmit(address(ledger));
        emit Administered.RoleChanged(role, from, role == "guardian" ? ben : eve);
    }

    function _expectNotAdmin(address caller) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                Administered.Unauthorized.selector, caller, bytes32("admin")
            )
        );
        vm.prank(caller);
    }
}
