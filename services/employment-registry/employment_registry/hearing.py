"""Hears what registers and the calendar say of registered people, and lets endings take effect.

An employer's staff registration reaches us as the enrolment in social insurance: the province's
units file both in one (就业参保登记一体化), and the register's list is the one place that has all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from employment_registry.adapters.register_changes import Change, RegisterChanges
from employment_registry.checks.rules import System
from employment_registry.life_events import actions, planning, queries
from employment_registry.life_events.planning import Told
from employment_registry.life_events.rules import Happening
from employment_registry.person import person_key
from employment_registry.policies import POLICIES
from employment_registry.standing import PersonKey
from employment_registry.working_age import WorkingAge, category_of
from servicekit import logs
from servicekit.clock import shanghai_date
from servicekit.identifiers import DocumentKind
from servicekit.jobs import JobContext

log = logs.get_logger()
CALENDAR: Final = "calendar"
PAGE: Final = 500
# The register's word → ours; words that undo something are not heard (life_events.rules).
KINDS: Final[Mapping[str, Happening]] = {
    "enrolled": Happening.ENROLLED,
    "pension": Happening.PENSION,
    "died": Happening.DIED,
}
DOCUMENTS: Final[Mapping[str, DocumentKind]] = {kind.value: kind for kind in DocumentKind}


def hear_register(context: JobContext, system: System, changes: RegisterChanges) -> None:
    """Read the register's list to its end; no transaction is open while it is asked.

    Raises:
        OutsideFailed: the register does not answer; the job goes on there when it is due.
    """
    while not context.stop.is_set():
        with context.database.reading() as db:
            before = queries.position(db, system)
        page = changes.after(before)
        if not page:
            return
        people: list[PersonKey] = []
        with context.database.transaction() as db:
            if planning.move_on(db, system, before=before, after=page[-1].number):
                people = planning.hear(db, system.value, list(_told(page)), now=context.clock.now())
        _plan(context, people)


def hear_calendar(context: JobContext) -> None:
    """Whose retirement month has come, by the table of the day, page by page of the registered."""
    today = shanghai_date(context.clock.now())
    with context.database.reading() as db:
        ages = POLICIES.in_force(db, WorkingAge, today)
    for matter in queries.REGISTERED.values():
        after = ""
        while not context.stop.is_set():
            with context.database.reading() as db:
                rows = queries.list_registered(db, matter, after, most=PAGE)
            if not rows:
                break
            after = rows[-1].record_id
            told = [
                Told(row.record_id, row.person_key, Happening.RETIRED, month)
                for row in rows
                if (month := ages.retirement_month(row.born_on.day, category_of(row.sex))) <= today
            ]
            if told:
                with context.database.transaction() as db:
                    people = planning.hear(db, CALENDAR, told, now=context.clock.now())
                _plan(context, people)


def plan_unweighed(context: JobContext) -> None:
    """Plan for whom a worker has not, that died, and for people of whom more is known now."""
    after = ""
    while not context.stop.is_set():
        with context.database.reading() as db:
            events = queries.list_unweighed(db, after, most=PAGE)
        _plan(context, [event.person_key for event in events])
        if len(events) < PAGE:
            return
        after = events[-1].id


def end_due(context: JobContext) -> None:
    """Let take effect what nobody objected to in time, each in a transaction of its own."""
    now, after = context.clock.now(), ""
    while not context.stop.is_set():
        with context.database.reading() as db:
            due = queries.list_due(db, shanghai_date(now), after, most=PAGE)
        for ending_id in due:
            with _alone(context) as db:
                actions.carry_out(db, ending_id, now=now)
        if len(due) < PAGE:
            return
        after = due[-1]


def _plan(context: JobContext, people: Iterable[PersonKey]) -> None:
    now = context.clock.now()
    for person in people:
        with _alone(context) as db:
            planning.plan(db, person, now=now)


@contextmanager
def _alone(context: JobContext) -> Iterator[Session]:
    """A transaction for one person; what fails is tried again, and keeps nobody else waiting."""
    try:
        with context.database.transaction() as db:
            yield db
    except OperationalError:
        raise  # the database fails everybody alike
    except Exception as error:
        log.warning("a life event waits", error=type(error).__name__)


def _told(page: list[Change]) -> Iterator[Told]:
    for change in page:
        happening, document = KINDS.get(change.kind), DOCUMENTS.get(change.document_kind)
        if happening is not None and document is not None:
            number = change.document_number.expose().upper()
            yield Told(str(change.number), person_key(document, number), happening, change.on)
