"""Settings: declared once, read once, every problem at once, nothing of a toy in production."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import pytest

from servicekit.settings import (
    BadSettings,
    ServiceSettings,
    as_config_map,
    as_markdown,
    load,
    names,
    secret_names,
    setting,
)
from servicekit.vault import new_key


@dataclass(frozen=True)
class Toy(ServiceSettings):
    """Every type a setting may have."""

    sms_url: str = setting("The SMS gateway.", default="http://127.0.0.1:8190/sms", outside=True)
    spare_url: str | None = setting("A second one, or none.", default=None, outside=True)
    sms_password: str = setting("Its password.", default="toy-password", secret=True)
    pause: timedelta = setting("How long to wait, in seconds.", default=timedelta(seconds=30))
    ratio: float = setting("A ratio.", default=0.5)
    limit: int | None = setting("A limit, or none.", default=None)
    words: tuple[str, ...] = setting("Some words.", default=())
    loud: bool = setting("Shout.", default=False)
    colour: str = setting("A colour.", default="red", choices=("red", "blue"))
    mode: Literal["a", "b"] = setting("A mode.", default="a")


def good(**more):
    secrets = {f"TOY_{name}": new_key() for name in ("INDEX_KEY", "HISTORY_KEY")}
    return {
        "TOY_DATABASE_URL": "postgresql://toy@db/toy",
        "TOY_BUS_URL": "amqp://bus",
        "TOY_FIELD_KEYS": f"k1:{new_key()}",
        **secrets,
        **{f"TOY_{name.upper()}": value for name, value in more.items()},
    }


def production(**more):
    fit = {
        "environment": "production",
        "public_url": "https://jiuye.gd.example",
        "sms_url": "https://sms.gd.example/send",
        "sms_password": new_key(),
    }
    return good(**(fit | more))


def problems(environ):
    with pytest.raises(BadSettings) as refused:
        load(Toy, "TOY", environ)
    return str(refused.value).splitlines()


def test_what_is_not_given_has_its_default():
    settings = load(Toy, "toy", good())
    assert settings.pause == timedelta(seconds=30)
    assert settings.issuer == "http://127.0.0.1:8080/identity"
    assert settings.jwks_url == "http://127.0.0.1:8101/identity/jwks.json"


def test_every_type_is_read():
    environ = good(pause="1.5", ratio="2", limit="7", words="a, b,,c", loud="True", mode="b")
    settings = load(Toy, "TOY", environ)
    assert settings.pause == timedelta(seconds=1.5)
    assert (settings.ratio, settings.limit, settings.loud) == (2.0, 7, True)
    assert (settings.words, settings.mode) == (("a", "b", "c"), "b")
    assert load(Toy, "TOY", good(limit="")).limit is None


def test_every_problem_is_reported_at_once():
    environ = good(ratio="x", loud="yes", colour="green", mode="c", nonsense="1", event_prefix="")
    del environ["TOY_DATABASE_URL"]
    found = problems(environ)
    assert [line.partition(":")[0].split()[0] for line in found] == [
        "TOY_COLOUR",
        "TOY_DATABASE_URL",
        "TOY_EVENT_PREFIX",
        "TOY_LOUD",
        "TOY_MODE",
        "TOY_NONSENSE",
        "TOY_RATIO",
    ]


def test_what_kubernetes_adds_is_no_unknown_name():
    links = {"TOY_SERVICE_HOST": "10.0.0.1", "TOY_PORT": "tcp://", "TOY_PORT_8000_TCP_ADDR": "x"}
    assert load(Toy, "TOY", good() | links)


def test_a_secret_may_come_from_a_file(tmp_path):
    file = tmp_path / "index_key"
    file.write_text(f"{new_key()}\n")
    environ = good()
    del environ["TOY_INDEX_KEY"]
    settings = load(Toy, "TOY", environ | {"TOY_INDEX_KEY_FILE": str(file)})
    assert settings.index_key == file.read_text().strip()
    assert "TOY_INDEX_KEY" in problems(environ | {"TOY_INDEX_KEY_FILE": "/no/such/file"})[0]
    assert "given twice" in problems(good() | {"TOY_INDEX_KEY_FILE": str(file)})[0]
    assert "not a setting" in problems(good(sms_url_file="x"))[0]


def test_secrets_are_in_no_document_and_no_repr():
    settings = load(Toy, "TOY", good())
    assert settings.index_key not in repr(settings)
    assert "toy-password" not in as_markdown(Toy, "toy")
    assert "TOY_SMS_PASSWORD" not in as_config_map(Toy, "toy")
    assert "TOY_SMS_PASSWORD" in secret_names(Toy, "toy")


def test_documents_come_from_the_declaration():
    table = as_markdown(Toy, "toy")
    assert "| `TOY_PAUSE` | `30` | How long to wait, in seconds. |" in table
    assert "| `TOY_COLOUR` | `red` | A colour. One of `red`, `blue`. |" in table
    assert "| `TOY_INDEX_KEY` | required, secret |" in table
    values = as_config_map(Toy, "toy")
    assert values["TOY_LOUD"] == "false"
    assert "TOY_LIMIT" not in values
    assert set(values) <= set(names(Toy, "toy"))
    environ = good()
    assert load(Toy, "TOY", environ | values) == load(Toy, "TOY", environ)


def test_production_with_real_addresses_and_secrets_starts():
    assert load(Toy, "TOY", production()).environment == "production"


@pytest.mark.parametrize(
    "address",
    [
        "http://sms.gd.example",
        "https://127.0.0.1:8190/sms",
        "https://localhost/sms",
        "https://[::1]/sms",
        "https://simulators/sms",
        "https://sms.simulators.svc.cluster.local/sms",
        "console://",
    ],
)
def test_production_refuses_a_simulator(address):
    assert problems(production(sms_url=address))[0].startswith("TOY_SMS_URL")


@pytest.mark.parametrize("address", ["http://jiuye.gd.example", "https://127.0.0.1:8080"])
def test_production_refuses_to_be_reached_without_tls(address):
    assert problems(production(public_url=address))[0].startswith("TOY_PUBLIC_URL")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sms_password", "toy-password"),
        ("sms_password", "short"),
        ("sms_password", "aaaaaaaaaaaaaaaaaaaaaaaa"),
        ("sms_password", "change-me-please-now"),
        ("index_key", "A" * 43 + "="),
        ("database_url", "postgresql://toy:toy@db/toy"),
        ("database_url", "postgresql://toy:password1@db/toy"),
        ("bus_url", "amqp://guest:guest@bus"),
        ("bus_url", "local://postgresql://toy:toy@db/bus"),
        ("bus_url", "amqp://[broken"),
    ],
)
def test_production_refuses_a_default_or_weak_secret(name, value):
    found = problems(production(**{name: value}))
    assert len(found) == 1
    assert found[0].startswith(f"TOY_{name.upper()}")
    assert value not in found[0]


def test_a_random_key_is_never_called_weak():
    for _ in range(200):
        assert load(Toy, "TOY", production())
