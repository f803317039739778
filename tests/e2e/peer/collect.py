# SPDX-License-Identifier: MIT
"""collect.py - many files of PENSTOCK_PCAP as one, for a dissector that starts slowly.

Every process numbers its connections from one, so each connection of each file gets a
client address of its own.  Checksums are not made anew: nobody looks at them.
"""
import struct

FILE_HEADER_LEN, RECORD_LEN = 24, 16
SOURCE, TARGET = 12, 16  # within the IPv4 header
CLIENT_NET = 10
# Octets of one connection that are kept: what follows is more of the same.
CONNECTION_MAX = 1 << 20


def merge(paths, merged):
    """Writes `merged`; how many connections it has, and which file each came from."""
    origins = []
    with open(merged, "wb") as out:
        for path in paths:
            _append(path, out, origins)
    return origins


def _append(path, out, origins):
    octets = path.read_bytes()
    if len(octets) < FILE_HEADER_LEN:
        return
    if out.tell() == 0:
        out.write(octets[:FILE_HEADER_LEN])
    order = "<" if octets[0] == 0x4D else ">"
    addresses, kept, pos = {}, {}, FILE_HEADER_LEN
    while pos + RECORD_LEN <= len(octets):
        length = struct.unpack_from(order + "I", octets, pos + 8)[0]
        record = bytearray(octets[pos:pos + RECORD_LEN + length])
        pos += RECORD_LEN + length
        place = RECORD_LEN + (SOURCE if record[RECORD_LEN + SOURCE] == CLIENT_NET else TARGET)
        client = bytes(record[place:place + 4])
        if client not in addresses:
            origins.append(path)
            addresses[client] = struct.pack(">I", (CLIENT_NET << 24) + len(origins))
            kept[client] = 0
        kept[client] += length
        if kept[client] <= CONNECTION_MAX:
            record[place:place + 4] = addresses[client]
            out.write(record)
