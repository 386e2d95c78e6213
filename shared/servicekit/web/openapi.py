"""A service's API as an OpenAPI 3.1 document, read from views, schemas and access marks."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import flask
import flask_smorest
from marshmallow import fields

from servicekit.web import idempotency, problem
from servicekit.web.access import Mark
from servicekit.web.api import ProblemSchema
from servicekit.web.api_texts import ApiTexts
from servicekit.web.app import Service, ServiceApp
from servicekit.web.idempotency import KeyMissing, KeyReused
from servicekit.web.limits import BodyTooLarge
from servicekit.web.parsing import is_documented
from servicekit.web.refusals import LoginNeeded
from servicekit.web.versions import VersionNeeded

Document = dict[str, Any]

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_UNSAFE: Final = frozenset({"post", "put", "patch", "delete"})
_NAMED: Final = re.compile(r"\b[45]\d\d\b")  # a status, as the text of a view names it
_ARGUMENT: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")

# One example per status; the codes a service adds are in its own texts.
_EXAMPLES: Final[Mapping[int, tuple[str, str]]] = {
    400: (KeyMissing.code, KeyMissing.default_message),
    401: (LoginNeeded.code, LoginNeeded.default_message),
    403: ("forbidden", "您没有办理此操作的权限"),
    404: ("not-found", "未找到相关记录"),
    409: ("wrong-state", "当前状态下不能办理此操作"),
    412: ("changed-meanwhile", "该记录已被他人修改，请刷新后重试"),
    413: (BodyTooLarge.code, "提交的内容过大，请控制在 1 MB 以内"),
    415: problem.HTTP_TEXTS[415],
    422: (KeyReused.code, KeyReused.default_message),
    428: (VersionNeeded.code, VersionNeeded.default_message),
    429: ("too-many", "操作过于频繁，请稍后再试"),
    500: problem.INTERNAL,
    503: ("unavailable", "系统繁忙，请稍后再试"),
}
_PHRASES: Final = {
    400: "Malformed: not JSON, or without an Idempotency-Key.",
    401: "No good token, or (RFC 9470) not enough assurance.",
    403: "Not yours to do.",
    404: "No such record, or not yours to see.",
    409: "Not in the present state of things.",
    412: "Somebody else changed it since.",
    413: "Too large.",
    415: "Not application/json.",
    422: "Wrong fields, all named; or the key was used for another request.",
    428: "If-Match is needed.",
    429: "Too often.",
    500: "Our mistake.",
    503: "Not now.",
}
_RETRY = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
_CHALLENGE = {"description": "RFC 6750 and RFC 9470.", "schema": {"type": "string"}}
_HEADERS: Final = {
    401: {"WWW-Authenticate": _CHALLENGE},
    429: {"Retry-After": _RETRY},
    503: {"Retry-After": _RETRY},
}
_PARAMETERS: Final[Document] = {
    "IdempotencyKey": {
        "name": idempotency.HEADER,
        "in": "header",
        "required": True,
        "description": "The same key with the same request has one effect and one answer, for 24 "
        "hours (重复提交只生效一次).",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": "01890a5d-ac96-774b-bcce-b302099a8057",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of the version that was seen; edits need it (版本).",
        "schema": {"type": "string"},
        "example": '"3"',
    },
}


class _Api(flask_smorest.Api):  # type: ignore[misc]
    """Writes the document; serves nothing and handles nothing."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None


def document(app: ServiceApp, texts: ApiTexts | None = None) -> Document:
    """The document of a service; the same code gives the same document, byte for byte.

    Args:
        app: the service, put together.
        texts: in place of its own catalogues.
    """
    texts = texts_of(app.service) if texts is None else texts
    shell = flask.Flask(app.service.package)
    shell.config.update(API_TITLE=_title(app.service), API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = _Api(shell, spec_kwargs=_frame(app.service))
    api.ma_plugin.converter.add_attribute_function(_decimal_as_text)
    blueprints = [b for b in app.service.blueprints if is_documented(b)]
    for blueprint in blueprints:
        blueprint.register_views_in_doc(  # type: ignore[attr-defined]
            api, app, api.spec, name=blueprint.name, parameters=None
        )
        described = getattr(blueprint, "description", "")
        api.spec.tag({"name": blueprint.name, "description": described})
    written: Document = api.spec.to_dict()
    for path, method, endpoint in _operations(app, blueprints):
        operation = written["paths"][path].get(method)
        if operation is not None:
            _complete(operation, path, method, endpoint, app.marks[endpoint])
            _say_in_chinese(operation, app.marks[endpoint], texts)
    written["components"]["responses"] = {f"Problem{s}": _response(s) for s in _EXAMPLES}
    written["components"]["parameters"] = deepcopy(_PARAMETERS)
    _open_and_close(written)
    texts.complete(written)
    return {"x-generated-by": "make contracts", **written}


def texts_of(service: Service) -> ApiTexts:
    """What a service's documentation says in the other language."""
    own = importlib.import_module(service.package).__file__
    assert own is not None  # services are packages of files
    return ApiTexts((Path(own).parent, Path(__file__).parent))


def _say_in_chinese(operation: Document, mark: Mark, texts: ApiTexts) -> None:
    said = operation["description"].removesuffix(mark.sentence).strip()
    operation["x-zh"] = {
        "summary": texts.chinese(operation.get("summary", "")),
        "description": f"{texts.chinese(said)}\n\n{mark.chinese_sentence}".strip(),
    }


def _title(service: Service) -> str:
    return f"{service.title} ({service.name})"


def _frame(service: Service) -> Document:
    description = (
        f"{service.description or service.title}的接口。错误以 RFC 9457 problem+json 返回，"
        "detail 为中文说明，code 为稳定代码。\n\n"
        f"The API of {service.name}. Errors are RFC 9457 problem documents: detail is for people "
        "and in Chinese, code is stable and for programs. Times are ISO 8601 in UTC, dates are "
        "those of Asia/Shanghai, money is a decimal string in yuan."
    )
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "info": {
            "description": description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The gateway."}],
        "components": {"securitySchemes": {"bearer": bearer}},
    }


def _operations(
    app: ServiceApp, blueprints: Iterable[flask.Blueprint]
) -> Iterator[tuple[str, str, str]]:
    names = {blueprint.name for blueprint in blueprints}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in names:
            for method in _METHODS:
                if method.upper() in (rule.methods or ()):
                    yield _ARGUMENT.sub(r"{\1}", rule.rule), method, rule.endpoint


def _complete(operation: Document, path: str, method: str, endpoint: str, mark: Mark) -> None:
    blueprint, _, view = endpoint.partition(".")
    operation["operationId"] = _camel(f"{blueprint}-{view}")
    said = operation.get("description", "")
    operation["description"] = f"{said}\n\n{mark.sentence}".strip()
    operation["security"] = [] if mark.is_public else [{"bearer": []}]
    if not mark.is_public:
        operation["x-access"] = {
            "roles": [str(role) for role in mark.roles],
            "kinds": sorted(mark.kinds),
            "level": mark.level,
            "business": mark.business,
            "grants": mark.grants,
            "unit_level": mark.unit_level,
            "unit_account": mark.unit_account,
            "scopes": sorted(mark.scopes),
        }
    parameters = operation.setdefault("parameters", [])
    if method in _UNSAFE and mark.keyed:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if method in _UNSAFE and "{" in path:
        parameters.append({"$ref": "#/components/parameters/IfMatch"})
    if not parameters:
        del operation["parameters"]
    for status in _statuses(operation, path, method, mark):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _statuses(operation: Document, path: str, method: str, mark: Mark) -> list[int]:
    found = {429, 500, 503}
    if not mark.is_public:
        found |= {401, 403}
    if "{" in path:
        found |= {404}
    if method in _UNSAFE:
        found |= {400, 409, 413, 422}
        found |= {412} if "{" in path else set()
        found |= {428} if method == "patch" or (method == "put" and "{" in path) else set()
    found |= {400, 415, 422} if "requestBody" in operation else set()
    found |= {422}  # an unknown query parameter, if nothing else
    said = f"{operation.get('summary', '')} {operation['description']}"
    return sorted(found | {int(status) for status in _NAMED.findall(said)})


def _response(status: int) -> Document:
    code, text = _EXAMPLES[status]
    example: Document = {
        "type": f"{problem.TYPE_PREFIX}{code}",
        "title": text,
        "status": status,
        "detail": text,
        "code": code,
        "instance": "urn:jiuye:request:01890a5d-ac96-774b-bcce-b302099a8057",
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    answer: Document = {
        "description": _PHRASES[status],
        "content": {problem.CONTENT_TYPE: content},
    }
    return answer | ({"headers": deepcopy(_HEADERS[status])} if status in _HEADERS else {})


def _open_and_close(written: Document) -> None:
    """Unknown fields are refused in what is sent to us; what we show may grow."""
    schemas: Document = written["components"].get("schemas", {})
    sent: set[str] = set()
    shown: set[str] = set()
    for operations in written["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                _collect(operation.get("requestBody"), schemas, sent)
                _collect(operation.get("responses"), schemas, shown)
    _collect(written["components"]["responses"], schemas, shown)
    for name in list(schemas):
        schemas[name].pop("additionalProperties", None)
        if name in sent:
            schemas[name]["additionalProperties"] = False
        elif name not in shown:
            del schemas[name]  # flask-smorest's own, for features we do not use


def _collect(part: Any, schemas: Document, into: set[str]) -> None:
    if isinstance(part, dict):
        name = str(part.get("$ref", "")).rpartition("/components/schemas/")[2]
        if "$ref" in part and name in schemas and name not in into:
            into.add(name)
            _collect(schemas[name], schemas, into)
        for inner in part.values():
            _collect(inner, schemas, into)
    elif isinstance(part, list):
        for inner in part:
            _collect(inner, schemas, into)


def _decimal_as_text(
    _converter: Any, field: fields.Field[Any], *, ret: Document, **_: Any
) -> Document:
    if not isinstance(field, fields.Decimal):
        return {}
    for name in ("minimum", "maximum"):  # numbers' words; a string has none for its size
        if name in ret:
            ret[f"x-{name}"] = str(ret.pop(name))
    kind = ["string", "null"] if field.allow_none else "string"
    return {"type": kind, "format": "decimal"}  # marshmallow's own mapping says number


def _camel(name: str) -> str:
    first, *rest = re.split(r"[-_.]", name)
    return first + "".join(word.capitalize() for word in rest)
