// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Administered} from "./Administered.sol";
import {Deposits} from "./ledger/Deposits.sol";
import {LedgerState} from "./ledger/LedgerState.sol";
import {LedgerViews} from "./ledger/LedgerViews.sol";
import {Payouts} from "./ledger/Payouts.sol";
import {Refunds} from "./ledger/Refunds.sol";
import {Settlements} from "./ledger/Settlements.sol";

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
contract ColophonLedger is Deposits, Payouts, Refunds, Settlements, LedgerViews {
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
    )
        Administered(admin_)
        EIP712("ColophonLedger", "1")
        LedgerState(token_, challengeWindow_, refundDelay_)
    {
        _setAnchorer(anchorer_);
        _setSettler(settler_);
        _setGuardian(guardian_);
    }
}
