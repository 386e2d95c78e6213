"""The answers that stand in the configuration itself."""

from __future__ import annotations

from typing import Final

from frontdoor import answers
from frontdoor.answers import Answer, go
from frontdoor.exchange import Inward
from frontdoor.sites import Return

_MOVED: Final = frozenset((301, 302, 303, 307, 308))


def returning(what: Return) -> Inward:
    """Answers a ``return``: a text, an address to go to, or a problem document for an error."""
    if what.status in _MOVED:
        answer = go(what.text, what.status)
    elif what.text or what.status < 400:  # noqa: PLR2004 - the first error
        answer = Answer(what.status, what.text.encode())
    elif what.status == answers.NOT_FOUND.status:
        answer = answers.NOT_FOUND
    else:
        answer = answers.refusal(what.status, f"status-{what.status}", "无法处理该请求")
    return lambda exchange: answer
