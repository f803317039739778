# SPDX-License-Identifier: MIT
"""dissect.py - what Wireshark's dissector makes of a file of PENSTOCK_PCAP."""
import shutil
import subprocess
from collections import Counter

import pytest

from . import pcap, pdu

PATIENCE = 120
SEVERITY_WARNING = 0x600000  # Wireshark's expert information; below it are notes

# dcerpc.pkt_type and what Wireshark calls it.
PDU_NAMES = {pdu.REQUEST: "Request", pdu.RESPONSE: "Response", pdu.FAULT: "Fault",
             pdu.BIND: "Bind", pdu.BIND_ACK: "Bind_ack", pdu.BIND_NAK: "Bind_nak",
             pdu.ALTER: "Alter_context", pdu.ALTER_RESP: "Alter_context_resp",
             pdu.SHUTDOWN: "Shutdown", pdu.CO_CANCEL: "Co_cancel", pdu.ORPHANED: "Orphaned"}


def tshark(path, *fields):
    """One list per frame, one string per field, values of several PDUs with commas."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    options = [option for field in fields for option in ("-e", field)]
    # Left to guess, it loses the thread where a segment ends within a header.
    decode_as = f"tcp.port=={pcap.SERVER_PORT},dcerpc"
    done = subprocess.run(["tshark", "-r", path, "-d", decode_as, "-T", "fields",
                           "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,",
                           *options],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.split("\n")[:-1]]


def check(path, known=()):
    """Wireshark sees the PDUs we see, and nothing about them is remarkable but faults, and
    messages that begin as one of `known`.  How many there are of each type."""
    frames = tshark(path, "frame.number", "_ws.malformed", "_ws.expert.severity",
                    "_ws.expert.message", "dcerpc.pkt_type")
    for number, malformed, severities, message, _ in frames:
        where = f"{path}: frame {number}: {message}"
        assert malformed == "", where
        if not (known and message.startswith(tuple(known))):
            assert all(int(s, 0) < SEVERITY_WARNING for s in severities.split(",") if s), where
    types = Counter(t for frame in frames for t in frame[4].split(",") if t)
    assert types == Counter(map(str, pcap.types(path))), path
    return types
