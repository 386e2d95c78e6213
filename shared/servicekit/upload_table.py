"""What the kit knows of a file that somebody sent: kinds, states, refusals, the row's columns."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import DateTime, Index, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from servicekit.columns import NOT_PERSONAL, new_id, words
from servicekit.errors import Conflict, NotFound, TooMany, Unavailable
from servicekit.file_kinds import EXTENSIONS

_TIME = DateTime(timezone=True)


class UploadState(StrEnum):
    """How far a file has come."""

    RECEIVING = "receiving"
    READY = "ready"
    ATTACHED = "attached"
    DELETING = "deleting"
    DELETED = "deleted"


SHOWN: Final = (UploadState.READY, UploadState.ATTACHED)
_STATE = words(UploadState)


class UploadNotFound(NotFound):
    """There is none, it is somebody else's, or it has been deleted."""

    code = "upload-not-found"
    default_message = "未找到该文件，请重新上传"


class UploadInUse(Conflict):
    """The file belongs to something that was filed."""

    code = "upload-in-use"
    default_message = "该文件已用于申请，不能删除"


class TooManyFiles(TooMany):
    """Files that nobody attaches to anything."""

    code = "too-many-files"
    default_message = "您已上传较多未使用的文件，请先提交或删除后再上传"


class UploadsBusy(Unavailable):
    """Too many files at once; the same file may be sent again."""

    code = "uploads-busy"
    default_message = "正在处理的文件较多，请稍后再上传"


class UploadColumns:
    """One file; mix into a table named ``upload``. Its bytes lie in the storage, sealed."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    owner_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    uploaded_by: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    purpose: Mapped[str] = mapped_column(String(64), info=NOT_PERSONAL)
    kind: Mapped[str] = mapped_column(String(40), info=NOT_PERSONAL)
    state: Mapped[UploadState] = mapped_column(_STATE, info=NOT_PERSONAL)
    subject_id: Mapped[str | None] = mapped_column(String(36), info=NOT_PERSONAL)
    media_type: Mapped[str] = mapped_column(String(40), info=NOT_PERSONAL)
    size: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    pages: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    sha256: Mapped[str] = mapped_column(String(64), info=NOT_PERSONAL)
    storage_key: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    attached_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    delete_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    deleted_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        gone = f"state <> '{UploadState.DELETED.value}'"
        return (
            Index("upload_owner", "owner_id", "created_at", "id"),
            Index("upload_subject", "subject_id"),
            Index("upload_due", "delete_at", postgresql_where=gone),
        )

    @property
    def file_name(self) -> str:
        """What a browser saves it as; the name it was sent under may have named a person."""
        return f"{self.kind}-{self.id[:8]}.{EXTENSIONS[self.media_type]}"
