# SPDX-License-Identifier: MIT
"""Serialised values that others write and read: the KERB_VALIDATION_INFO of Kerberos tickets
(MS-PAC 2.5), by Samba and by impacket; and the example program."""

import os
import pathlib
import shutil
import struct
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("PENSTOCK_BUILD_DIR", "build")).resolve()
TOOL = BUILD / "tests/e2e/pickle/pac_tool"
PATIENCE = 25
COMMON = bytes.fromhex("01100800cccccccc")  # MS-RPCE 2.2.6.1


def tool(octets, *args, status=0):
    done = subprocess.run([TOOL, *map(str, args)], input=octets, capture_output=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else int(done.stderr)


# ---- Samba -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samba():
    """A value, and a function that makes octets of it."""
    ndr = pytest.importorskip("samba.ndr", reason="python3-samba is not installed")
    from samba.dcerpc import krb5pac, lsa, netlogon, samr, security

    def attribute(text):
        sid = netlogon.netr_SidAttr()
        sid.sid, sid.attributes = security.dom_sid(text), 7
        return sid

    info = krb5pac.PAC_LOGON_INFO()
    base = info.info3.base
    base.logon_time, base.kickoff_time = 0x01d0123456789abc, 0x7fffffffffffffff
    for name, text in (("account_name", "ann"), ("full_name", "Ann Other"), ("logon_script", ""),
                       ("profile_path", "\\\\srv\\p"), ("home_directory", "h"),
                       ("home_drive", "H:")):
        setattr(getattr(base, name), "string", text)
    base.logon_server.string, base.logon_domain.string = "DC1", "EXAMPLE"
    base.logon_count, base.rid, base.primary_gid = 17, 1104, 513
    groups = []
    for rid in (513, 512, 1200):
        group = samr.RidWithAttribute()
        group.rid, group.attributes = rid, 7
        groups.append(group)
    base.groups.count, base.groups.rids = len(groups), groups
    base.key.key = list(range(16))
    base.domain_sid = security.dom_sid("S-1-5-21-1-2-3")
    base.acct_flags = 0x210
    info.info3.sids = [attribute("S-1-18-1"), attribute("S-1-5-21-9-8-7-1000")]
    info.info3.sidcount = 2
    ctr = krb5pac.PAC_LOGON_INFO_CTR()
    ctr.info = info

    class Samba:
        @staticmethod
        def in_pac():
            """As it stands in a ticket: with the headers that Samba writes."""
            buffer = krb5pac.PAC_BUFFER()
            buffer.type, buffer.info = krb5pac.PAC_TYPE_LOGON_INFO, ctr
            data = krb5pac.PAC_DATA()
            data.num_buffers, data.buffers = 1, [buffer]
            octets = ndr.ndr_pack(data)
            size, offset = struct.unpack_from("<IQ", octets, 12)
            return octets[offset:offset + size]

        @staticmethod
        def unpack_pac(octets):
            octets = struct.pack("<IIIIQ", 1, 0, 1, len(octets), 24) + octets
            return ndr.ndr_unpack(krb5pac.PAC_DATA, octets).buffers[0].info

        text = staticmethod(lambda value: ndr.ndr_print(value))

    return Samba


SHOWN = """user=ann
full=Ann Other
domain=EXAMPLE
sid=S-1-5-21-1-2-3
rid=1104
logons=17
group=513
group=512
group=1200
extra=S-1-18-1
extra=S-1-5-21-9-8-7-1000
"""


def test_a_what_samba_puts_into_a_ticket_is_read(samba):
    octets = samba.in_pac()
    assert octets.startswith(COMMON)
    for piece in (1, 3, 8, 4096):
        assert tool(octets, "show", piece).decode() == SHOWN


def test_b_what_we_write_is_samba_s(samba):
    octets = samba.in_pac()
    assert tool(octets, "ndr", 4096) == octets
    again = samba.unpack_pac(tool(octets, "ndr", 7))
    assert samba.text(again) == samba.text(samba.unpack_pac(octets))


def dumped(body, tmp_path, *options):
    """What ndrdump says about an object, without the lines about itself."""
    if not shutil.which("ndrdump"):
        pytest.skip("ndrdump is not installed")
    (tmp_path / "object").write_bytes(body)
    done = subprocess.run(["ndrdump", "krb5pac", "PAC_CONSTRAINED_DELEGATION_CTR", "struct",
                           tmp_path / "object", *options], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines()
            if ":" in line and not line.startswith(("pull", "WARNING", "dump"))]


def test_b_ndrdump_reads_the_objects_of_both_syntaxes(tmp_path):
    ndr20, ndr64 = tool(b"", "make", "ndr"), tool(b"", "make", "ndr64")
    assert ndr20[:8] == COMMON and ndr64[:8] == bytes.fromhex("02104000cccccccc")
    assert struct.unpack_from("<I", ndr20, 8) == (len(ndr20) - 16,)
    assert struct.unpack_from("<I", ndr64, 64) == (len(ndr64) - 80,)
    assert len(ndr64) % 16 == 0
    lines = dumped(ndr20[16:], tmp_path)
    for text in ("host/x", "'a'", "'bcd'"):
        assert any(text in line for line in lines), (text, lines)
    assert dumped(ndr64[80:], tmp_path, "--ndr64") == lines


def test_b_version_2_and_back(samba):
    ndr64 = tool(samba.in_pac(), "ndr64", 4096)
    assert ndr64[:8] == bytes.fromhex("02104000cccccccc")
    assert tool(ndr64, "ndr", 5) == samba.in_pac()


def test_c_a_ticket_cut_short_is_refused(samba):
    octets = samba.in_pac()
    for n in range(0, len(octets), 5):
        assert tool(octets[:n], "show", 64, status=1) == 1784  # RPC_X_INVALID_BUFFER


# ---- impacket ----------------------------------------------------------------------------


def test_b_impacket_both_ways(samba):
    pac = pytest.importorskip("impacket.krb5.pac", reason="impacket is not installed")
    ours = tool(samba.in_pac(), "ndr", 4096)
    theirs = pac.VALIDATION_INFO()
    theirs.fromString(ours)
    theirs.fromStringReferents(ours[len(theirs.getData()):])
    info = theirs["Data"]
    assert info["EffectiveName"] == "ann"
    assert info["UserId"] == 1104
    assert [group["RelativeId"] for group in info["GroupIds"]] == [513, 512, 1200]
    assert info["LogonDomainId"].formatCanonical() == "S-1-5-21-1-2-3"
    again = theirs.getData() + theirs.getDataReferents()
    assert tool(again, "show", 4096).decode() == SHOWN


# ---- The example -------------------------------------------------------------------------


def test_c_the_example_keeps_contacts_in_a_file(tmp_path):
    def contacts(*args, status=0):
        done = subprocess.run([BUILD / "examples/pickle/contacts", tmp_path / "book", *args],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    assert contacts() == ""
    contacts("Ann", "0123")
    contacts("Bob")
    contacts("C" * 5000, "9")
    assert contacts() == "C" * 5000 + " 9\nBob -\nAnn 0123\n"
    octets = (tmp_path / "book").read_bytes()
    assert octets[:8] == COMMON and len(octets) % 8 == 0
    (tmp_path / "book").write_bytes(octets[:-8])
    assert contacts(status=1) == "status 1784\n"
