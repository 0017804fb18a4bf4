// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ColophonLedger} from "../src/ColophonLedger.sol";
import {HostileToken, IReceiver} from "./HostileTokens.sol";
import {Test} from "./Test.sol";
import {Tree} from "./Tree.sol";
import {Vm} from "./Vm.sol";

/// @notice A holder that repeats the ledger's last call whenever money arrives.
contract Echo is IReceiver {
    address private immutable _ledger;
    bytes private _call;
    bool public gotThrough;

    constructor(address ledger) {
        _ledger = ledger;
    }

    function prepare(bytes calldata call_) external {
        _call = call_;
    }

    function onMoney(uint256) external {
        (bool done,) = _ledger.call(_call);
        if (done) gotThrough = true;
    }
}

/// @notice Does to the ledger what honest and dishonest people might, in any order:
/// roots that lie about sums, leaves and accounts, stale and vetoed proofs, tokens and
/// receivers that refuse or call back. It notes what must never be seen.
contract LedgerHandler is Test {
    uint256 public constant HOLDERS = 8;
    uint256 public constant ACCOUNTS = 4;
    uint32 private constant WINDOW = 1 days;
    uint32 private constant DELAY = 7 days;

    struct Settlement {
        uint256[] earnings;
        uint256[] spends;
        bytes32 earningsRoot;
        bytes32 spendRoot;
        bool vetoed;
    }

    HostileToken public immutable token;
    ColophonLedger public immutable ledger;
    address private immutable _admin;
    address private immutable _settler;
    address private immutable _guardian;

    Settlement[] private _history;
    Echo private _echo;
    uint256[] private _claimedBefore = new uint256[](HOLDERS);
    uint256 private _given;

    /// @notice The first broken promise, empty while there is none.
    string public broken;
    /// @notice How often each kind of call went through.
    mapping(string kind => uint256 count) public done;

    constructor() {
        vm.warp(1_800_000_000);
        (_admin,) = actor("admin");
        (_settler,) = actor("settler");
        (_guardian,) = actor("guardian");
        token = new HostileToken();
        ledger = new ColophonLedger(
            IERC20(address(token)), _admin, _settler, _settler, _guardian, WINDOW, DELAY
        );
        _echo = new Echo(address(ledger));
        token.setMood(address(_echo), HostileToken.Mood.CallsReceiver);
    }

    // ---- what people do

    function deposit(uint256 who, uint256 amount) external {
        amount = bound(amount, 1, 1e12);
        token.mint(address(this), amount);
        token.approve(address(ledger), amount);
        try ledger.deposit(_account(who), amount, bytes32(amount)) {
            _given += amount;
            done["deposit"]++;
        } catch {}
        _check();
    }

    /// @dev An honest settlement: nobody gets less than was paid, and the sum is that
    /// of the leaves.
    function commitHonestly(uint256 seed) external {
        uint256[] memory earnings = new uint256[](HOLDERS);
        uint256 before = ledger.earnedPending();
        uint256 left = ledger.deposited() - ledger.refunded() - before;
        uint256 sum = 0;
        for (uint256 i = HOLDERS; i > 0; --i) {
            uint256 units = ledger.claimed(i - 1);
            units += _random(seed, i) % (left / HOLDERS + 1);
            if (i == 1 && sum + units < before) units = before - sum;
            earnings[i - 1] = Tree.word(units, _holder(i - 1));
            sum += units;
        }
        _commit(earnings, _spends(seed), sum, "honest commit");
    }

    /// @dev Any leaves in any order, and any sum.
    function commitLies(uint256 seed, uint64 sum) external {
        uint256[] memory earnings = new uint256[](1 + seed % (2 * HOLDERS));
        for (uint256 i = 0; i < earnings.length; ++i) {
            uint256 word = _random(seed, i);
            uint256 units = word % 4 == 0 ? word >> 160 : word % 1e12;
            earnings[i] = Tree.word(units, _holder(word >> 8));
        }
        uint256 before = ledger.earnedPending();
        uint256 left = ledger.deposited() - ledger.refunded() - before;
        uint256 claim = seed % 3 == 0 ? sum : before + sum % (left + 1);
        if (seed % 5 == 0) {
            // Between what is there and what was there before the refunds.
            claim = ledger.deposited() - sum % (ledger.refunded() + 1);
        }
        _commit(earnings, _spends(~seed), claim, "lying commit");
    }

    function veto(uint256 seed) external {
        uint32 epoch = ledger.epoch();
        if (seed % 8 != 0) epoch -= 1;
        bytes32 dropped = ledger.pendingRoot();
        vm.prank(_guardian);
        try ledger.veto(epoch) {
            done["veto"]++;
            for (uint256 i = 0; i < _history.length; ++i) {
                Settlement storage one = _history[i];
                if (_rootOf(one) == dropped) one.vetoed = true;
            }
        } catch {}
        _check();
    }

    /// @dev Pays from any settlement ever made, mostly the newest, then once more.
    function pay(uint256 seed, uint256 place, uint256 shift) external {
        if (_history.length == 0) return;
        Settlement storage one = _history[_pick(seed)];
        uint256 width = Tree.width(one.earnings);
        uint256 span = 1 << (place % 5);
        if (span > width) span = width;
        uint256 first = ((place >> 8) % (width / span)) * span;
        bytes memory call_ = abi.encodeCall(
            ledger.pay,
            (
                shift % 16 == 0 ? first + width : first,
                Tree.slice(one.earnings, first, span),
                Tree.proof(one.earnings, first, span, one.spendRoot)
            )
        );
        _echo.prepare(call_);
        (bool success,) = address(ledger).call(call_);
        if (success) {
            done["pay"]++;
            _note(!one.vetoed, "a vetoed root paid");
            _note(shift % 16 != 0, "a position beyond the tree paid");
            uint256 paid = ledger.paid();
            uint256 events = _payments(call_);
            _note(ledger.paid() - paid == events, "a replay paid what it did not tell");
        }
        _check();
    }

    function requestRefund(uint256 who) external {
        vm.prank(_account(who));
        try ledger.requestRefund() {
            done["request"]++;
        } catch {}
        _check();
    }

    function refund(uint256 who, uint256 seed, bool byItself) external {
        (address account, uint256 index) = (_account(who), _indexOf(who));
        uint256 word = 0;
        bytes32[] memory proof = new bytes32[](0);
        if (_history.length != 0 && seed % 8 != 0) {
            Settlement storage one = _history[_pick(seed)];
            uint256 cut = index % Tree.width(one.spends);
            word = Tree.slice(one.spends, cut, 1)[0];
            proof = Tree.proof(one.spends, cut, 1, one.earningsRoot);
        }
        uint256 floor = ledger.earnedPending();
        uint256 before = token.balanceOf(account);
        (, uint256 got, uint256 back, uint256 frozenAt,,) = ledger.accountOf(account);
        if (byItself) vm.prank(account);
        try ledger.refund(account, word, proof) {
            done["refund"]++;
            uint256 amount = token.balanceOf(account) - before;
            _note(frozenAt != 0, "a refund came unasked");
            _note(block.timestamp >= frozenAt + DELAY, "a refund came early");
            _note(amount <= got - back, "a refund was more than the account had");
            uint256 net = ledger.deposited() - ledger.refunded();
            _note(net >= floor, "a refund took what is earned");
        } catch {}
        _check();
    }

    function redirect(uint256 who, uint256 to, uint256 signer) external {
        if (_history.length == 0) return;
        Settlement storage one = _history[_history.length - 1];
        uint256 index = who % HOLDERS;
        if (index >= Tree.width(one.earnings)) return;
        uint256 word = Tree.slice(one.earnings, index, 1)[0];
        address payee = ledger.redirectOf(index);
        if (payee == address(0)) payee = address(uint160(word));
        bytes memory call_ = abi.encodeCall(
            ledger.redirect,
            (
                index,
                _holder(to),
                block.timestamp,
                _redirection(index, _holder(to), signer % HOLDERS),
                word,
                Tree.proof(one.earnings, index, 1, one.spendRoot)
            )
        );
        (bool success,) = address(ledger).call(call_);
        if (success) {
            done["redirect"]++;
            _note(payee == _holder(signer), "a stranger redirected");
        }
        _check();
    }

    function changeMood(uint256 who, uint256 mood) external {
        address holder = _holder(who);
        if (holder == address(_echo)) return;
        token.setMood(holder, HostileToken.Mood(mood % 9));
    }

    function pauseOrNot(uint256 seed) external {
        if (seed % 4 == 0) {
            vm.prank(_guardian);
            try ledger.pause() {} catch {}
        } else {
            vm.prank(_admin);
            try ledger.unpause() {} catch {}
        }
        _check();
    }

    function wait_(uint256 time) external {
        uint256[5] memory steps =
            [uint256(1), WINDOW / 2, WINDOW, DELAY, 5 * uint256(DELAY)];
        vm.warp(block.timestamp + steps[time % 5]);
        _check();
    }

    // ---- what must hold

    /// @notice The whole promise, checked from outside.
    function check() external view returns (string memory) {
        if (bytes(broken).length != 0) return broken;
        uint256 net = ledger.deposited() - ledger.refunded();
        uint256 end = ledger.maturesAt();
        bool matured = end != 0 && block.timestamp >= end;
        uint256 cap = matured ? ledger.earnedPending() : ledger.earnedActive();
        if (ledger.paid() > cap) return "paid > earned";
        if (ledger.earnedActive() > ledger.earnedPending()) return "active > pending";
        if (ledger.earnedPending() > net) return "earned > deposited - refunded";
        if (token.balanceOf(address(ledger)) != net - ledger.paid()) {
            return "the money is not there";
        }
        if (ledger.deposited() != _given) return "deposits do not add up";
        uint256 claims = 0;
        for (uint256 i = 0; i < 2 * HOLDERS; ++i) {
            claims += ledger.claimed(i);
        }
        if (claims != ledger.paid()) return "claims do not add up";
        return _accountsAddUp() ? "" : "accounts do not add up";
    }

    function _accountsAddUp() private view returns (bool) {
        uint256 got = 0;
        uint256 back = 0;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            (, uint256 deposited, uint256 refunded,,,) = ledger.accountOf(_account(i));
            if (refunded > deposited) return false;
            got += deposited;
            back += refunded;
        }
        return got == ledger.deposited() && back == ledger.refunded();
    }

    function _check() private {
        for (uint256 i = 0; i < HOLDERS; ++i) {
            uint256 claimed = ledger.claimed(i);
            _note(claimed >= _claimedBefore[i], "a claim fell");
            _claimedBefore[i] = claimed;
        }
        _note(!_echo.gotThrough(), "a receiver got through the lock");
        bytes32 active = ledger.activeRoot();
        for (uint256 i = 0; i < _history.length; ++i) {
            if (_history[i].vetoed) {
                _note(_rootOf(_history[i]) != active, "a vetoed root is active");
            }
        }
    }

    function _note(bool fact, string memory otherwise) private {
        if (!fact && bytes(broken).length == 0) broken = otherwise;
    }

    // ---- how it is done

    function _commit(
        uint256[] memory earnings,
        uint256[] memory spends,
        uint256 sum,
        string memory kind
    ) private {
        bytes32 earningsRoot = Tree.root(earnings);
        bytes32 spendRoot = Tree.root(spends);
        uint32 epoch = ledger.epoch();
        if (sum > type(uint64).max) return;
        vm.prank(_settler);
        try ledger.commit(
            epoch, epoch, bytes32(0), earningsRoot, spendRoot, uint64(sum), 1
        ) {
            done[kind]++;
            _history.push(Settlement(earnings, spends, earningsRoot, spendRoot, false));
        } catch {}
        _check();
    }

    /// @dev Calls again; returns how much the events say was paid this time.
    function _payments(bytes memory call_) private returns (uint256 sum) {
        vm.recordLogs();
        (bool success,) = address(ledger).call(call_);
        _note(success, "a replay failed");
        bytes32 topic = keccak256("Paid(uint256,address,uint256)");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != topic) continue;
            sum += abi.decode(logs[i].data, (uint256));
        }
        _note(sum == 0, "a replay paid");
    }

    function _redirection(uint256 index, address to, uint256 signer)
        private
        view
        returns (bytes memory)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Redirect(uint256 index,address to,uint256 nonce,uint256 deadline)"
                ),
                index,
                to,
                ledger.redirectNonce(index),
                block.timestamp
            )
        );
        bytes32 digest = keccak256(
            abi.encodePacked("\x19\x01", ledger.DOMAIN_SEPARATOR(), structHash)
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keyOf(signer), digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The last index is the contract that calls back; the others can sign.
    function _holder(uint256 who) private view returns (address) {
        uint256 index = who % HOLDERS;
        return index == HOLDERS - 1 ? address(_echo) : vm.addr(_keyOf(index));
    }

    function _keyOf(uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("holder", index)));
    }

    function _account(uint256 who) private pure returns (address) {
        return address(uint160(0xACC0000 + who % ACCOUNTS));
    }

    function _indexOf(uint256 who) private view returns (uint256 index) {
        (index,,,,,) = ledger.accountOf(_account(who));
    }

    /// @dev Most accounts at their places, with any spending, and a word that makes
    /// every root another one.
    function _spends(uint256 seed) private view returns (uint256[] memory spends) {
        spends = new uint256[](ACCOUNTS + 1);
        spends[ACCOUNTS] = Tree.word(ledger.epoch(), address(this));
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            uint256 units = _random(seed, 100 + i);
            (uint32 index, uint256 got,,,, bool known) = ledger.accountOf(_account(i));
            if (!known || units % 8 == 0) continue;
            spends[index] = Tree.word(units % (got + got / 8 + 1), _account(i));
        }
    }

    function _pick(uint256 seed) private view returns (uint256) {
        uint256 newest = _history.length - 1;
        uint256 back = (seed >> 16) % 8;
        if (back > 3) back = 0;
        return back > newest ? 0 : newest - back;
    }

    function _rootOf(Settlement storage one) private view returns (bytes32) {
        return keccak256(abi.encodePacked(one.earningsRoot, one.spendRoot));
    }

    function _random(uint256 seed, uint256 salt) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt)));
    }
}
