# SPDX-License-Identifier: MIT
"""What the programs of the other test files sent and received, all of it shown to Wireshark:
no malformed packet, no bug of a dissector, every PDU found and under its right name.

With PENSTOCK_TEST_PCAP=FOLDER (make test-wire) that is the whole run, this file being its
last; else a broad part of it is run once more here, with captures.  What was found good is
deleted.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import BUILD, sanitizer
from peer import collect, dissect, pcap, pdu
from peer.server import Server

FOLDER = Path(__file__).parent
# Run here, when there are no captures yet.
BROAD = ("api", "handles", "callback", "syncpipes", "transfers", "examples", "peer_client",
         "peer_wire", "pipe_ranges", "errors", "transfer_syntaxes", "strict",
         "characters", "smbtorture", "mgmt", "endpoint_oracles", "samba_raw")
API_CASES = "AP- or walk or attributes_ or object_"  # an expression of pytest
PATIENCE = 400
# Octets of captures that are shown at a time: Wireshark keeps all of them in memory.
BATCH = 64 << 20

# The side whose PDUs are made by hand and wrong on purpose, or another's program's: only what
# the other side sends is ours.
HAND_MADE = {"test_peer_wire": pcap.FROM_CLIENT, "test_peer_hostile": pcap.FROM_CLIENT,
             "test_peer_client": pcap.FROM_SERVER, "test_callback": pcap.FROM_CLIENT,
             "test_peer_odd": pcap.FROM_CLIENT, "test_peer_odd_client": pcap.FROM_SERVER,
             "test_attacks": pcap.FROM_CLIENT, "test_limits": pcap.FROM_CLIENT,
             "test_endpoint_wire": pcap.FROM_CLIENT, "test_samba_raw": pcap.FROM_CLIENT,
             "test_samba_server": pcap.FROM_SERVER, "test_tool": pcap.FROM_SERVER}
# Wireshark's dissectors of the first two interfaces know no pipes, that of the mapper no NDR64:
# they take what they cannot read for too long.  Headers and fragments are seen all the same.
WITHOUT = ("efs", "frstrans", "epm")
# A refused bind is told as a warning.
KNOWN = ("Bind not acknowledged",)


OF_THE_RUN = os.environ.get("PENSTOCK_TEST_PCAP")


def names():
    if not OF_THE_RUN:
        return [f"test_{name}" for name in BROAD]
    return sorted(path.stem for path in FOLDER.glob("test_*.py") if path != Path(__file__))


def run(name, folder):
    """The tests of one file, with captures in `folder`."""
    env = dict(os.environ, PENSTOCK_TEST_PCAP=str(folder), PENSTOCK_BUILD_DIR=str(BUILD))
    env.setdefault("PENSTOCK_TEST_SCALE", "50")
    choice = ["-k", API_CASES] if name == "test_api" else []
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                           *choice, FOLDER / f"{name}.py"],
                          env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("name", names())
def test_every_exchange(name, tmp_path):
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    folder = Path(OF_THE_RUN).resolve() if OF_THE_RUN else tmp_path
    if not OF_THE_RUN:
        if sanitizer():
            pytest.skip("the plain build says the same, sooner")
        run(name, folder)
    files = sorted((folder / name).glob("*.pcap"))
    if not files:
        pytest.skip("no captures: it runs no program of ours, or is exempt")
    side = {pcap.FROM_CLIENT: pcap.FROM_SERVER,
            pcap.FROM_SERVER: pcap.FROM_CLIENT}.get(HAND_MADE.get(name))
    for batch in collect.batches(files, BATCH):
        merged = tmp_path / "all.pcap"
        connections = collect.merge(batch, merged)
        types = dissect.check(merged, known=KNOWN, without=WITHOUT, side=side)
        assert sum(types.values()) >= len(connections) or side
        merged.unlink()
    shutil.rmtree(folder / name)


@pytest.mark.skipif(bool(sanitizer()), reason="it is about the check, which is not made there")
def test_it_can_say_no(tmp_path, monkeypatch):
    """A bind that counts more contexts than it has is seen, and the side is known."""
    monkeypatch.delenv("PENSTOCK_PCAP", raising=False)
    tmp_path.chmod(0o700)
    file = tmp_path / "server.pcap"
    server = Server(tmp_path, pcap=file)
    octets = bytearray(pdu.bind())
    octets[24] = 9
    with server.connect() as wire:
        wire.send(bytes(octets))
        assert wire.recv().ptype == pdu.BIND_NAK
    assert server.stop() == 0
    assert dissect.check(file, known=KNOWN, side=pcap.FROM_SERVER)
    with pytest.raises(AssertionError, match="Malformed"):
        dissect.check(file, known=KNOWN)
