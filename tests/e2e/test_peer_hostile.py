# SPDX-License-Identifier: MIT
"""Clients that mean harm.  Whatever they send: the server lives, answers the next good call
at once, gives back memory and descriptors, and disturbs nobody: all the while another
client streams and checks every octet.

Everything random comes from a seed that the test's name shows.
"""
import contextlib
import os
import random
import socket
import struct
import subprocess
import threading
import time

import pytest

from peer import calls, ndr, pdu
from peer.pdu import FIRST, LAST, Context
from peer.server import BUILD, Server

SANITIZED = "san.so" in subprocess.run(["ldd", BUILD / "peer_server"], capture_output=True,
                                       text=True).stdout
# Sanitizers keep freed memory back, or several octets about each; a bound all the same.
GROWTH_KIB = (1024 if SANITIZED else 64) << 10
AT_ONCE = 5.0 if SANITIZED else 2.0  # seconds, on a machine that does other things too
SEEDS = range(4)
BIND_SECONDS = 30  # LIMIT_BIND_MS: a connection must be bound within it


class Streamer(threading.Thread):
    """The good client: octets to the server and back, over and over, all checked."""

    def __init__(self, server, transport):
        super().__init__(daemon=True)
        self.server, self.transport = server, transport
        self.rounds = 0
        self.error = None
        self.stopping = False

    def run(self):
        rng = random.Random(self.transport)
        try:
            with self.server.bound(self.transport) as wire:
                wire.sock.settimeout(60)
                while not self.stopping:
                    data = rng.randbytes(rng.randrange(1, 60000))
                    wire.send(*pdu.fragments(calls.TAKE, calls.take(3, data[:9], data), 5816))
                    calls.check_take(wire.recv().stub, 3, data[:9] + data)
                    wire.send(pdu.request(calls.GIVE, calls.give(70000)))
                    calls.check_give(b"".join(p.stub for p in wire.recv_call()), 70000)
                    self.rounds += 1
                    time.sleep(0.002)  # the machine is for the others
        except Exception as error:  # shown by the fixture
            self.error = error


def good_call(server, transport="tcp"):
    start = time.monotonic()
    with server.bound(transport) as wire:
        wire.send(pdu.request(calls.ECHO, calls.echo(1, b"good")))
        calls.check_echo(wire.recv().stub, 1, b"good")
    assert time.monotonic() - start < AT_ONCE, "a good call had to wait"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    runtime_dir = tmp_path_factory.mktemp("run")
    runtime_dir.chmod(0o700)
    server = Server(runtime_dir)
    for _ in range(20):  # what a process pays for once
        good_call(server, "tcp")
        good_call(server, "local")
    # Clients that take for ever; the last test looks after them.
    server.slow = [server.connect("local" if i % 2 else "tcp") for i in range(60)]
    server.slow_since = time.monotonic()
    for i, wire in enumerate(server.slow):
        wire.send(pdu.bind()[:i])
    streamers = [Streamer(server, "tcp"), Streamer(server, "local")]
    for streamer in streamers:
        streamer.start()
    pdu.wait_until(lambda: all(s.rounds > 20 for s in streamers), 30)
    server.streamers = streamers
    yield server
    for streamer in streamers:
        streamer.stopping = True
        streamer.join(60)
        assert streamer.error is None, streamer.error
    assert server.stop() == 0


def sockets_of(server):
    count = 0
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        try:
            count += os.readlink(f"/proc/{server.pid}/fd/{fd}").startswith("socket:")
        except FileNotFoundError:  # closed meanwhile
            pass
    return count


@pytest.fixture
def server(running):
    """The server, and what must be true after every attack."""
    sockets = sockets_of(running)
    memory = running.status_kib("VmRSS")
    rounds = [s.rounds for s in running.streamers]
    yield running
    assert running.alive()
    good_call(running, "tcp")
    good_call(running, "local")
    for streamer, before in zip(running.streamers, rounds):
        assert streamer.error is None, streamer.error
        pdu.wait_until(lambda: streamer.rounds > before, AT_ONCE, "the good client's next round")
    pdu.wait_until(lambda: sockets_of(running) <= sockets, 15, "closing what the attack opened")
    # Each call has an event; the streamers have at most one each.
    pdu.wait_until(lambda: running.fd_count() <= sockets + 12, 15, "closing events of dead calls")
    # The peer's own managers are threads, up to 1,024 at once, that end when they hear of it.
    pdu.wait_until(lambda: running.status_kib("VmRSS") - memory < GROWTH_KIB, 15,
                   "giving back the memory of dead calls")


def drain(wire, seconds=5.0):
    """Reads whatever comes until the end of the connection."""
    wire.sock.settimeout(seconds)
    total = len(wire.rest)
    try:
        while octets := wire.sock.recv(1 << 16):
            total += len(octets)
    except OSError:
        pass
    return total


def attack(server, octets, transport="local", patience=0.0):
    """One connection that sends `octets`, reads answers until none has come for so long,
    and leaves, half closing first.  The server may close before."""
    with server.connect(transport) as wire:
        try:
            wire.send(octets)
            if patience > 0:
                drain(wire, patience)
            wire.sock.shutdown(socket.SHUT_WR)
            drain(wire)
        except OSError:
            pass


def good_stream():
    """A bind and calls of every kind, as one stream of octets."""
    pipe = pdu.fragments(calls.TAKE, calls.take(7, b"Hello", b"abc"), 16, call=3)
    return b"".join([
        pdu.bind([Context(0), Context(1, pdu.PEER, (pdu.features(2),))]),
        pdu.request(calls.ECHO, calls.echo(1, b"text"), call=2), *pipe,
        pdu.request(calls.TRANSFORM, ndr.Writer().i32(2).long_pipe([1], [2, 3]).done(), call=4),
        pdu.request(calls.GIVE, calls.give(100), call=5),
        pdu.bind([Context(2, pdu.PEER2)], alter=True, call=6),
        pdu.request(calls.HANG, call=7), pdu.control(pdu.CO_CANCEL, 7),
        pdu.control(pdu.ORPHANED, 7), pdu.request(calls.NOTHING, call=8)])


# ---- Streams that are not what they should be ----------------------------------------------


def check_good_stream(wire, slow=False):
    """Its calls are answered, each on its own, in whatever order; the abandoned is not, unless
    it comes so slowly that the manager may have heard the cancel before."""
    ended = set()
    while ended != {1, 2, 3, 4, 5, 6, 8}:
        p = wire.recv()
        if slow and p.ptype == pdu.FAULT:
            assert (p.call, p.status) == (7, pdu.NCA_CANCEL)
            continue
        assert p.ptype in (pdu.BIND_ACK, pdu.ALTER_RESP, pdu.RESPONSE), p
        assert p.call not in ended
        if p.last:
            ended.add(p.call)
    wire.expect_silence(0.05)


@pytest.mark.parametrize("transport", ["tcp", "local"])
def test_good_stream_is_good(server, transport):
    """Also calls with pipes may follow each other without waiting, in one segment."""
    for _ in range(20):
        with server.connect(transport) as wire:
            wire.send(good_stream())
            check_good_stream(wire)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_octets(server, seed):
    rng = random.Random(seed)
    for _ in range(150):
        attack(server, rng.randbytes(rng.choice((1, 9, 15, 16, 17, 100, 6000, 70000))))


@pytest.mark.parametrize("seed", SEEDS)
def test_random_pdus(server, seed):
    """Headers that hold, with anything behind them, on a bound connection."""
    rng = random.Random(seed)
    for _ in range(150):
        octets = [pdu.bind(flags=rng.choice((3, 0x13)))]
        for _ in range(rng.randrange(1, 12)):
            body = rng.randbytes(rng.choice((0, 4, 8, 12, 16, 24, 44, 200)))
            if rng.random() < 0.5:
                body = struct.pack("<IHH", rng.choice((0, 8, 2**32 - 1)), 0,
                                   rng.randrange(17)) + body
            octets.append(pdu.build(rng.choice((0, 0, 0, 0, 14, 16, 18, 19, rng.randrange(256))),
                                    rng.choice((0, 1, 2, 3, rng.randrange(256))),
                                    rng.choice((2, 2, 3, rng.randrange(2**32))), body,
                                    rng.choice("<<<>"), auth_length=rng.choice((0, 0, 0, 8))))
        attack(server, b"".join(octets), patience=rng.choice((0, 0.004)))


@pytest.mark.parametrize("part", range(4))
def test_every_bit_flipped(server, part):
    stream = good_stream()
    for bit in range(part * 2, len(stream) * 8, 8):
        for b in (bit, bit + 1):
            flipped = bytearray(stream)
            flipped[b // 8] ^= 1 << b % 8
            attack(server, bytes(flipped), patience=0.004 if b % 3 == 0 else 0)


@pytest.mark.parametrize("transport", ["tcp", "local"])
def test_every_prefix(server, transport):
    stream = good_stream()
    for length in range(len(stream)):
        with server.connect(transport) as wire:
            wire.send(stream[:length])
            if length % 3 == 0:
                wire.reset()


@pytest.mark.parametrize("seed", SEEDS)
def test_stream_damaged(server, seed):
    """Pieces lost, doubled, exchanged and overwritten."""
    rng = random.Random(seed)
    stream = good_stream()
    for _ in range(150):
        octets = bytearray(stream)
        for _ in range(rng.randrange(1, 5)):
            a, b = sorted(rng.randrange(len(octets)) for _ in range(2))
            kind = rng.randrange(4)
            if kind == 0:
                del octets[a:a + rng.randrange(1, 30)]
            elif kind == 1:
                octets[b:b] = octets[a:a + 40]
            elif kind == 2:
                octets[a:a + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff",
                                              b"\xff\xff\xff\x7f"))
            else:
                octets[a:b] = bytes(rng.sample(octets[a:b], b - a))
            octets = octets or bytearray(1)
        attack(server, bytes(octets), patience=rng.choice((0, 0.004)))


def test_octet_by_octet(server):
    with server.connect() as wire:
        for octet in good_stream():
            wire.send(bytes([octet]))
        check_good_stream(wire, slow=True)


# ---- Lies about length ---------------------------------------------------------------------


@pytest.mark.parametrize("opnum,head", [
    (calls.TAKE, struct.pack("<iI", 1, 2**32 - 1)),
    (calls.TRANSFORM, struct.pack("<iI", 1, 2**32 - 1)),
    (calls.HYPERS, struct.pack("<bxxxI", 1, 2**32 - 1)),
    (calls.PAIRS, struct.pack("<bxxxI", 1, 2**32 - 1)),
    (calls.SUM, struct.pack("<iI", 2**31 - 1, 2**31 - 1)),
    (calls.SUM, struct.pack("<iI", -2**31, 2**31)),
    (calls.ECHO, struct.pack("<iIII", 1, 2**31, 0, 2**31)),
    (calls.ECHO, struct.pack("<iIII", 1, 2**32 - 1, 0, 2**32 - 1))])
@pytest.mark.parametrize("hint", [0, 2**32 - 1])
def test_lying_counts(server, opnum, head, hint):
    """On many connections at once, so that a byte too much each would show."""
    wires = []
    for _ in range(30):
        wire = server.bound("local")
        wire.send(pdu.request(opnum, head + bytes(64), flags=FIRST, hint=hint),
                  pdu.request(opnum, bytes(64), flags=0, hint=hint))
        wires.append(wire)
    good_call(server)
    for wire in wires:
        with contextlib.suppress(ConnectionError):  # it may be over
            wire.send(pdu.request(opnum, bytes(16), flags=LAST, hint=hint))
        p = wire.recv()
        if hint and opnum in (calls.SUM, calls.ECHO):  # more than a call without pipes may have
            assert p.ptype == pdu.FAULT and p.status == 5, hex(p.status)
            wire.expect_end()
            continue
        assert p.ptype == pdu.FAULT and p.status in (pdu.BAD_STUB_DATA, pdu.NCA_BOUND), hex(p.status)
        wire.send(pdu.request(calls.NOTHING, hint=hint))
        assert wire.recv().ptype == pdu.RESPONSE
        wire.close()


def test_incomplete_pdus_cost_little(server):
    """A header that announces 64 KiB, on each of 300 connections."""
    wires = [server.connect("local") for _ in range(300)]
    for wire in wires:
        wire.send(pdu.bind(frag_length=65535))
    good_call(server)
    for wire in wires:
        wire.close()


# ---- Floods --------------------------------------------------------------------------------


def test_empty_fragments(server):
    """A few in a row are tolerated, no more (wire.md 9)."""
    with server.bound() as wire:
        wire.send(pdu.request(calls.TAKE, struct.pack("<i", 1), flags=FIRST))
        try:
            for _ in range(1000):
                wire.send(pdu.request(calls.TAKE, b"", flags=0) * 100)
        except OSError:
            pass
        p = wire.recv()
        assert (p.ptype, p.status) == (pdu.FAULT, pdu.NCA_PROTO)
        with pytest.raises(pdu.Closed):
            wire.recv()


def test_tiny_fragments_and_chunks(server):
    """Legal, and no more than slow: one octet per fragment, one element per chunk."""
    rng = random.Random(5)
    data = rng.randbytes(3000)
    stub = calls.take(1, *[data[i:i + 1] for i in range(len(data))])
    with server.bound("local") as wire:
        wire.send(*pdu.fragments(calls.TAKE, stub, 1))
        calls.check_take(wire.recv().stub, 1, data)


def test_endless_fragments_of_a_dead_call(server):
    """They are swallowed so that the fault arrives, but not for ever."""
    with server.bound("local") as wire:
        wire.send(pdu.request(calls.ABORT, struct.pack("<III", 4711, 0, 100), flags=FIRST))
        assert wire.recv().status == 4711
        block = pdu.request(calls.ABORT, bytes(65504), flags=0) * 16
        sent = 0
        try:
            while sent < 300 << 20:
                wire.send(block)
                sent += len(block)
        except OSError:
            pass
        assert 16 << 20 < sent < 300 << 20, "swallowed so much, then closed"


@pytest.mark.parametrize("opnum", [calls.TAKE, calls.ECHO, 99])
@pytest.mark.parametrize("flags", [FIRST, FIRST | LAST])
def test_first_while_another_is_open(server, opnum, flags):
    """Of a live call: the end of the association.  Of one that was refused: just the next,
    refused as well."""
    for i in range(20):
        with server.bound("local", flags=FIRST | LAST | pdu.CONC_MPX * (i % 2)) as wire:
            wire.send(pdu.request(opnum, struct.pack("<I", 1), flags=FIRST, call=2),
                      *[pdu.request(opnum, struct.pack("<I", 1), flags=flags, call=i)
                        for i in range(3, 40)])
            if opnum == 99:
                assert [wire.recv().status for _ in range(38)] == [pdu.NCA_OP_RNG] * 38
            else:
                assert wire.recv().status == pdu.NCA_PROTO
                wire.expect_end()


def test_contexts(server):
    """An association keeps a limited number; the rest is told so, again and again."""
    with server.bound() as wire:
        for i in range(300):
            wire.send(pdu.bind([Context(n % 65536) for n in range(i * 200, i * 200 + 200)],
                               alter=True))
            p = wire.recv()
            assert p.ptype == pdu.ALTER_RESP and len(p.results) == 200
        # Each list had one that could be accepted.
        assert p.results[0][:2] == (pdu.REJECTED, pdu.LOCAL_LIMIT)
        wire.send(pdu.request(calls.NOTHING, context=0))
        assert wire.recv().ptype == pdu.RESPONSE


@pytest.mark.parametrize("bind", [False, True])
@pytest.mark.parametrize("transport", ["tcp", "local"])
def test_connections(server, bind, transport):
    wires = []
    for _ in range(400):
        wire = server.connect(transport)
        if bind:
            wire.send(pdu.bind())
        wires.append(wire)
    if bind:
        assert all(wire.recv().ptype == pdu.BIND_ACK for wire in wires)
    good_call(server)
    for i, wire in enumerate(wires):
        if i % 2:
            wire.reset()
        else:
            wire.close()


def test_calls_that_never_end(server):
    """Past the limit of an association they are refused; all are gone with it."""
    with server.bound(flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        wire.send(*[pdu.request(calls.HANG, call=i) for i in range(2, 1402)])
        refused = [wire.recv() for _ in range(1400 - 1024)]
        assert all(p.ptype == pdu.FAULT and p.status == 0x1C010014 and p.did_not_execute
                   for p in refused)
        good_call(server)


def test_open_pipes_cut_off(server):
    """Managers that wait for octets hear of the end."""
    wires = [server.bound("local") for _ in range(200)]
    for wire in wires:
        wire.send(pdu.request(calls.TAKE, calls.take(1, b"x" * 100)[:-4], flags=FIRST))
    good_call(server)
    for i, wire in enumerate(wires):
        if i % 2:
            wire.send(pdu.control(pdu.ORPHANED, 2))
        wire.close()


# ---- Clients that do not read --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["echo", "fault", "alter"])
@pytest.mark.parametrize("transport", ["tcp", "local"])
def test_answers_nobody_reads(server, transport, kind):
    """The server stops reading when its answers are not taken: neither replies nor faults
    pile up.  And a burst of short calls does not become a crowd of threads."""
    stub = calls.echo(1, b"x" * 200)
    before = server.status_kib("VmRSS")
    threads = server.threads() + 8 * os.cpu_count()
    with server.bound(transport, flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        wire.sock.settimeout(0.5)
        sent, call = 0, 2
        try:
            while sent < 100 << 20:
                if kind == "echo":
                    block = b"".join(pdu.request(calls.ECHO, stub, call=10 * call + i)
                                     for i in range(10))
                elif kind == "fault":
                    block = pdu.request(99, call=call) * 1000
                else:
                    block = pdu.bind(alter=True) * 500
                wire.sock.sendall(block)
                sent += len(block)
                call += 1
                if call % 50 == 0:
                    assert server.threads() <= threads
            pytest.fail("100 MiB of requests were taken while no answer was read")
        except (TimeoutError, socket.timeout):
            pass
        assert server.status_kib("VmRSS") - before < GROWTH_KIB / 2
        good_call(server)


def test_pipes_nobody_reads(server):
    """A push blocks at the high water mark."""
    before = server.status_kib("VmRSS")
    wires = [server.bound("local") for _ in range(16)]
    for wire in wires:
        wire.send(pdu.request(calls.GIVE, calls.give(2**31)))
    time.sleep(0.5)
    assert server.status_kib("VmRSS") - before < GROWTH_KIB
    good_call(server)
    for wire in wires:
        wire.close()


def test_answers_read_late(server):
    """Stopping is no end: who reads at last gets every answer."""
    text = b"y" * 60000
    stub = calls.echo(1, text)
    ids = range(2, 602)
    with server.bound(flags=FIRST | LAST | pdu.CONC_MPX) as wire:
        def send():
            for call in ids:
                wire.sock.sendall(b"".join(pdu.fragments(calls.ECHO, stub, 5816, call=call)))
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        time.sleep(1.0)
        assert sender.is_alive(), "nobody was stopped"
        replies = {}
        while len(replies) < len(ids) or not all(p.last for p in replies.values()):
            p = wire.recv()
            if p.ptype == pdu.FAULT:  # more at once than an association may have
                assert p.status == 0x1C010014 and p.did_not_execute
            else:
                p.stub = replies[p.call].stub + p.stub if p.call in replies else p.stub
            replies[p.call] = p
        assert set(replies) == set(ids)
        answered = [p for p in replies.values() if p.ptype == pdu.RESPONSE]
        assert len(answered) > 100
        for p in answered:
            calls.check_echo(p.stub, 1, text)
        sender.join(10)
        assert not sender.is_alive()


def test_z_clients_that_never_finish_binding(server):
    """Sixty of them have been there since the first test, each stuck at another octet of
    its bind.  Once their time is over the next connection drives them out."""
    time.sleep(max(0, server.slow_since + BIND_SECONDS + 1 - time.monotonic()))
    good_call(server)
    for wire in server.slow:
        wire.expect_end()
        wire.close()
