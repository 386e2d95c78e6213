"""Which questions may be chosen, who may have them, and when are two answers the same?"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Final

from identity.accounts.rules import Kind
from servicekit.errors import Conflict, FieldError, Invalid

NEEDED: Final = 3
SHORTEST_ANSWER: Final = 2  # characters that count
LONGEST_ANSWER: Final = 60

# None of them can be looked up in a register or on a social network's front page.
QUESTIONS: Final = {
    "first-teacher": "您小学一年级班主任的姓名是？",
    "first-deskmate": "您小学时同桌的姓名是？",
    "first-job-place": "您第一份工作的地点是？",
    "childhood-nickname": "您小时候的小名是？",
    "first-dish": "您学会做的第一道菜是？",
    "childhood-street": "您童年居住的街道或村庄是？",
    "first-trip": "您第一次出远门去的地方是？",
    "favourite-book": "您小时候最喜欢的一本书是？",
    "childhood-friend": "您童年最好的朋友的姓名是？",
    "school-song": "您母校校歌的第一句是？",
}


class QuestionsRefused(Invalid):
    """Not three different questions, or an answer that is no answer."""

    code = "security-questions-refused"


class QuestionsClosed(Conflict):
    """Switched off, or not for this account."""

    code = "security-questions-closed"
    default_message = "该账号不能使用密保问题，请改用其他方式"


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what the owner says to it."""

    question: str
    answer: str = field(repr=False)


def check_allowed(kind: Kind, *, switched_on: bool) -> None:
    """Only persons have them: not units, not officers, not where a setting removed them.

    Raises:
        QuestionsClosed
    """
    if not switched_on or kind is not Kind.PERSON:
        raise QuestionsClosed


def check_answers(answers: list[Answer]) -> None:
    """Three different questions of ours, with three different answers (ID-16).

    Raises:
        QuestionsRefused: naming every place.
    """
    wrong = []
    if len(answers) != NEEDED or len({a.question for a in answers}) != len(answers):
        text = f"请选择 {NEEDED} 个不同的问题"
        wrong.append(FieldError("/answers", "questions-not-different", text))
    plain = [normalise(a.answer) for a in answers]
    for place, (each, said) in enumerate(zip(answers, plain, strict=True)):
        if each.question not in QUESTIONS:
            pointer = f"/answers/{place}/question"
            wrong.append(FieldError(pointer, "question-unknown", "请选择列表中的问题"))
        elif not SHORTEST_ANSWER <= len(said) <= LONGEST_ANSWER:
            text = f"答案应为 {SHORTEST_ANSWER}–{LONGEST_ANSWER} 个字"
            wrong.append(FieldError(f"/answers/{place}/answer", "answer-length", text))
        elif said in normalise(QUESTIONS[each.question]) or plain.count(said) > 1:
            text = "答案不能与问题或其他答案相同"
            wrong.append(FieldError(f"/answers/{place}/answer", "answer-given-away", text))
    if wrong:
        raise QuestionsRefused(fields=wrong)


def normalise(text: str) -> str:
    """What counts of an answer: letters and digits, whatever their width and case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum())
