"""Wallet and verifier code we did not write goes the whole way over real HTTP (npm's, by node)."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from employment_registry.app import create_app
from employment_registry.checks.rules import System
from employment_registry.settings import Settings
from servicekit.clock import SystemClock
from servicekit.testing.clock import FixedClock
from servicekit.testing.issuer import Issuer, serve
from servicekit.testing.node import NODE, unpacked
from servicekit.testing.serving import served
from servicekit.testing.settings import sample_settings

HERE = Path(__file__).parent / "node"


@pytest.fixture
def street(postgres: Any, template: str, desk_class: Any) -> Iterator[Any]:
    """The service at its public address, two minutes behind: wallets have clocks of their own."""
    clock, holder = FixedClock(SystemClock().now() - timedelta(minutes=2)), {}

    def wsgi(environ: Any, start_response: Any) -> Any:
        return holder["app"](environ, start_response)

    with (
        postgres.fresh_database(template) as url,
        served(wsgi) as public,
        serve(Issuer(clock, public)) as issuer,
    ):
        settings = sample_settings(
            Settings,
            "EMPLOYMENT_REGISTRY",
            database_url=url,
            identity_url=issuer.url,
            outside_off=",".join(System),  # registers are not what this is about
        )
        app = create_app(dataclasses.replace(settings, public_url=public), clock=clock)
        holder["app"] = app
        yield desk_class(app, clock, issuer)
    app.database.close()


@pytest.mark.req("ER-11")
@pytest.mark.slow
def test_a_wallet_and_a_verifier_of_other_hands_go_the_whole_way(street: Any) -> None:
    lin = street.registered()[0]
    offer = lin.done(lin.post("certificates/current/wallet-offer"), 201)
    number = lin.get("certificates/current").json["number"]
    issuer = f"{street.app.settings.public_url}/api/employment-registry/v1"
    task = {
        **offer,
        "issuer": issuer,
        "signed": lin.get("certificates/current/signed").json["signed"],
    }
    with subprocess.Popen(
        [NODE, "wallet.mjs"],
        cwd=unpacked(HERE),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        assert node.stderr is not None
        node.stdin.write(json.dumps(task) + "\n")
        node.stdin.flush()
        line = node.stdout.readline()
        assert line, node.stderr.read()
        got = json.loads(line)
        lin.done(lin.post("certificates/current/wallet-copies/take-back"))
        street.clock.advance(minutes=1)  # the list is as old at most
        node.stdin.write("{}\n")
        node.stdin.close()
        after = json.loads(node.stdout.readline())
        assert node.wait(timeout=20) == 0, node.stderr.read()
    assert got["isV1"] is True
    assert got["replayed"] == "invalid_nonce"
    assert got["whole"]["name"] == "林小满"
    assert set(got["told"]) == {
        *("iss", "iat", "exp", "vct", "cnf", "status", "number", "issued_on")
    }
    assert got["told"]["number"] == number == got["certificate"]["number"]
    assert got["holder"] == "of-the-verifier"
    assert got["type"] == got["whole"]["vct"]
    assert got["certificate"]["name"] == "林**"
    assert got["refused"] == "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
    assert got["statuses"] == [0, 0]
    assert after["statuses"] == [0, 0, 1]
    assert "Status is not valid" in after["error"]
    [copy] = lin.get("certificates/current/wallet-copies").json["items"]
    assert copy["event"] == "credential_accepted"
    assert copy["ended_at"] is not None
