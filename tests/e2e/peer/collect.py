# SPDX-License-Identifier: MIT
"""collect.py - many files of PENSTOCK_PCAP as one, for a dissector that starts slowly.

Every process numbers its connections from one, so each connection of each file gets a
client address of its own.  Checksums are not made anew: nobody looks at them.
"""
import struct

FILE_HEADER = struct.Struct("<IHHiIII")
MAGIC = 0xA1B23C4D
SOURCE, TARGET = 12, 16  # within the IPv4 header
CLIENT_NET = 10
# Octets of one connection that are captured: what follows is more of the same.
CONNECTION_MAX = 128 << 10


def records(path):
    """(record header without lengths, packet) in the byte order of this machine's peers."""
    with open(path, "rb") as file:
        header = file.read(FILE_HEADER.size)
        if len(header) < FILE_HEADER.size:
            return
        order = "<" if header[0] == MAGIC & 255 else ">"
        while len(head := file.read(16)) == 16:
            seconds, nanoseconds, length, _ = struct.unpack(order + "IIII", head)
            packet = file.read(length)
            if len(packet) == length:
                yield struct.pack("<IIII", seconds, nanoseconds, length, length), packet


def merge(paths, merged):
    """Writes `merged`; the file each of its connections came from, in order."""
    origins = []
    with open(merged, "wb") as out:
        out.write(FILE_HEADER.pack(MAGIC, 2, 4, 0, 0, 262144, 101))
        for path in paths:
            addresses = {}
            for head, packet in records(path):
                place = SOURCE if packet[SOURCE] == CLIENT_NET else TARGET
                client = packet[place:place + 4]
                if client not in addresses:
                    origins.append(path)
                    addresses[client] = struct.pack(">I", (CLIENT_NET << 24) + len(origins))
                out.write(head + packet[:place] + addresses[client] + packet[place + 4:])
    return origins


def batches(paths, size):
    """The files in lists of about `size` octets, one at least in each."""
    batch, total = [], 0
    for path in paths:
        if batch and total + path.stat().st_size > size:
            yield batch
            batch, total = [], 0
        batch.append(path)
        total += path.stat().st_size
    if batch:
        yield batch
