"""Finds a server for a request: the first, the next when that one fails, a place in the queue."""

from __future__ import annotations

from frontdoor import answers
from frontdoor.answers import Answer
from frontdoor.client_socket import CLOSED, NEVER, WAITING
from frontdoor.gathering import Gathering
from frontdoor.peers import Peer
from frontdoor.pools import RETRY_RESERVE, Pool
from frontdoor.upstream_connection import Reason, UpstreamConnection


class Attempting(Gathering):
    """A client's connection whose requests go to servers; `proxying` carries them."""

    def forward(self) -> None:
        """Send the request to a service, a short body after it is whole."""
        if self.left or self.chunked is not None:
            if self.exchange.fields.expects:
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if self.begin_gathering():
                return
        self.ask()

    def ask(self) -> None:
        """Find a server."""
        pool = self.exchange.route.pool
        assert pool is not None  # routes without one answer by themselves
        if pool.budget < RETRY_RESERVE:
            pool.earn()
        peer = pool.choose()
        if peer is None:
            if not pool.queue(self):
                self.fail(answers.UNAVAILABLE)
            return
        link = pool.take(peer)
        if link is not None:
            self.attach(link)
        else:
            self.connect_to(peer)

    def turn(self, peer: Peer | None) -> bool:
        """A server has a free hand, or there was none for too long."""
        if self.state == CLOSED:
            return False
        if peer is None:
            self.fail(answers.UNAVAILABLE)
        else:
            self.send_to(peer)
        return True

    def connected(self, connection: UpstreamConnection) -> None:
        """A new connection stands."""
        if self.state == CLOSED:
            connection.pool.give_back(connection)
        else:
            self.attach(connection)

    def not_connected(self, peer: Peer, reason: Reason) -> None:
        """The server could not be reached; nothing was sent, so any request may go elsewhere."""
        if self.state != CLOSED:
            self.exchange.tries += 1
            self.lost(peer, reason, answers.UNAVAILABLE)

    def pool_of(self) -> Pool:
        """The group the request goes to."""
        pool = self.exchange.route.pool
        assert pool is not None  # routes without one answer by themselves
        return pool

    def send_to(self, peer: Peer) -> None:
        """Use a kept connection, or open one."""
        link = self.pool_of().take(peer)
        if link is not None:
            self.attach(link)
        else:
            self.connect_to(peer)

    def connect_to(self, peer: Peer) -> None:
        """Open a connection."""
        self.state = WAITING
        self.deadline = NEVER  # connecting has its own
        patience = self.exchange.route.location.connect_timeout
        self.pool_of().connect(peer, self, patience)

    def lost(self, peer: Peer, reason: Reason, answer: Answer, *, may_repeat: bool = True) -> None:
        """An attempt failed: another one, or the answer that says so."""
        exchange, pool = self.exchange, self.pool_of()
        pool.failed(peer)
        if exchange.replied:
            self.transport.abort()  # a truncated answer must not look complete
            return
        wanted = reason in exchange.route.location.next_upstream
        untouched = exchange.body_sent == 0 and answer is answers.UNAVAILABLE
        may_repeat = wanted and may_repeat and (untouched or exchange.repeatable)
        if not (may_repeat and self.go_elsewhere(peer)):
            self.fail(answer)

    def go_elsewhere(self, peer: Peer) -> bool:
        """Send the request to another server, if it may be and there is one."""
        pool = self.pool_of()
        most = self.exchange.route.location.tries
        if 0 < most <= self.exchange.tries:
            return False
        other = pool.choose(avoiding=peer)
        if other is None or not pool.spend():
            return False
        self.drop_link()
        self.send_to(other)
        return True

    def fail(self, answer: Answer) -> None:
        """Answer in place of the service; an answer that was begun is broken off."""
        if self._held or self._spool is not None:
            self.let_go()
        if self.exchange.replied:
            self.transport.abort()
        else:
            self.answer(answer)

    def attach(self, link: UpstreamConnection) -> None:
        """Send the request over a connection."""
        raise NotImplementedError
