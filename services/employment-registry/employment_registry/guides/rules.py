"""Which businesses have a service guide, and what a guide must say (ER-10, PRT-06)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from employment_registry.certificate import opening_rules as certificate
from employment_registry.certificate.rules import REASONS as CERTIFICATE_REASONS
from employment_registry.certificate.rules import Kind as CertificateKind
from employment_registry.conditions import Condition
from employment_registry.flexible_employment import opening_rules as flexible
from employment_registry.flexible_employment.rules import REASONS as FLEXIBLE_REASONS
from employment_registry.flexible_employment.rules import Kind as FlexibleKind
from employment_registry.life_events import opening_rules as objection
from employment_registry.life_events.rules import REASONS as ENDING_REASONS
from employment_registry.unemployment import opening_rules as unemployment
from employment_registry.unemployment.rules import REASONS as UNEMPLOYMENT_REASONS
from servicekit import regions
from servicekit.claims import Reason
from servicekit.errors import FieldError, Invalid, NotFound

HOTLINE: Final = "12333"  # 全国统一的人力资源和社会保障服务电话
# Filled from the policies in force when a guide is read; a number is never written twice.
PLACEHOLDERS: Final = ("youngest_years", "pause_days", "look_back_days")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Business:
    """One business: what its form checks, its time limit, where it is opened, why it is refused.

    ``limit`` is the field of ``ReviewLimit``; None where it takes effect at once. ``form`` is
    below the service's API, as ``method path``. ``reasons`` are the officers' ready ones, which
    rest on entries of its guide.
    """

    conditions: Sequence[Condition[Any]]
    limit: str | None
    form: str
    reasons: Sequence[Reason] = ()


BUSINESSES: Final[Mapping[str, Business]] = {
    flexible.GUIDES[FlexibleKind.REGISTRATION]: Business(
        flexible.CONDITIONS[FlexibleKind.REGISTRATION],
        "flexible_employment",
        "POST /flexible-employment-registrations",
        FLEXIBLE_REASONS,
    ),
    flexible.GUIDES[FlexibleKind.CHANGE]: Business(
        flexible.CONDITIONS[FlexibleKind.CHANGE],
        "flexible_employment",
        "POST /flexible-employment-registrations",
        FLEXIBLE_REASONS,
    ),
    flexible.CANCELLATION_GUIDE: Business(
        flexible.CANCELLATION,
        None,
        "POST /flexible-employment-registrations/{application_id}/cancel",
    ),
    unemployment.GUIDE: Business(
        unemployment.CONDITIONS,
        "unemployment",
        "POST /unemployment-registrations",
        UNEMPLOYMENT_REASONS,
    ),
    unemployment.PLACE_GUIDE: Business(
        unemployment.PLACE_CONDITIONS,
        None,
        "POST /unemployment-records/current/change-service-place",
    ),
    certificate.GUIDES[CertificateKind.FIRST]: Business(
        certificate.CONDITIONS[CertificateKind.FIRST],
        "certificate",
        "POST /certificate-applications",
        CERTIFICATE_REASONS,
    ),
    certificate.GUIDES[CertificateKind.REPLACEMENT]: Business(
        certificate.CONDITIONS[CertificateKind.REPLACEMENT],
        "certificate",
        "POST /certificate-applications",
        CERTIFICATE_REASONS,
    ),
    objection.GUIDE: Business(
        objection.CONDITIONS,
        None,
        "POST /planned-endings/{ending_id}/object",
        ENDING_REASONS,
    ),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask (咨询方式)."""

    region: str
    name: str
    phone: str
    address: str | None = None
    hours: str | None = None


class GuideNotFound(NotFound):
    """There is no such guide, or no such version of it."""

    code = "guide-not-found"
    default_message = "未找到该办事指南"


class GuideIncomplete(Invalid):
    """The text is not fit to be published."""

    code = "guide-incomplete"
    default_message = "办事指南内容有误，请按提示修改后再发布"


class RegionUnknown(Invalid):
    """There is no such region, so no office."""

    code = "region-unknown"
    default_message = "没有这个行政区划，请重新选择"


def business(item: str) -> Business:
    """The business behind a guide.

    Raises:
        GuideNotFound
    """
    found = BUSINESSES.get(item)
    if found is None:
        raise GuideNotFound
    return found


def check_region(region: str) -> None:
    """Only regions of Guangdong have an office.

    Raises:
        RegionUnknown
    """
    if regions.find(region) is None:
        text = RegionUnknown.default_message
        raise RegionUnknown(fields=[FieldError("/region", "unknown", text)])


def completed(content: Mapping[str, Any]) -> dict[str, Any]:
    """A version's text with what the oldest ones did not have: codes, notes and remedies."""
    stated = content["stated_conditions"]
    return {
        "notes": [],
        "remedies": [],
        **content,
        "stated_conditions": [
            {"code": None, "text": each} if isinstance(each, str) else each for each in stated
        ],
        "materials": [{"code": None, **each} for each in content["materials"]],
    }


def entry(
    content: Mapping[str, Any], conditions: Sequence[Mapping[str, str]], rests_on: str
) -> str | None:
    """What stands at ``materials/phone`` of a version; None where it has nothing there.

    Args:
        conditions: those that the form checks.
    """
    section, _, code = rests_on.partition("/")
    text = completed(content)
    if section == "materials":
        return next((each["name"] for each in text["materials"] if each["code"] == code), None)
    return {each["code"]: each["text"] for each in (*conditions, *text["stated_conditions"])}.get(
        code
    )


def check_content(
    content: Mapping[str, Any], business: Business, before: Mapping[str, Any]
) -> None:
    """Only known placeholders, offices of regions there are, and what ready reasons rest on.

    Args:
        before: the version that it takes the place of.

    Raises:
        GuideIncomplete: naming every wrong field.
    """
    faults = [*_placeholder_faults("/content", content), *_code_faults(content)]
    rests_on = dict.fromkeys(each.rests_on for each in business.reasons if each.rests_on)
    for each in rests_on:
        section, _, code = each.partition("/")
        if entry(before, (), each) is not None and entry(content, (), each) is None:
            field = f"/content/{'stated_conditions' if section == 'conditions' else section}"
            faults.append(FieldError(field, "reason-rests-on", f"常用理由引用了“{code}”，请保留"))
    for place, contact in enumerate(content["contacts"]):
        if regions.find(contact["region"]) is None:
            field = f"/content/contacts/{place}/region"
            faults.append(FieldError(field, "unknown", "没有这个行政区划，请重新选择"))
    if faults:
        raise GuideIncomplete(fields=faults)


def filled(text: Any, values: Mapping[str, object]) -> Any:
    """The same with every placeholder replaced, however deep."""
    if isinstance(text, str):
        return _PLACEHOLDER.sub(lambda m: str(values.get(m[1], m[0])), text)
    if isinstance(text, Mapping):
        return {name: filled(each, values) for name, each in text.items()}
    if isinstance(text, list):
        return [filled(each, values) for each in text]
    return text


def contact_of(region: str, contacts: Sequence[Mapping[str, Any]]) -> Contact:
    """The office nearest to a region that the guide names; else its authority and the hotline."""
    near = [each for each in contacts if region.startswith(each["region"])]
    if near:
        return Contact(**max(near, key=lambda each: len(each["region"])))
    return Contact(region, f"{regions.full_name(region)}人力资源和社会保障部门", HOTLINE)


def _code_faults(content: Mapping[str, Any]) -> Iterator[FieldError]:
    for name in ("stated_conditions", "materials"):
        codes = [each["code"] for each in content[name] if each["code"] is not None]
        if len(set(codes)) < len(codes):
            yield FieldError(f"/content/{name}", "code-twice", "同一代码不能重复使用")


def _placeholder_faults(field: str, value: Any) -> Iterator[FieldError]:
    if isinstance(value, str):
        for name in _PLACEHOLDER.findall(value):
            if name not in PLACEHOLDERS:
                yield FieldError(field, "unknown-placeholder", f"没有名为“{name}”的政策数值")
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _placeholder_faults(f"{field}/{key}", each)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _placeholder_faults(f"{field}/{place}", each)
