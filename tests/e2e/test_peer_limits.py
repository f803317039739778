# SPDX-License-Identifier: MIT
"""How large a call may be: MaxRpcSize of an interface, the 4 MiB where nobody says otherwise
(MS-RPCE 3.3.3.5.4), and answers, which have a limit of their own.
"""
import struct

import pytest

from peer import calls, pdu
from peer.pdu import FIRST, LAST
from peer.server import FakeServer, Server, run_client

MIB = 1 << 20
DENIED, OUT_OF_RESOURCES = 5, 1721


@pytest.fixture
def serve(tmp_path):
    """serve(max_rpc_size) runs a server."""
    servers = []
    tmp_path.chmod(0o700)

    def start(max_rpc_size):
        servers.append(Server(tmp_path, max_rpc_size=max_rpc_size))
        return servers[-1]
    yield start
    for server in servers:
        assert server.stop() == 0


def nothing(wire, size, frag=5816):
    """A call without parameters and `size` octets behind them; the first PDU of the answer."""
    wire.send(*pdu.fragments(calls.NOTHING, bytes(size), frag))
    return wire.recv()


@pytest.mark.parametrize("limit", [8, 100, 5816, 3 * MIB, 6 * MIB + 8, None])
def test_max_rpc_size(serve, limit):
    """Up to it a request is executed, past it there is fault 5, also where it has only one
    fragment; None: nobody has said anything."""
    server = serve(limit)
    size = limit or 4 * MIB
    with server.bound() as wire:
        assert nothing(wire, size).ptype == pdu.RESPONSE
        fault = nothing(wire, size + 1)
        assert (fault.ptype, fault.status, fault.flags & pdu.DNE) == (pdu.FAULT, DENIED, 0)
        wire.expect_end()
    with server.bound() as wire:  # announced is as bad as sent
        wire.send(pdu.request(calls.NOTHING, bytes(8), flags=FIRST, hint=size + 1))
        assert wire.recv().status == DENIED
        wire.expect_end()
    with server.bound() as wire:  # pipes do not count
        wire.send(pdu.request(calls.TAKE, struct.pack("<iI", 1, 4096), flags=FIRST))
        wire.send(pdu.request(calls.TAKE, bytes(4096 + 4), flags=LAST))
        calls.check_take(b"".join(p.stub for p in wire.recv_call()), 1, bytes(4096))


def test_local_callers_have_four_mib(serve):
    """On ncalrpc MaxRpcSize is ignored, as long as it would take something away."""
    server = serve(100)
    with server.bound("local") as wire:
        assert nothing(wire, 4 * MIB, 65000).ptype == pdu.RESPONSE
        assert nothing(wire, 4 * MIB + 1, 65000).status == DENIED


def test_no_limit(serve):
    """(unsigned)-1."""
    server = serve(2**32 - 1)
    with server.bound() as wire:
        assert nothing(wire, 40 * MIB).ptype == pdu.RESPONSE


@pytest.mark.parametrize("transport", ["tcp", "local"])
def test_own_client(serve, transport):
    """6 MiB there and back through the stubs: only where the interface says so."""
    for limit, status in ((8 * MIB, 0), (None, DENIED)):
        server = serve(limit)
        binding = server.binding if transport == "tcp" else server.local_binding
        line, = run_client(binding, "sum", 3 * MIB // 2, env=server.env)
        assert line["status"] == status, line


def test_answers_past_every_limit():
    """A server that never stops: the client does, at 240 MiB, with nothing lost but that call."""
    piece = pdu.response(bytes(65000), flags=0)

    def script(wire, number):
        bind = wire.recv()
        wire.send(pdu.bind_ack(bind.call, ((pdu.ACCEPTED, 0, pdu.NDR),)))
        request = wire.recv()
        assert request.call == 2
        try:
            wire.send(pdu.response(bytes(65000), flags=FIRST))
            for _ in range(300 * MIB // 65000):
                wire.send(piece)
        except OSError:
            return
        assert False, "it took 300 MiB"
    with FakeServer(script) as fake:
        line, = run_client(fake.binding, "sum", 10)
        assert line["status"] == OUT_OF_RESOURCES, line
