# SPDX-License-Identifier: MIT
"""NDR64 and NDR 2.0 beside each other: what is offered, what is taken, contexts added with
alter_context, pipes, and a server's patience with what is wrong.

The octets here are built by peer/, which shares no code with the library.
"""
import os
import random
import struct

import pytest

from peer import calls, ndr, pdu
from peer.pdu import FIRST, LAST, Context
from peer.server import CLIENT, FakeServer, Server, run_client

ACCEPT, ACCEPT_64 = (pdu.ACCEPTED, 0, pdu.NDR), (pdu.ACCEPTED, 0, pdu.NDR64)
NO_SYNTAX, NO_IFACE = (pdu.REJECTED, 2, pdu.NIL), (pdu.REJECTED, 1, pdu.NIL)
FEATURES = (pdu.NEGOTIATED, 2, pdu.NIL)
ECHO = ("echo", -21, "text")
BOTH_64 = [Context(0), Context(1, pdu.PEER, (pdu.NDR64,))]  # context 1 it will be


def env_of(word):
    env = dict(os.environ)
    env.pop("PENSTOCK_TRANSFER_SYNTAX", None)
    return dict(env, PENSTOCK_TRANSFER_SYNTAX=word) if word else env


def echo_reply(ndr64):
    writer = ndr.Writer(ndr64=ndr64).i32(-42).count(0x20000).string(b"txet")
    return writer.i32(-21).done()


def check_line(line):
    assert (line["status"], line.get("result"), line.get("twice"), line.get("reversed")) == (
        0, -21, -42, "txet"), line


def serve_bind(wire, *results):
    bind = wire.recv()
    assert bind.ptype == pdu.BIND
    wire.send(pdu.bind_ack(bind.call, results))
    return bind


def serve_alter(wire, *results):
    alter = wire.recv()
    assert alter.ptype == pdu.ALTER, alter
    wire.send(pdu.bind_ack(alter.call, results, alter=True, address=b""))
    return alter


def serve_echo(wire, context, ndr64):
    request = wire.recv()
    assert (request.ptype, request.context, request.opnum) == (pdu.REQUEST, context, calls.ECHO)
    assert request.stub == calls.echo(-21, b"text", ndr64=ndr64)
    wire.send(pdu.response(echo_reply(ndr64), call=request.call, context=context))


def serve_other(wire, context):
    request = wire.recv()
    assert (request.ptype, request.context, request.opnum) == (pdu.REQUEST, context, 0)
    wire.send(pdu.response(struct.pack("<i", 4711), call=request.call, context=context))


def elements(p):
    return [(c.ident, c.abstract, c.transfer) for c in p.contexts]


# ---- Client ------------------------------------------------------------------------------


@pytest.mark.parametrize("word, command, offered", [
    (None, (), (pdu.NDR, pdu.NDR64)), ("both", (), (pdu.NDR, pdu.NDR64)),
    ("ndr", (), (pdu.NDR,)), ("ndr64", (), (pdu.NDR64,)),
    (None, ("syntaxes", 1), (pdu.NDR,)), (None, ("syntaxes", 2), (pdu.NDR64,)),
    ("ndr", ("syntaxes", 3), (pdu.NDR, pdu.NDR64)), ("ndr64", ("syntaxes", 1), (pdu.NDR,)),
])
def test_a_what_is_offered(word, command, offered):
    """The environment, and what a program says about a binding, which counts for more."""
    seen = []
    ndr64 = offered[-1] == pdu.NDR64

    def script(wire, _):
        results = [NO_SYNTAX] * (len(offered) - 1) + [ACCEPT_64 if ndr64 else ACCEPT]
        seen.append(serve_bind(wire, *results, FEATURES))
        serve_echo(wire, len(offered) - 1, ndr64)
    with FakeServer(script) as fake:
        extra = (*command, "--") if command else ()
        check_line(run_client(fake.binding, *extra, *ECHO, env=env_of(word))[-1])
    assert elements(seen[0]) == [(i, pdu.PEER, (syntax,)) for i, syntax in enumerate(offered)] + [
        (len(offered), pdu.PEER, (pdu.features(2),))]


@pytest.mark.parametrize("protocol", ["dce", "ndr64"])
def test_a_stubs_of_one_syntax(protocol):
    """penstock-idl -protocol."""
    ndr64 = protocol == "ndr64"
    program = CLIENT.with_name(f"peer_client_{protocol}")
    seen = []

    def script(wire, _):
        seen.append(serve_bind(wire, ACCEPT_64 if ndr64 else ACCEPT, FEATURES))
        serve_echo(wire, 0, ndr64)
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *ECHO, "--", "syntaxes", 1 if ndr64 else 2, "--", *ECHO,
                           env=env_of(None), program=program)
    check_line(lines[0])
    assert lines[2]["status"] == 1730, "nothing is left to offer"
    syntax = pdu.NDR64 if ndr64 else pdu.NDR
    assert elements(seen[0])[0] == (0, pdu.PEER, (syntax,)) and len(seen[0].contexts) == 2


@pytest.mark.parametrize("syntaxes, status", [(0, 87), (4, 87), (7, 87), (3, 0)])
def test_a_sets_that_make_no_sense(syntaxes, status):
    with FakeServer(lambda wire, _: None) as fake:
        assert run_client(fake.binding, "syntaxes", syntaxes)[0]["status"] == status


@pytest.mark.parametrize("results, context", [
    ((NO_SYNTAX, ACCEPT_64, FEATURES), 1), ((ACCEPT, NO_SYNTAX, FEATURES), 0), ((ACCEPT,), 0),
    ((ACCEPT, (pdu.REJECTED, 0, pdu.NIL), NO_SYNTAX), 0), ((ACCEPT, ACCEPT_64, FEATURES), 1)])
def test_b_the_syntax_the_server_takes(results, context):
    """Two calls: what was encoded for the other syntax before the answer is encoded again,
    and the next call knows."""
    def script(wire, _):
        serve_bind(wire, *results)
        for _ in range(2):
            serve_echo(wire, context, context == 1)
    with FakeServer(script) as fake:
        for line in run_client(fake.binding, *ECHO, "--", *ECHO, env=env_of(None)):
            check_line(line)
        assert fake.count == 1


@pytest.mark.parametrize("word, results, status", [
    (None, (NO_SYNTAX, NO_SYNTAX), 1730), (None, (NO_IFACE, NO_IFACE), 1717),
    ("ndr64", (NO_SYNTAX,), 1730), (None, (ACCEPT_64, NO_SYNTAX), 1730)])
def test_b_a_server_that_takes_none(word, results, status):
    def script(wire, _):
        serve_bind(wire, *results, NO_SYNTAX)
    with FakeServer(script) as fake:
        assert run_client(fake.binding, *ECHO, env=env_of(word))[0]["status"] == status


@pytest.mark.parametrize("second, opnum_context", [((ACCEPT, NO_SYNTAX), 3),
                                                   ((NO_SYNTAX, ACCEPT_64), 4)])
def test_b_two_interfaces_on_one_connection(second, opnum_context):
    """An alter_context brings the second (wire.md 1.5); the first stays as it was."""
    def script(wire, _):
        bind = serve_bind(wire, NO_SYNTAX, ACCEPT_64, FEATURES)
        serve_echo(wire, 1, True)
        alter = serve_alter(wire, *second)
        assert elements(alter) == [(3, pdu.PEER2, (pdu.NDR,)), (4, pdu.PEER2, (pdu.NDR64,))]
        assert alter.call > bind.call
        serve_other(wire, opnum_context)
        serve_echo(wire, 1, True)
        serve_other(wire, opnum_context)
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *ECHO, "--", "other", "--", *ECHO, "--", "other",
                           env=env_of(None))
        assert [line["status"] for line in lines] == [0, 0, 0, 0]
        assert fake.count == 1


def test_b_one_interface_in_both_syntaxes():
    """As Windows clients ask for NDR 2.0 beside NDR64 (wire.md 3.6): 72 octets for 56."""
    def script(wire, _):
        serve_bind(wire, NO_SYNTAX, ACCEPT_64, FEATURES)
        serve_echo(wire, 1, True)
        alter = serve_alter(wire, ACCEPT)
        assert elements(alter) == [(3, pdu.PEER, (pdu.NDR,))] and len(alter.octets) == 72
        serve_echo(wire, 3, False)
        serve_echo(wire, 1, True)
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *ECHO, "--", "syntaxes", 1, "--", *ECHO, "--",
                           "syntaxes", 3, "--", *ECHO, env=env_of(None))
        for line in lines[::2]:
            check_line(line)
        assert fake.count == 1


@pytest.mark.parametrize("how", ["reject", "fault", "close", "nak"])
def test_b_a_server_that_takes_no_alter_context(how):
    """A connection of its own is tried for the interface."""
    def script(wire, number):
        serve_bind(wire, NO_SYNTAX, ACCEPT_64, FEATURES)
        if number == 1:
            serve_other(wire, 1)
            return
        serve_echo(wire, 1, True)
        if how == "reject":
            serve_alter(wire, NO_IFACE, NO_IFACE)
            serve_echo(wire, 1, True)
            return
        call = wire.recv().call
        if how == "fault":
            wire.send(pdu.fault(pdu.NCA_PROTO, call=call))
        elif how == "nak":
            wire.send(pdu.bind_nak(0, call=call))
        wire.close()
    with FakeServer(script) as fake:
        commands = (*ECHO, "--", "other") + (("--", *ECHO) if how == "reject" else ())
        lines = run_client(fake.binding, *commands, env=env_of(None))
        assert [line["status"] for line in lines] == [0] * len(lines)
        assert fake.count == 2


def test_b_an_interface_nobody_has():
    def script(wire, number):
        if number == 0:
            serve_bind(wire, NO_SYNTAX, ACCEPT_64, FEATURES)
            serve_echo(wire, 1, True)
            serve_alter(wire, NO_IFACE, NO_IFACE)
            serve_echo(wire, 1, True)
        else:
            serve_bind(wire, NO_IFACE, NO_IFACE, FEATURES)
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, *ECHO, "--", "other", "--", *ECHO, env=env_of(None))
        assert [line["status"] for line in lines] == [0, 1717, 0]


def test_b_pipes_of_a_client():
    """Both directions, by the octets: the request is padded to 8 before its first chunk."""
    def script(wire, _):
        serve_bind(wire, NO_SYNTAX, ACCEPT_64, FEATURES)
        pdus = [wire.recv()]
        while not pdus[-1].last:
            pdus.append(wire.recv())
        assert all(len(p.stub) % 8 == 0 for p in pdus)
        reader = ndr.Reader(b"".join(p.stub for p in pdus), ndr64=True)
        tag = reader.i32()
        data = reader.byte_pipe()
        reader.end()
        assert data == calls.octets(1001)
        stub = struct.pack("<QIi", len(data), sum(data), tag)
        wire.send(pdu.response(stub, call=pdus[0].call, context=1))
        request = wire.recv()
        writer = ndr.Writer(ndr64=True).byte_pipe(calls.octets(77)[:5], calls.octets(77)[5:])
        stub = writer.u32(0).done()
        for at in range(0, len(stub), 7):  # cut anywhere
            flags = (FIRST if at == 0 else 0) | (LAST if at + 7 >= len(stub) else 0)
            wire.send(pdu.response(stub[at:at + 7], call=request.call, context=1, flags=flags))
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, "take", 1001, 13, "--", "give", 77, env=env_of(None))
        assert (lines[0]["status"], lines[0]["count"]) == (0, 1001)
        assert lines[1]["status"] == 0 and lines[1]["good"]


GIVEN = ndr.Writer(ndr64=True).byte_pipe(b"\0\1\2").u32(0).done()


@pytest.mark.parametrize("stub", [
    GIVEN[:16] + b"\xfc" + GIVEN[17:],                 # -4 behind 3 octets
    GIVEN[:16] + bytes(8) + GIVEN[24:],
    GIVEN[:4] + b"\1" + GIVEN[5:],                     # 2^32 + 3
    struct.pack("<Q", 2**31) + GIVEN[8:],
    GIVEN[:32] + b"\1" + bytes(7) + GIVEN[40:],        # half a terminator
    GIVEN[:32], GIVEN[:23], b"",
], ids=range(8))
def test_b_pipes_no_server_sends(stub):
    """Found at the client, whose next call works."""
    def script(wire, number):
        serve_bind(wire, NO_SYNTAX, ACCEPT_64, FEATURES)
        if number == 1:
            serve_echo(wire, 1, True)
            return
        request = wire.recv()
        wire.send(pdu.response(stub, call=request.call, context=1))
        try:
            serve_echo(wire, 1, True)
        except pdu.Closed:
            pass
    with FakeServer(script) as fake:
        lines = run_client(fake.binding, "give", 3, "--", *ECHO, env=env_of(None))
        assert lines[0]["status"] == pdu.BAD_STUB_DATA
        check_line(lines[1])


# ---- Server ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    runtime_dir = tmp_path_factory.mktemp("run")
    runtime_dir.chmod(0o700)
    server = Server(runtime_dir)
    yield server
    assert server.stop() == 0


@pytest.fixture
def wire(server):
    with server.bound(contexts=BOTH_64) as wire:
        assert wire.ack.results == [NO_SYNTAX, ACCEPT_64]
        yield wire
    assert server.alive()


def call(wire, opnum, stub, ident=2, context=1):
    wire.send(pdu.request(opnum, stub, call=ident, context=context))
    return wire.recv_call()


def check_good(wire, ident=900, context=1, ndr64=True):
    answer, = call(wire, calls.ECHO, calls.echo(5, b"here", ndr64=ndr64), ident, context)
    calls.check_echo(answer.stub, 5, b"here", ndr64=ndr64)


@pytest.mark.parametrize("word, contexts, results", [
    ("ndr", BOTH_64, [ACCEPT, NO_SYNTAX]), ("ndr64", BOTH_64, [NO_SYNTAX, ACCEPT_64]),
    ("ndr", BOTH_64[1:], [NO_SYNTAX]), ("ndr64", BOTH_64[:1], [NO_SYNTAX])])
def test_a_servers_of_one_syntax(tmp_path, monkeypatch, word, contexts, results):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PENSTOCK_TRANSFER_SYNTAX", word)
    server = Server(tmp_path)
    with server.bound(contexts=contexts) as wire:
        assert wire.ack.results == results
        for context, result in zip(contexts, results):
            if result != NO_SYNTAX:
                check_good(wire, 3, context.ident, word == "ndr64")
    assert server.stop() == 0


def test_b_alter_context_for_the_other(wire):
    wire.send(pdu.bind([Context(7)], alter=True, call=50))
    answer = wire.recv()
    assert answer.results == [ACCEPT] and len(answer.octets) == 56
    check_good(wire, 51, 7, False)
    check_good(wire, 52, 1, True)
    wire.send(pdu.bind([Context(8, pdu.PEER2), Context(9, pdu.PEER2, (pdu.NDR64,))], alter=True,
                       call=53))
    assert wire.recv().results == [NO_SYNTAX, ACCEPT_64]
    answer, = call(wire, 0, b"", 54, 9)
    assert answer.stub == struct.pack("<i", 4711)


def test_b_octets_of_a_pipe(wire):
    """wire.md 10.4, and the answer."""
    stub = bytes.fromhex("0700000000000000 0500000000000000 48656c6c6f000000 fbffffffffffffff"
                         "0300000000000000 6162630000000000 fdffffffffffffff"
                         "0000000000000000 0000000000000000")
    answer, = call(wire, calls.TAKE, stub)
    calls.check_take(answer.stub, 7, b"Helloabc")
    assert b"".join(p.stub for p in call(wire, calls.GIVE, calls.give(5, 3), 3)) == bytes.fromhex(
        "0300000000000000 0001020000000000 fdffffffffffffff"
        "0200000000000000 0304000000000000 feffffffffffffff"
        "0000000000000000 0000000000000000 00000000")


@pytest.mark.parametrize("size", [1, 3, 8, 13, 16, 5816])
def test_b_pipes_cut_anywhere(wire, size):
    data = calls.octets(3000)
    stub = calls.take(3, data[:7], data[7:1000], data[1000:], ndr64=True)
    wire.send(*pdu.fragments(calls.TAKE, stub, size, context=1))
    calls.check_take(wire.recv().stub, 3, data)


def test_b_pipes_of_other_elements(wire):
    numbers = [[1, -2, 3], [4], list(range(100))]
    flat = [n for chunk in numbers for n in chunk]
    writer = ndr.Writer(ndr64=True).i32(3).long_pipe(*numbers)
    reader = ndr.Reader(b"".join(p.stub for p in call(wire, calls.TRANSFORM, writer.done())),
                        ndr64=True)
    assert reader.long_pipe() == [n * 3 for n in flat]
    assert (reader.i32(), reader.i32()) == (len(flat), len(flat))
    reader.end()
    pairs = [(n, n % 7) for n in flat]
    writer = ndr.Writer(ndr64=True).u8(9).pair_pipe(pairs[:5], pairs[5:])
    reader = ndr.Reader(b"".join(p.stub for p in call(wire, calls.PAIRS, writer.done(), 3)),
                        ndr64=True)
    assert reader.pair_pipe() == pairs
    reader.end()
    writer = ndr.Writer(ndr64=True).u8(9).hyper_pipe(flat[:1], flat[1:])
    reader = ndr.Reader(b"".join(p.stub for p in call(wire, calls.HYPERS, writer.done(), 4)),
                        ndr64=True)
    assert (reader.hyper_pipe(), reader.u8()) == (flat, 9)
    reader.end()


def test_b_two_pipes_each_way(wire):
    for octets, numbers in ((b"abc", [1, 2, 3]), (b"", [5]), (b"x", []), (b"", [])):
        writer = ndr.Writer(ndr64=True)
        writer.byte_pipe(*([octets] if octets else []))
        writer.long_pipe(*([numbers] if numbers else []))
        pdus = call(wire, calls.TWO_PIPES, writer.done())
        assert all(p.stub and (p.last or len(p.stub) % 8 == 0) for p in pdus)
        reader = ndr.Reader(b"".join(p.stub for p in pdus), ndr64=True)
        assert (reader.byte_pipe(), reader.long_pipe()) == (octets, numbers)
        reader.end()


def test_b_the_other_byte_order(wire):
    wire.send(pdu.request(calls.ECHO, calls.echo(1, b"x", ">", ndr64=True), context=1, order=">"))
    answer = wire.recv()
    assert (answer.ptype, answer.status, answer.did_not_execute) == (
        pdu.FAULT, pdu.BAD_STUB_DATA, True)
    check_good(wire)


TAKEN = calls.take(7, b"Hello", b"abc", ndr64=True)
CALLS = {
    "echo": (calls.ECHO, calls.echo(7, b"some text", ndr64=True)),
    "take": (calls.TAKE, TAKEN),
    "give": (calls.GIVE, calls.give(20, 7)),
    "transform": (calls.TRANSFORM, ndr.Writer(ndr64=True).i32(2).long_pipe([1, 2, 3], [4]).done()),
    "sum": (calls.SUM, ndr.Writer(ndr64=True).i32(3).u64(3).i32(1).i32(2).i32(3).done()),
    "pairs": (calls.PAIRS, ndr.Writer(ndr64=True).u8(1).pair_pipe([(1, 2), (3, 4)]).done()),
}


@pytest.mark.parametrize("name", CALLS)
def test_c_every_prefix(server, name):
    """A request that ends early is a fault; its connection, and the server, go on."""
    opnum, stub = CALLS[name]
    with server.bound(contexts=BOTH_64) as wire:
        for length in range(len(stub)):
            answers = call(wire, opnum, stub[:length], 2 * length + 2)
            assert answers[-1].ptype == pdu.FAULT, f"{length} of {len(stub)} octets"
            assert answers[-1].status == pdu.BAD_STUB_DATA, hex(answers[-1].status)
            check_good(wire, 2 * length + 3)
        assert call(wire, opnum, stub, 5000)[-1].ptype == pdu.RESPONSE


@pytest.mark.parametrize("name", CALLS)
def test_c_every_flip(server, name):
    """One bit of the request is wrong: an answer or a fault, never silence, and the
    connection goes on."""
    opnum, stub = CALLS[name]
    kinds = set()
    with server.bound(contexts=BOTH_64) as wire:
        for bit in range(8 * len(stub)):
            wrong = bytearray(stub)
            wrong[bit // 8] ^= 1 << bit % 8
            if name == "give" and bit >= 16 and bit < 32:
                continue  # megabytes of a good answer
            answers = call(wire, opnum, bytes(wrong), bit + 2)
            kinds.add(answers[-1].ptype)
            if answers[-1].ptype == pdu.FAULT:
                assert answers[-1].status in (pdu.BAD_STUB_DATA, 1783, 0x1C010014, 1721, 14,
                                              0x1C00001B), hex(answers[-1].status)
            if bit % 16 == 0:
                check_good(wire, 100000 + bit)
    assert pdu.RESPONSE in kinds and server.alive()


@pytest.mark.parametrize("seed", range(3))
def test_c_wild_flips(server, seed):
    """Several octets at once, in fragments of any size; the server may close, not more."""
    rng = random.Random(f"ndr64 {seed}")
    for _ in range(150):
        opnum, stub = CALLS[rng.choice([name for name in CALLS if name != "give"])]
        wrong = bytearray(stub)
        for _ in range(rng.randrange(1, 6)):
            wrong[rng.randrange(len(wrong))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])
        with server.bound(contexts=BOTH_64) as wire:
            wire.send(*pdu.fragments(opnum, bytes(wrong), rng.choice([8, 16, 5816]), context=1))
            try:
                assert wire.recv_call()[-1].ptype in (pdu.RESPONSE, pdu.FAULT)
                check_good(wire)
            except pdu.Closed:
                pass
    with server.bound(contexts=BOTH_64) as wire:
        check_good(wire)
