"""Which lists of the registry officers export, and what of every line (AL-06)."""

from __future__ import annotations

from typing import Any, Final

from employment_registry.certificate.model import CertificateApplication
from employment_registry.certificate.review_actions import REVIEWS as CERTIFICATES
from employment_registry.certificate.rules import CAUSES as REPLACED_FOR
from employment_registry.certificate.rules import Kind as CertificateKind
from employment_registry.flexible_employment.model import FlexibleEmploymentApplication
from employment_registry.flexible_employment.review_actions import REVIEWS as EMPLOYMENTS
from employment_registry.flexible_employment.rules import EMPLOYMENT_TYPES, Kind
from employment_registry.life import Standing
from employment_registry.life_events.model import PlannedEnding
from employment_registry.life_events.review_actions import REVIEWS as ENDINGS
from employment_registry.settings import Settings
from employment_registry.tables import Base
from employment_registry.unemployment.model import UnemploymentApplication
from employment_registry.unemployment.review_actions import REVIEWS as UNEMPLOYMENTS
from servicekit.exports.desk import Exportable, Exports
from servicekit.exports.files import Files
from servicekit.exports.sheets import Column, Sheet
from servicekit.exports.table import ExportColumns
from servicekit.identifiers import DocumentKind
from servicekit.storage import Storage
from servicekit.teamwork.reviews import TeamReviews
from servicekit.vault import Vault

_DOCUMENTS: Final = {kind: kind.label for kind in DocumentKind}


class Export(ExportColumns, Base):
    """One export."""

    __tablename__ = "export"


def _filed(model: Any) -> tuple[Column, ...]:
    """What every line of a queue says first."""
    return (
        Column("受理编号", model.number, width=26),
        Column("姓名", model.person_name),
        Column("证件类型", model.document_kind, words=_DOCUMENTS, width=24),
        Column("证件号码", model.document_number, width=22),
        Column("行政区划", model.region),
        Column("审核结果", model.state),
        Column("申请时间", model.submitted_at, width=18),
        Column("办结时间", model.decided_at, width=18),
        Column("到期日期", model.due_on, width=12),
    )


def _applications(reviews: TeamReviews[Any], title: str, *own: Column) -> Exportable:
    """A queue of applications: what all of them have, with the matter's own in between."""
    phone = Column("联系电话", reviews.model.contact_phone)
    urged = Column("催办次数", reviews.model.urged_times, width=10)
    columns = (*_filed(reviews.model), phone, *own, urged)
    return Exportable(reviews=reviews, sheet=Sheet(title=title, columns=columns))


_KINDS: Final = {Kind.REGISTRATION: "新增", Kind.CHANGE: "变更"}
_CERTIFICATE_KINDS: Final = {CertificateKind.FIRST: "申领", CertificateKind.REPLACEMENT: "补换"}
_STANDINGS: Final = {Standing.EMPLOYED: "就业", Standing.UNEMPLOYED: "失业"}
_EMPLOYMENT: Final = FlexibleEmploymentApplication
_CERTIFICATE: Final = CertificateApplication

MATTERS: Final = (
    _applications(
        EMPLOYMENTS,
        "灵活就业登记",
        Column("申请类型", _EMPLOYMENT.kind, words=_KINDS),
        Column("就业类型", _EMPLOYMENT.employment_type, words=EMPLOYMENT_TYPES, width=24),
        Column("开始日期", _EMPLOYMENT.started_on, width=12),
        Column("从事职业", _EMPLOYMENT.occupation, width=24),
    ),
    _applications(
        UNEMPLOYMENTS,
        "失业登记",
        Column("失业日期", UnemploymentApplication.unemployed_on, width=12),
    ),
    _applications(
        CERTIFICATES,
        "就业创业证",
        Column("申请类型", _CERTIFICATE.kind, words=_CERTIFICATE_KINDS),
        Column("补换原因", _CERTIFICATE.cause, words=REPLACED_FOR),
    ),
    Exportable(
        reviews=ENDINGS,
        sheet=Sheet(
            title="终止登记申诉",
            columns=(
                *_filed(PlannedEnding),
                Column("登记", PlannedEnding.standing, words=_STANDINGS),
                Column("终止日期", PlannedEnding.takes_effect_on, width=12),
            ),
        ),
    ),
)


def exports_of(settings: Settings, vault: Vault) -> Exports[Export]:
    """The exports of an installation."""
    return Exports(Export, MATTERS, Files(Storage.of(settings), vault, "employment-registry"))
