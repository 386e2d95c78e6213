"""A little name server: it answers what the test says, by UDP and, when that is cut, by TCP."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any


@dataclass
class NameServer:
    """Listens on a free port of 127.0.0.1 in the running loop.

    Args:
        addresses: by name; a name that is missing does not exist.
        life: seconds its answers hold.
        cut: UDP answers are truncated.
        silent: it does not answer at all.
        code: the response code of every answer, when it is no name error.
    """

    addresses: dict[str, list[str]] = field(default_factory=dict)
    life: int = 60
    cut: bool = False
    silent: bool = False
    code: int = 0
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _transport: Any = None
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        answering = lambda: _Answering(self)  # noqa: E731 - asyncio wants a factory
        self._transport, _ = await loop.create_datagram_endpoint(
            answering, local_addr=("127.0.0.1", self.port)
        )

    async def stop(self) -> None:
        """Listen no more."""
        self._transport.close()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        said = self.answer(await reader.readexactly(length), cut=False)
        writer.write(len(said).to_bytes(2, "big") + said)
        await writer.drain()
        writer.close()

    def answer(self, asked: bytes, *, cut: bool) -> bytes:
        """The answer to a question."""
        name, at = [], 12
        while asked[at]:
            name.append(asked[at + 1 : at + 1 + asked[at]].decode())
            at += 1 + asked[at]
        (kind, _), end = struct.unpack_from(">HH", asked, at + 1), at + 5
        self.asked.append(".".join(name))
        found = self.addresses.get(".".join(name))
        wanted = 6 if kind == 28 else 4  # noqa: PLR2004 - AAAA
        hosts = [h for h in map(ip_address, found or ()) if h.version == wanted]
        records = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, self.life, len(h.packed)) + h.packed
            for h in hosts
        )
        code = self.code or (3 if found is None else 0)
        flags = 0x8180 | code | (0x0200 if cut else 0)
        count = 0 if cut else len(hosts)
        head = asked[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0)
        return head + asked[12:end] + (b"" if cut else records)


class _Answering(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self._server.silent:
            self._transport.sendto(self._server.answer(data, cut=self._server.cut), addr)
