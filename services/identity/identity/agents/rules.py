"""What each side calls its page and may do there; what a move is called before and after."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from identity.accounts.rules import Kind


class Side(StrEnum):
    """Who asks, which is the address that is asked."""

    PERSON = "parent-accounts"  # 我经办的法人
    UNIT = "sub-accounts"  # 我的经办人


# Who has such a page; officers act for nobody and have no agents.
SIDES: Final = {Kind.PERSON: Side.PERSON, Kind.UNIT: Side.UNIT}
TITLES: Final = {Side.PERSON: "我经办的法人", Side.UNIT: "我的经办人"}
FIELDS: Final = ("login_name", "name", "document_number")


@dataclass(frozen=True, slots=True)
class Move:
    """A button, what it does in a sentence, and what is said when it is done."""

    label: str
    what: str
    done: str


MOVES: Final = {
    Side.PERSON: {
        "accept": Move("通过", "您将成为该单位的经办人。", "已通过，绑定即时生效。"),
        "decline": Move("不通过", "该单位的绑定邀请将被拒绝。", "已拒绝该单位的绑定邀请。"),
        "leave": Move(
            "解除绑定",
            "您将不能再为该单位办理业务，已登录的单位身份立即失效。",
            "已解除绑定，即时生效。",
        ),
    },
    Side.UNIT: {
        "cancel": Move("撤销邀请", "对方将不能再确认这次邀请。", "已撤销邀请。"),
        "release": Move(
            "解除绑定",
            "该人员将不能再为本单位办理业务，已登录的单位身份立即失效。",
            "已解除绑定，即时生效。",
        ),
    },
}
INVITED: Final = "已发起绑定，待对方登录个人账号，在“我经办的法人”（父账号信息）中确认。"


def told(side: Side, done: str) -> str | None:
    """What the page says after a form; None for what nobody did."""
    if side is Side.UNIT and done == "invite":
        return INVITED
    move = MOVES[side].get(done)
    return None if move is None else move.done
