// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title One admin, replaced in two steps
/// @notice A new admin is named by the old one and takes office by itself, so a typing
/// error cannot lose the contract. There is always an admin: the office cannot be given
/// up. On a public chain it belongs to a timelock or a multi-signature wallet.
abstract contract Administered {
    address private _admin;
    address private _pendingAdmin;

    /// @notice The holder of a role changed.
    /// @param role the role's name as ASCII, right-padded: "admin", "anchorer"…
    /// @param from who held it, zero at deployment
    /// @param to who holds it now
    event RoleChanged(bytes32 indexed role, address indexed from, address indexed to);

    /// @notice The admin named a successor, who has still to accept.
    /// @param from the admin
    /// @param to the successor, zero when the offer was withdrawn
    event AdminOffered(address indexed from, address indexed to);

    /// @notice The caller does not hold the role that this call needs.
    /// @param caller who called
    /// @param role the role needed
    error Unauthorized(address caller, bytes32 role);

    /// @notice A role, token or receiver cannot be the zero address.
    /// @param what name of the argument as ASCII
    error ZeroAddress(bytes32 what);

    /// @dev Lets only the admin pass.
    modifier onlyAdmin() {
        if (msg.sender != _admin) revert Unauthorized(msg.sender, "admin");
        _;
    }

    /// @param first the first admin
    constructor(address first) {
        _requireAddress(first, "admin");
        _setAdmin(first);
    }

    /// @notice Who sets roles.
    /// @return the admin
    function admin() public view returns (address) {
        return _admin;
    }

    /// @notice Who may call `acceptAdmin`.
    /// @return the named successor, or zero
    function pendingAdmin() external view returns (address) {
        return _pendingAdmin;
    }

    /// @notice Takes the office that the admin offered to the caller.
    function acceptAdmin() external {
        if (msg.sender != _pendingAdmin) {
            revert Unauthorized(msg.sender, "pendingAdmin");
        }
        delete _pendingAdmin;
        _setAdmin(msg.sender);
    }

    /// @notice Offers the office to `to`; zero withdraws an offer.
    /// @param to the successor
    function offerAdmin(address to) external onlyAdmin {
        _pendingAdmin = to;
        emit AdminOffered(msg.sender, to);
    }

    function _setAdmin(address to) private {
        emit RoleChanged("admin", _admin, to);
        _admin = to;
    }

    /// @dev Reverts with the argument's name when `account` is zero.
    function _requireAddress(address account, bytes32 what) internal pure {
        if (account == address(0)) revert ZeroAddress(what);
    }
}
