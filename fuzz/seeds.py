#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""seeds.py BUILD CAPTURE... - writes corpus/stubs from captured calls: of each operation, in
each transfer syntax and byte order, the first request and its response that are not too long.

The captures are those of the round trip's client and of characters_test over ncacn_ip_tcp
(PENSTOCK_PCAP), run with PENSTOCK_TRANSFER_SYNTAX=ndr and =ndr64, and again as programs of the
other byte order (tests/cross).  Calls of the program tests/e2e/published of BUILD are added.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "fuzz/corpus/stubs"
sys.path.insert(0, str(ROOT / "tests/e2e"))
from peer import pcap, pdu  # noqa: E402

LEN_MAX = 6000  # of a seed; what is longer is long arrays of the same
NDR64 = "71710533-beba-4937-8319-b5dbef9ccc36"


def interfaces():
    """Names in the order of stubs_fuzz.c, without the version."""
    text = (ROOT / "fuzz/stubs_fuzz.c").read_text()
    return re.findall(r"(\w+)_v\d_\d_c_ifspec", text)


def uuids():
    """{uuid: name of the interface} of the captures."""
    found = {}
    for name in ("e2e/roundtrip/roundtrip", "e2e/roundtrip/constructs", "e2e/roundtrip/convert",
                 "e2e/roundtrip/regions", "golden/b_cs_char"):
        text = (ROOT / f"tests/{name}.idl").read_text()
        found.update(re.findall(r"uuid\(([0-9a-f-]+)\)[^\]]*\]\s*interface (\w+)", text))
    return found


def write(name, interface, opnum, order, ndr64, octets):
    head = bytes([interfaces().index(interface), opnum, (order == "<") | ndr64 << 2])
    (CORPUS / name).write_bytes(head + octets)


def calls_of(stream):
    """(interface uuid, operation, byte order, is NDR64, request, response) of each call."""
    sent, received = (pcap.pdus(stream[side]) for side in (pcap.FROM_CLIENT, pcap.FROM_SERVER))
    requests, responses = pcap.stubs(sent), pcap.stubs(received)
    contexts = {}
    for p in sent:
        for c in p.contexts:
            contexts[c.ident] = str(c.abstract.uuid), str(c.transfer[0].uuid) == NDR64
        if p.ptype == pdu.REQUEST and p.first:
            uuid, ndr64 = contexts[p.context]
            yield uuid, p.opnum, p.order, ndr64, requests[p.call], responses.get(p.call, b"")  # or a fault


def from_captures(paths):
    names, done = uuids(), set()
    for stream in (s for path in paths for s in pcap.streams(Path(path)).values()):
        for uuid, opnum, order, ndr64, request, response in calls_of(stream):
            if uuid not in names:  # of an interface the target does not have
                continue
            name = (f"{names[uuid]}_{opnum}_{'ndr64' if ndr64 else 'ndr20'}_"
                    f"{'little' if order == '<' else 'big'}")
            if name not in done and len(request + response) <= LEN_MAX:
                done.add(name)
                write(name, names[uuid], opnum, order, ndr64, request + response)


def from_published(build):
    """Operations of each interface of calls.idl, which are numbered in their order."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "tests/e2e/published/calls.idl").read_text(),
                  flags=re.DOTALL)
    for interface, body in re.findall(r"interface (\w+)\s*\{(.*?)\n\}", text, re.DOTALL):
        operations = re.findall(r"^    [\w ]+?(\w+)\(\[", body, re.MULTILINE)
        for opnum, call in enumerate(operations):
            for syntax in ("ndr20", "ndr64"):
                said = subprocess.run([build / "tests/e2e/published/published", call, syntax],
                                      capture_output=True, text=True, check=True).stdout
                lines = dict(line.split(" ", 1) for line in said.splitlines())
                write(f"{interface}_{opnum}_{syntax}_little", "c_" + interface, opnum, "<",
                      syntax == "ndr64", bytes.fromhex(lines["request"] + lines["response"]))


if __name__ == "__main__":
    CORPUS.mkdir(exist_ok=True)
    from_captures(sys.argv[2:])
    from_published(Path(sys.argv[1]))
