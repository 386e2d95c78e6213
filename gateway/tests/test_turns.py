"""What a turn of the loop writes leaves at its end, in order, and nothing passes it."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from frontdoor.testing.running import read_all
from frontdoor.testing.service import Service
from frontdoor.testing.wire import Transport
from frontdoor.turns import MOST, Turn


class End:
    """The end of a turn, when the test says so."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def come(self) -> None:
        due, self.due = self.due, []
        for call in due:
            call()


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=4)), max_size=200))
def test_each_reader_gets_everything_in_the_order_it_was_written(written) -> None:
    end, transports = End(), [Transport() for _ in range(4)]
    turn = Turn(end.due.append)
    for number, (to, data) in enumerate(written, 1):
        turn.write(transports[to].as_asyncio(), data)
        held = number - sum(len(t.written) for t in transports)
        assert held == number % MOST  # a long turn keeps nobody waiting for all of it
    end.come()
    for number, transport in enumerate(transports):
        assert transport.take() == b"".join(data for to, data in written if to == number)
    assert not end.due


def test_nothing_is_written_to_who_has_gone_meanwhile() -> None:
    end, gone, there = End(), Transport(), Transport()
    turn = Turn(end.due.append)
    turn.write(gone.as_asyncio(), b"a")
    turn.write(there.as_asyncio(), b"b")
    gone.close()
    end.come()
    assert (gone.take(), there.take()) == (b"", b"b")


def test_what_is_refused_is_answered_after_what_was_passed_on(start) -> None:
    gateway = start("location / { proxy_pass http://service; }", {"service": Service()})
    good = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with gateway.connect() as client:
        client.sendall(good + good + b"GET / HTTP/1.1\r\n\r\n")
        said = read_all(client)
    assert [said[at + 9 : at + 12] for at in _starts(said)] == [b"200", b"200", b"400"]


def _starts(said: bytes) -> list[int]:
    return [at for at in range(len(said)) if said.startswith(b"HTTP/1.1 ", at)]
