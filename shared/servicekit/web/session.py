"""The present request: its transaction, who asks, and when.

There is one transaction per request. It is opened when first asked for and committed before the
answer leaves; a refusal or an error rolls all of it back.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from flask import Request, current_app, g, request
from sqlalchemy.orm import Session

from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.db import Database
from servicekit.errors import Refusal
from servicekit.web.tokens import bearer

if TYPE_CHECKING:
    from servicekit.web.app import Service, ServiceApp


class Exchange:
    """What one request holds while it is answered; the dispatcher opens and closes it.

    Looked up by a context variable of its own: Flask's proxies look for theirs at every use.
    """

    def __init__(
        self, database: Database, *, request: Request, actor: Actor, now: datetime
    ) -> None:
        self.request = request
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


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def begin(made: Exchange) -> Exchange:
    """Make it the present request's until `end`; gives it back."""
    _exchange.set(made)
    return made


def end() -> None:
    """The request is over: the thread's next one must not find who asked before."""
    _exchange.set(None)


def exchange() -> Exchange:
    """What the present request holds; for the kit itself."""
    found = _exchange.get()
    assert found is not None  # outside a request nobody asks
    return found


class _Transaction(AbstractContextManager[Session]):
    def __enter__(self) -> Session:
        return exchange().writing()

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        here = exchange()
        if error is not None and not (here.keeps and isinstance(error, Refusal)):
            here.abandon(error)


_TRANSACTION: Final = _Transaction()


def transaction() -> AbstractContextManager[Session]:
    """The request's one transaction; used again inside, it is the same.

    An exception that leaves the block rolls everything back at once, even when it is caught
    outside. What succeeded is committed when the view has returned, before the answer leaves.
    """
    return _TRANSACTION


def reading() -> AbstractContextManager[Session]:
    """A session for reading, without BEGIN and COMMIT; it refuses to write."""
    return nullcontext(exchange().reading())


def keep_on_refusal() -> None:
    """From here on, what this request wrote is kept even when it is refused.

    For counting wrong tries: the refusal is then the answer to this Idempotency-Key too.
    """
    exchange().keeps = True


def actor() -> Actor:
    """Who is asking, with the role the route's mark found for them."""
    return exchange().actor


def bearer_token() -> str | None:
    """The bearer token the request came with; None where it came without."""
    return bearer(present_request().headers.get("Authorization"))


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
