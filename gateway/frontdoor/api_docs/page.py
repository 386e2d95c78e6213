"""Shows the merged document as a page: no scripts, nothing from elsewhere, both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from frontdoor.api_docs.schemas import Schemas
from frontdoor.api_docs.words import LANGUAGES, STATUSES, WORDS
from frontdoor.pages import style_source

STYLE: Final = (Path(__file__).parent / "page.css").read_text("utf-8")
POLICY: Final = (
    f"Content-Security-Policy: default-src 'none'; style-src {style_source(STYLE)};"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
).encode()
_METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
_JSON: Final = "application/json"
_CODE: Final = re.compile(r"`([^`]+)`")
_BOLD: Final = re.compile(r"\*\*([^*]+)\*\*")


class Page:
    """Renders the page of one language.

    Args:
        document: the merged one.
        language: ``zh`` or ``en``.
        place: the page's own path.
        document_place: the document's path; empty when it has none.
    """

    def __init__(
        self, document: dict[str, Any], language: str, place: str, document_place: str
    ) -> None:
        self._document = document
        self._schemas = Schemas(document, language)
        self._language = language
        self._words = WORDS[language]
        self._place = place
        self._document_place = document_place
        self._groups = document["x-tagGroups"]
        self._tags = {tag["name"]: tag for tag in document["tags"]}

    def render(self, service: str | None) -> str:
        """The page of one service, or the overview.

        Args:
            service: which; None is the overview.
        """
        group = next((g for g in self._groups if g["x-service"] == service), None)
        if service is None:
            title, main = self._words["title"], self._overview()
        elif group is None:
            title, main = service, f"<h1>{escape(service)}</h1><p>{self._words['nothing']}</p>"
        else:
            title, main = self._named(group), "".join(self._service(group))
        words, other = self._words, "en" if self._language == "zh" else "zh"
        return (
            f'<!doctype html>\n<html lang="{LANGUAGES[self._language]}">\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(title)} · {words['suite']}</title>\n<style>{STYLE}</style>\n"
            f'<a class="skip" href="#content">{words["skip"]}</a>\n'
            f"<header><strong>{words['suite']}</strong> <span>{words['title']}</span>"
            f'<a class="other" hreflang="{LANGUAGES[other]}" href="{self._link(service, other)}">'
            f"{words['other']}</a></header>\n"
            f'<div class="frame">\n{self._navigation(group)}\n'
            f'<main id="content">\n{main}\n</main>\n</div>\n</html>\n'
        )

    def _link(self, service: str | None, language: str | None = None) -> str:
        query = {"lang": language or self._language}
        if service is not None:
            query["service"] = service
        return escape(f"{self._place}?{urlencode(query)}")

    def _navigation(self, chosen: dict[str, Any] | None) -> str:
        words = self._words
        current = ' aria-current="page"'
        parts = [f'<nav aria-label="{words["contents"]}"><h2>{words["services"]}</h2><ul>']
        mark = current if chosen is None else ""
        parts.append(f'<li><a href="{self._link(None)}"{mark}>{words["overview"]}</a></li>')
        for group in self._groups:
            mark = current if group is chosen else ""
            link = self._link(group["x-service"])
            parts.append(f'<li><a href="{link}"{mark}>{escape(self._named(group))}</a></li>')
        parts.append("</ul>")
        if chosen is not None:
            parts.append(f"<h2>{words['contents']}</h2><ul>")
            parts += [
                f'<li><a href="#{_anchor(tag)}">{escape(self._shown(tag))}</a></li>'
                for tag in chosen["tags"]
            ]
            parts.append("</ul>")
        return "".join(parts) + "</nav>"

    def _named(self, group: dict[str, Any]) -> str:
        """A service's own title, or in English its name: titles are Chinese."""
        if self._language == "zh":
            return str(group["name"])
        return str(group["x-service"]).replace("-", " ").capitalize()

    def _shown(self, tag: str) -> str:
        found = self._tags.get(tag, {})
        shown = found.get("x-displayName" if self._language == "zh" else "x-en")
        return str(shown or tag.partition("/")[2])

    def _overview(self) -> str:
        words = self._words
        parts = [f"<h1>{words['title']}</h1><p>{words['intro']}</p>"]
        if self._document_place:
            link = escape(self._document_place)
            parts.append(f'<p><a href="{link}">{words["document"]}</a></p>')
        missing = self._document.get("x-missing")
        if missing:
            names = escape("、".join(missing) if self._language == "zh" else ", ".join(missing))
            parts.append(f'<p class="card note">{words["missing"]} {names}</p>')
        for group in self._groups:
            count = sum(1 for _ in self._operations(set(group["tags"])))
            counted = words["operation"] if count == 1 else words["operations"]
            link = self._link(group["x-service"])
            parts.append(
                f'<div class="card"><h2><a href="{link}">{escape(self._named(group))}</a></h2>'
                f'<span class="quiet">{count} {counted}</span></div>'
            )
        return "".join(parts)

    def _operations(self, tags: set[str]) -> Iterator[tuple[str, str, dict[str, Any], Any]]:
        """Path, method, operation and the path's own parameters."""
        for path, item in self._document["paths"].items():
            for method in _METHODS:
                if method in item and tags & set(item[method]["tags"]):
                    yield path, method, item[method], item.get("parameters", [])

    def _service(self, group: dict[str, Any]) -> Iterator[str]:
        yield f"<h1>{escape(self._named(group))}</h1>"
        for tag in group["tags"]:
            yield f'<h2 class="tag" id="{_anchor(tag)}">{escape(self._shown(tag))}</h2>'
            for path, method, operation, shared in self._operations({tag}):
                yield from self._operation(path, method, operation, shared)

    def _operation(
        self, path: str, method: str, operation: dict[str, Any], shared: list[Any]
    ) -> Iterator[str]:
        name = _anchor(operation.get("operationId", f"{method} {path}"))
        summary = escape(self._schemas.said(operation, "summary"))
        yield (
            f'<details class="operation" id="{name}"><summary>'
            f'<span class="method {method}">{method.upper()}</span>'
            f'<span class="where">{escape(path)}</span>'
            f'<span class="summary">{summary}</span></summary><div class="inside">'
        )
        if operation.get("deprecated"):
            yield f'<p><span class="mark">{self._words["deprecated"]}</span></p>'
        yield _text(self._schemas.said(operation, "description"))
        parameters = [
            self._schemas.resolved(p) for p in (*shared, *operation.get("parameters", []))
        ]
        if parameters:
            yield from self._parameters(parameters)
        if "requestBody" in operation:
            yield f"<h3>{self._words['body']}</h3>"
            yield from self._content(self._schemas.resolved(operation["requestBody"]))
        yield f"<h3>{self._words['answers']}</h3>"
        for status, answer in sorted(operation.get("responses", {}).items()):
            yield from self._answer(status, self._schemas.resolved(answer))
        yield "</div></details>\n"

    def _parameters(self, parameters: list[dict[str, Any]]) -> Iterator[str]:
        words = self._words
        yield f"<h3>{words['parameters']}</h3>" + self._head("place")
        for parameter in parameters:
            place = words.get(str(parameter.get("in")), "")
            yield self._row(
                str(parameter.get("name", "")),
                place,
                self._schemas.kind(parameter.get("schema", {})),
                self._schemas.meaning(parameter),
                required=bool(parameter.get("required")),
            )
        yield "</table></div>"

    def _head(self, *more: str) -> str:
        columns = ("name", *more, "type", "meaning")
        cells = "".join(f'<th scope="col">{self._words[name]}</th>' for name in columns)
        return f'<div class="wide" tabindex="0"><table><tr>{cells}</tr>'

    def _row(self, name: str, place: str | None, kind: str, meaning: str, *, required: bool) -> str:
        must = f' <span class="must">{self._words["required"]}</span>' if required else ""
        middle = "" if place is None else f"<td>{escape(place)}</td>"
        return (
            f"<tr><td><code>{escape(name)}</code>{must}</td>{middle}"
            f"<td><code>{escape(kind)}</code></td><td>{_inline(meaning)}</td></tr>"
        )

    def _content(self, holder: dict[str, Any]) -> Iterator[str]:
        for media, content in holder.get("content", {}).items():
            schema = content.get("schema", {})
            kind = "" if media == _JSON else f" <code>{escape(media)}</code>"
            rows = self._schemas.rows(schema)
            if rows:
                yield kind + self._head()
                for row in rows:
                    said = " · ".join(filter(None, (row.meaning, *row.limits)))
                    yield self._row(row.path, None, row.kind, said, required=row.required)
                yield "</table></div>"
            elif schema:
                yield f"<p>{kind} <code>{escape(self._schemas.kind(schema))}</code></p>"
            if "example" in content:
                shown = orjson.dumps(content["example"], option=orjson.OPT_INDENT_2).decode()
                yield (
                    f'<details class="part"><summary>{self._words["example"]}</summary>'
                    f'<pre tabindex="0">{escape(shown)}</pre></details>'
                )

    def _answer(self, status: str, answer: dict[str, Any]) -> Iterator[str]:
        said = self._schemas.meaning(answer)
        if said == answer.get("description") and self._language == "zh" and status.isdigit():
            said = STATUSES.get(int(status), said)
        line = f"<code>{escape(status)}</code> {_inline(said)}"
        inside = "".join(self._content(answer)) if status.startswith("2") else ""
        if inside:
            yield f'<details class="part"><summary>{line}</summary>{inside}</details>'
        else:
            yield f'<p class="quiet">{line}</p>'


def _anchor(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "x"


def _inline(text: str) -> str:
    """Plain text with `code` and **bold** of CommonMark."""
    return _BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", escape(text)))


def _text(text: str) -> str:
    parts = [part.strip() for part in text.split("\n\n")]
    return "".join(f"<p>{_inline(part)}</p>" for part in parts if part)
