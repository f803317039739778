# SPDX-License-Identifier: MIT
"""pcap.py - the octet streams in a file that PENSTOCK_PCAP made."""
import struct
from collections import defaultdict

from . import pdu

FROM_CLIENT, FROM_SERVER = "client", "server"
SERVER_PORT = 50001


def packets(path):
    """(connection, direction, sequence number, payload) of each TCP packet."""
    octets = path.read_bytes()
    order = "<" if octets[0] == 0x4D else ">"  # that of the machine that wrote it
    magic, _, _, _, _, _, linktype = struct.unpack_from(order + "IHHiIII", octets)
    assert magic == 0xA1B23C4D and linktype == 101, "raw IPv4, nanoseconds"
    pos = 24
    while pos < len(octets):
        _, _, length, original = struct.unpack_from(order + "IIII", octets, pos)
        assert length == original, "a packet cut short"
        packet = octets[pos + 16:pos + 16 + length]
        assert len(packet) == length, "the file ends within a packet"
        pos += 16 + length
        ip_len = (packet[0] & 15) * 4
        source, target, seq = struct.unpack_from(">HHI", packet, ip_len)
        tcp_len = (packet[ip_len + 12] >> 4) * 4
        direction = FROM_CLIENT if target == SERVER_PORT else FROM_SERVER
        client = packet[12:16] if direction == FROM_CLIENT else packet[16:20]
        yield client, direction, seq, packet[ip_len + tcp_len:]


def streams(path):
    """{connection: {direction: octets}}, connections in the order they began."""
    found = defaultdict(lambda: {FROM_CLIENT: [], FROM_SERVER: []})
    for client, direction, _, payload in packets(path):
        found[client][direction].append(payload)
    return {client: {direction: b"".join(parts) for direction, parts in stream.items()}
            for client, stream in found.items()}


def pdus(octets):
    """Every whole PDU of a stream, parsed.  A part of one may follow, where its sender gave
    up half-way."""
    found, pos = [], 0
    while len(octets) - pos >= pdu.HEADER_LEN:
        length = pdu.header_of(octets[pos:pos + pdu.HEADER_LEN])[1]
        if length > len(octets) - pos:
            break
        found.append(pdu.parse(octets[pos:pos + length]))
        pos += length
    return found


def types(path, side=None):
    """The type of every whole PDU, or of those `side` sends, whoever made it: only headers
    are read."""
    found = []
    for stream in streams(path).values():
        for octets in ([stream[side]] if side else stream.values()):
            pos = 0
            while len(octets) - pos >= pdu.HEADER_LEN:
                length = pdu.header_of(octets[pos:pos + pdu.HEADER_LEN])[1]
                if length < pdu.HEADER_LEN or length > len(octets) - pos:
                    break
                found.append(octets[pos + 2])
                pos += length
    return found


def all_pdus(path):
    return [p for stream in streams(path).values() for octets in stream.values()
            for p in pdus(octets)]


def stubs(found):
    """{call id: the stub of its request or response}, put together from fragments."""
    whole = defaultdict(bytes)
    for p in found:
        if p.ptype in (pdu.REQUEST, pdu.RESPONSE):
            whole[p.call] += p.stub
    return dict(whole)
