"""A service is one declaration, and ``build`` makes the Flask app of it; routes deny by default.

Every request goes one way: request id and trace → size limits → token → access mark →
Idempotency-Key and transaction → view → commit → answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import flask
from flask import Flask
from flask.sessions import NullSession, SessionInterface
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound
from werkzeug.routing import MapAdapter
from werkzeug.sansio.utils import get_host

from servicekit import logs, revocations, tracing
from servicekit.clock import Clock, SystemClock
from servicekit.db import Database
from servicekit.errors import Refusal
from servicekit.revocations import Revocations
from servicekit.settings import ServiceSettings
from servicekit.vault import Vault
from servicekit.web import access_log, health, idempotency, limits, parsing, problem, versions
from servicekit.web.access import Mark, identify, mark_of
from servicekit.web.json_text import OrjsonProvider
from servicekit.web.keys import RemoteKeys
from servicekit.web.routes import LateRule
from servicekit.web.session import Exchange, begin, end, present_request
from servicekit.web.tokens import TokenVerifier, bearer, is_revoked

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from sqlalchemy.orm import DeclarativeBase

    from servicekit.facts import Facts
    from servicekit.inbox import Subscriptions
    from servicekit.jobs import Jobs
    from servicekit.key_rings import KeyRing
    from servicekit.workflow import Workflow

AUDIENCE = "urn:jiuye:api"


class UnmarkedRoute(RuntimeError):
    """Nobody said who may use these routes, so the service does not start."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a service is made of; ``app.py`` of every service holds one.

    ``blueprints`` are ``servicekit.web.api.Blueprint`` (documented, under ``/api/<name>/v1``
    when their prefix does not begin with ``/api/``) or plain Flask ones (pages, as they are).
    ``waiting`` requests may stand by beside those that work: they hold a thread each, but neither
    a core nor a connection (logins that wait for their turn).
    """

    name: str
    title: str  # Chinese
    package: str
    base: type[DeclarativeBase]
    facts: Facts
    subscriptions: Subscriptions
    jobs: Jobs
    blueprints: Sequence[flask.Blueprint] = ()
    workflows: Sequence[Workflow[Any]] = ()
    description: str = ""
    waiting: int = 0
    keys: Callable[[Database], KeyRing] | None = None  # what it signs with

    def __post_init__(self) -> None:
        """Every service hears which tokens are worth nothing any more (ID-43)."""
        revocations.subscribe(self.subscriptions)


class _NoSessions(SessionInterface):
    """There are no cookies of Flask's."""

    _none = NullSession()

    def open_session(self, app: Flask, request: flask.Request) -> NullSession:
        return self._none


class ServiceApp(Flask):
    """A Flask app that knows its service, its database and who may use each route."""

    json_provider_class = OrjsonProvider
    url_rule_class = LateRule
    session_interface = _NoSessions()

    def __init__(self, service: Service, settings: ServiceSettings, clock: Clock) -> None:
        super().__init__(service.package, static_folder=None)
        self.service = service
        self.settings = settings
        self.clock = clock
        self.vault = Vault(settings.field_keys, settings.index_key, settings.cipher_suite)
        self.database = Database(
            settings.database_url,
            vault=self.vault,
            pool_size=settings.database_pool,
            kept=settings.database_kept,
            application_name=f"{service.name}-web",
        )
        self.revocations = Revocations(clock)
        self.verifier = TokenVerifier(
            issuer=settings.issuer,
            audience=AUDIENCE,
            keys=RemoteKeys(settings.jwks_url, clock),
            clock=clock,
            revoked=partial(is_revoked, self.revocations),
        )
        self.marks: dict[str, Mark] = {}
        self.query_names: dict[str, frozenset[str]] = {}
        self.readiness = health.Readiness(
            health.database_of(settings.database_url, service.package)
        )
        self.draining: Callable[[], bool] = lambda: False  # the launcher knows better

    def create_url_adapter(self, request: flask.Request | None) -> MapAdapter | None:
        """Look a path up by itself: nothing of ours depends on the host that was asked for."""
        if request is None:
            return None
        environ = request.environ
        method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
        host, scheme = _host(environ.get("HTTP_HOST")), environ["wsgi.url_scheme"]
        return MapAdapter(self.url_map, host, "/", "", scheme, request.path, method, query)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Name the request and the trace before anything else can fail."""
        environ["servicekit.started"] = time.perf_counter()
        request_id = access_log.request_id(environ.get("HTTP_X_REQUEST_ID"))
        environ["servicekit.request_id"] = request_id
        with tracing.continued(environ.get("HTTP_TRACEPARENT")):
            logs.unbind_all()
            logs.bind(service=self.service.name, request_id=request_id)
            try:
                return super().wsgi_app(environ, start_response)
            finally:
                end()

    def dispatch_request(self) -> ResponseReturnValue:
        """The one way of every request; see the module's sentence."""
        asked = present_request()
        if asked.routing_exception is not None:
            self.raise_routing_exception(asked)
        if parsing.NUL in asked.path:
            raise NotFound
        rule = asked.url_rule
        assert rule is not None
        if asked.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
            return self.make_default_options_response()
        mark = self.marks[rule.endpoint]
        limits.check_body(asked, mark)
        claims = None
        if not mark.is_public:
            text = bearer(asked.headers.get("Authorization"))
            claims = None if text is None else self.verifier.verify(text)
        actor = identify(mark, claims, asks=asked.method in ("GET", "HEAD"))
        logs.bind(actor_id=actor.id)
        parsing.check_query_names(asked, self.query_names.get(rule.endpoint))
        exchange = begin(Exchange(self.database, request=asked, actor=actor, now=self.clock.now()))
        return self._answer(exchange, mark, self.view_functions[rule.endpoint])

    def process_response(self, response: flask.Response) -> flask.Response:
        """A blueprint's own finish, where it has one; then that of every answer."""
        if present_request().blueprint in self.after_request_funcs:
            response = super().process_response(response)
        return access_log.finish(response)

    def _answer(
        self, exchange: Exchange, mark: Mark, view: Callable[..., Any]
    ) -> ResponseReturnValue:
        def run() -> flask.Response:
            response = self.make_response(view(**(exchange.request.view_args or {})))
            return versions.tagged(response, exchange.version)

        try:
            keyed = idempotency.needed(exchange.request, mark)
            response = idempotency.answer(exchange, run) if keyed else run()
            exchange.commit()
        except BaseException as error:
            if isinstance(error, Refusal) and exchange.keeps:
                return idempotency.keep_refusal(exchange, error)
            exchange.abandon(error)
            raise
        finally:
            exchange.close()
        return response


@lru_cache(maxsize=1000)
def _host(header: str | None) -> str:
    """Of a redirection's address, if it is one."""
    return get_host("http", header)


def build(service: Service, settings: ServiceSettings, *, clock: Clock | None = None) -> ServiceApp:
    """Put a service together without connecting to anything.

    Raises:
        UnmarkedRoute: naming every route that does not say who may use it.
    """
    app = ServiceApp(service, settings, clock or SystemClock())
    app.config["MAX_FORM_MEMORY_SIZE"] = limits.MAX_BODY
    app.url_map.strict_slashes = False
    problem.install(app)
    app.register_blueprint(health.blueprint)
    for blueprint in service.blueprints:
        app.register_blueprint(blueprint, url_prefix=api_prefix(service, blueprint))
    unmarked = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        mark = mark_of(view)
        if mark is None:
            unmarked.append(str(rule))
            continue
        app.marks[rule.endpoint] = mark
        if (names := parsing.query_names(view)) is not None:
            app.query_names[rule.endpoint] = names
    if unmarked:
        raise UnmarkedRoute(f"{service.name}: say who may use {', '.join(sorted(unmarked))}")
    return app


def api_prefix(service: Service, blueprint: flask.Blueprint) -> str | None:
    """Where a blueprint stands: documented ones under ``/api/<service>/v1``."""
    prefix = blueprint.url_prefix or ""
    if not parsing.is_documented(blueprint) or prefix.startswith("/api/"):
        return blueprint.url_prefix
    return f"/api/{service.name}/v1{prefix}"
