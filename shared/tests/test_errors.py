"""Refusals carry a code that never changes and a sentence for the person."""

import pytest

from servicekit.errors import Conflict, FieldError, Invalid, NotFound, Refusal, TooMany


class AlreadyDone(Conflict):
    """It was done before."""

    code = "already-done"
    default_message = "已经办理过了"


def test_a_refusal_says_its_own_sentence_unless_told_another():
    assert str(AlreadyDone()) == "已经办理过了"
    assert AlreadyDone("昨天已办理").message == "昨天已办理"
    assert NotFound().code == "not-found"


@pytest.mark.req("AL-01")
def test_a_refusal_names_every_wrong_field_at_once():
    fields = [FieldError("/phone", "wrong", "请核对"), FieldError("/name", "missing", "必填")]
    refusal = Invalid(fields=fields, extra={"step": 2})
    assert [f.field for f in refusal.fields] == ["/phone", "/name"]
    assert refusal.extra == {"step": 2}


def test_a_refusal_may_say_when_to_try_again():
    assert TooMany(retry_after=60).retry_after == 60
    assert NotFound().retry_after is None


@pytest.mark.parametrize("code", ["AlreadyDone", "already_done", "already done", "", "a--b"])
def test_a_code_that_is_not_kebab_case_stops_the_import(code):
    with pytest.raises(TypeError, match="kebab-case"):
        type("Wrong", (Refusal,), {"code": code})
