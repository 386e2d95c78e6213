"""AL-05: files are kept sealed, seen by those who may, and gone when they are no longer needed."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase

from servicekit import uploads as kit
from servicekit.db import ACCESS_RECORD, Database
from servicekit.file_kinds import JPEG, PDF, PNG, FileKind, FileTooLarge
from servicekit.storage import Storage, StorageUnavailable
from servicekit.testing import files
from servicekit.upload_table import (
    TooManyFiles,
    UploadColumns,
    UploadInUse,
    UploadNotFound,
    UploadsBusy,
)
from servicekit.uploads import Uploads
from servicekit.vault import CannotOpen, Vault
from servicekit.workflow import Role

pytestmark = pytest.mark.req("AL-05")


class Base(DeclarativeBase):
    """Parent of the one table."""


class Upload(UploadColumns, Base):
    """One file."""

    __tablename__ = "upload"


LICENCE = FileKind("licence", "营业执照", "paper", frozenset({JPEG, PNG, PDF}), 64 * 1024)
PHOTO = FileKind("photo", "照片", "recovery", frozenset({JPEG}), 64 * 1024)


@pytest.fixture
def shelf(database: Database, tmp_path: Path, vault: Vault) -> Uploads[Upload]:
    Base.metadata.create_all(database.engine)
    storage = Storage(f"file://{tmp_path}/files")
    return Uploads(Upload, (LICENCE, PHOTO), storage=storage, vault=vault, service="kit")


@pytest.fixture
def send(shelf: Uploads[Upload], database: Database, room: Any) -> Callable[..., Upload]:
    def send(data: bytes | None = None, *, owner: str = "lin", kind: str = "licence") -> Upload:
        data = files.jpeg() if data is None else data
        return shelf.receive(database, data, kind, owner_id=owner, uploaded_by=owner, now=room.now)

    return send


def states(database: Database) -> list[str]:
    with database.reading() as db:
        return sorted(str(state) for state in db.scalars(select(Upload.state)))


def found(shelf: Uploads[Upload], database: Database, upload_id: str, owner: str) -> Upload:
    with database.reading() as db:
        return shelf.find(db, upload_id, Upload.owner_id == owner)


def test_what_lies_in_the_storage_is_sealed_for_its_row(shelf, database, send):
    one, other = send(), send()
    (first, second) = (shelf.storage.get(row.storage_key) for row in (one, other))
    assert b"JFIF" not in first
    assert shelf.read(one).startswith(b"\xff\xd8\xff")
    shelf.storage.put(one.storage_key, second)  # somebody exchanges two objects of the bucket
    with pytest.raises(CannotOpen):
        shelf.read(one)
    shelf.storage.put(one.storage_key, first[:-1] + bytes([first[-1] ^ 1]))
    with pytest.raises(CannotOpen):
        shelf.read(one)


def test_a_file_is_its_owners_and_nobody_elses(shelf, database, send):
    row = send()
    assert (row.kind, row.purpose, row.state, row.media_type) == (
        "licence",
        "paper",
        "ready",
        JPEG,
    )
    assert found(shelf, database, row.id, "lin").sha256 == row.sha256
    with pytest.raises(UploadNotFound):
        found(shelf, database, row.id, "wang")
    with database.reading() as db, pytest.raises(ValueError, match="whose"):
        shelf.find(db, row.id)


def test_a_file_over_the_limit_of_its_kind_is_refused_before_it_is_looked_at(send, database):
    with pytest.raises(FileTooLarge, match=r"营业执照文件过大，请控制在 0.0625 MB 以内"):
        send(bytes(LICENCE.limit + 1))
    assert states(database) == []


def test_a_kind_takes_only_its_types(send, database):
    with pytest.raises(kit.Refusal, match="请上传 JPG 文件"):
        send(files.png(), kind="photo")
    assert states(database) == []


def test_a_write_that_fails_shows_nothing_and_is_swept_away(shelf, database, send, room, tmp_path):
    folder = tmp_path / "files"
    folder.write_bytes(b"no folder")  # the disk is gone
    with pytest.raises(StorageUnavailable):
        send()
    assert states(database) == ["receiving"]
    folder.unlink()
    shelf.sweep(database, room.now)
    assert states(database) == ["receiving"]  # it might still be on its way
    assert shelf.sweep(database, room.now + kit.RECEIVING_LASTS) == 1
    assert states(database) == ["deleted"]


def test_a_commit_that_is_lost_leaves_an_object_that_the_sweep_finds(
    shelf, database, send, room, monkeypatch
):
    def lost(*_: Any, **__: Any) -> int:
        raise ConnectionError("the server closed the connection")

    with monkeypatch.context() as broken:
        broken.setattr(shelf, "_move", lost)
        with pytest.raises(ConnectionError):
            send()
    assert states(database) == ["receiving"]
    assert len(shelf.storage.keys()) == 1
    with database.reading() as db, pytest.raises(UploadNotFound):
        shelf.find(db, db.scalar(select(Upload.id)), Upload.owner_id == "lin")
    assert shelf.sweep(database, room.now + kit.RECEIVING_LASTS) == 1
    assert shelf.storage.keys() == []


def test_a_file_that_nobody_uses_is_deleted_after_a_day(shelf, database, send, room):
    row = send()
    assert shelf.sweep(database, room.now + kit.UNATTACHED_LASTS - timedelta(seconds=1)) == 0
    assert shelf.sweep(database, room.now + kit.UNATTACHED_LASTS) == 1
    assert shelf.storage.keys() == []
    with pytest.raises(UploadNotFound):
        found(shelf, database, row.id, "lin")


def test_what_was_filed_stays_until_it_is_decided_and_some_days_more(shelf, database, send, room):
    row = send()
    with database.transaction() as db:
        assert shelf.attach(db, [row.id, row.id], "paper-1", owner_id="lin", now=room.now)
        shelf.attach(db, [row.id], "paper-1", owner_id="lin", now=room.now)  # saved again
    assert shelf.sweep(database, room.now + timedelta(days=400)) == 0
    with database.transaction() as db:
        assert [each.id for each in shelf.of_subject(db, "paper-1")] == [row.id]
        with pytest.raises(UploadInUse):
            shelf.throw_away(db, row, now=room.now)
        shelf.delete_later(db, "paper-1", room.now + timedelta(days=30))
    assert shelf.sweep(database, room.now + timedelta(days=29)) == 0
    assert shelf.sweep(database, room.now + timedelta(days=30)) == 1
    with database.reading() as db:
        assert shelf.of_subject(db, "paper-1") == []


def test_only_ones_own_unused_files_can_be_attached(shelf, database, send, room):
    mine, theirs = send(), send(owner="wang")
    with database.transaction() as db:
        shelf.attach(db, [mine.id], "paper-1", owner_id="lin", now=room.now)
    for ids, subject in (([theirs.id], "paper-1"), ([mine.id], "paper-2"), (["no"], "paper-1")):
        with database.transaction() as db, pytest.raises(UploadNotFound):
            shelf.attach(db, ids, subject, owner_id="lin", now=room.now)


def test_a_file_that_was_replaced_is_deleted(shelf, database, send, room):
    old, new = send(), send()
    with database.transaction() as db:
        shelf.attach(db, [old.id, new.id], "paper-1", owner_id="lin", now=room.now)
        shelf.detach(db, "paper-1", keep=[new.id], now=room.now)
    assert shelf.sweep(database, room.now) == 1
    with database.reading() as db:
        assert [each.id for each in shelf.of_subject(db, "paper-1")] == [new.id]
    assert shelf.storage.keys() == [new.storage_key]


def test_a_sweep_that_died_between_object_and_row_is_finished_by_the_next(
    shelf, database, send, room
):
    row = send()
    with database.transaction() as db:
        shelf.throw_away(db, row, now=room.now)
    shelf.storage.delete(row.storage_key)  # and then the worker died
    assert states(database) == ["deleting"]
    assert shelf.sweep(database, room.now) == 1
    assert states(database) == ["deleted"]


def test_somebody_elses_look_is_on_record(shelf, database, send, room):
    row, officer = send(), room.actor(Role.REVIEWER)
    with database.transaction() as db:
        data = shelf.look(db, row, actor=officer, reason="审核", now=room.now)
    assert data == shelf.read(row)
    with database.reading() as db:
        (record,) = db.execute(select(ACCESS_RECORD)).all()
    assert (record.column, record.record_id, record.owner_id, record.actor_id) == (
        "upload.licence",
        row.id,
        "lin",
        officer.id,
    )


def test_nobody_hoards_files(send, database, monkeypatch):
    monkeypatch.setattr(kit, "LOOSE_AT_MOST", 2)
    send()
    send()
    with pytest.raises(TooManyFiles):
        send()
    send(owner="wang")
    assert states(database) == ["ready"] * 3


def test_no_more_files_are_decoded_at_once_than_fit_the_memory(shelf, send, monkeypatch):
    monkeypatch.setattr(kit, "WAIT_SECONDS", 0.01)
    begun, go_on, at_once = threading.Barrier(kit.AT_ONCE + 1), threading.Event(), []

    def slow(*_: Any) -> Any:
        at_once.append(1)
        begun.wait(10)
        go_on.wait(10)
        raise FileTooLarge

    monkeypatch.setattr(kit, "clean", slow)
    threads = [threading.Thread(target=_quietly, args=(send,)) for _ in range(kit.AT_ONCE)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    with pytest.raises(UploadsBusy):
        send()
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(at_once) == kit.AT_ONCE


def _quietly(send: Callable[[], Upload]) -> None:
    with pytest.raises(FileTooLarge):
        send()
