"""The registry's forms in Django REST framework, served by gunicorn's threads.

See ``registry_duty`` for what is done and what is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import registry_duty as duty
from registry_django_tables import Entry, Filing, Head, Key, Outbox, Record  # first: the settings

# isort: split
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.db.models import Q
from django.http import HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from employment_registry.flexible_employment.rules import EmploymentType
from servicekit.identifiers import check_mobile_number
from servicekit.personal import DocumentNumber, MobileNumber, PersonName

_NEXT_SERIAL = re.sub(r":\w+", "%s", duty.NEXT_SERIAL)
_NEXT_SEQUENCE = re.sub(r":\w+", "%s", duty.NEXT_SEQUENCE)


def tell(answer: Callable[[Any], HttpResponse]) -> Callable[[Any], HttpResponse]:
    """Middleware: ids, the line and the measurement of every request."""

    def middle(request: Any) -> HttpResponse:
        given = request.headers
        with duty.told(
            request.method, given.get("X-Request-Id", ""), given.get("traceparent")
        ) as told:
            response = answer(request)
            for name, value in told.headers.items():
                response[name] = value
            route = request.resolver_match.route if request.resolver_match else ""
            told.answered(route, response.status_code, len(response.content))
            return response

    return middle


class Caller:
    """Who asks."""

    is_authenticated = True

    def __init__(self, account: str) -> None:
        self.account = account


class Tokens(BaseAuthentication):
    """Bearer tokens."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        return Caller(duty.person(request.headers.get("Authorization", ""))), None


class Phone(serializers.CharField):
    """Read in full, shown masked."""

    def to_internal_value(self, data: Any) -> str:
        return check_mobile_number(super().to_internal_value(data))

    def to_representation(self, value: str) -> str | None:
        return duty.masked(MobileNumber, value)


class EmploymentSerializer(serializers.Serializer[Any]):
    """The form; any field may be missing."""

    employment_type = serializers.ChoiceField(
        [each.value for each in EmploymentType], required=False, allow_null=True
    )
    started_on = serializers.DateField(required=False, allow_null=True)
    work_place = serializers.RegexField(r"^44(\d{2}|\d{4}|\d{7})$", required=False, allow_null=True)
    address = serializers.CharField(max_length=200, required=False, allow_null=True)
    occupation = serializers.CharField(max_length=60, required=False, allow_null=True)
    monthly_income = serializers.DecimalField(
        max_digits=9, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    contact_phone = Phone(required=False, allow_null=True)


class SavingSerializer(serializers.Serializer[Any]):
    employment = EmploymentSerializer()


class NoteSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=500, required=False, allow_null=True)


class PersonSerializer(serializers.Serializer[Any]):
    name = serializers.SerializerMethodField()
    document_kind = serializers.CharField()
    document_number = serializers.SerializerMethodField()
    born_on = serializers.SerializerMethodField()
    sex = serializers.CharField()

    def get_name(self, filing: Filing) -> str | None:
        return duty.masked(PersonName, filing.person_name)

    def get_document_number(self, filing: Filing) -> str | None:
        return duty.masked(DocumentNumber, filing.document_number)

    def get_born_on(self, filing: Filing) -> str:
        return f"{filing.born_on[:4]}-**-**"


class ShownSerializer(serializers.Serializer[Any]):
    """One's own application in full."""

    id = serializers.CharField()
    number = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    state_label = serializers.SerializerMethodField()
    region = serializers.CharField()
    person = PersonSerializer(source="*")
    submitted_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    open_moves = serializers.SerializerMethodField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    record_id = serializers.CharField()
    employment = EmploymentSerializer(source="*")
    decision_reason = serializers.CharField()
    fields_to_correct = serializers.ListField(child=serializers.CharField())

    def get_state_label(self, filing: Filing) -> str:
        return duty.STATES[filing.state]

    def get_open_moves(self, filing: Filing) -> list[str]:
        return duty.MOVES[filing.state]


class Write(APIView):
    """Both ways of writing: the key first, one transaction, the answer kept."""

    serializer: type[serializers.Serializer[Any]]
    authentication_classes = (Tokens,)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, duty.Refused):
            return Response({"code": exc.code}, exc.status)
        return super().handle_exception(exc)

    def answer(self, request: Request, application_id: str) -> HttpResponse:
        account, key = request.user.account, request.headers["Idempotency-Key"]
        print_ = duty.fingerprint(request.method or "", request.path, request._request.body)
        given = self.serializer(data=request.data)
        given.is_valid(raise_exception=True)
        with transaction.atomic():
            now = duty.today()[0]
            row = Key(actor_key=account, key=key, fingerprint=print_, created_at=now)
            if not Key.objects.bulk_create([row], ignore_conflicts=True):
                raise duty.Refused(409, "request-in-progress")
            filing = Filing.objects.filter(pk=application_id).first()
            duty.check(filing, account, duty.seen(request.headers.get("If-Match")))
            assert filing is not None
            self.write(filing, given.validated_data, account)
            body = JSONRenderer().render(ShownSerializer(filing).data)
            headers = {"ETag": f'"{filing.version}"', "Content-Type": "application/json"}
            sealed = duty.vault.seal(body.decode(), "idempotency_key.body")
            Key.objects.filter(pk=(account, key)).update(status=200, headers=headers, body=sealed)
        if isinstance(self, Submit):
            duty.moved(filing.id)
        return HttpResponse(body, headers=headers)

    def write(self, filing: Filing, given: dict[str, Any], account: str) -> None:
        raise NotImplementedError

    def store(self, filing: Filing, names: list[str]) -> None:
        """Write these columns, if nobody wrote the row meanwhile."""
        values = {name: getattr(filing, name) for name in names}
        seen = filing.version
        filing.version += 1
        found = Filing.objects.filter(pk=filing.pk, version=seen)
        if not found.update(**values, version=filing.version):
            raise duty.Refused(412, "changed-meanwhile")


class Save(Write):
    serializer = SavingSerializer

    def patch(self, request: Request, application_id: str) -> HttpResponse:
        return self.answer(request, application_id)

    def write(self, filing: Filing, given: dict[str, Any], account: str) -> None:
        for name, value in given["employment"].items():
            setattr(filing, name, value)
        filing.updated_at = duty.today()[0]
        self.store(filing, [*given["employment"], "updated_at"])


class Submit(Write):
    serializer = NoteSerializer

    def post(self, request: Request, application_id: str) -> HttpResponse:
        return self.answer(request, application_id)

    def write(self, filing: Filing, given: dict[str, Any], account: str) -> None:
        registered = Q(applicant_id=account) | Q(person_key=filing.person_key)
        valid = Record.objects.filter(registered, is_valid=True).select_for_update()
        if valid.values_list("id").first() is not None:
            raise duty.Refused(409, "already-flexibly-employed")
        now, today = duty.today()
        duty.check_submission(filing, date.fromisoformat(filing.born_on), today)
        region = filing.work_place
        with connection.cursor() as cursor:
            cursor.execute(_NEXT_SERIAL, [duty.serial_name(region), today])
            filing.number = duty.number(region, today, cursor.fetchone()[0])
        filing.region, filing.state, filing.due_on = region, "submitted", duty.due_on(today)
        filing.submitted_at = filing.updated_at = now
        self.store(filing, ["number", "region", "state", "due_on", "submitted_at", "updated_at"])
        head = Head.objects.select_for_update().get(lane=duty.lane_of(filing.id))
        entry = Entry(**duty.entry(filing.id, account, now, head))
        entry.save(force_insert=True)
        Head.objects.filter(lane=head.lane).update(position=entry.position, hash=entry.hash)
        event = duty.event(filing, now)
        with connection.cursor() as cursor:
            names = ("matter", "stream", "subject", "time")
            cursor.execute(_NEXT_SEQUENCE, [event[name] for name in names])
            last, before = cursor.fetchone()
            Outbox(**event, sequence=last, preceded_at=before).save(force_insert=True)
            cursor.execute("SELECT pg_notify('outbox', '')")


def livez(_: Any) -> HttpResponse:
    return HttpResponse("ok")


_PATH = "api/employment-registry/v1/flexible-employment-registrations/<str:application_id>"
urlpatterns = [
    path("livez", livez),
    path(_PATH, Save.as_view()),
    path(f"{_PATH}/submit", Submit.as_view()),
]
app = get_wsgi_application()
