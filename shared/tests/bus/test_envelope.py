"""On the wire an event is CloudEvents 1.0, for everybody; what is not is refused by the part."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.bus.envelope import NotAnEvent, decode, encode
from servicekit.ordering import Envelope

PREFIX = "cn.gov.gdhrss"
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
EVENT = Envelope(
    id="01890a5d-ac96-774b-bcce-b302099a8057",
    type="employment-registry.flexible-employment.approved.v1",
    source="employment-registry",
    stream="application",
    subject="01890a5d-ac96-774b-bcce-b302099a8058",
    time=NOW,
    sequence=3,
    data={"after": "approved", "备注": "无"},
    preceded_at=NOW - timedelta(seconds=1),
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)

words = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)
times = st.datetimes(timezones=st.just(timezone(timedelta(hours=8)))).filter(
    lambda moment: 2 < moment.year < 9998  # so that it exists in UTC too
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
envelopes = st.builds(
    Envelope,
    id=texts,
    type=st.builds(lambda a, b, c, n: f"{a}.{b}.{c}.v{n}", words, words, words, st.integers(1, 99)),
    source=words,
    stream=st.sampled_from(["fact", "application"]),
    subject=texts,
    time=times,
    sequence=st.integers(1, 2**63 - 1),
    data=st.dictionaries(texts, values, max_size=4),
    preceded_at=st.none() | times,
    traceparent=st.none() | st.just(EVENT.traceparent),
)


@given(envelopes)
def test_what_is_written_is_read_back(envelope):
    assert decode(encode(envelope, PREFIX).body, PREFIX) == envelope


def test_an_outsider_reads_cloudevents():
    message = encode(EVENT, PREFIX)
    assert message.routing_key == "application.employment-registry.flexible-employment.approved.v1"
    assert message.id == EVENT.id
    document = json.loads(message.body)
    assert document == {
        "specversion": "1.0",
        "id": EVENT.id,
        "source": "employment-registry",
        "type": "cn.gov.gdhrss.employment-registry.flexible-employment.approved.v1",
        "subject": EVENT.subject,
        "time": "2026-03-02T01:30:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:jiuye:event:employment-registry.flexible-employment.approved.v1",
        "sequence": "3",
        "stream": "application",
        "precededat": "2026-03-02T01:29:59Z",
        "traceparent": EVENT.traceparent,
        "data": {"after": "approved", "备注": "无"},
    }
    # CloudEvents 1.0.2, 3.1: names of attributes are lower-case letters and digits
    assert all(name.isalnum() and name == name.lower() for name in document)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"specversion": "0.3"}, "CloudEvents"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"type": "com.example.thing"}, "prefix"),
        ({"type": f"{PREFIX}.Thing"}, "type"),
        ({"source": None}, "source"),
        ({"subject": "x" * 201}, "subject"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2026-03-02T01:30:00"}, "zone"),
        ({"sequence": "0"}, "sequence"),
        ({"sequence": "-1"}, "sequence"),
        ({"sequence": "٣"}, "sequence"),
        ({"sequence": str(2**63)}, "sequence"),
        ({"precededat": 5}, "precededat"),
        ({"data": [1]}, "data"),
    ],
)
def test_what_is_no_event_of_ours_is_refused_by_the_part_that_is_wrong(changes, named):
    document = json.loads(encode(EVENT, PREFIX).body) | changes
    with pytest.raises(NotAnEvent, match=named):
        decode(json.dumps(document).encode(), PREFIX)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b'"text"'])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(NotAnEvent):
        decode(body, PREFIX)
