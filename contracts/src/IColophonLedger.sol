// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Events and errors of the Colophon ledger
/// @notice Amounts are units of the settlement token (six decimals: 1,000,000 units
/// are 1.00). Times are Unix seconds. `docs/contracts.md` is the normative text.
interface IColophonLedger {
    /// @notice Money came in for an account.
    /// @param account who may spend it and gets the rest back
    /// @param accountIndex the account's position in every spend tree, for ever
    /// @param amount units that really arrived
    /// @param ref what the payer tied the deposit to (order and terms)
    event Deposited(
        address indexed account,
        uint32 accountIndex,
        uint256 amount,
        bytes32 indexed ref
    );

    /// @notice A log checkpoint was written on the chain.
    /// @param size entries the checkpoint covers
    /// @param root RFC 6962 root of the log at that size
    event Anchored(uint64 indexed size, bytes32 root);

    /// @notice A settlement's roots were committed; its window is open.
    /// @param epoch the settlement's number
    /// @param size entries of the log at settlement
    /// @param logRoot RFC 6962 root of the log at that size
    /// @param earningsRoot root of the holders' cumulative earnings
    /// @param spendRoot root of the accounts' cumulative spending
    /// @param earned cumulative units earned by all holders
    /// @param count usage events in this settlement
    event Committed(
        uint32 indexed epoch,
        uint64 size,
        bytes32 logRoot,
        bytes32 earningsRoot,
        bytes32 spendRoot,
        uint64 earned,
        uint32 count
    );

    /// @notice The guardian dropped a pending settlement; its epoch is used up, and so
    /// is the one after it.
    /// @param epoch the dropped settlement's number
    event Vetoed(uint32 indexed epoch);

    /// @notice A holder was paid.
    /// @param index the holder's position in the earnings tree
    /// @param account the address that received the money
    /// @param amount units paid
    event Paid(uint256 indexed index, address indexed account, uint256 amount);

    /// @notice A holder could not be paid now; what is owed stays owed.
    /// @param index the holder's position in the earnings tree
    /// @param account the address that should have received the money
    /// @param amount units still owed
    event Unpaid(uint256 indexed index, address indexed account, uint256 amount);

    /// @notice A holder moved its payouts to another address.
    /// @param index the holder's position in the earnings tree
    /// @param from the address that signed, paid until now
    /// @param to the address paid from now on
    event Redirected(uint256 indexed index, address indexed from, address indexed to);

    /// @notice An account asked for its unspent money and is frozen until it has it.
    /// @param account the account
    /// @param requestedAt when it asked
    event RefundRequested(address indexed account, uint256 requestedAt);

    /// @notice An account got unspent money back and is no longer frozen.
    /// @param account the account
    /// @param amount units given back
    event Refunded(address indexed account, uint256 amount);

    /// @notice Deposits and commits stopped.
    /// @param by the guardian
    event Paused(address indexed by);

    /// @notice Deposits and commits go on.
    /// @param by the admin
    event Unpaused(address indexed by);

    /// @notice Deposits and commits are stopped.
    error LedgerPaused();

    /// @notice The ledger is not paused.
    error LedgerNotPaused();

    /// @notice The token address holds no contract.
    /// @param token the address given
    error NotAContract(address token);

    /// @notice Window and delay are both at least one second.
    /// @param challengeWindow seconds given
    /// @param refundDelay seconds given
    error InvalidDelay(uint32 challengeWindow, uint32 refundDelay);

    /// @notice Settler and guardian watch each other, so they cannot be one.
    /// @param account the address given for both
    error RoleConflict(address account);

    /// @notice Nothing arrived, so there is nothing to credit.
    /// @param account the account meant
    error NothingDeposited(address account);

    /// @notice The account asked for a refund; it takes no money until that is done.
    /// @param account the account
    /// @param frozenAt when it asked
    error AccountFrozen(address account, uint256 frozenAt);

    /// @notice The permit failed, and it is not one that this account signed and that
    /// somebody else used first.
    /// @param account the owner
    error PermitFailed(address account);

    /// @notice The log on the chain already has this size or more.
    /// @param size the size given
    /// @param anchored the size anchored
    error SizeNotGrowing(uint64 size, uint64 anchored);

    /// @notice Another epoch is due. A resent commit ends here.
    /// @param given the epoch of the call
    /// @param expected the epoch due
    error WrongEpoch(uint32 given, uint32 expected);

    /// @notice The settlement before can still be vetoed.
    /// @param maturesAt when its window is over
    error WindowOpen(uint256 maturesAt);

    /// @notice The settlement can no longer be vetoed.
    /// @param maturesAt when its window was over
    error WindowOver(uint256 maturesAt);

    /// @notice There is no pending settlement of this epoch.
    /// @param epoch the epoch given
    error NothingPending(uint32 epoch);

    /// @notice Cumulative earnings never fall.
    /// @param earned the sum given
    /// @param before the sum of the settlement before
    error EarnedFell(uint64 earned, uint64 before);

    /// @notice Holders cannot have earned more than accounts have deposited.
    /// @param earned the sum given
    /// @param funds deposited less refunded
    error EarnedExceedsFunds(uint64 earned, uint256 funds);

    /// @notice The proof leads to no root that may be paid from.
    /// @param root what the proof leads to
    error UnknownRoot(bytes32 root);

    /// @notice Each payment must be able to use its full gas allowance, so that nobody
    /// makes one fail by sending too little.
    /// @param given gas left
    /// @param needed gas wanted
    error InsufficientGas(uint256 given, uint256 needed);

    /// @notice A signature's deadline has passed.
    /// @param deadline the last second it was good for
    error SignatureExpired(uint256 deadline);

    /// @notice The signature is not by the account that has to sign.
    /// @param signer who has to sign
    error InvalidSignature(address signer);

    /// @notice Payouts cannot go to this address.
    /// @param to the address
    error InvalidReceiver(address to);

    /// @notice The account never deposited.
    /// @param account the account
    error UnknownAccount(address account);

    /// @notice The account did not ask for a refund, or already had it.
    /// @param account the account
    error RefundNotRequested(address account);

    /// @notice The delay is not over.
    /// @param readyAt from when on a refund may happen
    error RefundTooEarly(uint256 readyAt);

    /// @notice The newest matured root is older than the request, and the operator may
    /// still commit one that is not.
    /// @param committedAt when that root was committed
    /// @param goneAt from when on it will do all the same
    error RootTooOld(uint256 committedAt, uint256 goneAt);

    /// @notice Less is free than the account has left. The account itself may take the
    /// smaller amount by sending the call.
    /// @param wanted units the account has left
    /// @param free units not owed to holders
    error RefundShort(uint256 wanted, uint256 free);
}
