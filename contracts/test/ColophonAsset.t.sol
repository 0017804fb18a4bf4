// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {
    IERC721Metadata
} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Administered} from "../src/Administered.sol";
import {ColophonAsset, IERC7053, IERC7572} from "../src/ColophonAsset.sol";
import {Test} from "./Test.sol";

/// @notice Refuses every certificate that asks.
contract Unwilling {
    fallback() external {
        revert("no");
    }
}

contract ColophonAssetTest is Test {
    bytes32 private constant DIGEST = keccak256("stands for a digest");
    bytes16 private constant ID = 0x0198c4f27be970008a1b2c3d4e5f6071;
    string private constant CID =
        "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    string private constant BASE = "https://colophon.example/assets/";
    string private constant URI =
        "https://colophon.example/assets/ast_0198c4f27be970008a1b2c3d4e5f6071";

    ColophonAsset private asset;
    address private admin;
    address private minter;
    address private ada;
    address private eve;

    function setUp() public {
        (admin,) = actor("admin");
        (minter,) = actor("minter");
        (ada,) = actor("ada");
        (eve,) = actor("eve");
        asset = new ColophonAsset(admin, minter, BASE, "https://c/", minter, 250);
    }

    function test_a_certificate_says_which_file_and_which_entry() public {
        _mint(ada, DIGEST, 42, ID);
        uint256 token = uint256(DIGEST);
        assertEq(asset.ownerOf(token), ada, "owner");
        assertEq(asset.contentDigestOf(token), DIGEST, "digest");
        assertEq(asset.logIndexOf(token), 42, "entry");
        assertEq(asset.assetIdOf(token), "ast_0198c4f27be970008a1b2c3d4e5f6071", "id");
        assertEq(asset.tokenURI(token), URI, "URI");
        assertEq(asset.name(), "Colophon Asset", "name");
        assertEq(asset.symbol(), "COLO", "symbol");
    }

    function test_minting_is_told_in_three_ways() public {
        vm.expectEmit(address(asset));
        emit IERC721.Transfer(address(0), ada, uint256(DIGEST));
        vm.expectEmit(address(asset));
        emit ColophonAsset.Certified(uint256(DIGEST), ID, 42);
        vm.expectEmit(address(asset));
        emit IERC7053.Commit(minter, CID, URI);
        _mint(ada, DIGEST, 42, ID);
    }

    function test_a_batch_mints_in_order() public {
        (
            address[] memory to,
            bytes32[] memory digests,
            uint64[] memory entries,
            bytes16[] memory ids,
            string[] memory cids
        ) = _batch(50);
        vm.prank(minter);
        asset.mintBatch(to, digests, entries, ids, cids);
        assertEq(asset.balanceOf(ada), 50, "balance");
        assertEq(asset.logIndexOf(uint256(digests[49])), 49, "entry");
    }

    function test_an_unwilling_owner_does_not_stop_a_batch() public {
        address unwilling = address(new Unwilling());
        _mint(unwilling, DIGEST, 1, ID);
        assertEq(asset.ownerOf(uint256(DIGEST)), unwilling, "owner");
    }

    function test_one_file_has_one_certificate() public {
        _mint(ada, DIGEST, 42, ID);
        vm.expectRevert(
            abi.encodeWithSelector(
                ColophonAsset.AlreadyMinted.selector, uint256(DIGEST)
            )
        );
        _mint(eve, DIGEST, 43, ID);
    }

    function test_a_zero_digest_is_refused() public {
        vm.expectRevert(ColophonAsset.ZeroDigest.selector);
        _mint(ada, 0, 42, ID);
    }

    function test_nobody_owns_no_certificate() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC721Errors.ERC721InvalidReceiver.selector, address(0)
            )
        );
        _mint(address(0), DIGEST, 42, ID);
    }

    function test_only_the_minter_mints() public {
        (
            address[] memory to,
            bytes32[] memory digests,
            uint64[] memory entries,
            bytes16[] memory ids,
            string[] memory cids
        ) = _batch(1);
        _expectUnauthorized(admin, "minter");
        asset.mintBatch(to, digests, entries, ids, cids);
    }

    function test_lists_of_different_lengths_are_refused() public {
        (
            address[] memory to,
            bytes32[] memory digests,
            uint64[] memory entries,
            bytes16[] memory ids,
            string[] memory cids
        ) = _batch(2);
        (
            ,
            bytes32[] memory digest,
            uint64[] memory entry,
            bytes16[] memory id,
            string[] memory cid
        ) = _batch(1);
        _expectMismatch();
        asset.mintBatch(to, digest, entries, ids, cids);
        _expectMismatch();
        asset.mintBatch(to, digests, entry, ids, cids);
        _expectMismatch();
        asset.mintBatch(to, digests, entries, id, cids);
        _expectMismatch();
        asset.mintBatch(to, digests, entries, ids, cid);
    }

    function test_only_certificates_answer() public {
        bytes memory missing =
            abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1);
        vm.expectRevert(missing);
        asset.tokenURI(1);
        vm.expectRevert(missing);
        asset.contentDigestOf(1);
        vm.expectRevert(missing);
        asset.logIndexOf(1);
        vm.expectRevert(missing);
        asset.assetIdOf(1);
    }

    function test_the_minter_records_more_about_a_file() public {
        vm.expectEmit(address(asset));
        emit IERC7053.Commit(minter, CID, "ipfs://more");
        vm.prank(minter);
        uint256 number = asset.commit(CID, "ipfs://more");
        assertEq(number, block.number, "block");
        _expectUnauthorized(eve, "minter");
        asset.commit(CID, "ipfs://lies");
    }

    function test_the_minter_asks_for_fresh_metadata() public {
        _mint(ada, DIGEST, 42, ID);
        vm.expectEmit(address(asset));
        emit IERC4906.MetadataUpdate(uint256(DIGEST));
        vm.prank(minter);
        asset.refreshMetadata(uint256(DIGEST));
        vm.expectEmit(address(asset));
        emit IERC4906.BatchMetadataUpdate(0, type(uint256).max);
        vm.prank(minter);
        asset.refreshAllMetadata();
        vm.expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1)
        );
        vm.prank(minter);
        asset.refreshMetadata(1);
        _expectUnauthorized(eve, "minter");
        asset.refreshMetadata(uint256(DIGEST));
        _expectUnauthorized(eve, "minter");
        asset.refreshAllMetadata();
    }

    function test_the_royalty_signal_is_the_same_for_all() public {
        (address receiver, uint256 amount) = asset.royaltyInfo(1, 1_000_000);
        assertEq(receiver, minter, "receiver");
        assertEq(amount, 25_000, "2.5 percent");
        vm.prank(admin);
        asset.setRoyalty(ada, 500);
        (receiver, amount) = asset.royaltyInfo(2, 1_000_000);
        assertEq(receiver, ada, "receiver");
        assertEq(amount, 50_000, "5 percent");
        _expectUnauthorized(minter, "admin");
        asset.setRoyalty(eve, 10_000);
    }

    function test_the_admin_moves_the_metadata() public {
        _mint(ada, DIGEST, 42, ID);
        vm.expectEmit(address(asset));
        emit IERC4906.BatchMetadataUpdate(0, type(uint256).max);
        vm.prank(admin);
        asset.setBaseURI("ipfs://x/");
        assertEq(
            asset.tokenURI(uint256(DIGEST)),
            "ipfs://x/ast_0198c4f27be970008a1b2c3d4e5f6071",
            "URI"
        );
        vm.expectEmit(address(asset));
        emit IERC7572.ContractURIUpdated();
        vm.prank(admin);
        asset.setContractURI("ipfs://c");
        assertEq(asset.contractURI(), "ipfs://c", "contract URI");
        _expectUnauthorized(minter, "admin");
        asset.setBaseURI("x");
        _expectUnauthorized(minter, "admin");
        asset.setContractURI("x");
    }

    function test_the_admin_replaces_the_minter() public {
        vm.expectEmit(address(asset));
        emit Administered.RoleChanged("minter", minter, ada);
        vm.prank(admin);
        asset.setMinter(ada);
        assertEq(asset.minter(), ada, "minter");
        _expectUnauthorized(minter, "admin");
        asset.setMinter(minter);
        vm.expectRevert(
            abi.encodeWithSelector(Administered.ZeroAddress.selector, bytes32("minter"))
        );
        vm.prank(admin);
        asset.setMinter(address(0));
    }

    function test_every_interface_is_declared() public view {
        assertTrue(asset.supportsInterface(type(IERC165).interfaceId), "165");
        assertTrue(asset.supportsInterface(type(IERC721).interfaceId), "721");
        assertTrue(asset.supportsInterface(type(IERC721Metadata).interfaceId), "meta");
        assertTrue(asset.supportsInterface(type(IERC2981).interfaceId), "2981");
        assertTrue(asset.supportsInterface(bytes4(0x49064906)), "4906");
        assertTrue(asset.supportsInterface(type(IERC7053).interfaceId), "7053");
        assertTrue(asset.supportsInterface(bytes4(0xe8a3d485)), "7572");
        assertTrue(!asset.supportsInterface(bytes4(0xffffffff)), "no more");
    }

    function test_fuzz_ids_and_entries_come_back(
        bytes32 digest,
        uint64 entry,
        bytes16 id
    ) public {
        vm.assume(digest != 0);
        _mint(ada, digest, entry, id);
        uint256 token = uint256(digest);
        assertEq(asset.logIndexOf(token), entry, "entry");
        bytes memory text = bytes(asset.assetIdOf(token));
        assertEq(text.length, 36, "length");
        uint128 read = 0;
        for (uint256 i = 4; i < 36; ++i) {
            uint8 digit = uint8(text[i]);
            read = read * 16 + (digit > 57 ? digit - 87 : digit - 48);
        }
        assertEq(read, uint128(id), "digits");
    }

    function _mint(address to, bytes32 digest, uint64 entry, bytes16 id) private {
        (
            address[] memory owners,
            bytes32[] memory digests,
            uint64[] memory entries,
            bytes16[] memory ids,
            string[] memory cids
        ) = _batch(1);
        (owners[0], digests[0], entries[0], ids[0]) = (to, digest, entry, id);
        vm.prank(minter);
        asset.mintBatch(owners, digests, entries, ids, cids);
    }

    function _batch(uint256 count)
        private
        view
        returns (
            address[] memory to,
            bytes32[] memory digests,
            uint64[] memory entries,
            bytes16[] memory ids,
            string[] memory cids
        )
    {
        to = new address[](count);
        digests = new bytes32[](count);
        entries = new uint64[](count);
        ids = new bytes16[](count);
        cids = new string[](count);
        for (uint256 i = 0; i < count; ++i) {
            to[i] = ada;
            digests[i] = keccak256(abi.encode("file", i));
            entries[i] = uint64(i);
            ids[i] = bytes16(digests[i]);
            cids[i] = CID;
        }
    }

    function _expectUnauthorized(address caller, bytes32 role) private {
        vm.expectRevert(
            abi.encodeWithSelector(Administered.Unauthorized.selector, caller, role)
        );
        vm.prank(caller);
    }

    function _expectMismatch() private {
        vm.expectRevert(
            abi.encodeWithSelector(ColophonAsset.LengthMismatch.selector, 2, 1)
        );
        vm.prank(minter);
    }
}
