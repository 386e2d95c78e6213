"""The present request: its transaction, who asks, and when.

There is one transaction per request. It is opened when first asked for and committed before the
answer leaves; a refusal or an error rolls all of it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, cast

from flask import Request, current_app, g, request
from sqlalchemy.orm import Session

from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.db import Database
from servicekit.errors import Refusal

if TYPE_CHECKING:
    from servicekit.web.app import Service, ServiceApp


class Exchange:
    """What one request holds while it is answered; the dispatcher opens and closes it."""

    def __init__(self, database: Database, *, actor: Actor, now: datetime) -> None:
        self.actor = actor
        self.now = now
        self.keeps = False
        self.version: int | None = None
        self._database = database
        self._writing: tuple[AbstractContextManager[Session], Session] | None = None
        self._reading: tuple[AbstractContextManager[Session], Session] | None = None

    @cached_property
    def today(self) -> date:
        """The day of the request in Shanghai."""
        return shanghai_date(self.now)

    def writing(self) -> Session:
        """The request's transaction, begun if need be."""
        if self._writing is None:
            self._close_reading()  # never two connections for one request
            context = self._database.transaction()
            self._writing = (context, context.__enter__())
        return self._writing[1]

    def reading(self) -> Session:
        """A session that reads statement by statement, or the transaction where there is one."""
        if self._writing is not None:
            return self._writing[1]
        if self._reading is None:
            context = self._database.reading()
            self._reading = (context, context.__enter__())
        return self._reading[1]

    @property
    def is_writing(self) -> bool:
        """Is a transaction open?"""
        return self._writing is not None

    def commit(self) -> None:
        """Make it so; raises what the database raises."""
        if self._writing is not None:
            (context, _), self._writing = self._writing, None
            context.__exit__(None, None, None)

    def abandon(self, error: BaseException) -> None:
        """Undo everything and give the connections back."""
        self._close_reading()
        if self._writing is not None:
            (context, _), self._writing = self._writing, None
            context.__exit__(type(error), error, error.__traceback__)

    def close(self) -> None:
        """Give the reading connection back."""
        self._close_reading()

    def _close_reading(self) -> None:
        if self._reading is not None:
            (context, _), self._reading = self._reading, None
            context.__exit__(None, None, None)


def exchange() -> Exchange:
    """What the present request holds; for the kit itself."""
    # The proxy itself would be asked twice over, and a page of lines asks a hundred times.
    return cast(Exchange, g._get_current_object().exchange)


@contextmanager
def transaction() -> Iterator[Session]:
    """The request's one transaction; used again inside, it is the same.

    An exception that leaves the block rolls everything back at once, even when it is caught
    outside. What succeeded is committed when the view has returned, before the answer leaves.
    """
    here = exchange()
    try:
        yield here.writing()
    except BaseException as error:
        if not (here.keeps and isinstance(error, Refusal)):
            here.abandon(error)
        raise


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading, without BEGIN and COMMIT; it refuses to write."""
    yield exchange().reading()


def keep_on_refusal() -> None:
    """From here on, what this request wrote is kept even when it is refused.

    For counting wrong tries: the refusal is then the answer to this Idempotency-Key too.
    """
    exchange().keeps = True


def actor() -> Actor:
    """Who is asking, with the role the route's mark found for them."""
    return exchange().actor


def now() -> datetime:
    """The moment of the request, aware, in UTC; the same as long as the request lasts."""
    return exchange().now


def today() -> date:
    """The day of the request in Shanghai; worked out once, however many lines ask for it."""
    return exchange().today


def app() -> ServiceApp:
    """The app that answers."""
    return cast("ServiceApp", current_app._get_current_object())  # type: ignore[attr-defined]


def present_request() -> Request:
    """The request itself, for who looks at it often: the proxy looks for it at every use."""
    return cast(Request, request._get_current_object())  # type: ignore[attr-defined]


def service() -> Service:
    """The declaration of the service that answers."""
    return app().service


def request_id() -> str:
    """The id of the request, as the gateway gave it; it is in every log line and problem."""
    return cast(str, g.request_id)
