# SPDX-License-Identifier: MIT
"""Binding handles of every kind, and contexts: made, used, closed, run down.

The cases of handles_client run in a process each; what ends a client is done to it here.
"""
import signal
import socket
import struct
import subprocess
import time
import uuid

import pytest

from conftest import BUILD, serving
from peer import pdu

SERVER = BUILD / "tests/e2e/handles/handles_server"
CLIENT = BUILD / "tests/e2e/handles/handles_client"
CASES = ["session", "null_and_garbage", "binding_of_context", "destroyed", "raised", "serialised",
         "closed_while_waiting", "strict", "plain", "flood", "implicit", "generic", "automatic", "status",
         "maybe", "memory", "notify", "cancelled", "withdrawn", "data_sized", "data_closed",
         "data_structures", "data_deep", "data_unsent", "data_raised", "data_crossing",
         "data_too_many", "async_generic", "async_generic_pipe", "async_implicit",
         "async_context_pipes"]


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
    peer = Peer(server)  # what the client left is run down: later cases count
    pdu.wait_until(lambda: peer.counters()[0] == 0, seconds=60, what="the rundown")
    peer.wire.close()


# ---- Clients that go away ---------------------------------------------------------------

HANDLES = pdu.Syntax(uuid.UUID("5f0e7a10-6a1d-4a54-9d7c-6f6b2f0c1a01"), 1)
COUNTERS, OPEN, ADD, CLOSE, SLOW, OPEN_SLOWLY = 0, 1, 2, 4, 6, 13
CONTEXT_MISMATCH = 0x1C00001A
IN_NULL_CONTEXT = 1775
NIL = bytes(20)


class Peer:
    """A connection that shares no code with the library's client."""

    def __init__(self, server, group=0, order="<", interface=HANDLES):
        host, port = server.bindings["tcp4"].split(":")[1].rstrip("]").split("[")
        self.wire = pdu.Wire(socket.create_connection((host, int(port)), timeout=10))
        self.order, self.call_id = order, 1
        self.wire.send(pdu.bind([pdu.Context(0, interface)], group=group, order=order))
        self.ack = self.wire.recv()

    def call(self, opnum, stub=b""):
        self.call_id += 1
        self.wire.send(pdu.request(opnum, stub, call=self.call_id, order=self.order))
        return self.wire.recv()

    def counters(self):
        return struct.unpack("<lll", self.call(COUNTERS).stub)

    def open(self, seed=0):
        answer = self.call(OPEN, struct.pack(self.order + "l", seed))
        assert answer.ptype == pdu.RESPONSE and len(answer.stub) == 24
        return answer.stub[:20]

    def add(self, context, n):
        """The total, or the status of the fault."""
        answer = self.call(ADD, context + struct.pack(self.order + "l", n))
        if answer.ptype == pdu.FAULT:
            return answer.status
        return struct.unpack("<l", answer.stub)[0]


@pytest.fixture
def watch(server):
    """A peer that looks at the counters; at the end everything is as it was, and no rule
    was broken."""
    peer = Peer(server)
    live, _, wrong = peer.counters()
    yield peer
    pdu.wait_until(lambda: peer.counters()[0] == live, what="contexts to be run down")
    assert peer.counters()[2] == wrong == 0
    peer.wire.close()


def hold(server, env, transport):
    client = subprocess.Popen([CLIENT, server.bindings[transport], "hold"], env=env,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"held\n"
    return client


@pytest.mark.parametrize("transport", ["ncalrpc", "tcp4"])
@pytest.mark.parametrize("end", ["kill", "exit"])
def test_rundown(server, watch, program_env, transport, end):
    live, rundowns, _ = watch.counters()
    client = hold(server, program_env, transport)
    assert watch.counters()[:2] == (live + 3, rundowns)
    if end == "kill":
        client.send_signal(signal.SIGKILL)
    client.communicate(timeout=30)
    pdu.wait_until(lambda: watch.counters()[0] == live, what="the rundown")
    assert watch.counters()[1] == rundowns + 3


def test_client_gone_before_its_context_is_made(server, watch):
    live, rundowns, _ = watch.counters()
    peer = Peer(server)
    peer.wire.send(pdu.request(OPEN_SLOWLY, struct.pack("<l", 600), call=9))
    time.sleep(0.2)  # the manager is running
    peer.wire.reset()
    pdu.wait_until(lambda: watch.counters()[1] == rundowns + 1, what="the rundown")
    assert watch.counters()[0] == live


def test_no_rundown_while_a_call_runs(server, watch):
    live, rundowns, _ = watch.counters()
    peer = Peer(server)
    context = peer.open()
    peer.wire.send(pdu.request(SLOW, context + struct.pack("<l", 600), call=9))
    pdu.wait_until(lambda: watch.counters()[0] == live + 1)
    peer.wire.reset()
    assert watch.counters()[:2] == (live + 1, rundowns)
    pdu.wait_until(lambda: watch.counters()[1] == rundowns + 1, what="the rundown")


def test_group_outlives_its_connections(server, watch):
    live, rundowns, _ = watch.counters()
    first = Peer(server)
    context = first.open(5)
    second = Peer(server, group=first.ack.group)
    assert second.ack.group == first.ack.group
    assert second.add(context, 1) == 6
    first.wire.close()
    third = Peer(server, group=second.ack.group)
    assert third.add(context, 1) == 7
    second.wire.close()
    assert third.add(context, 1) == 8
    assert watch.counters()[:2] == (live + 1, rundowns)
    group = third.ack.group
    third.wire.close()
    pdu.wait_until(lambda: watch.counters()[1] == rundowns + 1, what="the rundown")
    assert Peer(server, group=group).ack.ptype == pdu.BIND_NAK


def test_stolen_handle(server, watch):
    owner, thief = Peer(server), Peer(server)
    context = owner.open(5)
    assert thief.add(context, 1) == CONTEXT_MISMATCH
    assert thief.call(CLOSE, context).status == CONTEXT_MISMATCH
    assert owner.add(context, 1) == 6
    assert Peer(server, group=owner.ack.group ^ 1).ack.ptype == pdu.BIND_NAK
    owner.wire.close()
    thief.wire.close()


def test_wrong_handles(server, watch):
    peer = Peer(server)
    context = peer.open(5)
    for i in range(20):  # each octet matters, the attributes included
        other = bytearray(context)
        other[i] ^= 0x40
        assert peer.add(bytes(other), 1) == CONTEXT_MISMATCH
    assert peer.add(NIL, 1) == IN_NULL_CONTEXT
    short = peer.call(ADD, context[:19])
    assert short.ptype == pdu.FAULT and short.status == pdu.BAD_STUB_DATA
    assert peer.add(context, 1) == 6
    assert peer.call(CLOSE, context).stub == NIL
    assert peer.add(context, 1) == CONTEXT_MISMATCH
    peer.wire.close()


def test_big_endian_client(server, watch):
    """It sends the integers of the UUID in its own byte order."""
    peer = Peer(server, order=">")
    context = peer.open(5)
    fields = struct.unpack("<IIHH8s", context)
    assert peer.add(struct.pack(">IIHH8s", *fields), 1) == 6
    peer.wire.close()


# ---- Handles in arrays that no client of ours sends --------------------------------------

DATA = pdu.Syntax(uuid.UUID("5f0e7a10-6a1d-4a54-9d7c-6f6b2f0c1a09"), 1)
ADD_MANY, TOGGLE_GROUP = 1, 4


def add_many(contexts, announced=None, count=None, n=1):
    count = len(contexts) if count is None else count
    announced = count if announced is None else announced
    return struct.pack("<LL", count, announced) + b"".join(contexts) + struct.pack("<l", n)


@pytest.fixture
def data(server, watch):
    """A second interface in the group of a peer with three sessions."""
    owner = Peer(server)
    contexts = [owner.open(10 * k) for k in range(3)]
    peer = Peer(server, group=owner.ack.group, interface=DATA)
    yield peer.call, contexts, owner
    peer.wire.close()
    owner.wire.close()


def status_of(answer):
    return answer.status if answer.ptype == pdu.FAULT else None


def test_wrong_handles_in_arrays(data):
    call, contexts, owner = data
    good = add_many(contexts)
    unknown = bytes(4) + bytes(range(16))
    odd = b"\1" + contexts[1][1:]
    for number, (stub, status) in enumerate([
            (add_many(contexts, announced=4), pdu.BAD_STUB_DATA),
            (add_many(contexts, announced=2), pdu.BAD_STUB_DATA),
            (add_many(contexts, announced=0xFFFFFFFF, count=0xFFFFFFFF), pdu.BAD_STUB_DATA),
            (add_many(contexts, announced=0x10000000, count=0x10000000), pdu.BAD_STUB_DATA),
            (good[:-5], pdu.BAD_STUB_DATA),
            (add_many([contexts[0], unknown]), CONTEXT_MISMATCH),
            (add_many([contexts[0], odd]), CONTEXT_MISMATCH)]):
        assert status_of(call(ADD_MANY, stub)) == status, f"row {number}"
    # None of them was left locked, or changed.
    assert struct.unpack("<l", call(ADD_MANY, good).stub) == (1 + 11 + 21,)
    assert struct.unpack("<l", call(ADD_MANY, add_many([NIL, contexts[2], NIL])).stub) == (22,)
    assert owner.add(contexts[0], 1) == 2


def test_a_group_that_is_refused_keeps_its_handles(data):
    call, contexts, owner = data
    first, second = 0x20000, 0x20004
    group = struct.pack("<LLLL", 2, first, second, 2) + contexts[0] + contexts[1]
    assert status_of(call(TOGGLE_GROUP, group + bytes(20))) == pdu.BAD_STUB_DATA
    assert status_of(call(TOGGLE_GROUP, group + contexts[2] + struct.pack("<l", 4711))) == 4711
    # The manager closed all three before it raised.
    assert [owner.add(context, 0) for context in contexts] == [CONTEXT_MISMATCH] * 3
