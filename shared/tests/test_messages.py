"""The sentences of the manuals, word for word."""

import re

import pytest

from servicekit import messages


def test_codes_are_stable_kebab_case_and_sentences_are_there():
    for message in messages.CATALOGUE:
        assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", message.code)
        assert message.text
        assert message.seeds
        assert set(message.seeds) <= {"000", "001", "002", "003", "004"}
        assert messages.text_of(message.code) == message.text


@pytest.mark.req("ER-09", "PRT-07")
def test_the_outside_system_s_sentence_is_verbatim():
    assert messages.EXTERNAL_UNAVAILABLE.text == "外厅局接口异常，请联系业务部门!"


def test_a_sentence_as_it_was_misprinted_finds_its_message():
    printed = "未查型对应用户，请检查用户信息后重新发超绑定"
    found = messages.find(printed)
    assert found is messages.BIND_USER_NOT_FOUND
    assert found.text == "未查询到对应用户，请检查用户信息后重新发起绑定"
    assert messages.find("没有这句话") is None


def test_no_sentence_belongs_to_two_codes():
    sentences = [s for m in messages.CATALOGUE for s in (m.text, *m.aliases)]
    assert len(sentences) == len(set(sentences))


def test_a_code_is_written_once():
    with pytest.raises(ValueError, match="twice"):
        messages._message("login-failed", "…", "001")
