"""W3C trace context: read strictly, carried on, never mixed up."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit import tracing

pytestmark = pytest.mark.req("OP-03")

HEADER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_caller_s_trace_goes_on_as_a_step_of_our_own():
    with tracing.continued(HEADER) as here:
        assert here.trace_id == "0af7651916cd43dd8448eb211c80319c"
        assert here.span_id != "b7ad6b7169203331"
        assert tracing.current() is here
        assert tracing.traceparent() == here.header
    assert tracing.current() is None
    assert tracing.traceparent() is None


def test_without_a_caller_a_trace_begins():
    with tracing.continued(None) as here:
        assert tracing.parse(here.header) == here


def test_steps_lie_inside_each_other():
    with tracing.continued(HEADER) as outer:
        with tracing.continued(tracing.traceparent()) as inner:
            assert inner.trace_id == outer.trace_id
            assert inner.span_id != outer.span_id
        assert tracing.current() is outer


def test_another_thread_has_a_trace_of_its_own():
    seen = []
    with tracing.continued(HEADER):
        thread = threading.Thread(target=lambda: seen.append(tracing.current()))
        thread.start()
        thread.join()
    assert seen == [None]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        HEADER.upper(),
        HEADER + "-more",
        "ff" + HEADER[2:],
        "00-" + "0" * 32 + HEADER[35:],
        HEADER[:36] + "0" * 16 + "-01",
        f" {HEADER}",
        f"{HEADER}\n",
    ],
)
def test_a_malformed_header_is_as_good_as_none(header):
    assert tracing.parse(header) is None


def test_a_later_version_is_read_by_what_we_know_of_it():
    later = tracing.parse("01" + HEADER[2:] + "-more")
    assert later == tracing.parse(HEADER)


def test_whether_it_is_sampled_is_carried_on():
    unsampled = tracing.parse(HEADER[:-2] + "00")
    assert unsampled is not None
    assert unsampled.child().header.endswith("-00")


@given(st.text())
def test_no_text_breaks_it(text):
    with tracing.continued(text) as here:
        assert len(here.header) == len(HEADER)
