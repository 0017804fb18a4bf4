// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Keeps one percent of every transfer.
contract FeeToken is ERC20 {
    constructor() ERC20("Fee", "FEE") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        uint256 fee = from == address(0) || to == address(0) ? 0 : value / 100;
        super._update(from, to, value - fee);
        if (fee != 0) super._update(from, address(0), fee);
    }
}

/// @notice Treats receivers as told: pays, refuses, says no, burns gas, floods the
/// caller with bytes, answers nothing, answers one byte, or calls the receiver. What
/// does not answer `true` or nothing has moved nothing, as ERC-20 means it.
contract HostileToken is ERC20 {
    enum Mood {
        Pays,
        Reverts,
        SaysNo,
        BurnsGas,
        Floods,
        FloodsInRevert,
        SaysNothing,
        SaysTooLittle,
        SaysTwo,
        CallsReceiver
    }

    mapping(address receiver => Mood) public mood;

    constructor() ERC20("Hostile", "HOST") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setMood(address receiver, Mood to) external {
        mood[receiver] = to;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        Mood now_ = mood[to];
        if (now_ == Mood.Reverts) revert("refused");
        if (now_ == Mood.SaysNo) return false;
        if (now_ == Mood.BurnsGas) {
            while (true) {
                assembly {
                    sstore(gas(), 1)
                }
            }
        }
        if (now_ == Mood.FloodsInRevert) {
            assembly {
                revert(0, 60000)
            }
        }
        if (now_ == Mood.SaysTooLittle) {
            assembly {
                mstore8(0, 1)
                return(0, 1)
            }
        }
        if (now_ == Mood.SaysTwo) {
            assembly {
                mstore(0, 2)
                return(0, 32)
            }
        }
        super.transfer(to, amount);
        if (now_ == Mood.Floods) {
            assembly {
                mstore(0, 1)
                return(0, 60000)
            }
        }
        if (now_ == Mood.SaysNothing) {
            assembly {
                return(0, 0)
            }
        }
        if (now_ == Mood.CallsReceiver) IReceiver(to).onMoney(amount);
        return true;
    }
}

/// @notice Called by a `HostileToken` in the middle of a transfer.
interface IReceiver {
    function onMoney(uint256 amount) external;
}
