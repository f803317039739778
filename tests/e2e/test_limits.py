# SPDX-License-Identifier: MIT
"""RpcxServerSetConnectionLimits: what each limit does, seen by hand-made clients on every
transport (docs/design/limits.md)."""
import resource
import socket
import threading
import time
from pathlib import Path

import pytest

from conftest import sanitizer
from peer import calls, ndr, pdu
from peer.pdu import FIRST, LAST
from peer.server import Server

TRANSPORTS = ["tcp", "local"]


@pytest.fixture
def serve(tmp_path):
    servers = []
    tmp_path.chmod(0o700)

    def start(*options, **kwargs):
        servers.append(Server(tmp_path, options=options, **kwargs))
        return servers[-1]
    yield start
    for server in servers:
        assert server.stop() == 0


def seconds_until_end(wire):
    start = time.monotonic()
    wire.expect_end()
    return time.monotonic() - start


def check_call(wire, call=2):
    wire.send(pdu.request(calls.ECHO, calls.echo(1, b"good"), call=call))
    calls.check_echo(wire.recv().stub, 1, b"good")


# ---- Time ----------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("sent", [0, 1, 15, 16, 40])
def test_bind_time(serve, transport, sent):
    """Closed by a timer, not by the next client; whatever part of a bind came; one that was
    bound stays."""
    server = serve("--bind-ms", 300)
    good = server.bound(transport)
    with server.connect(transport) as wire:
        wire.send(pdu.bind()[:sent])
        assert 0.2 < seconds_until_end(wire) < 2
    check_call(good)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bind_octet_by_octet(serve, transport):
    """Sending does not prolong it."""
    server = serve("--bind-ms", 400)
    with server.connect(transport) as wire:
        start = time.monotonic()
        with pytest.raises(OSError):
            for octet in pdu.bind() * 10:
                wire.send(bytes([octet]))
                time.sleep(0.05)
        assert 0.3 < time.monotonic() - start < 3


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_refused_and_does_not_leave(serve, transport):
    """What only swallows has as long."""
    server = serve("--bind-ms", 300)
    wire = server.bound(transport)
    wire.send(pdu.bind())  # a second one
    assert wire.recv().ptype == pdu.BIND_NAK
    wire.expect_end()  # of what the server says
    before = server.fd_count()
    pdu.wait_until(lambda: server.fd_count() < before, 3, "the server's descriptor is closed")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_idle(serve, transport):
    server = serve("--idle-ms", 400)
    busy, idle, partial = (server.bound(transport) for _ in range(3))
    hanging = server.bound(transport)
    hanging.send(pdu.request(calls.HANG))
    partial.send(pdu.request(calls.NOTHING)[:20])  # a part of a PDU is no request
    start = time.monotonic()
    for call in range(2, 14):
        check_call(busy, call)
        time.sleep(0.1)
    idle.expect_end()
    partial.expect_end()
    assert time.monotonic() - start < 3
    check_call(busy, 99)
    hanging.expect_silence()  # a call is no idleness
    assert 0.3 < seconds_until_end(busy) < 2


def test_idle_is_off_by_default(serve):
    """And a server with bound connections alone sleeps: no timer of ours wakes it."""
    server = serve()
    wires = [server.bound(t) for t in TRANSPORTS for _ in range(20)]
    time.sleep(0.5)  # the tick ends

    def switches():
        total = 0
        for task in Path(f"/proc/{server.pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt"):
                    total += int(line.split()[1])
        return total
    before = switches()
    time.sleep(1.5)
    if sanitizer() != "tsan":  # whose own thread wakes ten times a second
        assert switches() - before <= 4
    for wire in wires:
        check_call(wire)


# ---- Numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_connections_in_all(serve, transport):
    server = serve("--connections", 5)
    wires = [server.bound(transport) for _ in range(5)]
    for _ in range(20):
        with server.connect(transport) as one_more:
            one_more.expect_end()
    for wire in wires:
        check_call(wire)
    wires.pop().close()

    def room():
        try:
            wires.append(server.bound(transport))
            return True
        except (pdu.Closed, OSError):
            return False
    pdu.wait_until(room, 5, "room for another")
    check_call(wires[-1])


def test_connections_per_peer(serve):
    """An address of this machine is not another; nor is a local user."""
    server = serve("--per-peer", 3)
    wires = [server.bound("tcp") for _ in range(3)]
    for _ in range(10):
        with server.connect("tcp") as one_more:
            one_more.expect_end()
    local = [server.bound("local") for _ in range(3)]
    with server.connect("local") as one_more:
        one_more.expect_end()
    sock = socket.create_connection(("127.0.0.1", server.port), 10, ("127.0.0.2", 0))
    with pdu.Wire(sock) as other:
        other.send(pdu.bind())
        assert other.recv().ptype == pdu.BIND_ACK
        check_call(other)
    for wire in wires + local:
        check_call(wire)
    for wire in wires:
        wire.close()
    pdu.wait_until(lambda: server.fd_count() < 20, 5)
    check_call(server.bound("tcp"))


# ---- Descriptors ---------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_descriptors_run_out_and_come_back(serve, transport):
    """With 64 descriptors: who comes when none is left is turned away, the others are served, the
    server does not spin, and accepts again when some are free; several times, also while clients
    come."""
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    server = serve(preexec_fn=few)
    for _ in range(3):
        good = server.bound(transport)
        wires = [server.connect(transport) for _ in range(150)]
        check_call(good)
        kept = turned_away = 0
        for wire in wires:
            try:
                wire.send(pdu.bind())
                kept += wire.recv().ptype == pdu.BIND_ACK
            except (pdu.Closed, OSError):
                turned_away += 1
        assert kept >= 20 and turned_away >= 80
        before = server.cpu_seconds()
        time.sleep(0.5)
        assert server.cpu_seconds() - before < 0.2, "the server spins"
        check_call(good, 9)
        for wire in wires:
            wire.close()
        good.close()
        pdu.wait_until(lambda: server.fd_count() < 25, 10, "descriptors are free again")
    check_call(server.bound(transport))


def test_a_thousand_at_once(serve):
    """Connecting at once, none is refused and each is served, on either transport."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3000:
        pytest.skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    server = serve()
    failures = []
    start = threading.Barrier(20)

    def clients(transport):
        wires = []
        try:
            start.wait(20)
            for _ in range(50):
                wires.append(server.connect(transport))
                wires[-1].send(pdu.bind(), pdu.request(calls.ECHO, calls.echo(1, b"good")))
            for wire in wires:
                assert wire.recv().ptype == pdu.BIND_ACK
                calls.check_echo(wire.recv().stub, 1, b"good")
        except Exception as error:
            failures.append(error)
        for wire in wires:
            wire.close()
    for transport in TRANSPORTS:
        threads = [threading.Thread(target=clients, args=(transport,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        assert not failures, failures[0]
