# SPDX-License-Identifier: MIT
"""Calls of published interfaces through generated stubs, beside what Samba makes of the same
values: NDR 2.0 and NDR64, requests and responses.

The program (published/) has the values in C and calls the stubs, the functions here have them
again in Python.  Both must have the same octets, to the last one; so what either sends the
other reads.  ndrdump then reads ours, with checks of its own: every octet used, no pointer
left over, and encoded again the same (--validate).
"""
import re
import shutil
import struct
import subprocess

import pytest

from peer.published import PATIENCE, SYNTAXES, published

ndr = pytest.importorskip("samba.ndr", reason="python3-samba is not installed")
from samba.dcerpc import (dfs, drsuapi, epmapper, lsa, misc, netlogon, samr,  # noqa: E402
                          security, spoolss, svcctl, witness, wkssvc)

# ---- What Samba calls it --------------------------------------------------------------------

def handle():
    value = misc.policy_handle()
    value.handle_type = 0
    value.uuid = misc.GUID("01020304-0506-0708-090a-0b0c0d0e0f10")
    return value


def make(kind, **fields):
    value = kind()
    for name, field in fields.items():
        setattr(value, name, field)
    return value


def connect5():
    return make(samr.Connect5, in_system_name="\\\\srv", in_access_mask=0x02000000,
                in_level_in=1,
                in_info_in=make(samr.ConnectInfo1, client_version=3, supported_features=8),
                out_level_out=1,
                out_info_out=make(samr.ConnectInfo1, client_version=3, supported_features=0x10),
                out_connect_handle=handle(), result=0)


def get_alias_membership():
    sids = [make(lsa.SidPtr, sid=security.dom_sid(text))
            for text in ("S-1-5-21-1-2-3-500", "S-1-5-11", "S-1-5-32-4294967295")]
    return make(samr.GetAliasMembership, in_domain_handle=handle(),
                in_sids=make(lsa.SidArray, num_sids=3, sids=sids),
                out_rids=make(samr.Ids, count=3, ids=[544, 0x80000001, 7]), result=0)


def lsa_string(text):
    return make(lsa.String, string=text)


def query_display_information():
    users = [make(samr.DispEntryGeneral, idx=3, rid=500, acct_flags=0x10,
                  account_name=lsa_string("Ann"), description=lsa_string("one"),
                  full_name=lsa_string("Ann Other")),
             make(samr.DispEntryGeneral, idx=4, rid=0x80000000, acct_flags=0,
                  account_name=lsa_string("B"), description=lsa_string(None),
                  full_name=lsa_string("\u20ac"))]
    return make(samr.QueryDisplayInfo, in_domain_handle=handle(), in_level=1, in_start_idx=2,
                in_max_entries=100, in_buf_size=0xffff, out_total_size=2000,
                out_returned_size=200,
                out_info=make(samr.DispInfoGeneral, count=2, entries=users),
                result=0x105)


def get_dc_name():
    guid = misc.GUID("01020304-0506-0708-090a-0b0c0d0e0f10")
    info = make(netlogon.netr_DsRGetDCNameInfo, dc_unc="\\\\dc", dc_address="\\\\192.0.2.1",
                dc_address_type=1, domain_guid=guid, domain_name="dom.example", forest_name=None,
                dc_flags=0xe00031fd, dc_site_name="Site", client_site_name=None)
    return make(netlogon.netr_DsRGetDCNameEx2, in_server_unc=None, in_client_account="ann",
                in_mask=0x2ff, in_domain_name="dom.example", in_domain_guid=guid,
                in_site_name=None, in_flags=0x40000000, out_info=info, result=0)


def address_to_site_names():
    addresses = [make(netlogon.netr_DsRAddress, buffer=list(octets), size=len(octets))
                 for octets in (bytes([2, 0, 0, 0, 192, 0, 2, 1]).ljust(16, b"\0"),
                                (bytes([23]) + bytes(7) + b"\x20\1").ljust(28, b"\0"))]
    sites = make(netlogon.netr_DsRAddressToSitenamesWCtr, count=2,
                 sitename=[lsa_string("Default-First-Site-Name"), lsa_string(None)])
    return make(netlogon.netr_DsRAddressToSitenamesW, in_server_name="\\\\dc", in_count=2,
                in_addresses=addresses, out_ctr=sites, result=0)


def crack_names():
    names = [make(drsuapi.DsNameString, str=text)
             for text in ("DOM\\ann", "", "bob@dom.example")]
    request = make(drsuapi.DsNameRequest1, codepage=0x4e4, language=0x409, format_flags=0,
                   format_offered=2, format_desired=1, count=3, names=names)
    results = [make(drsuapi.DsNameInfo1, status=0, dns_domain_name="dom.example",
                    result_name="CN=Ann,DC=dom"),
               make(drsuapi.DsNameInfo1, status=2, dns_domain_name=None, result_name=None)]
    return make(drsuapi.DsCrackNames, in_bind_handle=handle(), in_level=1, in_req=request,
                out_level_out=1, out_ctr=make(drsuapi.DsNameCtr1, count=2, array=results),
                result=0)


def dfs_enum():
    def storage(state, server, share):
        return make(dfs.StorageInfo, state=state, server=server, share=share)

    def info(links):
        return make(dfs.EnumStruct, level=3,
                    e=make(dfs.EnumArray3, count=len(links) if links else 0, s=links))
    links = [make(dfs.Info3, path="\\dom\\dfs", comment=None, state=1, num_stores=2,
                  stores=[storage(2, "a", "dfs"), storage(4, "server", "dfs")]),
             make(dfs.Info3, path="\\dom\\dfs\\x", comment="a comment", state=1, num_stores=1,
                  stores=[storage(2, "b", "x")])]
    return make(dfs.EnumEx, in_dfs_name="\\\\dom\\dfs", in_level=3, in_bufsize=0xffffffff,
                in_info=info(None), in_total=0, out_info=info(links), out_total=2, result=0)


def tower_map():
    octets = bytes.fromhex("050013000d0403020106050807090a0b0c0d0e0f10010002000000"
                           "13000d045d888aeb1cc9119fe808002b104860020002000000"
                           "01000b02000000" "01000702000087" "0100090400c0000201")

    def tower():
        return ndr.ndr_unpack(epmapper.epm_twr_t, struct.pack("<II", 75, 75) + octets)
    entry = misc.policy_handle()
    return make(epmapper.epm_Map, in_object=misc.GUID(), in_map_tower=tower(), in_entry_handle=entry,
                in_max_towers=4, out_entry_handle=handle(), out_num_towers=2,
                out_towers=[make(epmapper.epm_twr_p_t, twr=tower()) for _ in range(2)], result=0)


def get_interface_list():
    nodes = [make(witness.interfaceInfo, group_name="NODE-1", version=0x10001, state=state,
                  ipv4="192.0.2.1", ipv6="2001:db8::1", flags=5) for state in (1, 0xff)]
    return make(witness.GetInterfaceList,
                out_interface_list=make(witness.interfaceList, num_interfaces=2,
                                        interfaces=nodes), result=0)


def create_service():
    return make(svcctl.CreateServiceW, in_scmanager_handle=handle(), in_ServiceName="svc",
                in_DisplayName="A service", in_desired_access=0xf01ff, in_type=0x10,
                in_start_type=2, in_error_control=1, in_binary_path="C:\\svc.exe",
                in_LoadOrderGroupKey=None, in_TagId=17,
                in_dependencies=list("Rpc\0\0".encode("utf-16-le")), in_dependencies_size=10,
                in_service_start_name=None, in_password=[1, 2, 3], in_password_size=3,
                out_TagId=42, out_handle=handle(), result=0)


def open_printer():
    client = make(spoolss.UserLevel1, size=28, client="\\\\me", user="ann", build=7601, major=3,
                  minor=0, processor=9)
    return make(spoolss.OpenPrinterEx, in_printername="\\\\srv\\p", in_datatype=None,
                in_devmode_ctr=spoolss.DevmodeContainer(), in_access_mask=8,
                in_userlevel_ctr=make(spoolss.UserLevelCtr, level=1, user_info=client),
                out_handle=handle(), result=0)


def user_enum():
    def info(users):
        return make(wkssvc.NetWkstaEnumUsersInfo, level=1,
                    ctr=make(wkssvc.NetWkstaEnumUsersCtr1, user1=users,
                             entries_read=len(users) if users else 0))
    users = [make(wkssvc.NetrWkstaUserInfo1, user_name="ann", logon_domain="DOM",
                  other_domains=None, logon_server="DC"),
             make(wkssvc.NetrWkstaUserInfo1, user_name="bob", logon_domain=None,
                  other_domains="", logon_server=None)]
    return make(wkssvc.NetWkstaEnumUsers, in_server_name="srv", in_info=info(None),
                in_prefmaxlen=0x10000, in_resume_handle=9, out_info=info(users),
                out_entries_read=2, out_resume_handle=0, result=0)


def job_property(name, kind, value):
    return make(spoolss.PrintNamedProperty, propertyName=name,
                propertyValue=make(spoolss.PrintPropertyValue, ePropertyType=kind, value=value))


def set_job_property():
    return make(spoolss.SetJobNamedProperty, in_hPrinter=handle(), in_JobId=7,
                in_pProperty=job_property("Size", 3, 0x0123456789abcdef), result=0)


# our name: the values, None where samba has no Python for them; ndrdump's pipe and function
CALLS = {
    "SamrConnect5": (connect5, "samr", "samr_Connect5"),
    "SamrGetAliasMembership": (get_alias_membership, "samr", "samr_GetAliasMembership"),
    "SamrQueryDisplayInformation": (query_display_information, "samr", "samr_QueryDisplayInfo"),
    "DsrGetDcNameEx2": (get_dc_name, "netlogon", "netr_DsRGetDCNameEx2"),
    "DsrAddressToSiteNamesW": (address_to_site_names, "netlogon", "netr_DsRAddressToSitenamesW"),
    "IDL_DRSCrackNames": (crack_names, "drsuapi", "drsuapi_DsCrackNames"),
    "NetrDfsEnumEx": (dfs_enum, "netdfs", "dfs_EnumEx"),
    "ept_map": (tower_map, "epmapper", "epm_Map"),
    "WitnessrGetInterfaceList": (get_interface_list, "witness", "witness_GetInterfaceList"),
    "RCreateServiceW": (create_service, "svcctl", "svcctl_CreateServiceW"),
    "PNP_GetDeviceRegProp": (None, "ntsvcs", "PNP_GetDeviceRegProp"),
    "RpcOpenPrinterEx": (open_printer, "spoolss", "spoolss_OpenPrinterEx"),
    "RpcSetJobNamedProperty": (set_job_property, "spoolss", "spoolss_SetJobNamedProperty"),
    # Samba's Python module cannot take the array.
    "RpcEnumJobNamedProperties": (None, "spoolss", "spoolss_EnumJobNamedProperties"),
    "NetrWkstaUserEnum": (user_enum, "wkssvc", "wkssvc_NetWkstaEnumUsers"),
}


def octets_of(call, direction, syntax, order="little"):
    """What Samba makes of the values."""
    pack = ndr.ndr_pack_in if direction == "in" else ndr.ndr_pack_out
    return pack(CALLS[call][0](), bigendian=order == "big", ndr64=syntax == "ndr64")


# The octets of a tower follow two counts of the same, which Samba takes for one count in two
# places: it has no NDR64 form of that.
CASES = [(call, direction, syntax) for call in CALLS for direction in ("in", "out")
         for syntax in SYNTAXES if (call, syntax) != ("ept_map", "ndr64")]
WITH_VALUES = [case for case in CASES if CALLS[case[0]][0]]
# Samba numbers full pointers from 1, unlike all others.
SAME_REFERENTS = [case for case in WITH_VALUES if case[0] != "ept_map"]


def has_big_endian_form(case):
    """NDR64 has none (MS-RPCE 2.2.5); the 16-bit parts of an IPv6 address are octets to Samba,
    which it does not swap."""
    return case[2] == "ndr20" and case[0] != "WitnessrGetInterfaceList"


@pytest.mark.parametrize("call, direction, syntax", SAME_REFERENTS)
def test_b_samba_makes_the_same(call, direction, syntax):
    theirs = octets_of(call, direction, syntax)
    ours = published(call, syntax)["request" if direction == "in" else "response"]
    assert ours == theirs.hex()


@pytest.mark.parametrize("call, direction, syntax, order",
                         [(*case, "little") for case in WITH_VALUES] +
                         [(*case, "big") for case in WITH_VALUES if has_big_endian_form(case)])
def test_b_we_read_sambas(call, direction, syntax, order):
    """What the stub of the other side made of Samba's octets are our values."""
    theirs = octets_of(call, direction, syntax, order)
    if direction == "in":
        got = published(call, syntax, order=order, request=theirs)
        assert got["taken"] == got["request"]
    else:
        got = published(call, syntax, order=order, response=theirs)
        assert got["given"] == got["response"]
    assert got["result"] == published(call, syntax)["result"]


@pytest.mark.parametrize("call, direction, syntax", CASES)
def test_b_ndrdump_reads_ours(call, direction, syntax, tmp_path):
    if not shutil.which("ndrdump"):
        pytest.skip("ndrdump (samba-testsuite) is not installed")
    ours = published(call, syntax)
    (tmp_path / "request").write_bytes(bytes.fromhex(ours["request"]))
    (tmp_path / "response").write_bytes(bytes.fromhex(ours["response"]))
    # It would validate against NDR 2.0 whatever it had read.
    options = ["--ndr64"] if syntax == "ndr64" else ["--validate"]
    if call == "ept_map":
        options = []  # other referents
    if direction == "out":  # discriminants and sizes are [in] parameters
        options += ["--context-file", str(tmp_path / "request")]
    done = subprocess.run(["ndrdump", "--debug-stdout", *options, *CALLS[call][1:], direction,
                           str(tmp_path / ("request" if direction == "in" else "response"))],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "dump OK" in said, said
    assert not re.search(r"WARNING|differ|bytes consumed", said), said
