// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {Administered} from "./Administered.sol";

/// @title ERC-7053, interoperable digital media indexing
/// @notice One event says that somebody recorded something about the media file with a
/// given content identifier.
interface IERC7053 {
    /// @notice Something was recorded about a media file.
    /// @param recorder who recorded it
    /// @param assetCid CIDv1 of the file's bytes (as its keccak256, being indexed)
    /// @param commitData what was recorded
    event Commit(address indexed recorder, string indexed assetCid, string commitData);

    /// @notice Records something about a media file.
    /// @param assetCid CIDv1 of the file's bytes
    /// @param commitData what to record
    /// @return blockNumber the block in which it was recorded
    function commit(string calldata assetCid, string calldata commitData)
        external
        returns (uint256 blockNumber);
}

/// @title ERC-7572, metadata of a whole contract
/// @notice Where name, description and picture of the collection are to be found.
interface IERC7572 {
    /// @notice The metadata changed.
    event ContractURIUpdated();

    /// @notice Where the metadata is.
    /// @return its URI
    function contractURI() external view returns (string memory);
}

/// @title Certificate of one asset
/// @notice An ERC-721 token says: this file, with this digest, is entry number n of the
/// Colophon log. The token's id *is* the digest, so one file has at most one certificate.
/// Owning the token gives no rights to the work. The ERC-2981 answer is a signal to
/// markets, not a claim that anybody is forced to honor.
/// @dev `docs/contracts.md` is the normative text.
contract ColophonAsset is ERC721, ERC2981, Administered, IERC4906, IERC7053, IERC7572 {
    struct Certificate {
        uint64 logIndex;
        bytes16 assetId;
    }

    address private _minter;
    string private _baseUri;
    string private _contractUri;
    mapping(uint256 tokenId => Certificate) private _certificates;

    /// @notice A certificate was minted.
    /// @param tokenId the content digest as a number
    /// @param assetId the 16 bytes of the asset's public id
    /// @param logIndex the asset's entry in the log
    event Certified(
        uint256 indexed tokenId, bytes16 indexed assetId, uint64 indexed logIndex
    );

    /// @notice The lists of a batch have different lengths.
    /// @param expected length of the first list
    /// @param found length of the list that differs
    error LengthMismatch(uint256 expected, uint256 found);

    /// @notice The file has its certificate already.
    /// @param tokenId the content digest as a number
    error AlreadyMinted(uint256 tokenId);

    /// @notice A file's digest is never zero.
    error ZeroDigest();

    /// @dev Lets only the minter pass.
    modifier onlyMinter() {
        if (msg.sender != _minter) revert Unauthorized(msg.sender, "minter");
        _;
    }

    /// @param admin_ sets the minter, the URIs and the royalty signal
    /// @param minter_ mints certificates
    /// @param baseUri what `tokenURI` puts before the asset's public id
    /// @param contractUri the collection's metadata
    /// @param royaltyReceiver who the royalty signal names
    /// @param royaltyBps the signal's rate, in parts per 10,000 of the sale
    constructor(
        address admin_,
        address minter_,
        string memory baseUri,
        string memory contractUri,
        address royaltyReceiver,
        uint96 royaltyBps
    ) ERC721("Colophon Asset", "COLO") Administered(admin_) {
        _baseUri = baseUri;
        _contractUri = contractUri;
        _setMinter(minter_);
        _setDefaultRoyalty(royaltyReceiver, royaltyBps);
    }

    /// @notice Mints certificates. Only the minter.
    /// @dev Receivers are not called, so none of them can stop a batch. All lists have
    /// the same length. The ERC-7053 event of each carries its `tokenURI`.
    /// @param to the owners
    /// @param contentDigests SHA-256 of each sealed file; the token id
    /// @param logIndexes the entry of each asset in the log
    /// @param assetIds the 16 bytes after `ast_` of each public id
    /// @param assetCids CIDv1 (raw, sha2-256, base32: `bafkrei…`) of each file
    function mintBatch(
        address[] calldata to,
        bytes32[] calldata contentDigests,
        uint64[] calldata logIndexes,
        bytes16[] calldata assetIds,
        string[] calldata assetCids
    ) external onlyMinter {
        _requireLength(to.length, contentDigests.length);
        _requireLength(to.length, logIndexes.length);
        _requireLength(to.length, assetIds.length);
        _requireLength(to.length, assetCids.length);
        for (uint256 i = 0; i < to.length; ++i) {
            _certify(to[i], contentDigests[i], logIndexes[i], assetIds[i]);
            emit Commit(msg.sender, assetCids[i], _uriOf(assetIds[i]));
        }
    }

    /// @inheritdoc IERC7053
    /// @dev Only the minter, so that a reader of this contract's events need not ask
    /// who recorded.
    function commit(string calldata assetCid, string calldata commitData)
        external
        onlyMinter
        returns (uint256 blockNumber)
    {
        emit Commit(msg.sender, assetCid, commitData);
        return block.number;
    }

    /// @notice Tells markets to read a certificate's metadata anew. Only the minter.
    /// @param tokenId the certificate
    function refreshMetadata(uint256 tokenId) external onlyMinter {
        _requireOwned(tokenId);
        emit MetadataUpdate(tokenId);
    }

    /// @notice Tells markets to read all metadata anew. Only the minter.
    function refreshAllMetadata() external onlyMinter {
        emit BatchMetadataUpdate(0, type(uint256).max);
    }

    /// @notice Replaces the minter. Only the admin.
    /// @param to the new one
    function setMinter(address to) external onlyAdmin {
        _setMinter(to);
    }

    /// @notice Moves the metadata of all certificates. Only the admin.
    /// @param uri what `tokenURI` puts before the asset's public id
    function setBaseURI(string calldata uri) external onlyAdmin {
        _baseUri = uri;
        emit BatchMetadataUpdate(0, type(uint256).max);
    }

    /// @notice Moves the collection's metadata. Only the admin.
    /// @param uri where it is now
    function setContractURI(string calldata uri) external onlyAdmin {
        _contractUri = uri;
        emit ContractURIUpdated();
    }

    /// @notice Changes the royalty signal. Only the admin.
    /// @param receiver who it names
    /// @param bps parts per 10,000 of the sale
    function setRoyalty(address receiver, uint96 bps) external onlyAdmin {
        _setDefaultRoyalty(receiver, bps);
    }

    /// @notice Who may mint.
    /// @return the minter
    function minter() external view returns (address) {
        return _minter;
    }

    /// @inheritdoc IERC7572
    function contractURI() external view returns (string memory) {
        return _contractUri;
    }

    /// @notice SHA-256 of the certified file.
    /// @param tokenId the certificate
    /// @return the digest, which is the id
    function contentDigestOf(uint256 tokenId) external view returns (bytes32) {
        _requireOwned(tokenId);
        return bytes32(tokenId);
    }

    /// @notice The asset's entry in the log.
    /// @param tokenId the certificate
    /// @return index zero-based
    function logIndexOf(uint256 tokenId) external view returns (uint64 index) {
        _requireOwned(tokenId);
        return _certificates[tokenId].logIndex;
    }

    /// @notice The asset's public id.
    /// @param tokenId the certificate
    /// @return `ast_` and 32 hexadecimal digits
    function assetIdOf(uint256 tokenId) external view returns (string memory) {
        _requireOwned(tokenId);
        return _publicId(_certificates[tokenId].assetId);
    }

    /// @notice Where the certificate's metadata is: the base URI and the public id.
    /// @param tokenId the certificate
    /// @return its URI
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        return _uriOf(_certificates[tokenId].assetId);
    }

    /// @notice ERC-165: 721 and its metadata, 2981, 4906, 7053, 7572.
    /// @param interfaceId the interface asked for
    /// @return whether it is supported
    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(ERC721, ERC2981, IERC165)
        returns (bool)
    {
        return interfaceId == 0x49064906 // ERC-4906 fixes this value
            || interfaceId == type(IERC7053).interfaceId
            || interfaceId == type(IERC7572).interfaceId
            || super.supportsInterface(interfaceId);
    }

    function _certify(
        address to,
        bytes32 contentDigest,
        uint64 logIndex,
        bytes16 assetId
    ) private {
        if (contentDigest == 0) revert ZeroDigest();
        uint256 tokenId = uint256(contentDigest);
        if (_ownerOf(tokenId) != address(0)) revert AlreadyMinted(tokenId);
        _certificates[tokenId] = Certificate(logIndex, assetId);
        _mint(to, tokenId);
        emit Certified(tokenId, assetId, logIndex);
    }

    function _setMinter(address to) private {
        _requireAddress(to, "minter");
        emit RoleChanged("minter", _minter, to);
        _minter = to;
    }

    function _uriOf(bytes16 assetId) private view returns (string memory) {
        return string.concat(_baseUri, _publicId(assetId));
    }

    /// @dev `ast_` and the hexadecimal digits, without the `0x` that Strings puts first.
    function _publicId(bytes16 assetId) private pure returns (string memory) {
        bytes memory digits = bytes(Strings.toHexString(uint256(uint128(assetId)), 16));
        bytes memory id = new bytes(36);
        (id[0], id[1], id[2], id[3]) = ("a", "s", "t", "_");
        for (uint256 i = 0; i < 32; ++i) {
            id[4 + i] = digits[2 + i];
        }
        return string(id);
    }

    function _requireLength(uint256 expected, uint256 found) private pure {
        if (expected != found) revert LengthMismatch(expected, found);
    }
}
