# SPDX-License-Identifier: MIT
"""Calls from the server back to its client: on the wire, between our two sides, and with
peers that break off or break the rules at every point.

The cases of callback_client run in a process each.  The other peers are Python.
"""
import re
import signal
import socket
import struct
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from conftest import BUILD, Server, sanitizer, serving
from peer import pdu
from peer.pdu import FIRST, LAST
from peer.server import FakeServer

SERVER = BUILD / "tests/e2e/callback/callback_server"
CLIENT = BUILD / "tests/e2e/callback/client/callback_client"
CASES = ["sum", "threads", "bulk", "raised", "deep", "strings", "context", "async", "cancelled"]

IFACE = pdu.Syntax(uuid.UUID("5f0e7a10-6a1d-4a54-9d7c-6f6b2f0ca110"), 1)
COUNT, SUM, PLAIN, BULK, CATCH, DRAIN, LET = 0, 1, 2, 3, 4, 17, 18  # operations
TERM, TURN, THROW = 0, 1, 2                     # callbacks
NO_CALL_ACTIVE, CALL_FAILED, BAD_STUB_DATA, OUT_OF_RESOURCES = 1725, 1726, 1783, 1721
CANCELLED = 1818
CANNOT_SUPPORT = 1764
OP_RANGE, UNK_IF, PROTO_ERROR = 0x1C010002, 0x1C010003, 0x1C01000B


@pytest.fixture(scope="module")
def server(program_env):
    with serving(SERVER, program_env) as server:
        yield server


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
@pytest.mark.parametrize("case", CASES)
def test_case(server, syntax_env, case, transport):
    result = subprocess.run([CLIENT, server.bindings[transport], case], env=syntax_env,
                            capture_output=True, text=True, timeout=120, check=False)
    assert result.stdout == "ok\n" and result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
def test_access_check_inside_a_callback(program_env, transport):
    with serving(SERVER, dict(program_env, CALLBACK_REFUSED="4")) as server:
        result = subprocess.run([CLIENT, server.bindings[transport], "refused"], env=program_env,
                                capture_output=True, text=True, timeout=120, check=False)
        assert result.stdout == "ok\n" and result.returncode == 0, result.stdout + result.stderr


# ---- A client that shares no code ------------------------------------------------------------


class Peer:
    def __init__(self, server, order="<"):
        host, port = server.bindings["tcp4"].split(":")[1].rstrip("]").split("[")
        self.wire = pdu.Wire(socket.create_connection((host, int(port)), timeout=10))
        self.order = order
        self.wire.send(pdu.bind([pdu.Context(0, IFACE)], order=order))
        assert self.wire.recv().ptype == pdu.BIND_ACK

    def request(self, opnum, *longs, **kwargs):
        self.wire.send(pdu.request(opnum, self.longs(*longs), order=self.order, **kwargs))

    def answer(self, *longs, **kwargs):
        self.wire.send(pdu.response(self.longs(*longs), order=self.order, **kwargs))

    def longs(self, *values):
        return struct.pack(f"{self.order}{len(values)}l", *values)

    def begin(self, n=1, call=9):
        """Sum(n), and its first callback."""
        self.request(SUM, n, call=call)
        callback = self.wire.recv()
        assert callback.ptype == pdu.REQUEST and callback.opnum == TERM, callback
        assert callback.stub == struct.pack("<l", 0)
        return callback

    def counters(self):
        self.request(COUNT, call=1000)
        return struct.unpack("<4l", self.wire.recv().stub)

    def works(self):
        self.request(PLAIN, 41, call=1001)
        answer = self.wire.recv()
        return answer.ptype == pdu.RESPONSE and answer.stub == struct.pack("<l", 42)


@pytest.fixture
def watch(server):
    """A peer that looks on; at the end every manager that began has ended."""
    peer = Peer(server)
    yield peer
    pdu.wait_until(lambda: peer.counters()[0] == peer.counters()[1], what="the managers' end")
    assert peer.works()
    peer.wire.close()


def expect_manager(watch, status, ended):
    """The manager has ended, and its callback raised `status`."""
    pdu.wait_until(lambda: watch.counters()[1] == ended + 1, what="the manager's end")
    assert watch.counters()[3] == status


def switches(process):
    """How often threads of the process have gone to sleep."""
    count = 0
    for status in Path(f"/proc/{process.pid}/task").glob("*/status"):
        count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.M)[1])
    return count


@pytest.mark.parametrize("then", ["room", "close", "reset"])
def test_answer_behind_full_pipe(server, watch, then):
    """A pipe at its high mark stops the connection, and the answer to a callback is behind it.
    The manager that waits for it sleeps until there is room, or the client has gone."""
    ended = watch.counters()[1]
    peer = Peer(server)
    peer.begin(call=5)
    count = (1 << 18) + (1 << 13)  # longs, and the high mark is 1 MiB
    stub = struct.pack("<l", count) + bytes(4 * count) + struct.pack("<l", 0)
    pdus = pdu.fragments(DRAIN, stub, 4096, call=6)
    seen = [0]

    def sleeps():
        """Ten times in half a second is nobody's work; a sanitizer has a thread, too."""
        seen.append(switches(server.process))
        time.sleep(0.5)
        return seen[-1] - seen[-2] < 10

    peer.wire.send(*pdus[:-4])
    pdu.wait_until(sleeps, what="a server that reads no more")
    peer.wire.send(*pdus[-4:])
    peer.answer(7, call=5)
    pdu.wait_until(sleeps, what="a server that polls for nothing")
    assert watch.works() and watch.counters()[1] == ended
    if then == "room":
        watch.request(LET, call=1002)
        answers = {answer.call: answer.stub for answer in (peer.wire.recv(), peer.wire.recv(),
                                                           watch.wire.recv())}
        assert answers == {5: struct.pack("<q", 7), 6: struct.pack("<l", count), 1002: b""}
        return
    getattr(peer.wire, then)()
    expect_manager(watch, CALL_FAILED, ended)
    watch.request(LET, call=1002)  # its pull fails
    assert watch.wire.recv().ptype == pdu.RESPONSE


@pytest.mark.parametrize("order", "<>")
def test_fields(server, order):
    peer = Peer(server, order)
    peer.request(SUM, 3, call=77)
    for i in range(3):
        callback = peer.wire.recv()
        assert (callback.ptype, callback.call, callback.context) == (pdu.REQUEST, 77, 0)
        assert callback.flags == FIRST | LAST and callback.opnum == TERM
        assert callback.stub == struct.pack("<l", i) and callback.hint == 4
        peer.answer(10 * i, call=77)
    answer = peer.wire.recv()
    assert (answer.ptype, answer.call) == (pdu.RESPONSE, 77)
    assert struct.unpack("<q", answer.stub) == (30,)
    peer.wire.close()


def test_call_inside_callback(server, watch):
    """The same id, and the numbers of the operations, not of the callbacks."""
    peer = Peer(server)
    peer.begin()
    for n in range(3):
        peer.request(PLAIN, n, call=9)
        answer = peer.wire.recv()
        assert (answer.ptype, answer.call, answer.stub) == (pdu.RESPONSE, 9,
                                                           struct.pack("<l", n + 1))
    peer.request(SUM, 1, call=9)  # and it calls back again
    assert peer.wire.recv().opnum == TERM
    peer.answer(5, call=9)
    assert struct.unpack("<q", peer.wire.recv().stub) == (5,)
    peer.answer(6, call=9)
    assert struct.unpack("<q", peer.wire.recv().stub) == (6,)
    assert peer.works()


def test_other_calls_beside(server):
    """One waits in a callback, others on the connection go on."""
    peer = Peer(server)
    peer.begin(call=5)
    for call in (6, 7):
        peer.request(PLAIN, call, call=call)
        answer = peer.wire.recv()
        assert (answer.call, answer.stub) == (call, struct.pack("<l", call + 1))
    peer.begin(call=8)
    peer.answer(1, call=5)
    assert peer.wire.recv().call == 5
    peer.answer(1, call=8)
    assert peer.wire.recv().call == 8


def test_fragments(server):
    """A callback with many fragments each way, the answer cut at odd places."""
    n = 5000
    peer = Peer(server)
    peer.request(BULK, n, call=3)
    fragments = [peer.wire.recv()]
    while not fragments[-1].last:
        fragments.append(peer.wire.recv())
    assert all(f.ptype == pdu.REQUEST and f.opnum == TURN and f.call == 3 for f in fragments)
    assert [f.first for f in fragments] == [True] + [False] * (len(fragments) - 1)
    octets = b"".join(f.stub for f in fragments)
    values = struct.unpack(f"<{n}l", octets[8:])
    assert octets[:8] == struct.pack("<ll", n, n) and values == tuple(range(0, 7 * n, 7))
    stub = struct.pack(f"<l{n}l", n, *reversed(values))
    stub += bytes(-len(stub) % 8) + struct.pack("<q", sum(values))
    cuts = [0, 8, 24, 4024, 4024, 8000, len(stub)]
    for a, b in zip(cuts, cuts[1:]):
        flags = (FIRST if a == b == 0 or a == 0 else 0) | (LAST if b == len(stub) else 0)
        for at in range(a, max(b, a + 1), 4000):
            end = min(at + 4000, b)
            last = flags & LAST if end == b else 0
            peer.wire.send(pdu.response(stub[at:end], call=3,
                                        flags=last | (flags & FIRST if at == 0 else 0)))
    assert peer.wire.recv().stub == struct.pack("<l", 0)


# ---- Clients that go wrong -----------------------------------------------------------------


@pytest.mark.parametrize("fault, status", [(5, 5), (1726, 1726), (OP_RANGE, 1745),
                                           (0x1C010003, 1717)])
def test_fault(server, fault, status):
    peer = Peer(server)
    peer.request(CATCH, 1, call=3)
    assert peer.wire.recv().opnum == THROW
    peer.wire.send(pdu.fault(fault, call=3))
    answer = peer.wire.recv()
    assert (answer.ptype, answer.stub) == (pdu.RESPONSE, struct.pack("<L", status))
    assert peer.works()


@pytest.mark.parametrize("stub", [b"", b"\0\0"])
def test_bad_stub(server, watch, stub):
    ended = watch.counters()[1]
    peer = Peer(server)
    peer.begin()
    peer.wire.send(pdu.response(stub, call=9))
    answer = peer.wire.recv()
    assert (answer.ptype, answer.status) == (pdu.FAULT, BAD_STUB_DATA)
    expect_manager(watch, BAD_STUB_DATA, ended)
    assert peer.works()


@pytest.mark.parametrize("end", ["close", "reset", "half", "orphaned"])
@pytest.mark.parametrize("when", ["asked", "half answered", "inside"])
def test_client_gone(server, watch, end, when):
    ended = watch.counters()[1]
    peer = Peer(server)
    peer.begin()
    if when == "half answered":
        peer.wire.send(pdu.response(b"\0" * 8, call=9, flags=FIRST))
    if when == "inside":
        peer.begin()
    if end == "orphaned":
        peer.wire.send(pdu.control(pdu.ORPHANED, 9))
        assert peer.works()
    elif end == "half":
        peer.wire.sock.shutdown(socket.SHUT_WR)
    else:
        getattr(peer.wire, end)()
    inside = 2 if when == "inside" else 1
    pdu.wait_until(lambda: watch.counters()[1] == ended + inside, what="the managers' end")
    assert watch.counters()[3] == (CANCELLED if end == "orphaned" else CALL_FAILED)


def test_cancel(server, watch):
    """A co_cancel is heard in the manager, and no more than that."""
    ended, cancelled = watch.counters()[1:3]
    peer = Peer(server)
    peer.begin()
    peer.wire.send(pdu.control(pdu.CO_CANCEL, 9))
    peer.answer(7, call=9)
    assert struct.unpack("<q", peer.wire.recv().stub) == (7,)
    assert watch.counters()[1:3] == (ended + 1, cancelled + 1)


@pytest.mark.parametrize("wrong", [
    pdu.response(b"\0" * 4, call=10), pdu.fault(5, call=10),
    pdu.response(b"\0" * 4, call=9, flags=LAST),
    pdu.request(PLAIN, b"\0" * 4, call=9, flags=LAST),
    pdu.request(PLAIN, b"\0" * 4, call=9, flags=0),
    pdu.bind([pdu.Context(0, IFACE)], call=9),
    pdu.bind_ack(9),
    pdu.response(b"", call=9, flags=FIRST) + pdu.request(PLAIN, b"\0" * 4, call=9),
    pdu.response(b"", call=9, flags=FIRST) + pdu.response(b"", call=9, flags=FIRST),
    pdu.response(b"", call=9, flags=FIRST) + 20 * pdu.response(b"", call=9, flags=0),
    pdu.request(PLAIN, b"", call=9, flags=FIRST) + pdu.response(b"\0" * 4, call=9),
    b"\5\0\2\3" + bytes(12), b"\xff" * 24,
], ids=range(13))
def test_rules_broken(server, watch, wrong):
    """The manager's callback fails, the connection ends, and others notice nothing."""
    ended = watch.counters()[1]
    peer = Peer(server)
    peer.begin()
    peer.wire.send(wrong)
    pdu.wait_until(lambda: watch.counters()[1] == ended + 1, what="the manager's end")
    assert watch.counters()[3] in (CALL_FAILED, 1728)
    try:
        while True:
            peer.wire.recv()
    except pdu.Closed:
        pass


def test_answers_nobody_awaits(server, watch):
    for stray in (pdu.response(b"\0" * 4, call=9), pdu.fault(5, call=9)):
        for before in (False, True):
            peer = Peer(server)
            if before:
                peer.begin()
                peer.answer(7, call=9)
                assert peer.wire.recv().ptype == pdu.RESPONSE
            peer.wire.send(stray)
            answer = peer.wire.recv()
            assert (answer.ptype, answer.status) == (pdu.FAULT, PROTO_ERROR)
            peer.wire.expect_end()


@pytest.mark.parametrize("opnum, context, status", [(100, 0, OP_RANGE), (0xFFFF, 0, OP_RANGE),
                                                    (PLAIN, 1, UNK_IF)])
def test_wrong_operation_inside(server, watch, opnum, context, status):
    peer = Peer(server)
    peer.begin()
    peer.request(opnum, 1, call=9, context=context)
    answer = peer.wire.recv()
    assert (answer.ptype, answer.call, answer.status) == (pdu.FAULT, 9, status)
    peer.answer(7, call=9)
    assert struct.unpack("<q", peer.wire.recv().stub) == (7,)
    assert peer.works()


def test_too_deep(server, watch):
    """Sum in Term in Sum ...: LIMIT_CALL_NESTING, then a fault, and all of it unwinds."""
    peer = Peer(server)
    depth = 0
    while True:
        peer.request(SUM, 1, call=9)
        reply = peer.wire.recv()
        if reply.ptype == pdu.FAULT:
            break
        depth += 1
        assert reply.opnum == TERM and depth <= 16
    assert (reply.status, depth) == (OUT_OF_RESOURCES, 16)
    for i in range(depth):
        peer.answer(i, call=9)
        assert struct.unpack("<q", peer.wire.recv().stub) == (i,)
    assert peer.works()


def test_flood(server, watch):
    """Many clients that never answer hold a thread each, and let go when they end."""
    peers = [Peer(server) for _ in range(40)]
    for peer in peers:
        peer.begin()
    assert watch.works()
    assert watch.counters()[0] == watch.counters()[1] + 40
    for i, peer in enumerate(peers):
        if i % 2:
            peer.wire.close()
        else:
            peer.answer(1, call=9)
            assert peer.wire.recv().ptype == pdu.RESPONSE


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
def test_client_killed(server, watch, program_env, transport):
    ended = watch.counters()[1]
    client = subprocess.Popen([CLIENT, server.bindings[transport], "hold"], env=program_env,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"in\n"
    client.send_signal(signal.SIGKILL)
    client.communicate(timeout=30)
    expect_manager(watch, CALL_FAILED, ended)


def test_server_killed(program_env):
    """In the middle of the client's routine: it returns, and the outer call fails."""
    with pytest.raises(AssertionError, match="ended with"):
        with serving(SERVER, program_env) as server:
            client = subprocess.Popen([CLIENT, server.bindings["tcp4"], "hold"], env=program_env,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert client.stdout.readline() == b"in\n"
            server.process.kill()
            out, _ = client.communicate(timeout=30)
            assert out == f"raised {CALL_FAILED}\n".encode()


# ---- Memory that is not there ----------------------------------------------------------------

STARVE = BUILD / "tests/e2e/callback/callback_starve.so"


def starved(env, nth):
    return dict(env, LD_PRELOAD=str(STARVE), STARVE_NTH=str(nth), PENSTOCK_OBJECTS="heap")


@pytest.mark.skipif(sanitizer() != "", reason="the sanitizer has its own malloc")
def test_each_allocation_of_the_client_fails(server, watch, program_env):
    """The call fails, or the failure is made good for; all of it ends."""
    outcomes = set()
    for nth in range(1, 400):
        client = subprocess.run([CLIENT, server.bindings["tcp4"], "little"],
                                env=starved(program_env, nth), capture_output=True, text=True,
                                timeout=20, check=False)
        assert client.returncode in (0, 1, 2), (nth, client)
        outcomes.add(client.stdout)
    assert client.stdout == "ok\n", "it needs more than 400"
    assert "raised 14\n" in outcomes


@pytest.mark.skipif(sanitizer() != "", reason="the sanitizer has its own malloc")
def test_each_allocation_of_the_server_fails(program_env):
    outcomes = set()
    for nth in range(20, 220):
        try:
            server = Server(SERVER, starved(program_env, nth))
        except AssertionError:  # too early for it
            continue
        client = subprocess.run([CLIENT, server.bindings["ncalrpc"], "little"], env=program_env,
                                capture_output=True, text=True, timeout=20, check=False)
        assert client.returncode in (0, 1), (nth, client)
        outcomes.add(client.stdout)
        assert server.stop() in (0, 1), nth
    assert client.stdout == "ok\n", "it needs more than 220"
    assert "raised 14\n" in outcomes


# ---- Servers that go wrong -----------------------------------------------------------------


def run_once(env, script):
    """What "once" prints when Sum(1) meets `script(wire, request)`."""
    def serve(wire, _):
        bind = wire.recv()
        wire.send(pdu.bind_ack(bind.call, ((pdu.ACCEPTED, 0, pdu.NDR),
                                           (pdu.NEGOTIATED, 0, pdu.NIL))))
        script(wire, wire.recv())
    with FakeServer(serve) as fake:
        result = subprocess.run([CLIENT, fake.binding, "once"], env=env, capture_output=True,
                                text=True, timeout=60, check=False)
    return result.stdout.splitlines()[0]


def finish(wire, request, value=5):
    wire.send(pdu.response(struct.pack("<q", value), call=request.call))


@pytest.mark.parametrize("order", "<>")
def test_server_calls_back(program_env, order):
    def script(wire, request):
        for i in range(3):
            wire.send(pdu.request(TERM, struct.pack(order + "l", 21 + i), call=request.call,
                                  order=order))
            answer = wire.recv()
            assert (answer.ptype, answer.call, answer.context) == (pdu.RESPONSE, request.call, 0)
            assert answer.stub == struct.pack("<l", 42 + 2 * i)
        finish(wire, request)
    assert run_once(program_env, script) == "5"


@pytest.mark.parametrize("opnum, stub, status", [
    (99, b"\0" * 4, OP_RANGE), (TERM, b"", BAD_STUB_DATA), (TERM, b"\0" * 2, BAD_STUB_DATA),
    (TURN, struct.pack("<ll", 5, 4) + bytes(16), BAD_STUB_DATA),
    (TURN, struct.pack("<lL", -1, 0xFFFFFFFF), BAD_STUB_DATA)])
def test_callback_refused(program_env, opnum, stub, status):
    """A fault for the callback; the outer call goes on."""
    def script(wire, request):
        wire.send(pdu.request(opnum, stub, call=request.call))
        answer = wire.recv()
        assert (answer.ptype, answer.call, answer.status) == (pdu.FAULT, request.call, status)
        finish(wire, request)
    assert run_once(program_env, script) == "5"


@pytest.mark.parametrize("make", [
    lambda call: pdu.request(TERM, b"\0" * 4, call=call + 1),
    lambda call: pdu.request(TERM, b"\0" * 4, call=call, context=1),
    lambda call: pdu.request(TERM, b"\0" * 4, call=call, flags=LAST),
    lambda call: pdu.request(TERM, b"", call=call, flags=FIRST) + pdu.response(bytes(8), call=call),
    lambda call: pdu.request(TERM, b"", call=call, flags=FIRST) + pdu.request(TERM, b"", call=call),
    lambda call: pdu.request(TERM, b"", call=call, flags=FIRST) +
    20 * pdu.request(TERM, b"", call=call, flags=0),
    lambda call: pdu.request(TERM, b"\0" * 4, call=call, flags=FIRST) + pdu.fault(5, call=call),
    lambda call: pdu.response(b"", call=call, flags=FIRST) + pdu.request(TERM, b"\0" * 4, call=call),
    lambda call: pdu.control(pdu.CO_CANCEL, call),
    lambda call: pdu.request(TERM, b"\0" * 4, call=call, flags=FIRST),
], ids=range(10))
def test_server_breaks_rules(program_env, make):
    """The call fails, at once and without an answer."""
    def script(wire, request):
        wire.send(make(request.call))
        if make(0) == pdu.request(TERM, b"\0" * 4, call=0, flags=FIRST):
            return  # a callback that is never complete: the connection ends
        with pytest.raises(pdu.Closed):
            wire.recv()
    assert run_once(program_env, script) in ("raised 1726", "raised 1728", "raised 5")


def test_callback_before_the_call(program_env):
    """The answer to the bind, and a callback at once."""
    def serve(wire, _):
        bind = wire.recv()
        wire.send(pdu.bind_ack(bind.call, ((pdu.ACCEPTED, 0, pdu.NDR),
                                           (pdu.NEGOTIATED, 0, pdu.NIL))) +
                  pdu.request(TERM, b"\0" * 4, call=2))
        with pytest.raises(pdu.Closed):
            while True:
                assert wire.recv().ptype == pdu.REQUEST
    with FakeServer(serve) as fake:
        result = subprocess.run([CLIENT, fake.binding, "once"], env=program_env, timeout=60,
                                capture_output=True, text=True, check=False)
    assert result.stdout.startswith("raised 172"), result.stdout


@pytest.mark.parametrize("count", [2, 1000])
def test_callbacks_at_once(program_env, count):
    """A second one while the first is worked on breaks the rules."""
    def script(wire, request):
        wire.send(pdu.request(TERM, b"\0" * 4, call=request.call) * count)
        with pytest.raises(pdu.Closed):
            wire.recv()
    assert run_once(program_env, script) == "raised 1728"


def test_routine_raises(program_env):
    def script(wire, request):
        wire.send(pdu.request(THROW, struct.pack("<l", 1234), call=request.call))
        answer = wire.recv()
        assert (answer.ptype, answer.status) == (pdu.FAULT, 1234)
        finish(wire, request, 6)
    assert run_once(program_env, script) == "6"
