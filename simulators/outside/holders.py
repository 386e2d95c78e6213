"""What each telephone application shows and hands out: social card, face, business licence."""

from collections.abc import Mapping
from dataclasses import dataclass

from outside.legal_person_base import is_uscc

MATTER = "电子政务-市场监管-政务服务网"
RESIDENT_LENGTH = 18
ROLES = {
    "legal-representative": "法定代表人",
    "licence-manager": "证照管理员",
    "clerk": "办事人",
}
Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the telephone's form; with choices it is a list."""

    name: str
    label: str
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()


def social_card_fields(_asked: Form) -> list[Field]:
    """Whose electronic social-security card is on this telephone."""
    return [
        Field("name", "姓名", "林小满"),
        Field("number", "社会保障号码", "440106199001010012"),
        Field("phone", "手机号码", "13800000000"),
    ]


def social_card(form: Form, _asked: Form) -> dict[str, str] | str:
    """The card's holder; a card that was reported lost is not used."""
    name, number = form.get("name", "").strip(), form.get("number", "").strip().upper()
    if not name or len(number) != RESIDENT_LENGTH:
        return "no-card"
    if "挂失" in name:
        return "card-lost"
    return {"name": name, "number": number, "phone": form.get("phone", "").strip()}


def face_fields(_asked: Form) -> list[Field]:
    """What the camera sees."""
    outcomes = (
        ("pass", "通过"),
        ("liveness", "活体检测失败"),
        ("different", "与证件照不是同一人"),
        ("timeout", "超时未完成"),
    )
    return [Field("outcome", "识别结果", "pass", outcomes)]


def face(form: Form, asked: Form) -> dict[str, str] | str:
    """The person who was asked for, if the camera saw them."""
    outcome = form.get("outcome", "pass")
    if outcome != "pass":
        return outcome
    return {"name": asked.get("name", ""), "number": asked.get("number", "")}


def licence_fields(asked: Form) -> list[Field]:
    """Which licence, held in which role, downloaded for which matter."""
    return [
        Field("name", "名称", asked.get("name") or "广州小满示例科技有限公司"),
        Field("number", "统一社会信用代码", asked.get("number") or "91440101MA5EXAMP0G"),
        Field("role", "持照人角色", "legal-representative", tuple(ROLES.items())),
        Field("matter", "已下载的办事事项", MATTER, ((MATTER, MATTER), ("其他", "其他事项"))),
        Field("holder_name", "持照人姓名", "林小满"),
    ]


def licence(form: Form, _asked: Form) -> dict[str, str] | str:
    """The licence chosen; it must be downloaded for the matter, and not revoked."""
    name, number = form.get("name", "").strip(), form.get("number", "").strip().upper()
    if form.get("matter", MATTER) != MATTER:
        return "matter-not-downloaded"
    if form.get("role", "legal-representative") not in ROLES:
        return "no-role"
    if not name or not is_uscc(number):
        return "no-licence"
    if "吊销" in name:
        return "licence-revoked"
    role = form.get("role", "legal-representative")
    return {"name": name, "number": number, "role": role, "matter": MATTER}
