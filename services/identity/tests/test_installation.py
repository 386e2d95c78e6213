"""Migrations, settings and the small parts that hold the rest."""

import dataclasses
import threading
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from identity.accounts.model import Account
from identity.adapters import openssl
from identity.app import SERVICE, create_app
from identity.channels import make_channels
from identity.hashing import Busy, Hasher
from identity.pace import Limit, Pace
from identity.settings import Settings
from identity.tables import Base
from servicekit import migrations
from servicekit.client import refuse_simulators
from servicekit.clock import SystemClock
from servicekit.personal import Personal
from servicekit.settings import BadSettings, load, outside_addresses
from servicekit.vault import BlindIndex, Sealed, new_key

SAFE = {
    "IDENTITY_DATABASE_URL": "postgresql://identity:Zx8-Qq31-Lm0p-77aa@db/identity",
    "IDENTITY_BUS_URL": "amqp://identity:Zx8-Qq31-Lm0p-77aa@mq/",
    "IDENTITY_FIELD_KEYS": f"k1:{new_key()}",
    "IDENTITY_INDEX_KEY": new_key(),
    "IDENTITY_HISTORY_KEY": new_key(),
    "IDENTITY_GATEWAY_CLIENT_SECRET": new_key(),
    "IDENTITY_EMPLOYER_AUTH_CLIENT_SECRET": new_key(),
    "IDENTITY_BANK_CARD_SECRET": new_key(),
    "IDENTITY_PUBLIC_URL": "https://jiuye.example.gov.cn",
    "IDENTITY_SMS_URL": "https://sms.example.gov.cn/v1",
    "IDENTITY_BANK_CARD_URL": "https://bank.example.com.cn/v1",
    **{
        f"IDENTITY_{name}_URL": f"https://{name.lower().replace('_', '-')}.example.gov.cn"
        for name in (
            "LEGAL_PERSON_BASE",
            "SOCIAL_CARD",
            "FACE",
            "LICENCE",
            "NET_BANK",
            "CA",
            "PROVINCE",
        )
    },
    **{
        f"IDENTITY_{name}_SECRET": new_key()
        for name in ("LEGAL_PERSON_BASE", "SOCIAL_CARD", "FACE", "LICENCE", "PROVINCE_CLIENT")
    },
    "IDENTITY_NET_BANK_ROOTS": "/etc/jiuye/roots/net-bank.pem",
    "IDENTITY_CA_ROOTS": "/etc/jiuye/roots/ca.pem",
    "IDENTITY_ENVIRONMENT": "production",
}


def test_the_migrations_make_exactly_the_models(app):
    with app.database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == []


def test_the_migrations_go_back_too(postgres):
    with postgres.fresh_database() as url:
        migrations.upgrade(url, "identity")
        migrations.downgrade(url, "identity", to="base")
        migrations.upgrade(url, "identity")


def test_sealed_columns_are_marked_personal_or_are_secrets():
    secrets = {"private", "totp_secret", "successor"}
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, Sealed | BlindIndex) and column.name not in secrets:
                assert column.info["personal"] is True, column
            if isinstance(column.type, Sealed):
                assert issubclass(column.type.kind, Personal)
                assert column.type.column == str(column)


def test_production_takes_good_settings():
    assert load(Settings, "IDENTITY", SAFE).issuer == "https://jiuye.example.gov.cn/identity"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IDENTITY_PASSWORD_MEMORY_KIB", "64"),
        ("IDENTITY_PASSWORD_TIME_COST", "1"),
        ("IDENTITY_DEMO_FILE", "/tmp/demo.json"),
        ("IDENTITY_SMS_URL", "http://127.0.0.1:8190/sms"),
        ("IDENTITY_PROVINCE_URL", "http://127.0.0.1:8190/province"),
        ("IDENTITY_LICENCE_URL", "https://simulators.example/licence"),
        ("IDENTITY_FACE_SECRET", "simulator-face-and-much-more-of-it"),
        ("IDENTITY_BANK_CARD_URL", "https://simulators/bank-card"),
        ("IDENTITY_GATEWAY_CLIENT_SECRET", "secret"),
        ("IDENTITY_BANK_CARD_SECRET", "simulator-bank-card"),
        ("IDENTITY_PUBLIC_URL", "http://jiuye.example.gov.cn"),
    ],
)
def test_production_refuses_what_is_for_development(name, value):
    with pytest.raises(BadSettings, match=name):
        load(Settings, "IDENTITY", SAFE | {name: value})


@pytest.mark.parametrize("name", ["IDENTITY_CA_ROOTS", "IDENTITY_NET_BANK_ROOTS"])
def test_production_trusts_no_certificates_it_was_not_told_of(name):
    without = {n: v for n, v in SAFE.items() if n != name}
    with pytest.raises(BadSettings, match=name):
        load(Settings, "IDENTITY", without)


def test_production_refuses_an_address_behind_which_a_simulator_answers(settings):
    with pytest.raises(BadSettings, match="IDENTITY_FACE_URL is answered by a simulator"):
        refuse_simulators(outside_addresses(settings, "IDENTITY"))


def test_unknown_channels_cannot_be_switched_off_and_openssl_is_looked_for(settings):
    assert openssl.is_there()
    odd = dataclasses.replace(settings, channels_off=("telepathy",))
    with pytest.raises(BadSettings, match="telepathy"):
        make_channels(odd, clock=SystemClock())


def test_no_secret_has_a_default():
    needed = {name for name in SAFE if name.endswith(("_SECRET", "_KEY", "_KEYS"))}
    for name in needed:
        without = {n: v for n, v in SAFE.items() if n != name}
        with pytest.raises(BadSettings, match=name):
            load(Settings, "IDENTITY", without)


def test_a_full_hashing_pool_says_come_again(monkeypatch):
    hasher = Hasher(memory_kib=64, time_cost=1, slots=1)
    monkeypatch.setattr("identity.hashing.WAIT", 0.01)
    inside, leave = threading.Semaphore(0), threading.Event()

    def hold():
        with hasher.turn():
            inside.release()
            leave.wait(10)

    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert inside.acquire(timeout=10)
    with pytest.raises(Busy) as refused:
        hasher.hash("anything")
    assert refused.value.retry_after == 5
    leave.set()
    for thread in threads:
        thread.join()
    assert hasher.verify(hasher.hash("Gd2024rsT"), "Gd2024rsT")
    assert not hasher.verify(None, "Gd2024rsT")
    assert not hasher.verify("no hash", "Gd2024rsT")


def test_beyond_the_queue_one_is_told_at_once_and_a_turn_covers_all_of_a_login(monkeypatch):
    monkeypatch.setattr("identity.hashing.QUEUE", 1)
    hasher = Hasher(memory_kib=64, time_cost=1, slots=1)
    outcomes, inside, leave = [], threading.Semaphore(0), threading.Event()

    def log_in():
        try:
            with hasher.turn():
                inside.release()
                leave.wait(10)
                outcomes.append(hasher.verify(None, "Gd2024rsT"))
        except Busy:
            outcomes.append("busy")
            inside.release()

    threads = [threading.Thread(target=log_in) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(4):  # two have their turn, one waits, two are told at once
        assert inside.acquire(timeout=10)
    assert outcomes == ["busy", "busy"]
    leave.set()
    for thread in threads:
        thread.join()
    assert outcomes == ["busy", "busy", False, False, False]


def test_a_password_is_hashed_anew_when_the_costs_were_raised(world, settings, clock):
    person = world.registers()
    app = create_app(dataclasses.replace(settings, password_time_cost=2), clock=clock)
    browser = world.browser()
    browser.client = app.test_client()
    assert browser.logs_in(person).status_code == 303
    with app.database.reading() as db:
        assert ",t=2," in db.get_one(Account, person.id).password_hash
    assert world.browser().logs_in(person).status_code == 303
    app.extensions["identity"].counts.database.close()
    app.database.close()


def test_windows_and_failures_count_forget_and_take_back(app, clock):
    counts = app.extensions["identity"].counts
    limit = Limit("test", 2, timedelta(minutes=1))
    assert counts.take([limit], "a", now=clock.now()) is None
    assert counts.take([limit], "a", now=clock.now()) is None
    assert counts.take([limit], "a", now=clock.now()) == 60
    assert counts.take([limit], "b", now=clock.now()) is None
    counts.give_back([limit], "a")
    counts.give_back([limit], "a")
    assert counts.take([limit], "a", now=clock.now()) is None
    clock.advance(minutes=1)
    assert counts.take([limit], "a", now=clock.now()) is None
    pace = Pace("test", free=2, first=timedelta(seconds=8), slowest=timedelta(seconds=20))
    waits = []
    for _ in range(5):
        wait = counts.attempt(pace, "a", now=clock.now())
        waits.append(wait)
        clock.advance(seconds=wait or 0)
    assert waits == [None, None, 8, None, 16]
    counts.forgive(pace, "a", now=clock.now())
    assert counts.attempt(pace, "a", now=clock.now()) is None
    counts.succeeded(pace, "a")
    assert [counts.attempt(pace, "a", now=clock.now()) for _ in range(3)] == [None, None, 8]
    clock.advance(days=2)
    assert counts.attempt(pace, "a", now=clock.now()) is None


def test_every_job_runs_twice_in_a_row(world):
    for job in SERVICE.jobs:
        world.job(job.name)
        world.job(job.name)
