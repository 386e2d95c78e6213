"""Examples for the API's documentation: named people, valid numbers, obviously made up."""

from __future__ import annotations

from typing import Any, Final

_ID: Final = "01890a5d-ac96-774b-bcce-b302099a8057"
_OTHER_ID: Final = "01890a5d-ac96-774b-bcce-b302099a8058"
_TIME: Final = "2026-11-21T02:00:00+00:00"
_BUSINESS: Final = "employment-registry.flexible-employment"

Example = dict[str, Any]

AGREEMENTS: Final[Example] = {
    "items": [
        {"name": "user-agreement", "title": "用户服务协议", "version": "2026-01"},
        {"name": "privacy-policy", "title": "隐私政策", "version": "2026-01"},
    ]
}
REGISTRATION: Final[Example] = {
    "name": "林小满",
    "document_type": "resident-card",
    "document_number": "440106199001010012",
    "login_name": "lin_xiaoman",
    "password": "Gd2024rsT",
    "password_again": "Gd2024rsT",
    "phone": "13800000000",
    "sms_code": "246810",
    "agreements": [
        {"name": "user-agreement", "version": "2026-01"},
        {"name": "privacy-policy", "version": "2026-01"},
    ],
}
ACCOUNT: Final[Example] = {
    "id": _ID,
    "kind": "person",
    "login_name": "lin_xiaoman",
    "level": 1,
    "phone": "138****0000",
    "email": None,
    "person": {
        "name": "林**",
        "document_type": "resident-card",
        "document_number": "440***********0012",
    },
    "created_at": _TIME,
    "version": 1,
}
OWN_DATA: Final[Example] = {
    "phone": "13800000001",
    "sms_code": "246810",
    "old_sms_code": "135790",
}
SMS_CODE_REQUEST: Final[Example] = {"phone": "13800000000", "purpose": "registration"}
SMS_CODE_SENT: Final[Example] = {"expires_in": 300, "resend_after": 60}
CARD: Final[Example] = {
    "card_number": "6222020000000000000",
    "phone": "13800000000",
    "sms_code": "246810",
    "consent": "2026-01",
}
EVIDENCE: Final[Example] = {
    "id": _ID,
    "channel": "bank-card",
    "scale": "hrss",
    "level": 2,
    "provider": "unionpay",
    "reference": "7f3c0d2e9b5a4c1d8e6f",
    "verified_at": _TIME,
    "expires_at": None,
    "revoked_at": None,
}
PRESENTED: Final[Example] = {
    "kind": "person",
    "name": "林小满",
    "number": "440106199001010012",
    "document_type": "resident-card",
    "materials": ["identity-document"],
    "note": "",
}
VISITOR: Final[Example] = {
    "name": "林小满",
    "document_type": "resident-card",
    "document_number": "440106199001010012",
    "login_name": "lin_xiaoman",
    "phone": "13800000000",
    "sms_code": "271828",
    "materials": ["identity-document"],
}
ON_SITE_EVIDENCE: Final[Example] = EVIDENCE | {
    "channel": "on-site",
    "level": 3,
    "provider": "window-440106",
    "reference": _OTHER_ID,
}
PARKING: Final[Example] = {
    "page": "/employment/flexible-employment",
    "content": '{"service_place": "440106"}',
}
PARKED: Final[Example] = {
    "id": _ID,
    "page": PARKING["page"],
    "expires_at": _TIME,
    "raise_at": f"/identity/raise?return_to=/identity/continue/{_ID}",
}
PARKED_CONTENT: Final[Example] = PARKED | {"content": PARKING["content"]}
CHANNELS: Final[Example] = {
    "level": 1,
    "level_name": "一级",
    "items": [
        {
            "channel": "bank-card",
            "title": "银联实名认证",
            "level": 2,
            "level_name": "二级",
            "done": False,
        }
    ],
}
CHANNEL_HEALTH: Final[Example] = {
    "items": [{"channel": "face", "title": "人脸识别", "on": True, "answers": True}]
}
EVIDENCE_LIST: Final[Example] = {"level": 2, "items": [EVIDENCE]}
MESSAGE: Final[Example] = {
    "id": _ID,
    "title": "申请审核通过",
    "body": "您的灵活就业登记申请（受理编号 44010620261121000017）已审核通过。",
    "subject": _OTHER_ID,
    "created_at": _TIME,
    "read_at": None,
}
UNREAD: Final[Example] = {"unread": 1}
NONE_UNREAD: Final[Example] = {"unread": 0}
NOTICE: Final[Example] = {
    "account_id": _ID,
    "to": "owner",
    "template": "test-notice",
    "words": {"name": "示例"},
    "sms": True,
}
NOTICE_SENT: Final[Example] = {
    "id": _ID,
    "template": "test-notice",
    "template_version": 1,
    "test": True,
    "sms": None,
}
SESSIONS: Final[Example] = {
    "items": [
        {
            "id": _ID,
            "device": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0",
            "address": "198.51.100.7",
            "methods": ["pwd"],
            "created_at": _TIME,
            "last_seen_at": _TIME,
            "current": True,
        }
    ]
}
APPOINTMENT: Final[Example] = {
    "name": "陈审核",
    "login_name": "chen_tianhe",
    "phone": "13900000000",
    "region": "440106",
    "businesses": [_BUSINESS],
    "roles": ["reviewer"],
}
OFFICER: Final[Example] = {
    "id": _ID,
    "name": "陈审核",
    "login_name": "chen_tianhe",
    "region": "440106",
    "businesses": [_BUSINESS],
    "roles": ["reviewer"],
    "standing": "active",
    "created_at": _TIME,
}
APPOINTED: Final[Example] = {
    "officer": OFFICER,
    "password": "shown-once",
    "totp_uri": "otpauth://totp/example:chen_tianhe?secret=SHOWNONCE&issuer=example",
}
STANDING: Final[Example] = {"id": _ID, "standing": "locked"}


REVOCATIONS: Final[Example] = {
    "now": _TIME,
    "sessions": [{"session_id": _ID, "at": _TIME}],
    "accounts": [{"account_id": _ID, "at": _TIME}],
    "keys": [{"kid": "R2tLc1pUa0lMQ0pPbmZxZ0xYd2VhVGp0d1VqR2VrT0g", "at": _TIME}],
}
_ACCOUNT_STATE: Final = {"account_id": _ID, "kind": "person", "level": 2, "standing": "active"}
ACCOUNT_SNAPSHOT: Final[Example] = {
    "items": [{"subject": _ID, "sequence": 2, "state": _ACCOUNT_STATE}],
    "next": _ID,
}
_UNIT_STATE: Final = {
    "unit_id": _ID,
    "certificate_type": "uscc",
    "certificate_number": "91350100M000100Y43",
    "name": "广州示例科技有限公司",
    "region": "440106",
    "level": 4,
}
UNIT_SNAPSHOT: Final[Example] = {
    "items": [{"subject": _ID, "sequence": 1, "state": _UNIT_STATE}],
    "next": None,
}


LOGIN: Final[Example] = {
    "id": _ID,
    "at": _TIME,
    "way": "password",
    "outcome": "signed-in",
    "device": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0",
    "address": "198.51.100.7",
    "elsewhere": False,
    "session_id": _OTHER_ID,
    "current": True,
    "disowned_at": None,
}
SECOND_FACTORS: Final[Example] = {
    "authenticator": True,
    "recovery_codes": 9,
    "passkeys": [
        {
            "id": _ID,
            "label": "我的手机",
            "backed_up": True,
            "created_at": _TIME,
            "last_used_at": None,
        }
    ],
}
QUESTIONS: Final[Example] = {
    "available": [{"code": "first-teacher", "text": "您小学一年级班主任的姓名是？"}],
    "chosen": [],
}
ANSWERS: Final[Example] = {
    "current_password": "Gd2024rsT",
    "answers": [
        {"question": "first-teacher", "answer": "赵老师"},
        {"question": "first-dish", "answer": "番茄炒蛋"},
        {"question": "first-trip", "answer": "韶关"},
    ],
}
PASSWORD_CHANGE: Final[Example] = {
    "current_password": "Gd2024rsT",
    "password": "Hb2026rsW",
    "password_again": "Hb2026rsW",
}


def page(item: Example) -> Example:
    """One page of a list of such items."""
    return {"items": [item], "next_cursor": None, "total": 1}
