"""The configuration file: what it means, and what is wrong with it, by file and line."""

# ruff: noqa: E501 - a table of files, one a line
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdoor import configuration, directive_table, units
from frontdoor.reading import BadConfiguration
from frontdoor.settings import PACKAGED

ROOT = Path(__file__).resolve().parents[2]
UP = "upstream a { server 127.0.0.1:1; } "
SITE = "server { listen 80; location / { return 200; } }\n"


def load(folder: Path, text: str) -> configuration.Configuration:
    path = folder / "gateway.conf"
    path.write_text(text, "utf-8")
    return configuration.load(path)


def in_location(text: str) -> str:
    return (
        f"http {{\n{UP}server {{ listen 80; location / {{\n{text}\nproxy_pass http://a; }} }} }}\n"
    )


BAD = [
    (1, 'unknown directive "rewrite"', "rewrite a b;\n"),
    (3, 'unknown directive "proxy_bind"', in_location("proxy_bind A b;")),
    (1, '"listen" directive is not allowed here', "listen 80;\n"),
    (2, '"location" directive is not allowed here', "http {\nlocation / { }\n}\n"),
    (3, 'invalid number of arguments in "proxy_read_timeout"', in_location("proxy_read_timeout;")),
    (3, '"proxy_read_timeout" directive is duplicate', in_location("proxy_read_timeout 1s;" * 2)),
    (3, 'invalid time "soon"', in_location("proxy_read_timeout soon;")),
    (3, 'invalid size "1t"', in_location("client_max_body_size 1t;")),
    (3, 'invalid value "yes"', in_location("auth_jwt_optional yes;")),
    (3, 'invalid size "big" in "proxy_buffers"', in_location("proxy_buffers 8 big;")),
    (3, 'invalid number "x" in "proxy_buffers"', in_location("proxy_buffers x 4k;")),
    (3, 'invalid value "yes"', in_location("proxy_request_buffering yes;")),
    (3, 'invalid size "-1"', in_location("client_body_buffer_size -1;")),
    (3, '"proxy_buffers_total" directive is not allowed here', in_location("proxy_buffers_total 1m;")),
    (3, 'invalid value "http_500"', in_location("proxy_next_upstream error http_500;")),
    (3, "names no limit_req_zone", in_location("limit_req zone=none;")),
    (3, "without variables", in_location("add_header A $host;")),
    (3, 'invalid value "main"', in_location("access_log /dev/null main;")),
    (2, "needs exactly one of", in_location("return 200;")),
    (2, 'directive "keepalive" is not terminated', "http { upstream a { server b:1;\nkeepalive 2 } }\n"),
    (1, 'has no opening "{"', "http;\n"),
    (2, "unexpected end of file", f"http {{\n{SITE}\n"),
    (3, 'unexpected "}"', f"http {{ {SITE} }}\n}}\n"),
    (3, "unexpected end of file", f"http {{ {SITE} }}\ngarbage"),
    (3, "unexpected end of file", f"http {{ {SITE} }}\ngarbage\n"),
    (1, 'no "http" block', "events { }\n"),
    (1, 'no "server" block', "http { }\n"),
    (2, 'a "server" without "listen"', "http {\nserver { }\n}\n"),
    (2, '"80:a" is not [host:]port', "http {\nserver { listen 80:a; }\n}\n"),
    (2, 'no servers in upstream "a"', f"http {{\nupstream a {{ }}\n{SITE} }}\n"),
    (2, '"b" is not host:port', f"http {{\nupstream a {{ server b; }}\n{SITE} }}\n"),
    (2, 'invalid parameter "slow"', f"http {{\nupstream a {{ server b:1 slow; }}\n{SITE} }}\n"),
    (2, 'duplicate "upstream"', f"http {{\n{UP}{UP}{SITE} }}\n"),
    (2, "is not http:// and an upstream", "http {\nserver { listen 1; location / { proxy_pass http://a; } } }\n"),
    (1, "is not http:// and an upstream", f"http {{ {UP} server {{ listen 1; location / {{ proxy_pass http://a/$x; }} }} }}\n"),
    (2, 'location "x" does not begin', "http {\nserver { listen 80; location x { return 200; } } }\n"),
    (2, "invalid location modifier", "http {\nserver { listen 80; location ^ /x { return 200; } } }\n"),
    (2, "unterminated subpattern", "http {\nserver { listen 80; location ~ (a { return 200; } } }\n"),
    (3, 'duplicate location "/"', "http {\nserver { listen 80; location / { return 200; }\nlocation ^~ / { return 200; } } }\n"),
    (2, "invalid return code", "http {\nserver { listen 80; return 999; } }\n"),
    (2, "variables are not part", "http {\nserver { listen 80; return 302 https://$host/; } }\n"),
    (2, "cannot be keyed by", "http {\nlimit_req_zone $uri zone=a:1m rate=1r/s;\n" + SITE + "}\n"),
    (2, "invalid rate", "http {\nlimit_req_zone $remote_addr zone=a:1m rate=0r/s;\n" + SITE + "}\n"),
    (2, "too small", "http {\nlimit_req_zone $remote_addr zone=a:1k rate=1r/s;\n" + SITE + "}\n"),
    (2, "nothing is delayed", "http { limit_req_zone $remote_addr zone=a:1m rate=1r/s;\nlimit_req zone=a burst=2;\n" + SITE + "}\n"),
    (2, "a duplicate default server", "http { " + SITE.replace("80", "80 default_server") + SITE.replace("80", "80 default_server").rstrip() + " }\n"),
    (2, '"1.2.3:x" is no address of a name server', f"http {{\nresolver 1.2.3:x; {UP}upstream b {{ server x:1 resolve; }} {SITE} }}\n"),
    (2, '"resolve" needs a "resolver"', f"http {{\nupstream b {{ server x:1 resolve; }} {SITE} }}\n"),
    (2, 'invalid parameter "uri=x"', f"http {{ upstream b {{ server x:1;\nhealth_check uri=x; }} {SITE} }}\n"),
    (2, 'invalid parameter "failures=0"', f"http {{ upstream b {{ server x:1;\ncircuit_breaker failures=0; }} {SITE} }}\n"),
    (2, 'invalid number "many"', f"http {{\nupstream b {{ server x:1 max_conns=many; }} {SITE} }}\n"),
    (2, 'invalid time "soon"', f"http {{ upstream b {{ server x:1;\nqueue 3 timeout=soon; }} {SITE} }}\n"),
    (3, 'this would put "//" into paths', f"http {{\n{UP}server {{ listen 80; location /x {{\nproxy_pass http://a/y/; }} }} }}\n"),
    (3, "takes no path in a location by pattern", f"http {{\n{UP}server {{ listen 80; location ~ x {{\nproxy_pass http://a/y; }} }} }}\n"),
    (3, "limit_conn names no limit_conn_zone", in_location("limit_conn none 3;")),
    (3, '"evil" is no address or network', in_location("allow evil;")),
    (3, '"*" is not http(s)://host[:port]', in_location("cors_origin http://a *;")),
    (3, 'invalid value "BREW"', in_location("cors_origin http://a; cors_methods BREW;")),
    (3, '"2" is no level', in_location("auth_jwt_level 2;")),
    (3, "two levels on one scale", in_location("auth_jwt_level urn:gdhrss:ial:1 urn:gdhrss:ial:2;")),
    (3, 'invalid value "robot"', in_location("auth_jwt_kind robot;")),
    (3, 'no proxy_cache_path has a zone "none"', in_location("proxy_cache none;")),
    (2, "invalid parameter", f"http {{\nproxy_cache_path /x size=3; {SITE} }}\n"),
    (2, "is not http://, upstream and path", f"http {{\nauth_jwt_revocations http://none/x; {UP}{SITE} }}\n"),
    (2, 'no upstream "b"', "http { server { listen 80; location / {\nopenapi document b; } } }\n"),
    (2, 'invalid value "book"', "http { server { listen 80; location / {\nopenapi book; } } }\n"),
    (2, "alias and its location both end", "http { server { listen 80; location /x {\nalias /y/; } } }\n"),
    (2, "alias stands in a location by path", "http { server { listen 80; location ~ x {\nalias /y/; } } }\n"),
    (2, "try_files knows no variable but $uri", "http { server { listen 80; location / { root /x;\ntry_files $host =404; } } }\n"),
    (2, "ends with a path or =code", "http { server { listen 80; location / { root /x;\ntry_files $uri file; } } }\n"),
    (1, "is of another location", "http { server { listen 80; location / { root /x; try_files $uri /y; } location /y { return 200; } } }\n"),
    (2, 'invalid time "never"', "http { server { listen 80; location / { root /x;\nexpires never; } } }\n"),
    (2, 'needs "ssl_certificate"', "http {\nserver { listen 443 ssl; location / { return 200; } } }\n"),
    (2, "cannot read", "http { server { listen 443 ssl; location / { return 200; }\nssl_certificate none.pem; } }\n"),
    (2, "unterminated subpattern", "http { server { listen 80; location / { return 200; }\nserver_name ~(a; } }\n"),
    (2, "cannot read", "http {\ninclude nowhere.conf;\n}\n"),
]  # fmt: skip


@pytest.mark.req("GW-01")
@pytest.mark.parametrize(("line", "what", "text"), BAD, ids=[what for _, what, _ in BAD])
def test_a_mistake_is_told_with_file_and_line(tmp_path, line, what, text) -> None:
    with pytest.raises(BadConfiguration) as caught:
        load(tmp_path, text)
    assert what in str(caught.value)
    assert str(caught.value).endswith(f" in {tmp_path}/gateway.conf:{line}")


def test_a_mistake_in_an_included_file_is_told_there(tmp_path) -> None:
    (tmp_path / "more.conf").write_text("\n\nnonsense on;\n")
    with pytest.raises(BadConfiguration, match=r'unknown directive "nonsense" in .*/more.conf:3'):
        load(tmp_path, f"http {{ include m*.conf; {SITE} }}\n")


def test_a_file_that_includes_itself_ends(tmp_path) -> None:
    (tmp_path / "again.conf").write_text("include again.conf;\n")
    with pytest.raises(BadConfiguration, match="too many nested includes"):
        load(tmp_path, "http { include again.conf; }\n")


@pytest.mark.req("GW-01")
def test_values_are_inherited_and_lists_replaced_as_nginx_does(tmp_path) -> None:
    found = load(
        tmp_path,
        """http {
            proxy_read_timeout 5s; add_header A 1; add_header B 2 always;
            limit_req_zone $binary_remote_addr zone=z:1m rate=30r/m;
            upstream a { least_conn; server 10.0.0.1:80 weight=3 max_fails=2 fail_timeout=1m30s;
                         server [::1]:81 down; }
            server {
                listen 8000 default_server; server_name a.example *.b.example;
                auth_jwt jiuye; limit_req zone=z burst=3 nodelay;
                location / { proxy_pass http://a; }
                location /x { add_header C "3 4"; proxy_read_timeout 500ms; auth_jwt off; return 204; }
            }
        }""",
    )
    (server,) = found.servers
    first, second = server.locations
    assert (first.read_timeout, second.read_timeout) == (5.0, 0.5)
    assert first.headers == (("A", "1", False), ("B", "2", True))
    assert second.headers == (("C", "3 4", False),)
    assert (first.realm, second.realm) == ("jiuye", None)
    assert first.limits == second.limits
    assert first.limits[0].burst == 3
    assert first.limits[0].zone.rate == 0.5
    peer, down = found.upstreams["a"].servers
    assert (peer.weight, peer.max_fails, peer.fail_timeout, peer.down) == (3, 2, 90.0, False)
    assert (down.address.host, down.address.port, down.down) == ("::1", 81, True)
    assert found.upstreams["a"].least_conn
    assert server.names == ("a.example", "*.b.example")


@given(text=st.text(alphabet="ab/{};\"' \n#$\\", max_size=60))
def test_nonsense_is_refused_and_never_crashes(tmp_path_factory, text) -> None:
    path = tmp_path_factory.getbasetemp() / "nonsense.conf"
    path.write_text("http {\n" + text, "utf-8")
    with pytest.raises(BadConfiguration):
        configuration.load(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("10", 10), ("10s", 10), ("1m", 60), ("1h30m", 5400), ("250ms", 0.25), ("1s5ms", 1.005)],
)  # fmt: skip
def test_times_are_read_as_nginx_writes_them(text, value) -> None:
    assert units.seconds(text) == value


@pytest.mark.req("GW-01")
def test_the_suites_own_file_is_good_and_has_every_service() -> None:
    found = configuration.load(PACKAGED)
    paths = {location.path: location for location in found.servers[0].locations}
    for name in found.upstreams:
        assert paths[f"/api/{name}/"].realm == "jiuye"
        assert not paths[f"/api/{name}/"].token_optional
    assert paths["/identity/"].realm is None
    for location in paths.values():
        assert location.body_folder is not None  # a long body holds no thread while it comes
        assert location.in_hand or location.max_body <= location.longest_gathered
    # BREACH: nothing that holds a secret is compressed.
    packed = {path for path, location in paths.items() if location.compression}
    assert packed == {"/guides", "/api/employment-registry/v1/guides"}


def test_what_is_held_for_slow_clients_is_said_in_nginxs_words(tmp_path) -> None:
    def held(text: str) -> tuple[int, int, int]:
        (server,) = load(tmp_path, in_location(text)).servers
        (found,) = server.locations
        return found.longest_ahead, found.longest_gathered, found.longest_answer_head

    assert held("") == (256 << 10, 1 << 20, 64 << 10)
    assert held("proxy_buffering off; proxy_request_buffering off;") == (0, 0, 64 << 10)
    own = "proxy_buffers 4 8k; client_body_buffer_size 16k; proxy_buffer_size 4k;"
    assert held(own) == (32 << 10, 16 << 10, 4 << 10)


def test_another_file_may_stand_for_the_upstreams(tmp_path) -> None:
    other = tmp_path / "in-the-cluster.conf"
    text = (PACKAGED.parent / "upstreams.conf").read_text("utf-8")
    other.write_text(text.replace("127.0.0.1:8101", "identity:8000"))
    found = configuration.load(PACKAGED, {"upstreams.conf": other})
    assert found.upstreams["identity"].servers[0].address.host == "identity"


@pytest.mark.req("GW-01")
def test_the_command_checks_a_file(tmp_path) -> None:
    path = tmp_path / "bad.conf"
    path.write_text("http {\n  prox_pass http://a;\n}\n")
    command = [sys.executable, "-m", "frontdoor", "--test", "-c"]
    bad = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert bad.stderr == f'unknown directive "prox_pass" in {path}:2\n'
    good = subprocess.run([*command, str(PACKAGED)], capture_output=True, text=True, check=False)
    assert good.returncode == 0


def test_the_documentation_shows_the_directives_as_they_are_declared() -> None:
    page = (ROOT / "docs" / "gateway.md").read_text("utf-8")
    assert directive_table.as_markdown() in page
