"""The natural person behind an account, as identity vouches for them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from servicekit.identifiers import DocumentKind, document_key
from servicekit.personal import DocumentNumber, MobileNumber, Personal, PersonName

_ALIKE: Final = (
    DocumentKind.PASSPORT,
    DocumentKind.HK_MACAU_PERMIT,
    DocumentKind.TAIWAN_PERMIT,
)


class BirthDate(Personal):
    """出生日期, shown as 1990-**-**; the law's ages are computed from ``day``."""

    @classmethod
    def mask_of(cls, clear: str) -> str:
        return f"{clear[:4]}-**-**"

    @property
    def day(self) -> date:
        """The clear date, for rules about age."""
        return date.fromisoformat(self._clear)


@dataclass(frozen=True, slots=True)
class Person:
    """Basic information; it comes from identity and never from a form.

    ``key`` is what of the document's number stays when the document is issued anew.
    """

    name: PersonName
    document_kind: str
    document_number: DocumentNumber
    key: DocumentNumber
    born_on: BirthDate
    sex: str
    phone: MobileNumber | None


def person_key(kind: DocumentKind, number: str) -> DocumentNumber:
    """What of a document's number stays when the document is issued anew: persons differ by it.

    Where numbers of two kinds look alike the kind is part of it: a Korean passport is an M and
    eight digits as a Macau permit is. The eighteen digits of the others are nobody else's.
    """
    key = document_key(kind, number)
    return DocumentNumber(f"{kind}:{key}" if kind in _ALIKE else key)


def likeness(name: str, born_on: date, sex: str) -> str:
    """What two documents of one person have in common, most often (AL-12).

    Of a name only letters and digits count, in one width and case: 阿依·古丽 is written with four
    different dots, and passports are typed in capitals.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    return f"{''.join(filter(str.isalnum, plain))}:{born_on.isoformat()}:{sex}"
