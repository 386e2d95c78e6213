"""Values about a person that show themselves only masked (AL-04).

A personal value *is* a string whose text is the mask: repr, str, format, JSON, logs, templates
and accidental SQL all see the mask. The clear text comes out of ``expose`` alone, which only
the vault, the outside adapters and ``servicekit.access_records.reveal`` call.
"""

from __future__ import annotations

import unicodedata
from typing import NoReturn, Self

_LONG = 15  # characters; a permit's eight or eleven would be given away by seven


class Personal(str):
    """A masked string with a clear value inside; equal to another of its type and clear value."""

    __slots__ = ("_clear",)
    _clear: str

    def __new__(cls, clear: str) -> Self:
        if isinstance(clear, Personal):
            clear = clear.expose()
        normal = cls.normal(clear)
        value = super().__new__(cls, cls.mask_of(normal))
        value._clear = normal
        return value

    @classmethod
    def normal(cls, text: str) -> str:
        """The one form that is stored and compared: NFKC, without spaces around."""
        return unicodedata.normalize("NFKC", text).strip()

    @classmethod
    def mask_of(cls, clear: str) -> str:
        """What of the clear text may be shown to anyone who may see that it exists."""
        return _keep(clear, 1, 0)

    def mask(self) -> str:
        """The masked text as a plain string."""
        return str.__str__(self)

    def expose(self) -> str:
        """The clear text. Never log it, never put it into an event, a URL or an error."""
        return self._clear

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._clear == self._clear

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), self._clear))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.mask()!r})"

    def __str__(self) -> str:
        return str.__str__(self)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("personal values are not pickled")


class DocumentNumber(Personal):
    """The number of an identity document of any kind (证件号码)."""

    @classmethod
    def normal(cls, text: str) -> str:
        return super().normal(text).upper()

    @classmethod
    def mask_of(cls, clear: str) -> str:
        return _keep(clear, 3, 4) if len(clear) >= _LONG else _keep(clear, 1, 2)


class ResidentNumber(DocumentNumber):
    """A resident identity number (公民身份号码): 440**********0012."""


class MobileNumber(Personal):
    """A mobile phone number: 138****0000."""

    @classmethod
    def mask_of(cls, clear: str) -> str:
        return _keep(clear, 3, 4)


class BankCard(Personal):
    """A bank card or account number: only the last four digits are shown."""

    @classmethod
    def normal(cls, text: str) -> str:
        return super().normal(text).replace(" ", "")

    @classmethod
    def mask_of(cls, clear: str) -> str:
        return _keep(clear, 0, 4)


class PersonName(Personal):
    """A person's name: 林**."""


class PersonalText(Personal):
    """Any other text about a person (an address, a note): nothing of it is shown."""

    @classmethod
    def mask_of(cls, clear: str) -> str:
        return "***" if clear else ""


class EmailAddress(Personal):
    """An e-mail address: l***@example.com."""

    @classmethod
    def normal(cls, text: str) -> str:
        return super().normal(text).lower()

    @classmethod
    def mask_of(cls, clear: str) -> str:
        local, at, domain = clear.rpartition("@")
        return f"{local[:1]}***{at}{domain}" if at else _keep(clear, 1, 0)


def _keep(clear: str, first: int, last: int) -> str:
    if len(clear) <= first + last:
        return "*" * len(clear)
    return clear[:first] + "*" * (len(clear) - first - last) + clear[len(clear) - last :]
