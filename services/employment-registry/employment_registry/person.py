"""The natural person behind an account, as identity vouches for them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date

from servicekit.personal import DocumentNumber, MobileNumber, Personal, PersonName


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


def likeness(name: str, born_on: date, sex: str) -> str:
    """What two documents of one person have in common, most often (AL-12).

    Of a name only letters and digits count, in one width and case: 阿依·古丽 is written with four
    different dots, and passports are typed in capitals.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    return f"{''.join(filter(str.isalnum, plain))}:{born_on.isoformat()}:{sex}"
