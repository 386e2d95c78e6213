"""Accounts of former systems: taken in from a file, tried first, refused by line (ID-05)."""

import csv

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from identity import __main__ as command
from identity.accounts.model import Account, Person
from identity.intake.rules import COLUMNS

GOOD = {
    "login_name": "old_lin",
    "name": "林小满",
    "document_type": "01",
    "document_number": "440106199001010013",
    "phone": "13700000001",
}


@pytest.fixture
def run(world, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "create_app", lambda: world.app)

    def take(rows, *more):
        file, errors = tmp_path / "old.csv", tmp_path / "errors.csv"
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        code = command.main(["import-accounts", str(file), "--errors", str(errors), *more])
        with errors.open(encoding="utf-8", newline="") as opened:
            return code, list(csv.DictReader(opened)), capsys.readouterr().out

    return take


def count(world, *where):
    with world.app.database.reading() as db:
        return db.scalar(select(func.count()).select_from(Person).where(*where))


@pytest.mark.req("ID-05")
def test_a_file_is_tried_taken_in_once_and_its_doubles_are_marked(world, run):
    twin = GOOD | {"login_name": "old_lin2", "phone": "13700000002"}
    permit = {
        "login_name": "old_chen",
        "name": "陈大文",
        "document_type": "hk-macau-permit",
        "document_number": "H1234567801",
        "birth_date": "1988-08-08",
        "sex": "2",
        "phone": "13700000003",
    }
    rows = [GOOD, twin, permit]
    code, errors, said = run(rows, "--dry-run")
    assert (code, errors, count(world)) == (0, [], 0)
    assert "试运行，未写入" in said
    code, _, said = run(rows)
    assert (code, count(world), count(world, Person.migrated_twice)) == (0, 3, 1)
    assert "迁入 3，其中同一人多个账号 1" in said
    assert "已存在 3" in run(rows)[2]
    assert count(world) == 3
    assert [kind for kind, _ in world.events()] == ["identity.account.registered.v1"] * 3
    with world.app.database.reading() as db:
        assert set(db.scalars(select(Account.password_hash))) == {"!"}


@pytest.mark.req("ID-05", "ID-01")
def test_lines_that_are_refused_are_named_without_what_stands_in_them(world, run, tell):
    taken = world.registers(document_number=tell.resident_number("44010619900101777"))
    rows = [
        GOOD | {"document_number": "440106199001010011"},
        GOOD | {"login_name": "1x", "phone": "1"},
        GOOD | {"login_name": taken.login_name},
        GOOD | {"document_type": "99"},
        GOOD,
    ]
    code, errors, said = run(rows)
    assert code == 1
    assert {(e["line"], e["field"], e["code"]) for e in errors} == {
        ("2", "document_number", "identifier-check-digit"),
        ("3", "login_name", "login-name-malformed"),
        ("3", "phone", "identifier-form"),
        ("4", "login_name", "username-taken"),
        ("5", "document_type", "required"),
    }
    assert "有误 4 行" in said
    assert GOOD["name"] not in str(errors)


@pytest.mark.req("ID-04")
def test_a_number_that_was_taken_in_twice_registers_no_third_time(world):
    person = world.registers()
    world.takes_in(person)
    form = world.form(document_number=person.document_number)
    form["sms_code"] = world.sms_code(form["phone"], "registration")
    answer = world.browser().api("POST", "/registrations", form)
    assert answer.json["detail"] == "自然人证件号码已被使用"


@pytest.mark.req("ID-28", "TC-01", "TAL-03")
@pytest.mark.parametrize(
    ("table", "column"),
    [("account", "login_name_index"), ("person", "document_index"), ("unit", "certificate_number")],
)
def test_the_database_itself_keeps_names_and_numbers_as_they_were(world, table, column):
    world.registers_unit()
    value = "'x'" if table == "unit" else r"'\x00000000000000000000000000000000'::bytea"
    with (
        pytest.raises(IntegrityError, match="never changes"),
        world.app.database.transaction() as db,
    ):
        db.execute(text(f"UPDATE {table} SET {column} = {value}"))
