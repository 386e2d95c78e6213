"""Metrics in Prometheus' text form, of one process or summed over several."""

import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from servicekit import metrics

pytestmark = pytest.mark.req("OP-03")

WORKER = """
import os
from servicekit import metrics
metrics.REFUSALS.labels("kit", "not-found").inc(2)
if os.environ.get("ANSWER"):
    print(metrics.render()[0].decode())
"""


def total(text):
    for family in text_string_to_metric_families(text):
        if family.name == "jiuye_refusals":
            return sum(s.value for s in family.samples if s.name.endswith("_total"))
    return 0


def test_what_was_counted_is_answered():
    before = total(metrics.render()[0].decode())
    metrics.REFUSALS.labels("kit", "conflict").inc()
    metrics.REQUEST_SECONDS.labels("kit", "GET", "/v1/papers/<id>", "200").observe(0.004)
    body, content_type = metrics.render()
    assert total(body.decode()) == before + 1
    assert content_type.startswith("text/plain")
    assert b'jiuye_request_seconds_bucket{le="0.005"' in body


def test_several_workers_behind_one_port_answer_their_sum(tmp_path):
    directory = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for answer in ({}, {"ANSWER": "1"}):
        ran = subprocess.run(
            [sys.executable, "-c", WORKER],
            env=directory | answer,
            check=True,
            capture_output=True,
            text=True,
        )
    assert total(ran.stdout) == 4
    metrics.forget_process(-1)
