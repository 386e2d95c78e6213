"""A row got and stored without the unit of work is the ORM's row in every respect."""

from datetime import timedelta

import pytest
from sqlalchemy import event, inspect
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.orm.exc import StaleDataError

from servicekit import rows
from servicekit.personal import ResidentNumber
from servicekit.workflow import State

NUMBER = ResidentNumber("440106199001010013")


@pytest.fixture
def paper_id(database, room):
    paper = room.draft()
    paper.resident_number = paper.resident_index = NUMBER
    with database.transaction() as db:
        db.add(paper)
    return paper.id


def as_orm_has_it(database, room, paper_id):
    with database.reading() as db:
        return loaded(db.get_one(room.paper, paper_id))


def loaded(paper):
    return {
        name: (type(value), value) for name, value in inspect(paper).dict.items() if name[0] != "_"
    }


def test_it_is_what_the_orm_gives(database, room, paper_id):
    with database.reading() as db:
        found = rows.get(db, room.paper, paper_id)
        assert loaded(found) == as_orm_has_it(database, room, paper_id)
        assert inspect(found).persistent
        assert not db.dirty
        assert db.get(room.paper, paper_id) is found
        assert rows.get(db, room.paper, paper_id) is found
        assert rows.get(db, room.paper, "nobody's") is None


def test_what_is_stored_is_what_the_orm_would_have_written(database, room, paper_id):
    with database.transaction() as db:
        paper = rows.get(db, room.paper, paper_id)
        paper.region, paper.state, paper.updated_at = "440106", State.SUBMITTED, room.now
        paper.resident_number = ResidentNumber("440106199001010021")
        rows.store(db, paper)
        assert (paper.version, list(db.dirty)) == (2, [])
    assert as_orm_has_it(database, room, paper_id) == loaded(paper)


def test_only_what_changed_is_written_and_nothing_for_nothing(database, room, paper_id):
    with database.transaction() as db:
        paper = rows.get(db, room.paper, paper_id)
        paper.region, paper.applicant_id = None, "applicant-1"
        rows.store(db, paper)
        assert paper.version == 1
        paper.region, paper.applicant_id = "440106", "applicant-1"
        rows.store(db, paper)
        assert paper.version == 2
        rows.store(db, paper)
        assert paper.version == 2


def test_of_two_who_read_the_same_the_second_is_told(database, room, paper_id):
    with database.transaction() as slow:
        mine = rows.get(slow, room.paper, paper_id)
        with database.transaction() as fast:
            theirs = rows.get(fast, room.paper, paper_id)
            theirs.region = "440106"
            rows.store(fast, theirs)
        mine.region = "440105"
        with pytest.raises(StaleDataError):
            rows.store(slow, mine)
        slow.expunge_all()
    assert as_orm_has_it(database, room, paper_id)["region"][1] == "440106"


def test_a_rollback_takes_it_back_from_the_object_too(database, room, paper_id):
    with database.transaction() as db:
        paper = rows.get(db, room.paper, paper_id)
        paper.region = "440106"
        rows.store(db, paper)
        db.rollback()
        assert inspect(paper).expired
    assert as_orm_has_it(database, room, paper_id)["version"][1] == 1


def test_a_savepoint_rolled_back_takes_only_its_own_back(database, room, paper_id):
    with database.transaction() as db:
        paper = rows.get(db, room.paper, paper_id)
        paper.region = "440106"
        rows.store(db, paper)
        with db.begin_nested() as part:
            paper.region = "440105"
            rows.store(db, paper)
            part.rollback()
        assert (paper.region, paper.version) == ("440106", 2)
    assert as_orm_has_it(database, room, paper_id)["region"][1] == "440106"


def test_what_else_is_to_be_written_is_written_with_it(database, room, paper_id):
    other = room.draft()
    with database.transaction() as db:
        paper = rows.get(db, room.paper, paper_id)
        db.add(other)
        paper.region = "440106"
        rows.store(db, paper)
        assert (list(db.new), paper.version) == ([], 2)
    assert as_orm_has_it(database, room, other.id)["version"][1] == 1


def test_the_database_refuses_as_it_refuses_the_orm(database, room, paper_id):
    def write():
        with database.transaction() as db:
            paper = rows.get(db, room.paper, paper_id)
            paper.applicant_id = None
            rows.store(db, paper)

    with pytest.raises(IntegrityError) as refused:
        write()
    assert refused.value.orig.sqlstate == "23502"


def test_a_reader_stores_nothing(database, room, paper_id):
    with database.reading() as db:
        paper = rows.get(db, room.paper, paper_id)
        paper.region = "440106"
        with pytest.raises(InvalidRequestError, match="reading"):
            rows.store(db, paper)
        db.expunge_all()


def test_it_costs_two_statements(database, room, paper_id):
    said = []
    with database.transaction() as db:
        event.listen(database.engine, "before_cursor_execute", lambda *a: said.append(a[2]))
        paper = rows.get(db, room.paper, paper_id)
        paper.updated_at = room.now + timedelta(days=1)
        rows.store(db, paper)
    assert said == []  # none of them SQLAlchemy's
