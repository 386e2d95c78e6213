"""What a person may be told when something cannot be done: seven kinds of refusal.

A service names its own refusals as subclasses beside the rule that raises them. Which HTTP
status a kind becomes is decided in one place, ``servicekit.web.problem``, not here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from servicekit import messages

# What may travel in a problem document or an event.
JSON: TypeAlias = str | int | float | bool | Mapping[str, "JSON"] | Sequence["JSON"] | None

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: a JSON pointer, a stable code, and the Chinese sentence beside the box."""

    field: str
    code: str
    message: str


class Refusal(Exception):
    """The wish cannot be granted, and the person is told why and what to do next.

    Args:
        message: the Chinese sentence for the person; ``default_message`` when left out.
        fields: every wrong field, all at once (AL-01).
        extra: further members of the problem document; never personal data.
        retry_after: seconds after which trying again makes sense.
    """

    code: ClassVar[str] = "refused"
    default_message: ClassVar[str] = "无法办理，请稍后再试"

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if not _CODE.fullmatch(cls.code):
            raise TypeError(f"{cls.__qualname__}.code is not kebab-case: {cls.code!r}")

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Sequence[FieldError] = (),
        extra: Mapping[str, JSON] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = self.default_message if message is None else message
        self.fields = tuple(fields)
        self.extra: Mapping[str, JSON] = {} if extra is None else dict(extra)
        self.retry_after = retry_after
        super().__init__(self.message)


class NotFound(Refusal):
    """There is no such thing, or it is not this person's to see; the two are not told apart."""

    code = "not-found"
    default_message = "未找到相关记录"


class Conflict(Refusal):
    """Well formed and permitted, but not in the present state of things."""

    code = "conflict"
    default_message = "当前状态下不能办理此操作"


class ChangedMeanwhile(Conflict):
    """Somebody else changed the record between reading and writing."""

    code = "changed-meanwhile"
    default_message = "该记录已被他人修改，请刷新后重试"


class Forbidden(Refusal):
    """Known who is asking, and it is not theirs to do."""

    code = "forbidden"
    default_message = "您没有办理此操作的权限"


class Unauthenticated(Refusal):
    """Not known who is asking, or not known well enough."""

    code = "unauthenticated"
    default_message = "请先登录"


class Invalid(Refusal):
    """What was filled in is wrong; ``fields`` names every place."""

    code = "invalid"
    default_message = "填写的内容有误，请按提示修改"


class TooMany(Refusal):
    """Asked too often; ``retry_after`` says when again."""

    code = "too-many"
    default_message = "操作过于频繁，请稍后再试"


class Unavailable(Refusal):
    """Something this depends on does not answer; the same wish may succeed later."""

    code = "unavailable"
    default_message = "系统繁忙，请稍后再试"


class OutsideFailed(Unavailable):
    """Another authority's system did not answer, or answered nonsense; nothing was kept of it."""

    code = messages.EXTERNAL_UNAVAILABLE.code
    default_message = messages.EXTERNAL_UNAVAILABLE.text
