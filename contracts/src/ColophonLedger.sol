// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    IERC20Permit
} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {
    MessageHashUtils
} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {
    SignatureChecker
} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Administered} from "./Administered.sol";
import {BalanceTree} from "./BalanceTree.sol";
import {IColophonLedger} from "./IColophonLedger.sol";

/// @title Colophon ledger: escrow, anchors and payouts
/// @notice Accounts deposit before they are charged. The operator commits, once per
/// settlement, the root of what every holder has earned and every account has spent so
/// far. After a challenge window anybody may push any holder's money, and an account
/// that asks gets the unspent rest back. At every moment
///
///     paid ≤ earned ≤ deposited − refunded.
///
/// No role can move money to itself, `pay` and `refund` cannot be paused, and the code
/// cannot be replaced.
/// @dev `docs/contracts.md` has the formats, the rules and the threats.
contract ColophonLedger is
    IColophonLedger,
    Administered,
    EIP712,
    ReentrancyGuardTransient
{
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    struct Anchoring {
        address anchorer;
        uint64 size;
        bool paused;
    }

    struct Settling {
        address settler;
        uint32 epoch; // the next commit's number
        uint32 pendingAt; // when the newest commit happened
        uint32 activeAt; // when the active root was committed
    }

    struct Funds {
        uint64 deposited;
        uint64 refunded;
        uint64 earnedActive;
        uint64 earnedPending; // equal to earnedActive when nothing is pending
    }

    struct Payouts {
        address guardian;
        uint64 paid;
        uint32 accounts;
    }

    struct Account {
        uint32 number; // index + 1; 0 means unknown
        uint64 deposited;
        uint64 refunded;
        uint40 frozenAt; // 0 means not frozen
        uint40 permits; // token permit nonces below this one are used up here
        uint16 requests; // refund requests so far, the next one's nonce
    }

    struct Redirection {
        address to;
        uint64 nonce;
    }

    /// @notice Gas that one payment may burn, whatever token or receiver do.
    uint256 public constant TRANSFER_GAS = 120_000;

    /// @notice The operator counts as gone when this many refund delays have passed
    /// after a request became due and no newer root has matured.
    uint256 public constant SILENCE_DELAYS = 4;

    bytes32 private constant REDIRECT_TYPEHASH =
        keccak256("Redirect(uint256 index,address to,uint256 nonce,uint256 deadline)");
    bytes32 private constant REFUND_REQUEST_TYPEHASH =
        keccak256("RefundRequest(address account,uint256 nonce,uint256 deadline)");
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );

    /// @dev Gas wanted before each payment: EIP-150 keeps 1/64 back, and the payee's
    /// group still has to be corrected and its events written.
    uint256 private constant GAS_BEFORE_TRANSFER = (TRANSFER_GAS * 64) / 63 + 30_000;

    IERC20 private immutable _token;
    uint32 private immutable _challengeWindow;
    uint32 private immutable _refundDelay;

    Anchoring private _anchoring;
    Settling private _settling;
    bytes32 private _activeRoot;
    bytes32 private _pendingRoot;
    Funds private _funds;
    Payouts private _payouts;
    mapping(address account => Account) private _accounts;
    /// @dev Cumulative units paid, four holders of 64 bits per slot.
    mapping(uint256 slot => uint256 packed) private _claimed;
    /// @dev One bit per holder index: does a redirection exist?
    mapping(uint256 slot => uint256 bits) private _redirected;
    mapping(uint256 index => Redirection) private _redirections;

    /// @dev Refuses deposits and commits while paused.
    modifier whenNotPaused() {
        if (_anchoring.paused) revert LedgerPaused();
        _;
    }

    /// @param token_ the one settlement token, for ever; not one that rebases
    /// @param admin_ sets roles and ends a pause
    /// @param anchorer_ writes checkpoints
    /// @param settler_ commits settlements
    /// @param guardian_ vetoes settlements and pauses
    /// @param challengeWindow_ seconds a commit can be vetoed and not yet be paid from
    /// @param refundDelay_ seconds between a refund's request and the refund
    constructor(
        IERC20 token_,
        address admin_,
        address anchorer_,
        address settler_,
        address guardian_,
        uint32 challengeWindow_,
        uint32 refundDelay_
    ) Administered(admin_) EIP712("ColophonLedger", "1") {
        if (address(token_).code.length == 0) revert NotAContract(address(token_));
        if (challengeWindow_ == 0 || refundDelay_ == 0) {
            revert InvalidDelay(challengeWindow_, refundDelay_);
        }
        _token = token_;
        _challengeWindow = challengeWindow_;
        _refundDelay = refundDelay_;
        _settling.epoch = 1;
        _setAnchorer(anchorer_);
        _setSettler(settler_);
        _setGuardian(guardian_);
    }

    // ---------------------------------------------------------------- for anybody

    /// @notice Moves money of the caller into the ledger for `account`.
    /// @dev Needs an allowance. The caller pays; the account alone can spend it and get
    /// it back. Refused while the account waits for a refund, so that nobody can undo
    /// a request by sending a cent.
    /// @param account who may spend the money
    /// @param amount units to move
    /// @param ref what the deposit is for
    function deposit(
        address account,
        uint256 amount,
        bytes32 ref
    ) external nonReentrant whenNotPaused {
        uint256 before = _token.balanceOf(address(this));
        _token.safeTransferFrom(msg.sender, address(this), amount);
        _credit(account, before, ref);
    }

    /// @notice Moves money of `account` into the ledger by its ERC-2612 permit. Anybody
    /// may send it.
    /// @dev A permit that somebody used before this call does no harm: it is accepted
    /// when the signature is the account's newest permit and was not spent here before,
    /// or when the account itself calls. A permit does not sign `ref`, so a reader must
    /// match `account` and `ref` together.
    /// @param account owner and payer
    /// @param amount units to move, exactly those of the permit
    /// @param ref what the deposit is for
    /// @param deadline Unix seconds, of the permit
    /// @param v of the permit's signature
    /// @param r of the permit's signature
    /// @param s of the permit's signature
    function depositWithPermit(
        address account,
        uint256 amount,
        bytes32 ref,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused {
        _usePermit(account, amount, deadline, v, r, s);
        uint256 before = _token.balanceOf(address(this));
        // The account signed this very allowance for this very contract.
        // slither-disable-next-line arbitrary-send-erc20-permit
        _token.safeTransferFrom(account, address(this), amount);
        _credit(account, before, ref);
    }

    /// @notice Moves money of `account` into the ledger by its ERC-3009 authorization.
    /// Anybody may send it.
    /// @dev The authorization's nonce is `ref` = keccak256(order id ‖ terms digest): one
    /// signature pays and accepts the terms, and the token refuses it a second time.
    /// @param account payer and signer
    /// @param amount units to move
    /// @param ref what the deposit is for, and the nonce
    /// @param validAfter Unix seconds; valid only later
    /// @param validBefore Unix seconds; valid only earlier
    /// @param v of the authorization's signature
    /// @param r of the authorization's signature
    /// @param s of the authorization's signature
    function depositWithAuthorization(
        address account,
        uint256 amount,
        bytes32 ref,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused {
        uint256 before = _token.balanceOf(address(this));
        IERC3009(address(_token)).receiveWithAuthorization(
            account,
            address(this),
            amount,
            validAfter,
            validBefore,
            ref,
            v,
            r,
            s
        );
        _credit(account, before, ref);
    }

    /// @notice Pays holders what they have earned and not yet received. Anybody may
    /// call it for anybody, and nothing stops it.
    /// @dev Who gets what is fixed by the committed root. A holder whose transfer fails
    /// is passed over with `Unpaid`; a holder that is owed nothing costs no event.
    /// @param firstIndex position of `words[0]` in the earnings tree, a multiple of
    /// `words.length`
    /// @param words 2^k consecutive leaf words, `cumulative units << 160 | account`
    /// @param proof sibling hashes from the bottom up, then the spend root
    function pay(
        uint256 firstIndex,
        uint256[] calldata words,
        bytes32[] calldata proof
    ) external nonReentrant {
        uint256 cap = _earnedUnder(_earningsSide(firstIndex, words, proof));
        uint256 step = Math.min(words.length, 4);
        for (uint256 i = 0; i < words.length; i += step) {
            _payGroup(firstIndex + i, words[i:i + step], cap);
        }
    }

    /// @notice Sends a holder's later payouts to another address. Anybody may relay it.
    /// @dev The address that is paid now signs: the leaf's account before the first
    /// redirection, afterwards the current receiver alone. EIP-712 type
    /// `Redirect(uint256 index,address to,uint256 nonce,uint256 deadline)`.
    /// @param index the holder's position in the earnings tree
    /// @param to who is paid from now on
    /// @param deadline Unix seconds until which the signature is good
    /// @param signature by the current receiver, ERC-1271 wallets included
    /// @param word the holder's leaf; not read once a redirection exists
    /// @param proof the leaf's proof as for `pay`; not read once a redirection exists
    function redirect(
        uint256 index,
        address to,
        uint256 deadline,
        bytes calldata signature,
        uint256 word,
        bytes32[] calldata proof
    ) external {
        if (to == address(0) || to == address(this)) revert InvalidReceiver(to);
        Redirection storage redirection = _redirections[index];
        address from = redirection.to;
        if (from == address(0)) from = _provenHolder(index, word, proof);
        uint64 nonce = redirection.nonce;
        _requireSignature(
            from,
            keccak256(abi.encode(REDIRECT_TYPEHASH, index, to, nonce, deadline)),
            deadline,
            signature
        );
        _redirections[index] = Redirection(to, nonce + 1);
        _redirected[index >> 8] |= 1 << (index & 0xff);
        emit Redirected(index, from, to);
    }

    /// @notice Asks for the caller's unspent money and freezes the account until it is
    /// given back. What the account uses from now on is not covered.
    function requestRefund() external {
        _requestRefund(msg.sender);
    }

    /// @notice Asks for an account's unspent money by its signature. Anybody may relay.
    /// @dev EIP-712 type `RefundRequest(address account,uint256 nonce,uint256 deadline)`;
    /// the nonce is the number of the account's requests so far.
    /// @param account the account
    /// @param deadline Unix seconds until which the signature is good
    /// @param signature by the account, ERC-1271 wallets included
    function requestRefundFor(
        address account,
        uint256 deadline,
        bytes calldata signature
    ) external {
        uint256 nonce = _accounts[account].requests;
        _requireSignature(
            account,
            keccak256(abi.encode(REFUND_REQUEST_TYPEHASH, account, nonce, deadline)),
            deadline,
            signature
        );
        _requestRefund(account);
    }

    /// @notice Gives an account its unspent money back. Anybody may call it, and
    /// nothing stops it.
    /// @dev Uses the newest matured root, which must be younger than the request unless
    /// the operator is gone. What the account spent is what the leaf at its own index
    /// says under its own name; an empty leaf, a foreign one or an index beyond the tree
    /// means nothing spent. Before the first matured root `proof` is empty.
    /// @param account the account
    /// @param spendWord the leaf at the account's index, `spent units << 160 | account`;
    /// when the tree is too small, the leaf at the index cut to the tree's depth
    /// @param proof sibling hashes from the bottom up, then the earnings root
    function refund(
        address account,
        uint256 spendWord,
        bytes32[] calldata proof
    ) external nonReentrant {
        Account memory entry = _accounts[account];
        _requireDue(account, entry.frozenAt);
        uint256 spent = _spentBy(account, entry, spendWord, proof);
        uint256 rest = Math.saturatingSub(entry.deposited - entry.refunded, spent);
        uint256 free = _freeFunds();
        if (rest > free) {
            if (msg.sender != account) revert RefundShort(rest, free);
            rest = free;
        }
        _accounts[account].refunded = entry.refunded + uint64(rest);
        _accounts[account].frozenAt = 0;
        _funds.refunded += uint64(rest);
        emit Refunded(account, rest);
        if (rest != 0) _token.safeTransfer(account, rest);
    }

    // ------------------------------------------------------------------- for roles

    /// @notice Writes a log checkpoint. Only the anchorer.
    /// @param size entries it covers, more than ever before
    /// @param root RFC 6962 root at that size
    function anchor(uint64 size, bytes32 root) external {
        Anchoring memory anchoring = _anchoring;
        if (msg.sender != anchoring.anchorer) {
            revert Unauthorized(msg.sender, "anchorer");
        }
        if (size <= anchoring.size) revert SizeNotGrowing(size, anchoring.size);
        _anchoring.size = size;
        emit Anchored(size, root);
    }

    /// @notice Commits a settlement and opens its window. Only the settler.
    /// @dev Promotes the settlement before, whose window must be over.
    /// @param epoch the number that is due, `epoch()`
    /// @param size entries of the log; anchored too if that is more than ever before
    /// @param logRoot RFC 6962 root at that size
    /// @param earningsRoot root of the earnings tree
    /// @param spendRoot root of the spend tree
    /// @param earned cumulative units earned by all holders
    /// @param count usage events in this settlement
    function commit(
        uint32 epoch,
        uint64 size,
        bytes32 logRoot,
        bytes32 earningsRoot,
        bytes32 spendRoot,
        uint64 earned,
        uint32 count
    ) external whenNotPaused {
        _advance(epoch);
        _promote(earned);
        _pendingRoot = Hashes.efficientKeccak256(earningsRoot, spendRoot);
        if (size > _anchoring.size) {
            _anchoring.size = size;
            emit Anchored(size, logRoot);
        }
        emit Committed(epoch, size, logRoot, earningsRoot, spendRoot, earned, count);
    }

    /// @notice Drops the pending settlement inside its window. Only the guardian.
    /// @dev The active root stays payable. The next number is skipped as well, so a
    /// commit that was built on the dropped one and is already on its way cannot apply.
    /// @param epoch number of the pending settlement
    function veto(uint32 epoch) external {
        if (msg.sender != _payouts.guardian) {
            revert Unauthorized(msg.sender, "guardian");
        }
        if (_pendingRoot == 0 || uint256(epoch) + 1 != _settling.epoch) {
            revert NothingPending(epoch);
        }
        uint256 end = uint256(_settling.pendingAt) + _challengeWindow;
        if (block.timestamp >= end) revert WindowOver(end);
        delete _pendingRoot;
        _funds.earnedPending = _funds.earnedActive;
        _settling.epoch = epoch + 2;
        emit Vetoed(epoch);
    }

    /// @notice Stops deposits and commits. Only the guardian.
    function pause() external whenNotPaused {
        if (msg.sender != _payouts.guardian) {
            revert Unauthorized(msg.sender, "guardian");
        }
        _anchoring.paused = true;
        emit Paused(msg.sender);
    }

    // ------------------------------------------------------------------- for admin

    /// @notice Lets deposits and commits go on. Only the admin.
    function unpause() external onlyAdmin {
        if (!_anchoring.paused) revert LedgerNotPaused();
        _anchoring.paused = false;
        emit Unpaused(msg.sender);
    }

    /// @notice Replaces the anchorer. Only the admin.
    /// @param to the new one
    function setAnchorer(address to) external onlyAdmin {
        _setAnchorer(to);
    }

    /// @notice Replaces the settler. Only the admin.
    /// @param to the new one
    function setSettler(address to) external onlyAdmin {
        _setSettler(to);
    }

    /// @notice Replaces the guardian. Only the admin.
    /// @param to the new one
    function setGuardian(address to) external onlyAdmin {
        _setGuardian(to);
    }

    // ----------------------------------------------------------------------- views

    /// @notice The settlement token.
    /// @return its address
    function token() external view returns (address) {
        return address(_token);
    }

    /// @notice How long a commit can be vetoed.
    /// @return seconds
    function challengeWindow() external view returns (uint32) {
        return _challengeWindow;
    }

    /// @notice How long a refund takes at least.
    /// @return seconds
    function refundDelay() external view returns (uint32) {
        return _refundDelay;
    }

    /// @notice Who may write checkpoints.
    /// @return the anchorer
    function anchorer() external view returns (address) {
        return _anchoring.anchorer;
    }

    /// @notice Who may commit settlements.
    /// @return the settler
    function settler() external view returns (address) {
        return _settling.settler;
    }

    /// @notice Who may veto and pause.
    /// @return the guardian
    function guardian() external view returns (address) {
        return _payouts.guardian;
    }

    /// @notice Are deposits and commits stopped?
    /// @return true while they are
    function paused() external view returns (bool) {
        return _anchoring.paused;
    }

    /// @notice Entries of the largest anchored checkpoint.
    /// @return the size
    function size() external view returns (uint64) {
        return _anchoring.size;
    }

    /// @notice The number that the next commit must carry, 1 at first.
    /// @return the epoch
    function epoch() external view returns (uint32) {
        return _settling.epoch;
    }

    /// @notice The root promoted last, keccak256(earningsRoot ‖ spendRoot).
    /// @return the root, or zero
    function activeRoot() external view returns (bytes32) {
        return _activeRoot;
    }

    /// @notice The newest root, payable once `maturesAt` is reached.
    /// @return the root, or zero
    function pendingRoot() external view returns (bytes32) {
        return _pendingRoot;
    }

    /// @notice When the pending root can be paid from and no longer be vetoed.
    /// @return Unix seconds, zero when nothing is pending
    function maturesAt() external view returns (uint256) {
        if (_pendingRoot == 0) return 0;
        return uint256(_settling.pendingAt) + _challengeWindow;
    }

    /// @notice When the active root was committed.
    /// @return Unix seconds, zero when there is none
    function activeCommittedAt() external view returns (uint256) {
        return _settling.activeAt;
    }

    /// @notice Cumulative units earned under the active root.
    /// @return units
    function earnedActive() external view returns (uint256) {
        return _funds.earnedActive;
    }

    /// @notice Cumulative units earned under the pending root, or under the active one
    /// when nothing is pending.
    /// @return units
    function earnedPending() external view returns (uint256) {
        return _funds.earnedPending;
    }

    /// @notice Units deposited since the beginning.
    /// @return units
    function deposited() external view returns (uint256) {
        return _funds.deposited;
    }

    /// @notice Units given back since the beginning.
    /// @return units
    function refunded() external view returns (uint256) {
        return _funds.refunded;
    }

    /// @notice Units paid to holders since the beginning.
    /// @return units
    function paid() external view returns (uint256) {
        return _payouts.paid;
    }

    /// @notice How many accounts have deposited; the next one's index.
    /// @return the number
    function accountCount() external view returns (uint32) {
        return _payouts.accounts;
    }

    /// @notice What the ledger knows of an account.
    /// @param account the account
    /// @return index its position in the spend tree; means nothing when not `known`
    /// @return deposited_ units it deposited
    /// @return refunded_ units it got back
    /// @return frozenAt when it asked for a refund, zero when it is not waiting for one
    /// @return requests refund requests so far, which is the next one's nonce
    /// @return known whether it ever deposited
    function accountOf(
        address account
    )
        external
        view
        returns (
            uint32 index,
            uint256 deposited_,
            uint256 refunded_,
            uint256 frozenAt,
            uint256 requests,
            bool known
        )
    {
        Account memory entry = _accounts[account];
        known = entry.number != 0;
        index = known ? entry.number - 1 : 0;
        return (
            index,
            entry.deposited,
            entry.refunded,
            entry.frozenAt,
            entry.requests,
            known
        );
    }

    /// @notice Cumulative units paid to a holder.
    /// @param index the holder's position in the earnings tree
    /// @return units
    function claimed(uint256 index) external view returns (uint256) {
        return uint64(_claimed[index >> 2] >> ((index & 3) << 6));
    }

    /// @notice Where a holder's payouts go instead of the leaf's account.
    /// @param index the holder's position in the earnings tree
    /// @return the address, zero when there is no redirection
    function redirectOf(uint256 index) external view returns (address) {
        return _redirections[index].to;
    }

    /// @notice The nonce that the holder's next `Redirect` must carry.
    /// @param index the holder's position in the earnings tree
    /// @return the nonce
    function redirectNonce(uint256 index) external view returns (uint256) {
        return _redirections[index].nonce;
    }

    /// @notice The EIP-712 domain separator of this contract on this chain.
    /// @return the separator
    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // -------------------------------------------------------------------- deposits

    /// @dev Credits what arrived since `before` was measured.
    function _credit(address account, uint256 before, bytes32 ref) private {
        _requireAddress(account, "account");
        uint256 amount = _token.balanceOf(address(this)) - before;
        if (amount == 0) revert NothingDeposited(account);
        Account memory entry = _accounts[account];
        if (entry.frozenAt != 0) revert AccountFrozen(account, entry.frozenAt);
        if (entry.number == 0) {
            entry.number = _payouts.accounts + 1;
            _payouts.accounts = entry.number;
        }
        _funds.deposited = (uint256(_funds.deposited) + amount).toUint64();
        // The sum over all accounts fits 64 bits, so one account's does.
        entry.deposited += uint64(amount);
        _accounts[account] = entry;
        emit Deposited(account, entry.number - 1, amount, ref);
    }

    /// @dev Makes sure that `account` allowed this deposit. See `depositWithPermit`.
    function _usePermit(
        address account,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) private {
        IERC20Permit permitted = IERC20Permit(address(_token));
        try permitted.permit(account, address(this), amount, deadline, v, r, s) {
            _accounts[account].permits = permitted.nonces(account).toUint40();
        } catch {
            if (msg.sender == account) return;
            uint256 nonce = permitted.nonces(account);
            if (block.timestamp > deadline) revert SignatureExpired(deadline);
            if (nonce <= _accounts[account].permits) revert PermitFailed(account);
            bytes32 digest = MessageHashUtils.toTypedDataHash(
                permitted.DOMAIN_SEPARATOR(),
                keccak256(
                    abi.encode(
                        PERMIT_TYPEHASH,
                        account,
                        address(this),
                        amount,
                        nonce - 1,
                        deadline
                    )
                )
            );
            (address signer, , ) = ECDSA.tryRecover(digest, v, r, s);
            if (signer != account) revert PermitFailed(account);
            _accounts[account].permits = nonce.toUint40();
        }
    }

    // ----------------------------------------------------------------- settlements

    /// @dev Checks the settler and the epoch, and moves on to the next.
    function _advance(uint32 given) private {
        Settling memory settling = _settling;
        if (msg.sender != settling.settler) revert Unauthorized(msg.sender, "settler");
        if (given != settling.epoch) revert WrongEpoch(given, settling.epoch);
        if (_pendingRoot != 0) {
            uint256 end = uint256(settling.pendingAt) + _challengeWindow;
            if (block.timestamp < end) revert WindowOpen(end);
            settling.activeAt = settling.pendingAt;
        }
        settling.epoch = given + 1;
        settling.pendingAt = block.timestamp.toUint32();
        _settling = settling;
    }

    /// @dev Makes the pending settlement the active one and books the new sum.
    function _promote(uint64 earned) private {
        Funds memory funds = _funds;
        uint64 before = funds.earnedPending;
        if (earned < before) revert EarnedFell(earned, before);
        uint256 available = funds.deposited - funds.refunded;
        if (earned > available) revert EarnedExceedsFunds(earned, available);
        bytes32 pending = _pendingRoot;
        if (pending != 0) _activeRoot = pending;
        funds.earnedActive = before;
        funds.earnedPending = earned;
        _funds = funds;
    }

    // --------------------------------------------------------------------- payouts

    /// @dev The combined root whose earnings side holds `words`.
    function _earningsSide(
        uint256 firstIndex,
        uint256[] calldata words,
        bytes32[] calldata proof
    ) private pure returns (bytes32) {
        return
            Hashes.efficientKeccak256(
                BalanceTree.rootOf(firstIndex, words, proof),
                BalanceTree.otherRoot(proof)
            );
    }

    /// @dev What may be paid in all by somebody who shows `root`. Reverts unless that
    /// is the active root or a matured pending one. With a matured pending root the
    /// active one is paid under the newer sum, which `paid` may have reached already.
    function _earnedUnder(bytes32 root) private view returns (uint256) {
        bool matured = _isMatured();
        if (root != _activeRoot && !(matured && root == _pendingRoot)) {
            revert UnknownRoot(root);
        }
        return matured ? _funds.earnedPending : _funds.earnedActive;
    }

    /// @dev Is the newest commit's window over? True as well when that commit was
    /// vetoed or never happened; then there is no pending root to confuse it with,
    /// because no root is zero.
    function _isMatured() private view returns (bool) {
        return block.timestamp >= uint256(_settling.pendingAt) + _challengeWindow;
    }

    /// @dev Pays up to four holders, those that share one slot of `_claimed`. Effects
    /// come first; those of failed transfers are taken back.
    function _payGroup(
        uint256 firstIndex,
        uint256[] calldata words,
        uint256 cap
    ) private {
        uint256 redirected = _redirected[firstIndex >> 8] >> (firstIndex & 0xff);
        uint256 before = _claimed[firstIndex >> 2];
        uint256 budget = Math.saturatingSub(cap, _payouts.paid);
        (uint256 packed, uint256 total) = _book(
            firstIndex,
            words,
            before,
            budget,
            redirected
        );
        if (total == 0) return;
        _claimed[firstIndex >> 2] = packed;
        _payouts.paid += uint64(total);
        uint256 failed = 0;
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 index = firstIndex + i;
            uint256 owed = _lane(packed, index) - _lane(before, index);
            if (owed == 0) continue;
            if (!_payOne(index, _receiver(index, words[i], redirected >> i), owed)) {
                failed += owed;
                packed -= owed << _shift(index);
            }
        }
        if (failed != 0) {
            _claimed[firstIndex >> 2] = packed;
            _payouts.paid -= uint64(failed);
        }
    }

    /// @dev Adds to `packed` what each holder is owed, as far as `budget` goes. A lane
    /// cannot overflow: what one holder was ever paid is at most what all were, and
    /// that is at most `earned`, of 64 bits.
    function _book(
        uint256 firstIndex,
        uint256[] calldata words,
        uint256 packed,
        uint256 budget,
        uint256 redirected
    ) private returns (uint256, uint256 total) {
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 index = firstIndex + i;
            uint256 units = BalanceTree.unitsOf(words[i]);
            uint256 before = _lane(packed, index);
            if (units <= before) continue;
            uint256 owed = units - before;
            if (total + owed > budget) {
                emit Unpaid(index, _receiver(index, words[i], redirected >> i), owed);
                continue;
            }
            total += owed;
            packed += owed << _shift(index);
        }
        return (packed, total);
    }

    /// @dev Sends `amount` to `to` and tells by event how that went.
    function _payOne(uint256 index, address to, uint256 amount) private returns (bool) {
        if (gasleft() < GAS_BEFORE_TRANSFER) {
            revert InsufficientGas(gasleft(), GAS_BEFORE_TRANSFER);
        }
        bool success = _transfer(to, amount);
        if (success) emit Paid(index, to, amount);
        else emit Unpaid(index, to, amount);
        return success;
    }

    /// @dev ERC-20 transfer with bounded gas that neither reverts nor copies more than
    /// one word of what comes back. Accepts tokens that return nothing.
    function _transfer(address to, uint256 amount) private returns (bool success) {
        address target = address(_token);
        bytes4 selector = IERC20.transfer.selector;
        uint256 limit = TRANSFER_GAS;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), to)
            mstore(add(data, 0x24), amount)
            mstore(0x00, 1)
            success := call(limit, target, 0, data, 0x44, 0x00, 0x20)
            let said := or(iszero(returndatasize()), gt(returndatasize(), 0x1f))
            success := and(success, and(said, eq(mload(0x00), 1)))
        }
    }

    /// @dev Where a holder's money goes; `bit` tells in its lowest bit whether there is
    /// a redirection.
    function _receiver(
        uint256 index,
        uint256 word,
        uint256 bit
    ) private view returns (address) {
        if (bit & 1 != 0) return _redirections[index].to;
        return BalanceTree.accountOf(word);
    }

    /// @dev A holder's 64 bits of a `_claimed` slot.
    function _lane(uint256 packed, uint256 index) private pure returns (uint256) {
        return uint64(packed >> _shift(index));
    }

    /// @dev Where those bits begin.
    function _shift(uint256 index) private pure returns (uint256) {
        return (index & 3) << 6;
    }

    /// @dev The account of a leaf that a payable root holds.
    function _provenHolder(
        uint256 index,
        uint256 word,
        bytes32[] calldata proof
    ) private view returns (address) {
        (bytes32 earningsRoot, bool outside) = BalanceTree.rootOfLeaf(
            index,
            word,
            proof
        );
        if (outside) revert BalanceTree.OutsideTree(index, proof.length - 1);
        bytes32 spendRoot = BalanceTree.otherRoot(proof);
        _earnedUnder(Hashes.efficientKeccak256(earningsRoot, spendRoot));
        return BalanceTree.accountOf(word);
    }

    // --------------------------------------------------------------------- refunds

    function _requestRefund(address account) private {
        Account storage entry = _accounts[account];
        if (entry.number == 0) revert UnknownAccount(account);
        if (entry.frozenAt != 0) revert AccountFrozen(account, entry.frozenAt);
        entry.frozenAt = uint40(block.timestamp);
        entry.requests += 1;
        emit RefundRequested(account, block.timestamp);
    }

    /// @dev Reverts unless the account asked and the delay is over.
    function _requireDue(address account, uint256 frozenAt) private view {
        if (frozenAt == 0) revert RefundNotRequested(account);
        uint256 readyAt = frozenAt + _refundDelay;
        if (block.timestamp < readyAt) revert RefundTooEarly(readyAt);
    }

    /// @dev What the account spent in all according to the newest matured root.
    function _spentBy(
        address account,
        Account memory entry,
        uint256 word,
        bytes32[] calldata proof
    ) private view returns (uint256) {
        (bytes32 newest, uint256 committedAt) = _newestMatured();
        uint256 goneAt = entry.frozenAt + _refundDelay * (1 + SILENCE_DELAYS);
        if (committedAt <= entry.frozenAt && block.timestamp < goneAt) {
            revert RootTooOld(committedAt, goneAt);
        }
        if (newest == 0 && proof.length == 0) return 0;
        (bytes32 spendRoot, bool outside) = BalanceTree.rootOfLeaf(
            entry.number - 1,
            word,
            proof
        );
        bytes32 root = Hashes.efficientKeccak256(
            BalanceTree.otherRoot(proof),
            spendRoot
        );
        if (root != newest) revert UnknownRoot(root);
        bool named = !outside && BalanceTree.accountOf(word) == account;
        return named ? BalanceTree.unitsOf(word) : 0;
    }

    /// @dev The pending root once matured, else the active one.
    function _newestMatured() private view returns (bytes32 root, uint256 committedAt) {
        root = _pendingRoot;
        if (root != 0 && _isMatured()) return (root, _settling.pendingAt);
        return (_activeRoot, _settling.activeAt);
    }

    /// @dev Units that no holder has earned, under either root.
    function _freeFunds() private view returns (uint256) {
        Funds memory funds = _funds;
        // earnedPending is never below earnedActive, so it is the larger of the two.
        return funds.deposited - funds.refunded - funds.earnedPending;
    }

    // ---------------------------------------------------------- signatures and roles

    function _requireSignature(
        address signer,
        bytes32 structHash,
        uint256 deadline,
        bytes calldata signature
    ) private view {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) {
            revert InvalidSignature(signer);
        }
    }

    function _setAnchorer(address to) private {
        _requireAddress(to, "anchorer");
        emit RoleChanged("anchorer", _anchoring.anchorer, to);
        _anchoring.anchorer = to;
    }

    function _setSettler(address to) private {
        _requireAddress(to, "settler");
        if (to == _payouts.guardian) revert RoleConflict(to);
        emit RoleChanged("settler", _settling.settler, to);
        _settling.settler = to;
    }

    function _setGuardian(address to) private {
        _requireAddress(to, "guardian");
        if (to == _settling.settler) revert RoleConflict(to);
        emit RoleChanged("guardian", _payouts.guardian, to);
        _payouts.guardian = to;
    }
}
