# SPDX-License-Identifier: MIT
"""dissect.py - what Wireshark's dissector makes of a file of PENSTOCK_PCAP."""
import shutil
import subprocess
from collections import Counter

import pytest

from . import pcap, pdu

PATIENCE = 300
SEVERITY_WARNING = 0x600000  # Wireshark's expert information; below it are notes

# dcerpc.pkt_type and what Wireshark calls it.
PDU_NAMES = {pdu.REQUEST: "Request", pdu.RESPONSE: "Response", pdu.FAULT: "Fault",
             pdu.BIND: "Bind", pdu.BIND_ACK: "Bind_ack", pdu.BIND_NAK: "Bind_nak",
             pdu.ALTER: "Alter_context", pdu.ALTER_RESP: "Alter_context_resp",
             pdu.SHUTDOWN: "Shutdown", pdu.CO_CANCEL: "Co_cancel", pdu.ORPHANED: "Orphaned"}


def tshark(path, *fields, without=()):
    """One list per frame, one string per field, values of several PDUs with commas; the
    dissectors `without` stay away."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    options = [option for field in fields for option in ("-e", field)]
    options += [option for name in without for option in ("--disable-protocol", name)]
    # Left to guess, it loses the thread where a segment ends within a header.
    decode_as = f"tcp.port=={pcap.SERVER_PORT},dcerpc"
    done = subprocess.run(["tshark", "-r", path, "-d", decode_as, "-T", "fields",
                           "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,",
                           *options],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.split("\n")[:-1]]


def check(path, known=(), without=(), side=None):
    """Wireshark sees the PDUs we see under the names they have, and nothing about them is
    remarkable but faults, and messages that begin as one of `known`; of those `side` sends
    (pcap.FROM_CLIENT, FROM_SERVER), or of both.  How many there are of each type."""
    frames = tshark(path, "frame.number", "_ws.malformed", "_ws.expert.severity",
                    "_ws.expert.message", "dcerpc.pkt_type", "ip.src", "tcp.dstport",
                    "_ws.col.Info", without=without)
    if side:
        to_server = str(pcap.SERVER_PORT)
        frames = [f for f in frames if (f[6] == to_server) == (side == pcap.FROM_CLIENT)]
    for number, malformed, severities, message, types, source, _, info in frames:
        where = f"{path}: frame {number} from {source}: {message}"
        assert malformed == "" and "ector bug" not in info, where
        if not (known and message.startswith(tuple(known))):
            assert all(int(s, 0) < SEVERITY_WARNING for s in severities.split(",") if s), where
        if types and "," not in types and info.partition(":")[0] in PDU_NAMES.values():
            assert info.startswith(PDU_NAMES[int(types)] + ":"), f"{where}: {info}"
    found = Counter(t for frame in frames for t in frame[4].split(",") if t)
    assert found == Counter(map(str, pcap.types(path, side))), path
    return found
