"""The tables of the registry as Django maps them, sealed columns by a field of their own.

Importing this sets Django up: it wants its settings before its models.
"""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings
from sqlalchemy.engine import make_url

_url = make_url(os.environ["PEER_DATABASE_URL"])
settings.configure(
    DEBUG=False,
    SECRET_KEY=os.environ["PEER_INDEX_KEY"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="registry_django",
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["registry_django.tell", "django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.database,
            "USER": _url.username,
            "HOST": _url.query["host"],
            "CONN_MAX_AGE": None,
            "OPTIONS": {"server_side_binding": True},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    },
)
django.setup()

import registry_duty as duty  # noqa: E402
from django.db import models  # noqa: E402


class SealedField(models.BinaryField):
    """Text that is sealed at rest."""

    def _place(self) -> str:
        return f"{duty.TABLE}.{self.column}"

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        return None if value is None else duty.vault.open(bytes(value), self._place())

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        sealed = None if value is None else duty.vault.seal(value, self._place())
        return super().get_db_prep_value(sealed, connection, prepared)


class Filing(models.Model):
    """The application."""

    id = models.CharField(primary_key=True, max_length=36)
    number = models.CharField(max_length=40, null=True)
    applicant_id = models.CharField(max_length=80)
    filed_by = models.CharField(max_length=80, null=True)
    state = models.CharField(max_length=16)
    version = models.IntegerField()
    region = models.CharField(max_length=12, null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=16)
    record_id = models.CharField(max_length=36, null=True)
    person_key = models.BinaryField()
    person_name = SealedField()
    document_kind = models.CharField(max_length=32)
    document_number = SealedField()
    born_on = SealedField()
    sex = models.CharField(max_length=8)
    employment_type = models.CharField(max_length=16, null=True)
    started_on = models.DateField(null=True)
    work_place = models.CharField(max_length=12, null=True)
    address = models.CharField(max_length=200, null=True)
    occupation = models.CharField(max_length=60, null=True)
    monthly_income = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    contact_phone = SealedField(null=True)
    due_on = models.DateField(null=True)
    days_left = models.IntegerField(null=True)
    claimed_by = models.CharField(max_length=80, null=True)
    claimed_until = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=1000, null=True)
    fields_to_correct = models.JSONField()

    class Meta:
        app_label, db_table, managed = "peer", duty.TABLE, False


class Record(models.Model):
    """The registration in force."""

    id = models.CharField(primary_key=True, max_length=36)
    applicant_id = models.CharField(max_length=80)
    person_key = models.BinaryField()
    is_valid = models.BooleanField()

    class Meta:
        app_label, db_table, managed = "peer", "flexible_employment_record", False


class Key(models.Model):
    """An Idempotency-Key and its answer."""

    pk = models.CompositePrimaryKey("actor_key", "key")
    actor_key = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.IntegerField(null=True)
    headers = models.JSONField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "peer", "idempotency_key", False


class Head(models.Model):
    """The newest entry of a lane."""

    lane = models.IntegerField(primary_key=True)
    position = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        app_label, db_table, managed = "peer", "history_head", False


class Entry(models.Model):
    """A move."""

    id = models.CharField(primary_key=True, max_length=36)
    lane = models.IntegerField()
    position = models.BigIntegerField()
    application_id = models.CharField(max_length=36)
    workflow = models.CharField(max_length=120)
    move = models.CharField(max_length=40)
    before = models.CharField(max_length=32)
    after = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=80)
    person_id = models.CharField(max_length=80, null=True)
    role = models.CharField(max_length=16)
    at = models.DateTimeField()
    note = models.TextField(null=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        app_label, db_table, managed = "peer", "application_history", False


class Outbox(models.Model):
    """An event on its way out."""

    id = models.CharField(primary_key=True, max_length=36)
    stream = models.CharField(max_length=16)
    type = models.CharField(max_length=160)
    matter = models.CharField(max_length=80)
    subject = models.CharField(max_length=80)
    sequence = models.BigIntegerField()
    preceded_at = models.DateTimeField(null=True)
    time = models.DateTimeField()
    data = models.JSONField()
    traceparent = models.CharField(max_length=55, null=True)

    class Meta:
        app_label, db_table, managed = "peer", "outbox", False
