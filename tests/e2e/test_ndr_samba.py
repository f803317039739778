# SPDX-License-Identifier: MIT
"""tests/vectors/samba_ndr.txt is what Samba makes of these values, in NDR 2.0 and NDR64, and
what ndrdump reads.  That our engine reads and writes the same octets is the unit test
ndr_samba_test's to show."""

import pathlib
import shutil
import subprocess

import pytest

ndr = pytest.importorskip("samba.ndr", reason="python3-samba is not installed")
from samba.dcerpc import lsa, misc, security, srvsvc, winreg  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = [line.split() for line in
           (ROOT / "tests" / "vectors" / "samba_ndr.txt").read_text().splitlines()
           if not line.startswith("#")]
PATIENCE = 60


def handle():
    value = misc.policy_handle()
    value.handle_type = 0
    value.uuid = misc.GUID("01020304-0506-0708-090a-0b0c0d0e0f10")
    return value


def share_add():
    info = srvsvc.NetShareInfo2()
    info.name, info.type, info.comment, info.permissions = "data", 0, "c", 1
    info.max_users, info.current_users = 0xffffffff, 2
    info.path, info.password = "C:\\d", None
    call = srvsvc.NetShareAdd()
    call.in_server_unc, call.in_level, call.in_info, call.in_parm_error = "\\\\srv", 2, info, 7
    return call


def share_enum():
    shares = []
    for name, kind, comment in (("one", 3, "x"), ("two", 0, None)):
        share = srvsvc.NetShareInfo1()
        share.name, share.type, share.comment = name, kind, comment
        shares.append(share)
    array = srvsvc.NetShareCtr1()
    array.count, array.array = 2, shares
    ctr = srvsvc.NetShareInfoCtr()
    ctr.level, ctr.ctr = 1, array
    call = srvsvc.NetShareEnumAll()
    call.in_server_unc, call.in_info_ctr = None, ctr
    call.in_max_buffer, call.in_resume_handle = 0x1000, 5
    return call


def lookup_names():
    names = []
    for text in ("Ann", "Bob Q"):
        name = lsa.String()
        name.string = text
        names.append(name)
    call = lsa.LookupNames()
    call.in_handle, call.in_num_names, call.in_names = handle(), 2, names
    call.in_sids, call.in_level, call.in_count = lsa.TransSidArray(), 1, 0
    return call


def query_domain():
    info = lsa.DomainInfo()
    info.name.string = "DOM"
    info.sid = security.dom_sid("S-1-5-21-1-2-3")
    call = lsa.QueryInfoPolicy()
    call.in_handle, call.in_level, call.out_info = handle(), 5, info
    return call


def query_value():
    name = winreg.String()
    name.name = "val"
    call = winreg.QueryValue()
    call.in_handle, call.in_value_name, call.in_type = handle(), name, 1
    call.in_data, call.in_data_size, call.in_data_length = [1, 2, 3], 8, 3
    return call


# name: the values, the pipe and call of ndrdump, the direction
CALLS = {
    "share_add": (share_add, "srvsvc", "srvsvc_NetShareAdd", "in"),
    "share_enum": (share_enum, "srvsvc", "srvsvc_NetShareEnumAll", "in"),
    "lookup_names": (lookup_names, "lsarpc", "lsa_LookupNames", "in"),
    "query_domain": (query_domain, "lsarpc", "lsa_QueryInfoPolicy", "out"),
    "query_value": (query_value, "winreg", "winreg_QueryValue", "in"),
}


def ids(vector):
    return f"{vector[0]}-{vector[1]}"


def test_a_every_call_is_there():
    assert sorted((name, syntax) for name, syntax, _ in VECTORS) == \
        sorted((name, syntax) for name in CALLS for syntax in ("ndr20", "ndr64"))


@pytest.mark.parametrize("vector", VECTORS, ids=ids)
def test_b_samba_encodes_the_same(vector):
    name, syntax, octets = vector
    call, _, _, direction = CALLS[name]
    pack = ndr.ndr_pack_in if direction == "in" else ndr.ndr_pack_out
    assert pack(call(), ndr64=syntax == "ndr64").hex() == octets


@pytest.mark.parametrize("vector", VECTORS, ids=ids)
def test_b_ndrdump_reads_them(vector, tmp_path):
    if not shutil.which("ndrdump"):
        pytest.skip("ndrdump (samba-testsuite) is not installed")
    name, syntax, octets = vector
    _, pipe, function, direction = CALLS[name]
    stub, request = tmp_path / "stub", []
    stub.write_bytes(bytes.fromhex(octets))
    if direction == "out":
        # The discriminant is an [in] parameter, which ndrdump wants to see.
        (tmp_path / "in").write_bytes(ndr.ndr_pack_in(CALLS[name][0](), ndr64=syntax == "ndr64"))
        request = ["--context-file", str(tmp_path / "in")]
    done = subprocess.run(["ndrdump", "--debug-stdout", *request,
                           *(["--ndr64"] if syntax == "ndr64" else []),
                           pipe, function, direction, str(stub)],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and "dump OK" in done.stdout, done.stdout + done.stderr
