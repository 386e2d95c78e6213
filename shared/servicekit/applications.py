"""What every application carries, and the one function that moves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import DateTime, String, select
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column
from sqlalchemy.orm.exc import StaleDataError

from servicekit import history, logs, metrics
from servicekit.clock import shanghai_date
from servicekit.columns import NOT_PERSONAL, new_id, words
from servicekit.db import after_commit
from servicekit.errors import ChangedMeanwhile, Forbidden
from servicekit.numbers import application_number
from servicekit.outbox import APPLICATION, Event
from servicekit.rows import store
from servicekit.statements import run
from servicekit.workflow import Role, State, Workflow

log = logs.get_logger()

_TIME = DateTime(timezone=True)
_STATE = words(State)
_FILED = (State.CHECKING, State.SUBMITTED)  # the day of filing is that of the person's own step

_NEXT_SERIAL: Final = (
    "INSERT INTO serial AS s (name, day, last) VALUES (%(name)s, %(day)s, 1) "
    "ON CONFLICT (name, day) DO UPDATE SET last = s.last + 1 RETURNING last"
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, taken from the token.

    ``id`` is the principal: the unit when a person acts for one; ``person_id`` is the human, and
    ``agency_id`` the agency between them where there is one. ``level`` is the person's, on HRSS's
    scale, ``unit_level`` the unit's, on the province's: two scales, never compared.
    """

    id: str
    role: Role
    kind: Literal["visitor", "person", "unit", "officer", "system"]
    level: int = 0
    person_id: str | None = None
    session_id: str | None = None
    roles: frozenset[str] = frozenset()
    region: str | None = None
    businesses: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    binding: str | None = None
    binding_version: int = 0
    unit_level: int = 0
    agency_id: str | None = None
    regions: frozenset[tuple[str, str]] = frozenset()  # (business, region), where one is named

    def may_in(self, business: str, region: str) -> bool:
        """Is a business granted for a region, or for wherever the unit may do it (EA-13)?

        Asked by ``advance`` for every move of an application.
        """
        return all(region.startswith(code) for name, code in self.regions if name == business)

    @property
    def is_acting(self) -> bool:
        """Does a person act for the unit?"""
        return self.binding is not None


class RegionNotGranted(Forbidden):
    """EA-13: the unit granted the business for another place."""

    code = "region-not-granted"
    default_message = "单位授予您的权限不包括该地区，请联系单位账号的管理人员。"


def system_actor(service: str) -> Actor:
    """The service itself, for moves the clock or another service's event makes."""
    return Actor(id=f"system:{service}", role=Role.SYSTEM, kind="system")


class Application:
    """Columns shared by every kind of application; mix into a table that indexes its own lists."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    number: Mapped[str | None] = mapped_column(
        String(40), unique=True, info=NOT_PERSONAL
    )  # 受理编号
    applicant_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    filed_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    state: Mapped[State] = mapped_column(_STATE, default=State.DRAFT, info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)
    region: Mapped[str | None] = mapped_column(String(12), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    updated_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    submitted_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    decided_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


def advance(
    db: Session,
    workflow: Workflow[Any],
    application: Application,
    move: str,
    *,
    actor: Actor,
    now: datetime,
    note: str | None = None,
) -> None:
    """Make the move, write the history, announce the new state; the only writer of ``state``.

    A business that units grant has its workflow's name, so nobody moves for a unit what is
    outside the region the unit granted it for (EA-13).

    Raises:
        RegionNotGranted
        WrongState, WrongRole: the table has no such move from here, or not for this actor.
        ChangedMeanwhile: somebody else wrote the application since it was read.
    """
    if application.region is not None and not actor.may_in(workflow.name, application.region):
        raise RegionNotGranted
    before = application.state
    after = workflow.next_state(move, before, actor.role)
    application.state = after
    application.updated_at = now
    if after != before:
        _stamp(application, before, now)
    try:
        store(db, application)
    except StaleDataError:
        raise ChangedMeanwhile from None
    event = None
    if after != before:  # saving a draft again is history, but no news to anybody
        event = _moved(workflow.name, application, move, str(before), str(after), actor, now)
    record(
        db,
        workflow.name,
        application.id,
        move,
        before=before,
        after=after,
        actor=actor,
        now=now,
        note=note,
        event=event,
    )
    after_commit(db, lambda: _tell(workflow.name, application.id, move, str(before), str(after)))


def hold_row(db: Session, application: Application) -> None:
    """Lock an application as it was read: who wrote it since is noticed when it is written."""
    model = type(application)
    db.execute(select(model.id).where(model.id == application.id).with_for_update())


def record(
    db: Session,
    workflow: str,
    subject: str,
    move: str,
    *,
    before: str,
    after: str,
    actor: Actor,
    now: datetime,
    note: str | None = None,
    event: Event | None = None,
) -> None:
    """Write who did what to something and when, into the chained history (AL-03).

    ``advance`` does for applications; what is none of them is recorded by its own actions.

    Args:
        workflow: the table the move stands in, or what the record is called.
        subject: the id under which the history is found.
        event: announced with the entry, in one round trip.
    """
    history.append(
        db,
        application_id=subject,
        workflow=workflow,
        move=move,
        before=str(before),
        after=str(after),
        actor_id=actor.id,
        person_id=actor.person_id,
        role=actor.role.value,
        at=now,
        note=note,
        event=event,
    )


def _stamp(application: Application, before: State, now: datetime) -> None:
    """When it was filed and decided; moves that stay where they are change neither."""
    if application.state in _FILED:
        if before not in _FILED:
            application.submitted_at = now
        application.decided_at = None
    elif application.state in (State.APPROVED, State.REJECTED):
        application.decided_at = now


def take_number(db: Session, *, region: str, business: str, now: datetime) -> str:
    """The next 受理编号 of a region and business today (ER-08).

    Args:
        business: the two digits of the matter.
    """
    day = shanghai_date(now)
    name = f"application:{region[:6]}:{business}"
    ((last,),) = run(db, _NEXT_SERIAL, {"name": name, "day": day})
    return application_number(region, business, day, last)


def _moved(
    business: str,
    application: Application,
    move: str,
    before: str,
    after: str,
    actor: Actor,
    now: datetime,
) -> Event:
    return Event(
        type=f"{business}.{after}.v1",
        subject=application.id,
        time=now,
        stream=APPLICATION,
        data={
            "applicant_id": application.applicant_id,
            "number": application.number,
            "business": business,
            "region": application.region,
            "move": move,
            "before": before,
            "after": after,
            **_acting(actor),
        },
    )


def _acting(actor: Actor) -> dict[str, str]:
    """Who did it for the unit, and through which agency; nothing where nobody acts (EA-11)."""
    if not actor.is_acting or actor.person_id is None:
        return {}
    acted = {"acted_by": actor.person_id}
    return acted if actor.agency_id is None else acted | {"acted_via": actor.agency_id}


def _tell(workflow: str, application_id: str, move: str, before: str, after: str) -> None:
    metrics.MOVES.labels(workflow, move, after).inc()
    log.info(
        "application moved",
        workflow=workflow,
        application_id=application_id,
        move=move,
        before=before,
        after=after,
    )
