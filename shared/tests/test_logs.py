"""Log lines: one per event, one story by trace id, nobody's personal data."""

import json
import logging
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit import logs, tracing
from servicekit.personal import MobileNumber, PersonName, ResidentNumber

log = logs.get_logger()
NUMBER = "440106199001010013"


def test_a_line_has_time_level_service_and_its_facts(written_log):
    log.info("application moved", move="approve")
    (line,) = written_log()
    assert (line["event"], line["level"], line["service"]) == ("application moved", "info", "kit")
    assert line["move"] == "approve"
    assert line["time"].endswith("Z")


@pytest.mark.req("OP-03")
def test_lines_of_a_request_carry_its_ids(written_log):
    logs.bind(request_id="r-1", service="identity")
    with tracing.continued("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        log.info("inside")
    log.info("after")
    logs.unbind_all()
    log.info("outside")
    inside, after, outside = written_log()
    assert (inside["request_id"], inside["service"]) == ("r-1", "identity")
    assert inside["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "trace_id" not in after
    assert "request_id" not in outside


@pytest.mark.req("AL-04")
def test_personal_types_are_masked_at_any_depth(written_log):
    number = ResidentNumber(NUMBER)
    log.info("seen", a=number, b=[number], c={"d": (number,)}, e=ValueError(f"bad {NUMBER}"))
    text = json.dumps(written_log())
    assert NUMBER not in text
    assert text.count("440***********0013") == 3


@pytest.mark.req("AL-04")
@pytest.mark.parametrize("key", ["name", "phone", "password", "document_number", "sms_code"])
def test_what_stands_under_a_personal_name_is_not_written(written_log, key):
    log.info("seen", **{key: "林小满", "inner": {key: "林小满"}})
    (line,) = written_log()
    assert line[key] == line["inner"][key] == logs.WITHHELD


@pytest.mark.req("AL-04")
@pytest.mark.parametrize(
    "text",
    [f"duplicate key ({NUMBER})", "to 13800000000 failed", "+8613800000000", f"x={NUMBER[:-1]}X"],
)
def test_numbers_inside_foreign_texts_are_withheld(written_log, text):
    logging.getLogger("foreign").warning("said: %s", text)
    log.warning("said", text=text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed")
        logging.getLogger("foreign").exception("failed")
    lines = written_log()
    assert len(lines) == 4
    assert "Traceback" in lines[3]["exception"]
    written = json.dumps(lines)
    assert NUMBER[:14] not in written
    assert "13800000000" not in written


@pytest.mark.parametrize(
    "text", ["01a1fcb4-dd61-77cb-af45-a6c912b0b85f", "440106-01-20261121-000001-5", "1" * 24]
)
def test_ids_and_numbers_of_applications_stay_readable(written_log, text):
    log.info("seen", subject=text)
    assert written_log()[0]["subject"] == text


@settings(max_examples=50)
@given(st.text(), st.text())
def test_no_text_makes_two_lines_of_one(written_log, event, value):
    before = len(written_log())
    log.info(event, value=value)
    logging.getLogger("foreign").info("%s", f"{value}\r\n{{}}")
    assert len(written_log()) == before + 2


@pytest.mark.parametrize("value", ["\ud800", 2**70, {("a", 1): 2}, "\u2028", {1: {2: 3}}])
def test_no_value_loses_the_line(written_log, value):
    log.info("seen", value=value)
    assert written_log()[0]["event"] == "seen"


def test_libraries_and_warnings_speak_the_same_form(written_log):
    logging.getLogger("some.library").warning("retrying in %s", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    library, warning = written_log()
    assert (library["event"], library["logger"]) == ("retrying in 3", "some.library")
    assert warning["logger"] == "py.warnings"
    assert library["service"] == "kit"


def test_anything_can_be_a_value(written_log):
    log.info("seen", role=object, names={PersonName("林小满")}, count=1, when=None, bits=b"\xff")
    assert written_log()[0]["names"] == ["林**"]


def test_lines_below_the_level_are_not_written(written_log, capsys):
    logs.configure("kit", "warning")
    log.info("quiet")
    log.warning("loud", phone_seen=MobileNumber("13800000000"))
    written = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["phone_seen"] for line in written] == ["138****0000"]
