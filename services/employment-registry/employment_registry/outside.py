"""Asks the registers, as the settings say where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from employment_registry.adapters.population_register import (
    HttpPopulationRegister,
    PopulationRegister,
)
from employment_registry.adapters.register_changes import HttpRegisterChanges, RegisterChanges
from employment_registry.adapters.social_security import HttpSocialSecurity, SocialSecurity
from employment_registry.checks import queries, questions, rules
from employment_registry.checks.questions import Answer, Matters, Task
from employment_registry.checks.rules import System
from employment_registry.settings import Settings
from servicekit.client import Client
from servicekit.clock import SystemClock
from servicekit.errors import OutsideFailed
from servicekit.jobs import JobContext
from servicekit.signed import SignedClient

Ask = Callable[[Task], Answer]
LATE: Final = 100  # questions that are given up, read at a time


@dataclass(frozen=True, slots=True)
class Registers:
    """The outside systems that know of persons, and the lists of what changes in them."""

    population: PopulationRegister
    social_security: SocialSecurity
    changes: Mapping[System, RegisterChanges]

    def ask(self, task: Task) -> Answer:
        """Ask one question.

        Raises:
            OutsideFailed: no answer in time, or one that makes no sense.
        """
        if task.system is System.POPULATION_REGISTER:
            resident = self.population.find(task.name, task.document_number)
            signs = rules.resident_signs(
                agrees=resident.agrees, is_alive=resident.is_alive, hukou=resident.hukou
            )
            return Answer(signs, resident.reference, resident.answer_hash)
        insured = self.social_security.find(task.name, task.document_number)
        signs = rules.insurance_signs(
            employed_since=insured.employed_since, is_pensioner=insured.is_pensioner
        )
        return Answer(signs, insured.reference, insured.answer_hash)


def make_registers(settings: Settings) -> Registers:
    """Clients and secrets as the settings say; the wall clock, for theirs is no other."""
    clients = {system: _signed(settings, system.value.replace("-", "_")) for system in System}
    return Registers(
        HttpPopulationRegister(clients[System.POPULATION_REGISTER]),
        HttpSocialSecurity(clients[System.SOCIAL_SECURITY]),
        {system: HttpRegisterChanges(client) for system, client in clients.items()},
    )


def work_off(context: JobContext, matters: Matters, system: System, ask: Ask) -> None:
    """Ask everything that is due, a few at once, until nothing is; no transaction is open then."""
    settings, database, clock = context.settings, context.database, context.clock
    most = settings.outside_at_once
    with ThreadPoolExecutor(most, thread_name_prefix=system.value) as pool:
        while not context.stop.is_set():
            with database.transaction() as db:
                tasks = questions.claim(db, matters, system, now=clock.now(), most=most)
            for task, answer in zip(tasks, pool.map(_tried(ask), tasks), strict=True):
                with database.transaction() as db:
                    if answer is None:
                        questions.failed(db, matters, task, now=clock.now())
                    else:
                        questions.answered(db, matters, task, answer, now=clock.now())
            if not tasks:
                break
    _tell_late(context, matters, system)


def _tell_late(context: JobContext, matters: Matters, system: System) -> None:
    """Each in a transaction of its own: two applications' histories are held by nobody at once."""
    now, late = context.clock.now(), True
    while late and not context.stop.is_set():
        with context.database.reading() as db:
            found = queries.list_late(db, system, now, most=LATE)
        for check in found:
            with context.database.transaction() as db:
                questions.give_up(db, matters, check, now=now)
        late = bool(found)


def _tried(ask: Ask) -> Callable[[Task], Answer | None]:
    def tried(task: Task) -> Answer | None:
        try:
            return ask(task)
        except OutsideFailed:
            return None  # logged where the call is; the question is asked again

    return tried


def _signed(settings: Settings, name: str) -> SignedClient:
    client = Client(
        getattr(settings, f"{name}_url"),
        timeout=settings.outside_seconds,
        name=name.replace("_", "-"),
        simulators=settings.environment != "production",
    )
    # Asked once: the job asks again, and two layers that repeat would ask fifteen times.
    return SignedClient(client, getattr(settings, f"{name}_secret"), SystemClock(), tries=1)
