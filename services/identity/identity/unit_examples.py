"""Examples for the documentation of units and of ending an account; all made up."""

from __future__ import annotations

from typing import Final

from identity.examples import REGISTRATION, Example

_ID: Final = "01890a5d-ac96-774b-bcce-b302099a8057"
_TIME: Final = "2026-11-21T02:00:00+00:00"

UNIT_AGENT: Final[Example] = {
    "login_name": "lin_xiaoman",
    "document_number": "440106199001010012",
}
UNIT_TICKET: Final[Example] = {"ticket": "told-once"}
UNIT_BEGUN: Final[Example] = {
    "id": _ID,
    "ticket": "told-once",
    "expires_at": _TIME,
    "agent": {"name": "林**", "phone": "138****0000"},
}
_UNIT: Final[Example] = {
    "certificate_type": "uscc",
    "certificate_number": "91350100M000100Y43",
    "name": "广州示例科技有限公司",
    "region": "440106",
    "address": "示例路 1 号",
    "legal_document_type": "resident-card",
}
UNIT_FORM: Final[Example] = {
    **UNIT_TICKET,
    **_UNIT,
    "legal_name": "陈大文",
    "legal_document_number": "44010619900101002X",
    "legal_phone": "13900000000",
    "login_name": "shili_keji",
    "password": "Gd2024rsT",
    "password_again": "Gd2024rsT",
    "sms_code": "246810",
    "agreements": REGISTRATION["agreements"],
}
UNIT: Final[Example] = {
    **_UNIT,
    "id": _ID,
    "login_name": "shili_keji",
    "legal_name": "陈**",
    "legal_document_number": "440***********002X",
    "legal_phone": "139****0000",
    "phone": "138****0000",
    "email": None,
    "province_level": 2,
    "verified": False,
    "does_business": True,
    "created_at": _TIME,
    "version": 1,
}
UNIT_DATA: Final[Example] = {"region": "440106", "address": "示例路 2 号"}
UNIT_NAME_CHANGE: Final[Example] = {"name": "广州示例科技股份有限公司"}
UNIT_FORMER: Final[Example] = {
    "items": [
        {
            "name": "广州示例科技有限公司",
            "legal_name": "陈**",
            "valid_from": _TIME,
            "valid_until": _TIME,
        }
    ]
}
UNIT_NUMBER: Final[Example] = {
    "certificate_type": "uscc",
    "certificate_number": "91350100M000100Y43",
}
UNIT_NUMBER_CHECKED: Final[Example] = {
    "in_use": True,
    "message": "单位证件号码已经被使用",
    "recovery": "/identity/recovery",
}
PERSON_ASKED: Final[Example] = {
    "login_name": "lin_xiaoman",
    "name": "林小满",
    "document_number": "440106199001010012",
}
PERSON_MATCHED: Final[Example] = {"account_id": _ID, "level": 2}
CONFIRMED: Final[Example] = {"current_password": "Gd2024rsT"}
CANCELLATION: Final[Example] = {
    "asked_at": _TIME,
    "takes_effect_at": "2026-11-28T02:00:00+00:00",
    "undone_at": None,
}
AGREEMENT: Final[Example] = {"name": "bank-card", "version": "2026-01"}
AGREEMENT_TEXT: Final[Example] = {
    **AGREEMENT,
    "title": "银行卡信息处理单独同意书",
    "needed": False,
    "text": ["银行卡号只用于本次核验，不保存。"],
}
OWN_AGREEMENTS: Final[Example] = {
    "items": [
        {**AGREEMENT, "title": "银行卡信息处理单独同意书", "needed": False, "accepted": True}
    ],
    "history": [
        {
            "agreement": "bank-card",
            "version": "2026-01",
            "accepted_at": _TIME,
            "withdrawn_at": None,
        }
    ],
}
