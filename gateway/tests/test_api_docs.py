"""One OpenAPI document and one page for the whole suite, made of the services' own (GW-06)."""

from __future__ import annotations

import gzip
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest
from openapi_spec_validator import validate

from frontdoor.api_docs.merging import merge
from frontdoor.api_docs.page import Page
from frontdoor.testing.service import Service, answer

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts" / "openapi"


def contract(name: str) -> dict:
    return orjson.loads((CONTRACTS / f"{name}.json").read_bytes())


def operations(document: dict) -> list[dict]:
    return [
        operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


@pytest.mark.req("GW-06")
def test_the_merged_document_is_valid_whole_and_names_nothing_twice() -> None:
    own = {path.stem: contract(path.stem) for path in sorted(CONTRACTS.glob("*.json"))}
    merged = merge(own, "https://jy.example", ())
    few = ("employment-registry", "recruitment", "talent-card")  # the validator is slow
    validate(merge({name: own[name] for name in few}, "https://jy.example", ()))
    names = [operation["operationId"] for operation in operations(merged)]
    assert len(names) == len(set(names)) == sum(len(operations(d)) for d in own.values())
    assert "employerAuthAboutShowAbout" in names
    assert set(merged["paths"]) == {path for d in own.values() for path in d["paths"]}
    assert merged["servers"] == [{"url": "https://jy.example"}]
    references = set(re.findall(r'"#/components/(\w+)/([\w.-]+)"', orjson.dumps(merged).decode()))
    assert references
    for kind, name in references:
        assert name in merged["components"][kind], name
    assert "Problem" in merged["components"]["schemas"]  # the same everywhere: kept once
    tags = [tag["name"] for tag in merged["tags"]]
    assert len(tags) == len(set(tags))
    assert {t for g in merged["x-tagGroups"] for t in g["tags"]} == set(tags)


def test_components_of_one_name_and_two_meanings_are_told_apart() -> None:
    def service(kind: str) -> dict:
        thing = {"$ref": "#/components/schemas/Thing"}
        return {
            "info": {"title": kind},
            "tags": [{"name": "t"}],
            "paths": {f"/{kind}": {"get": {"operationId": "show", "tags": ["t"], "x": thing}}},
            "components": {
                "schemas": {"Thing": {"type": kind}, "Same": {}, "Holder": {"a": thing}}
            },
        }

    merged = merge({"one-a": service("string"), "two": service("integer")}, "/", ("three",))
    schemas = merged["components"]["schemas"]
    assert schemas["OneAThing"] == {"type": "string"}
    assert schemas["TwoThing"] == {"type": "integer"}
    assert "Same" in schemas
    assert schemas["OneAHolder"]["a"]["$ref"].endswith("/OneAThing")  # what names it differs too
    assert merged["paths"]["/integer"]["get"]["x"]["$ref"].endswith("/TwoThing")
    assert merged["x-missing"] == ["three"]


class Strict(HTMLParser):
    """Refuses what a page without scripts must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.deepest = 0

    def handle_starttag(self, tag: str, attrs) -> None:
        assert tag not in ("script", "img", "iframe", "object", "link", "base", "form"), tag
        named = dict(attrs)
        assert not any(name.startswith("on") or name == "style" for name in named)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if "href" in named else []
        if tag in ("h1", "h2", "h3", "h4", "h5") and "main" in self.stack:
            assert int(tag[1]) <= self.deepest + 1, "a heading skips a level"
            self.deepest = int(tag[1])
        if tag not in ("meta", "br"):
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


@pytest.mark.req("GW-06")
def test_every_page_is_well_formed_escaped_and_leads_only_to_itself() -> None:
    own = {name: contract(name) for name in ("identity", "employment-registry")}
    evil = "<script>alert(1)</script>\"'&"
    own["identity"]["info"]["title"] = evil
    first = next(iter(own["identity"]["paths"].values()))["get"]
    first |= {"summary": evil, "description": evil + "\n\n`code` **bold**", "deprecated": True}
    document = merge(own, "/", ("talent-card",))
    for language in ("zh", "en"):
        page = Page(document, language, "/openapi", "/openapi.json")
        for service in (None, "identity", "employment-registry", "none"):
            html = page.render(service)
            assert "alert(1)" not in html or "&lt;script&gt;" in html
            parser = Strict()
            parser.feed(html)
            assert parser.stack in (["html"], [])
            assert len(parser.ids) == len(set(parser.ids))
            for link in parser.links:
                assert link.startswith(("/openapi", "#")), link
                assert not link.startswith("#") or link[1:] in parser.ids
    assert "talent-card" in Page(document, "zh", "/o", "").render(None)
    overview = Page(document, "en", "/o", "").render(None)
    assert "Employment registry" in overview
    assert "就业登记" not in overview


class Words(HTMLParser):
    """The words of a page that are neither code nor the link to the other language."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs) -> None:
        other = dict(attrs).get("class") in ("other", "where", "method get")
        if tag not in ("meta", "br"):
            self.stack.append("code" if other else tag)

    def handle_endtag(self, tag: str) -> None:
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not {"code", "pre", "style"} & set(self.stack):
            self.found.append(data.strip())


@pytest.mark.req("GW-06")
def test_a_page_speaks_one_language() -> None:
    own = {path.stem: contract(path.stem) for path in sorted(CONTRACTS.glob("*.json"))}
    document = merge(own, "https://jy.example", ())
    quoted = re.compile(r'"[^"]*"')  # what a screen says
    sentence = re.compile(r"[a-z]{3,} [a-z]{2,}")
    for service in (None, *own):
        for language in ("zh", "en"):
            words = Words()
            words.feed(Page(document, language, "/openapi", "/openapi.json").render(service))
            for text in (quoted.sub("", found) for found in words.found):
                is_chinese = re.search(r"[\u4e00-\u9fff]", text)
                assert not (language == "en" and is_chinese), text
                assert not (language == "zh" and sentence.search(text) and not is_chinese), text


@pytest.mark.req("GW-06")
def test_the_gateway_answers_with_the_services_descriptions_and_reads_them_again(start) -> None:
    documents = {"identity": contract("identity"), "recruitment": contract("recruitment")}
    away: set[str] = {"recruitment"}

    def describing(name: str) -> Service:
        async def say(request, writer) -> None:
            assert request.target == "/openapi.json"
            if name in away:
                writer.write(answer(status="503 No"))
            else:
                writer.write(answer(orjson.dumps(documents[name])))

        return Service(answering=say)

    gateway = start(
        "location = /openapi.json { openapi document; } location = /openapi { openapi page; }",
        {name: describing(name) for name in documents},
    )
    got = gateway.ask("/openapi.json")
    found = orjson.loads(got.body)
    assert (got.status, got.one("content-type")) == (200, "application/json")
    assert found["x-missing"] == ["recruitment"]
    away.clear()
    gateway.clock.advance(61)
    gateway.ask("/openapi.json")  # shows the former while it reads
    end = time.monotonic() + 10
    while "x-missing" in orjson.loads(gateway.ask("/openapi.json").body):
        assert time.monotonic() < end
    both = gateway.ask("/openapi.json", fields={"Accept-Encoding": "gzip"})
    assert set(orjson.loads(gzip.decompress(both.body))["paths"]) > set(found["paths"])
    assert gateway.ask("/openapi.json", fields={"If-None-Match": both.one("etag")}).status == 304
    page = gateway.ask("/openapi?service=identity")
    assert page.one("content-type") == "text/html; charset=utf-8"
    policy = page.one("content-security-policy")
    assert "default-src 'none'; style-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert '<html lang="zh-CN">' in page.body.decode()
    english = gateway.ask("/openapi", fields={"Accept-Language": "en-GB,zh;q=0.5"})
    assert '<html lang="en">' in english.body.decode()
    assert gateway.ask("/openapi", "POST", body=b"").status == 405
