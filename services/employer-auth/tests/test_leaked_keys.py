"""An operator withdraws a signing key by one command, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from joserfc import jws

from servicekit.settings import secret_names


def run(desk: Any, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What ``python -m servicekit.launch`` answers, over the desk's database."""
    settings = desk.app.settings
    names = {"EMPLOYER_AUTH_DATABASE_URL", *secret_names(type(settings), "EMPLOYER_AUTH")}
    own = {name: getattr(settings, name.removeprefix("EMPLOYER_AUTH_").lower()) for name in names}
    environment = os.environ | {name: str(value) for name, value in own.items()}
    call = [sys.executable, "-m", "servicekit.launch", command, "employer-auth", *arguments]
    return subprocess.run(call, env=environment, capture_output=True, text=True, check=False)


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def signer(lin: Any, binding: Any) -> str:
    return kid_of(lin.done(lin.mandate(binding), 201)["mandate"])


@pytest.mark.slow
@pytest.mark.req("ID-44", "AL-03")
def test_a_leaked_key_of_mandates_is_withdrawn_by_one_command(desk: Any) -> None:
    _, lin, binding = desk.bound()
    leaked = signer(lin, binding)
    listed = run(desk, "keys").stdout.splitlines()
    assert [line.split()[:3] for line in listed if line.startswith(leaked)] == [
        [leaked, "ES256", "active"]
    ]
    done = run(desk, "withdraw-key", leaked, "--reason", "案件 2026-17：密钥泄露")
    assert (done.returncode, done.stdout) == (0, "withdrawn; it was active\n"), done.stderr
    desk.clock.advance(seconds=3)
    assert signer(lin, binding) in {line.split()[0] for line in listed} - {leaked}
    published = desk.visitor().get("mandate-keys").json["keys"]
    assert leaked not in {key["kid"] for key in published}
    assert desk.events("signing-key") == [("signing-key.withdrawn", {"kid": leaked})]
    assert desk.history_is_whole()
    again = run(desk, "withdraw-key", leaked, "--reason", "x")
    assert again.returncode == 1
    assert "没有该签名密钥" in again.stderr
