"""What `make run` tells each room: addresses, and files with the secrets the room asks for."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from secret_folder import SecretFolder, key, key_ring, password

MAKERS: dict[str, Callable[[], str]] = {
    "field_keys": key_ring,
    "index_key": key,
    "history_key": key,
}
# The outside systems whose secret a service and its simulator share.
CHANNELS = (
    "bank_card",
    "legal_person_base",
    "social_card",
    "face",
    "licence",
    "population_register",
    "social_security",
)
# Secrets two rooms share, by the setting's name.
SHARED = {
    "gateway_client_secret": "jiuye-gateway-client-secret",
    "client_secret": "jiuye-gateway-client-secret",
    **{f"{name}_secret": f"{name.replace('_', '-')}-secret" for name in CHANNELS},
    "province_client_secret": "province-secret",
    "employer_auth_client_secret": "jiuye-employer-auth-client-secret",
}


def service_environment(
    name: str,
    secrets: SecretFolder,
    *,
    database_url: str,
    bus_url: str,
    public_url: str,
    identity_url: str,
    employer_auth_url: str,
    simulators_url: str,
    demo_file: Path,
) -> dict[str, str]:
    """Variables for one service; those the caller's environment already sets are left out."""
    package, prefix = name.replace("-", "_"), name.replace("-", "_").upper()
    cls = importlib.import_module(f"{package}.settings").Settings
    secrets.write(f"{package}-database-url", database_url)
    secrets.write("bus-url", bus_url)
    known = {
        "public_url": public_url,
        "identity_url": identity_url,
        "employer_auth_url": employer_auth_url,
        "sms_url": f"{simulators_url}/sms",
        **{f"{name}_url": f"{simulators_url}/{name.replace('_', '-')}" for name in CHANNELS},
        "net_bank_url": f"{simulators_url}/net-bank",
        "ca_url": f"{simulators_url}/ca",
        "province_url": f"{simulators_url}/province",
        "demo_file": str(demo_file),
        "storage_url": f"file://{demo_file.resolve().parent}/uploads/{name}",
        "database_pool": "4",
        # One developer's machine is one address; the limits are for halls and attackers.
        "sms_codes_per_address_hour": "100000",
        "sms_codes_per_address_day": "100000",
    }
    files = {"database_url": f"{package}-database-url", "bus_url": "bus-url"}
    return _fit(cls, prefix, secrets, known, files)


def gateway_environment(
    secrets: SecretFolder,
    *,
    port: int,
    public_url: str,
    bus_url: str,
    services: Mapping[str, int],
) -> dict[str, str]:
    """Variables for the gateway, and the file that tells it where the services listen."""
    cls = importlib.import_module("frontdoor.settings").Settings
    secrets.write("bus-url", bus_url)
    known = {
        "public_url": public_url,
        "identity_url": f"http://127.0.0.1:{services['identity']}",
        "listen": f"127.0.0.1:{port}",
        "admin_listen": f"127.0.0.1:{port + 1}",
        "upstreams": str(secrets.write("upstreams.conf", upstreams(services))),
    }
    return _fit(cls, "FRONTDOOR", secrets, known, {"bus_url": "bus-url"})


def upstreams(services: Mapping[str, int]) -> str:
    """The services' addresses in nginx's syntax."""
    block = "upstream {} {{\n    server 127.0.0.1:{};\n    keepalive 32;\n}}\n"
    return "\n".join(block.format(name, port) for name, port in services.items())


def simulator_environment(secrets: SecretFolder) -> dict[str, str]:
    """Variables for the simulators."""
    shared = {name: SHARED[f"{name}_secret"] for name in CHANNELS}
    shared["province"] = SHARED["province_client_secret"]
    return {
        f"OUTSIDE_{name.upper()}_SECRET_FILE": str(secrets.file(file, password))
        for name, file in shared.items()
    }


def _fit(
    cls: type[Any],
    prefix: str,
    secrets: SecretFolder,
    known: dict[str, str],
    files: dict[str, str],
) -> dict[str, str]:
    """Give the settings class what it declares of what we know, and a secret where it asks."""
    environment = {}
    for declared in fields(cls):
        variable = f"{prefix}_{declared.name}".upper()
        if variable in os.environ or f"{variable}_FILE" in os.environ:
            continue
        if declared.metadata["secret"]:
            if declared.name in files:
                path = secrets.folder / files[declared.name]
            elif declared.name in SHARED:
                path = secrets.file(SHARED[declared.name], password)
            elif declared.default is MISSING:
                secret = f"{prefix.lower()}-{declared.name}"
                path = secrets.file(secret, MAKERS.get(declared.name, key))
            else:
                continue
            environment[f"{variable}_FILE"] = str(path)
        elif declared.name in known:
            environment[variable] = known[declared.name]
    return environment
