"""The legal-person base: does a unit of this number, name and representative exist in Guangdong?"""

import re
from collections.abc import Mapping

from outside.behaviour import BROKEN_BODY, SILENCE, TEMPORARY, Answer
from outside.signed import Gate

PROVINCE = "44"
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# Units whose name and representative the base knows to the letter; of others it believes the
# asker, so that demos may invent units.
KNOWN: Mapping[str, tuple[str, str]] = {
    "91440101MA9EXAMP82": ("广州谷雨示例科技有限公司", "白谷雨"),
}
NEEDED = {"certificate_number", "name"}
ALSO = {"legal_representative"}


def is_uscc(number: str) -> bool:
    """GB 32100: eighteen signs, the last of them the check character."""
    if not re.fullmatch(f"[{ALPHABET}]{{18}}", number):
        return False
    total = sum(ALPHABET.index(c) * w for c, w in zip(number, WEIGHTS, strict=False))
    return ALPHABET[(31 - total % 31) % 31] == number[17]


class LegalPersonBase:
    """The base behind its signature."""

    def __init__(self, secret: str) -> None:
        """Take the secret shared with the caller."""
        self.gate = Gate(secret)

    def check(self, body: object, headers: Mapping[str, str]) -> Answer:
        """Answer one check; what differs is never told."""
        if refusal := self.gate.refuses(body, headers, needed=NEEDED, also=ALSO):
            return refusal
        assert isinstance(body, dict)
        name, legal = body["name"], body.get("legal_representative", "")
        number = body["certificate_number"]
        for magic, trouble in (("繁忙", TEMPORARY), ("超时", SILENCE), ("乱码", BROKEN_BODY)):
            if magic in name:
                return trouble
        if not _agrees(number, name, legal):
            return self.gate.answer({"agrees": False}, headers)
        standing = (
            "revoked" if "吊销" in name else "deregistered" if "注销" in name else "in-business"
        )
        said = {"agrees": True, "region": number[2:8], "standing": standing}
        return self.gate.answer(said, headers)


def _agrees(number: str, name: str, legal: str) -> bool:
    in_province = is_uscc(number) and number[2:4] == PROVINCE
    organisation = re.fullmatch(r"[0-9A-Z]{9}", number) is not None  # the code alone has no region
    if not (in_province or organisation) or "不一致" in name + legal:
        return False
    known = KNOWN.get(number)
    return known is None or (known[0] == name and legal in ("", known[1]))
