"""What is sealed stays sealed; what is equal is found; old keys open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from servicekit.db import Database
from servicekit.personal import PersonName, ResidentNumber
from servicekit.vault import BadKeys, CannotOpen, Vault, new_key

pytestmark = pytest.mark.req("AL-04")

KEY, OLD_KEY, INDEX_KEY = new_key(), new_key(), new_key()
AES = Vault(f"k1:{KEY}", INDEX_KEY)
SM4 = Vault(f"k1:{KEY}", INDEX_KEY, "sm4-gcm")
VAULTS = pytest.mark.parametrize("vault", [AES, SM4], ids=["aes-256-gcm", "sm4-gcm"])
NUMBER = "440106199001010013"


@VAULTS
@given(text=st.text())
def test_what_was_sealed_opens(vault, text):
    assert vault.open(vault.seal(text, "paper.number"), "paper.number") == text


@VAULTS
def test_nothing_of_the_text_or_its_equality_shows(vault):
    sealed = {vault.seal(NUMBER, "paper.number") for _ in range(50)}
    assert len(sealed) == 50
    assert not any(NUMBER.encode() in value for value in sealed)


@VAULTS
def test_a_value_does_not_open_in_another_column(vault):
    with pytest.raises(CannotOpen):
        vault.open(vault.seal(NUMBER, "paper.number"), "paper.other")


@VAULTS
def test_one_changed_byte_anywhere_does_not_open(vault):
    sealed = vault.seal(NUMBER, "paper.number")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises(CannotOpen):
            vault.open(changed, "paper.number")


@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x01\x02k1", bytes(60)])
def test_rubbish_does_not_open(rubbish):
    with pytest.raises(CannotOpen):
        AES.open(rubbish, "paper.number")


def test_old_keys_open_and_the_newest_seals():
    old = Vault(f"k1:{OLD_KEY}", INDEX_KEY)
    rotated = Vault(f"k2:{KEY},k1:{OLD_KEY}", INDEX_KEY)
    before = old.seal(NUMBER, "paper.number")
    assert rotated.open(before, "paper.number") == NUMBER
    assert not rotated.is_current(before)
    after = rotated.seal(NUMBER, "paper.number")
    assert rotated.is_current(after)
    assert b"k2" in after
    with pytest.raises(CannotOpen, match="do not have"):
        old.open(after, "paper.number")


def test_each_suite_opens_what_the_other_sealed():
    assert SM4.open(AES.seal(NUMBER, "a.b"), "a.b") == NUMBER
    assert AES.open(SM4.seal(NUMBER, "a.b"), "a.b") == NUMBER
    assert not SM4.is_current(AES.seal(NUMBER, "a.b"))


@VAULTS
def test_the_index_finds_equals_within_a_column_only(vault):
    index = vault.index(NUMBER, "paper.number")
    assert len(index) == 16
    assert index == vault.index(NUMBER, "paper.number")
    assert index != vault.index(NUMBER, "paper.other")
    assert index != vault.index("440106199001010021", "paper.number")
    assert index != Vault(f"k1:{KEY}", new_key()).index(NUMBER, "paper.number")


@pytest.mark.parametrize(
    "keys",
    ["", "k1", "k1:AAAA", "k1:!!!!", ":{key}", "k1:{key},k1:{old}", "k 1:{key}"],
)
def test_what_is_no_key_is_refused(keys):
    with pytest.raises(BadKeys) as refused:
        Vault(keys.format(key=KEY, old=OLD_KEY), INDEX_KEY)
    assert KEY not in str(refused.value)


def test_an_unknown_suite_is_refused():
    with pytest.raises(BadKeys):
        Vault(f"k1:{KEY}", INDEX_KEY, "rot13")


def test_a_column_is_sealed_in_the_database_and_found_by_its_index(database, room):
    paper = room.draft()
    paper.resident_number = paper.resident_index = ResidentNumber(NUMBER)
    with database.transaction() as db:
        db.add(paper)
    with database.reading() as db:
        stored = db.execute(text("SELECT p::text FROM paper p")).scalar_one()
        assert NUMBER not in stored
        assert NUMBER.encode().hex() not in stored
        wanted = select(room.paper).where(room.paper.resident_index == ResidentNumber(NUMBER))
        found = db.scalars(wanted).one()
        assert found.resident_number == ResidentNumber(NUMBER)
        assert found.resident_number.expose() == NUMBER


def test_the_index_makes_one_number_register_once(database, room):
    def register():
        paper = room.draft()
        paper.resident_index = ResidentNumber(NUMBER)
        with database.transaction() as db:
            db.add(paper)

    register()
    with pytest.raises(IntegrityError) as refused:
        register()
    assert NUMBER not in str(refused.value)


def test_a_column_takes_its_own_kind_only(database, room):
    paper = room.draft()
    paper.resident_number = PersonName("林小满")
    with (
        pytest.raises(StatementError, match="takes a ResidentNumber"),
        database.transaction() as db,
    ):
        db.add(paper)


def test_the_index_takes_a_personal_value_not_a_text(database, room):
    wanted = select(room.paper).where(room.paper.resident_index == NUMBER)
    with database.reading() as db, pytest.raises(StatementError, match="personal value"):
        db.scalars(wanted)


def test_a_database_without_a_vault_seals_nothing(database_url, room):
    database = Database(database_url, vault=None, application_name="kit-tests")
    paper = room.draft()
    paper.resident_number = ResidentNumber(NUMBER)
    with pytest.raises(StatementError, match="without a vault"), database.transaction() as db:
        db.add(paper)
    database.close()


def test_an_empty_column_stays_empty(database, room):
    with database.transaction() as db:
        db.add(room.draft())
    with database.reading() as db:
        assert db.scalars(select(room.paper)).one().resident_number is None


def test_every_column_says_whether_it_is_personal(room):
    for mapper in room.base.registry.mappers:
        for column in inspect(mapper).columns:
            assert isinstance(column.info.get("personal"), bool), column
