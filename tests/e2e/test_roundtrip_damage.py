# SPDX-License-Identifier: MIT
"""Requests of every operation of the round trip, cut off and with single bits flipped, at a
live server with all its managers, in both transfer syntaxes.

Each gets an answer, a response or a fault, on a connection that goes on; then the server still
answers the undamaged request, and ends in good order.
What a fault says is for test_roundtrip.py; that no octet was read or written where it must
not be shows in a build with sanitizers."""
import random
import socket
import struct
import subprocess
import uuid

import pytest

from conftest import BUILD, serving
from peer import pcap, pdu
from test_roundtrip import PROGRAMS, STRICT, run_client

LEN_MAX = 700  # of a request that is damaged; longer ones are longer arrays
PREFIXES, FLIPS = 40, 100  # of a request, sampled where there are more
OPERATIONS = 150  # least
ALLOCATED_MAX, DEPTH_MAX = 1 << 20, 1000  # of the server: no answer takes long
FAILURE = uuid.UUID("7b1f0c52-8a4e-4a0e-9d36-0f5b6a1c2e79")
FAIL_ALLOCATION, LIVE, LIMITS = 4, 5, 6  # of rt_failure; the first and last change the server
# Values and characters the program converts: operations of rt_convert and b_cs_char.
CONVERTED = {uuid.UUID("7b1f0c52-8a4e-4a0e-9d36-0f5b6a1c2e91"): 14,
             uuid.UUID("00000c5c-0000-0000-0000-000000000001"): 8}
CHARACTERS = BUILD / "tests/e2e/characters/characters_test"
# RtRemember keeps the list it was given last: its parameter is [allocate(dont_free)].
KEEPS = (uuid.UUID("7b1f0c52-8a4e-4a0e-9d36-0f5b6a1c2ea7"), 5)


def requests_of(stream):
    """(interface and syntax, operation, stub) of each request."""
    contexts = {}
    sent = pcap.pdus(stream[pcap.FROM_CLIENT])
    stubs = pcap.stubs(sent)
    for p in sent:
        for context in p.contexts:
            contexts[context.ident] = context
        if p.ptype == pdu.REQUEST and p.first:
            yield contexts[p.context], p.opnum, stubs[p.call]


def collect(capture):
    """{(interface, operation): (context, stub)}: the longest request that is not too long."""
    found = {}
    for stream in pcap.streams(capture).values():
        for context, opnum, stub in requests_of(stream):
            key = context.abstract.uuid, opnum
            if key in ((FAILURE, FAIL_ALLOCATION), (FAILURE, LIMITS)) or len(stub) > LEN_MAX:
                continue
            if key not in found or len(stub) > len(found[key][1]):
                found[key] = context, stub
    return found


def damaged(rng, stub):
    lengths = range(len(stub))
    bits = range(8 * len(stub))
    for length in lengths if len(stub) <= PREFIXES else sorted(rng.sample(lengths, PREFIXES)):
        yield stub[:length]
    for bit in bits if len(bits) <= FLIPS else sorted(rng.sample(bits, FLIPS)):
        wrong = bytearray(stub)
        wrong[bit // 8] ^= 1 << bit % 8
        yield bytes(wrong)


class Peer:
    def __init__(self, server, context):
        port = int(server.bindings["tcp4"].split("[")[1].rstrip("]"))
        self.wire = pdu.Wire(socket.create_connection(("127.0.0.1", port)), patience=30)
        self.context, self.number = context, 1
        self.wire.send(pdu.bind([context]))
        assert self.wire.recv().ptype == pdu.BIND_ACK

    def call(self, opnum, stub):
        self.number += 1
        self.wire.send(*pdu.fragments(opnum, stub, 5816, call=self.number,
                                      context=self.context.ident))
        answer = self.wire.recv_call()[-1]
        while answer.ptype == pdu.REQUEST:  # a callback, inside the call
            self.wire.send(pdu.fault(pdu.BAD_STUB_DATA, call=answer.call,
                                     context=self.context.ident))
            answer = self.wire.recv_call()[-1]
        assert answer.call == self.number and answer.ptype in (pdu.RESPONSE, pdu.FAULT)
        return answer


def objects_of(peer):
    """What the server has allocated for parameters and not freed."""
    return struct.unpack("<q", peer.call(LIVE, b"").stub[:8])[0]


def limit(server):
    peer = Peer(server, pdu.Context(abstract=pdu.Syntax(FAILURE, 1)))
    try:
        stub = struct.pack("<qI", ALLOCATED_MAX, DEPTH_MAX)
        assert peer.call(LIMITS, stub).ptype == pdu.RESPONSE
    finally:
        peer.wire.close()


def test_c_every_operation_damaged(program_env, syntax_env, tmp_path):
    captures = tmp_path / "calls.pcap", tmp_path / "characters.pcap"
    with serving(PROGRAMS / "roundtrip_server", dict(program_env, **STRICT)) as server:
        run_client(server.bindings["tcp4"],
                   dict(syntax_env, PENSTOCK_PCAP=str(captures[0]), **STRICT))
        subprocess.run([CHARACTERS, server.bindings["tcp4"]], check=True, timeout=60,
                       env=dict(syntax_env, PENSTOCK_PCAP=str(captures[1]), **STRICT))
        operations = collect(captures[0]) | collect(captures[1])
        assert len(operations) >= OPERATIONS
        for interface, count in CONVERTED.items():
            assert sum(key[0] == interface for key in operations) == count, interface
        limit(server)
        counter = Peer(server, pdu.Context(abstract=pdu.Syntax(FAILURE, 1)))
        sound = faults = 0
        for (interface, opnum), (context, stub) in sorted(operations.items(),
                                                          key=lambda item: str(item[0])):
            rng = random.Random(f"{interface} {opnum}")
            before = objects_of(counter)
            peer = Peer(server, context)
            try:
                good = peer.call(opnum, stub)
                for wrong in damaged(rng, stub):
                    faults += peer.call(opnum, wrong).ptype == pdu.FAULT
                    sound += 1
                after = peer.call(opnum, stub)
                assert after.ptype == good.ptype and after.status == good.status, \
                    f"{interface} {opnum}"
            except (pdu.Closed, TimeoutError) as error:
                pytest.fail(f"{interface} {opnum}: {error}")
            finally:
                peer.wire.close()
            if (interface, opnum) != KEEPS:  # contexts are run down a moment later
                pdu.wait_until(lambda left=before: objects_of(counter) <= left, 10,
                               f"freeing what {interface} {opnum} left")
        counter.wire.close()
        assert faults > sound // 3
