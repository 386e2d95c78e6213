"""What the demo prints: what matters of each step, never a person's data or one-time values."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import demo
import fictional
import pytest
from browser import Answer, UnexpectedError

from servicekit.errors import Invalid
from servicekit.identifiers import DocumentKind, check_bank_card, check_document


def answer(**more: Any) -> Any:
    return Answer("http://127.0.0.1:8080/x", 200, {}, "", **more)


def test_personal_values_are_covered_at_every_depth(capsys: Any) -> None:
    person = fictional.invent()
    body = {
        "name": person.name,
        "document_number": person.document_number,
        "employment": {"contact_phone": person.phone, "address": "示例路 1 号"},
        "cards": [{"card_number": "6222020000000000000", "phone": person.bank_phone}],
        "kind": "registration",
    }
    demo.show("POST", "http://127.0.0.1:8080/api/x", body, answer(json=body))
    printed = capsys.readouterr().out
    assert "registration" in printed
    assert not [word for word in (*person.personal, "示例路", "6222") if word in printed]


def test_a_form_shows_its_names_only() -> None:
    assert demo.brief({"form_token": "secret", "code": "123456"}) == "(form_token, code)"


def test_one_time_values_in_addresses_are_cut() -> None:
    url = f"/sso/callback?code={'c' * 43}&state={'s' * 43}&limit=100"
    assert demo.short(url) == "/sso/callback?code=…&state=…&limit=100"


def test_the_failing_step_is_named_and_the_walk_ends(capsys: Any) -> None:
    def fails() -> None:
        raise UnexpectedError("POST /x: 500 instead of 201")

    def never() -> None:
        raise AssertionError("the walk went on")

    steps = [
        ("第一步", "begins", lambda: None),
        ("第二步", "fails", fails),
        ("第三步", "ends", never),
    ]
    assert demo.walk(steps) == 1
    assert "FAILED at step 2 (第二步): POST /x: 500 instead of 201" in capsys.readouterr().out


def test_without_a_suite_it_says_what_to_do(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["demo.py", "--state", str(tmp_path)])
    assert demo.main() == 1
    assert "make run" in capsys.readouterr().err


def test_invented_people_have_valid_numbers() -> None:
    today = datetime.now(UTC).date()
    for _ in range(50):
        person = fictional.invent()
        check_document(DocumentKind.RESIDENT_CARD, person.document_number, today)
        number = fictional.wrong_check_digit(person.document_number)
        with pytest.raises(Invalid):
            check_document(DocumentKind.RESIDENT_CARD, number, today)
    check_bank_card(fictional.GOOD_CARD)
