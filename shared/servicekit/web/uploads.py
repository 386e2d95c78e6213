"""HTTP for files (AL-05): the bytes come as the body of a request and go as an attachment.

``add_uploads`` gives a service the endpoints for one's own files; what an officer may see of
them is the matter's to say, which answers with ``sent``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from flask import Response, request
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from servicekit.applications import Actor
from servicekit.file_kinds import EXTENSIONS, FileKind
from servicekit.upload_table import UploadColumns
from servicekit.uploads import Uploads
from servicekit.web import session
from servicekit.web.access import large_body, unkeyed
from servicekit.web.api import Blueprint

BINARY: Final = {"type": "string", "format": "binary"}
TYPES: Final = ", ".join(sorted(EXTENSIONS))
EXAMPLE: Final = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8059",
    "kind": "business-licence",
    "state": "ready",
    "media_type": "image/jpeg",
    "size": 182044,
    "pages": 1,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "created_at": "2026-03-02T01:30:00+00:00",
    "delete_at": "2026-03-03T01:30:00+00:00",
}


class UploadSchema(Schema):
    """A file that was sent and taken."""

    id = fields.Str(required=True)
    kind = fields.Str(required=True)
    state = fields.Str(required=True)
    media_type = fields.Str(required=True)
    size = fields.Int(required=True, metadata={"description": "Bytes as kept."})
    pages = fields.Int(required=True)
    sha256 = fields.Str(required=True, metadata={"description": "Of the bytes as kept."})
    created_at = fields.AwareDateTime(required=True)
    delete_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When it is deleted unless it is used before."},
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """Whose files are sent and shown at a blueprint, and who may come."""

    uploads: Callable[[], Uploads[Any]]
    kinds: tuple[FileKind, ...]
    mark: Callable[[Any], Any]
    owner: Callable[[Actor], str]

    def own(self, db: Session, upload_id: str) -> tuple[Uploads[Any], UploadColumns]:
        files = self.uploads()
        mine = files.table.owner_id == self.owner(session.actor())
        return files, files.find(db, upload_id, mine)


def add_uploads(
    blueprint: Blueprint,
    uploads: Callable[[], Uploads[Any]],
    kinds: tuple[FileKind, ...],
    *,
    mark: Callable[[Any], Any],
    owner: Callable[[Actor], str],
) -> None:
    """``POST ?kind=…``, ``GET /<id>``, ``GET /<id>/content`` and ``DELETE /<id>`` for one's own.

    Args:
        uploads: asked per request.
        mark: who may send files, as ``access`` makes it.
        owner: whose a file is that this actor sends.
    """
    desk = _Desk(uploads, kinds, mark, owner)
    _add_sending(blueprint, desk)
    _add_showing(blueprint, desk)
    _add_deleting(blueprint, desk)


def _add_sending(blueprint: Blueprint, desk: _Desk) -> None:
    def send(given: dict[str, Any]) -> UploadColumns:
        """Send one file as the body of the request (上传).

        JPG, PNG or PDF, found out from the bytes. What is kept is made anew, so its `size` and
        `sha256` are not those of what was sent. It waits a day to be named in an application.
        Needs no Idempotency-Key: sent twice, one of the two is deleted unused. 413
        `file-too-large`; 422 `wrong-file-type`, `empty-file`, `unreadable-picture`,
        `picture-too-large`, `unreadable-pdf`, `active-pdf`, `pdf-too-long`; 429
        `too-many-files`; 503 `uploads-busy`, `storage-unavailable`.
        """
        files, who = desk.uploads(), session.actor()
        files.kinds[given["kind"]].check_size(request.content_length or 0)
        taken: UploadColumns = files.receive(
            session.app().database,
            request.get_data(),
            given["kind"],
            owner_id=desk.owner(who),
            uploaded_by=who.person_id or who.id,
            now=session.now(),
        )
        return taken

    largest = max(kind.limit for kind in desk.kinds)
    types = {kind: {"schema": BINARY} for kind in sorted(EXTENSIONS)}
    send = large_body(largest)(unkeyed(desk.mark(send)))
    send = blueprint.response(201, UploadSchema, example=EXAMPLE)(send)
    send = blueprint.arguments(_kind_schema(desk.kinds), location="query")(send)
    send = blueprint.doc(requestBody={"required": True, "content": types})(send)
    blueprint.route("", methods=["POST"])(send)


def _add_showing(blueprint: Blueprint, desk: _Desk) -> None:
    def show(upload_id: str) -> UploadColumns:
        """What is known of one's own file.

        404 `upload-not-found`: none, somebody else's, or deleted.
        """
        with session.reading() as db:
            return desk.own(db, upload_id)[1]

    def download(upload_id: str) -> Response:
        """One's own file, as it was kept.

        404 `upload-not-found`; 503 `storage-unavailable`.
        """
        with session.reading() as db:
            files, row = desk.own(db, upload_id)
        return sent(row, files.read(row))

    shown = blueprint.response(200, UploadSchema, example=EXAMPLE)(desk.mark(show))
    blueprint.route("/<upload_id>", methods=["GET"])(shown)
    content = file_response(blueprint)(desk.mark(download))
    blueprint.route("/<upload_id>/content", methods=["GET"])(content)


def _add_deleting(blueprint: Blueprint, desk: _Desk) -> None:
    def throw_away(upload_id: str) -> Response:
        """Delete a file that no application names (删除).

        404 `upload-not-found`; 409 `upload-in-use`.
        """
        with session.transaction() as db:
            files, row = desk.own(db, upload_id)
            files.throw_away(db, row, now=session.now())
        return Response(status=204)

    deleted = blueprint.response(204)(desk.mark(throw_away))
    blueprint.route("/<upload_id>", methods=["DELETE"])(deleted)


def file_response(blueprint: Blueprint) -> Callable[[Any], Any]:
    """Document a view that answers with a file."""
    return blueprint.response(200, cast(Any, BINARY), content_type="application/octet-stream")


def sent(row: UploadColumns, data: bytes) -> Response:
    """A file that somebody sent."""
    return attachment(data, row.media_type, row.file_name, len(data))


def attachment(data: bytes | Iterable[bytes], media_type: str, name: str, size: int) -> Response:
    """A file as an attachment: no browser shows it in our name, and nobody keeps a copy."""
    response = Response(data, content_type=media_type)
    response.content_length = size
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _kind_schema(kinds: tuple[FileKind, ...]) -> type[Schema]:
    words = "; ".join(f"`{kind.code}` {kind.label}" for kind in kinds)
    kind = fields.Str(
        required=True,
        validate=validate.OneOf([kind.code for kind in kinds]),
        metadata={"description": words},
    )
    made: type[Schema] = type(
        "UploadKindSchema", (Schema,), {"kind": kind, "__doc__": "Which kind of file it is."}
    )
    return made
