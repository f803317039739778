# SPDX-License-Identifier: MIT
"""Endpoint mapper and management with the functions of UTF-16, and management calls on handles
without an endpoint; each server and client a process (tests/e2e/endpoint)."""
import pytest

from endpoint_mapper import (BY_IF, INTERFACE, OK, UNAVAILABLE, UNKNOWN, Client, Server, a_mapper,
                             starter)  # fixtures: mapper, start

assert a_mapper and starter

ACCESS_DENIED, INVALID_ARG, UNKNOWN_AUTHN_SERVICE, INCOMPLETE = 5, 87, 1747, 1819
PARTIAL = pytest.mark.parametrize("binding", ["ncacn_ip_tcp:127.0.0.1", "ncalrpc:"])
QUESTIONS = {"ifs": 2, "stats": 4, "listening": OK, "stop": -ACCESS_DENIED,
             "name": -UNKNOWN_AUTHN_SERVICE, "wname": -UNKNOWN_AUTHN_SERVICE}


# ---- UTF-16 --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Dienst für Straßen", "Приказ 命令", "rakete 🚀🚀", "x"])
def test_annotations_in_utf16(start, text):
    """What one side says in UTF-16 or UTF-8 the other reads in either, characters beyond 16 bits
    among them."""
    wide, narrow, client = start(Server, "ncalrpc"), start(Server, "ncalrpc"), start(Client)
    assert wide.do(f"wregister endpoint 0 {text}") == OK
    assert narrow.do(f"register endpoint 0 {text}") == OK
    for entries in client.entries(), client.entries(wide=True):
        assert [entry.split(" ", 4)[4] for entry in entries] == [text, text]
        assert {entry.split(" ")[0] for entry in entries} == {INTERFACE}
    assert wide.do("wnoreplace endpoint 1 another") == OK
    assert len(client.entries(BY_IF, wide=True)) == 3
    assert wide.do("wregister endpoint 0 -") == OK  # in its place
    assert sorted(entry.split(" ", 4)[4] for entry in client.entries(wide=True)) == sorted(
        ["", "another", text])


@pytest.mark.parametrize("letter", ["a", "ü", "€", "🚀"])
def test_long_annotations_in_utf16(start, letter):
    """Cut to 63 octets of UTF-8, and to whole characters, as in UTF-8."""
    server, client = start(Server, "ncalrpc"), start(Client)
    octets = len(letter.encode())
    assert server.do(f"wregister endpoint 0 {letter * (240 // octets)}") == OK
    kept = letter * (63 // octets)
    assert client.entries()[0].split(" ", 4)[4] == kept
    assert client.entries(wide=True)[0].split(" ", 4)[4] == kept


def test_local_names_in_utf16(start):
    """A local endpoint's name, by the binding of its server, through the mapper and directly."""
    server, client = start(Server), start(Client)
    name = f"straße-🚀-{server.pid}"
    assert server.do(f"wnamed {name}") == OK
    assert server.do("listen") == OK
    assert server.do("register endpoint 0 -") == OK
    assert client.entries()[0].split(" ")[3] == f"ncalrpc:[{name}]"
    assert client.entries(wide=True)[0].split(" ")[3] == f"ncalrpc:[{name}]"
    for bind in f"wbind ncalrpc:[{name}]", f"bind ncalrpc:[{name}]", "wbind ncalrpc:":
        assert client.do(bind) == OK
        assert client.do("who") == server.pid
        assert client.ask("wtext") == client.ask("text") == f"ncalrpc:[{name}]"


# ---- Management calls on handles without an endpoint ----------------------------------------


@PARTIAL
def test_incomplete(start, binding):
    """Which server is meant nothing says, so nobody is asked, C706 has a status for it; once the
    handle is resolved all questions are answered."""
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 0 -") == OK
    client = start(Client, binding)
    for question in QUESTIONS:
        assert client.do(question) == -INCOMPLETE
    assert client.do("resolve endpoint") == OK
    assert {question: client.do(question) for question in QUESTIONS} == QUESTIONS
    assert client.do("reset") == OK
    assert client.do("stats") == -INCOMPLETE
    assert client.do("who") == server.pid  # a call resolves it as well
    assert client.do("stats") == 4


@PARTIAL
def test_object_says_which_server(start, binding):
    """With an object: the server that has registered it, by the same protocol sequence; the handle
    stays resolved."""
    server, other = start(Server, "ncacn_ip_tcp", "ncalrpc"), start(Server, "ncacn_ip_tcp", "ncalrpc")
    elsewhere = start(Server, "ncalrpc" if "tcp" in binding else "ncacn_ip_tcp")
    assert other.do("register endpoint 1 -") == OK
    client = start(Client, binding)
    assert client.do("object 2") == OK
    for question in QUESTIONS:
        assert client.do(question) == -UNKNOWN
    assert elsewhere.do("register endpoint 2 -") == OK
    assert client.do("ifs") == -UNKNOWN
    assert server.do("register named 2 -") == OK
    for question in QUESTIONS:
        assert client.do("reset") == OK
        assert client.do(question) == QUESTIONS[question]
        assert "[" in client.ask("text")
    assert client.do("who") == server.pid


def test_object_without_a_mapper(mapper, start):
    client = start(Client, "ncalrpc:")
    assert client.do("object 1") == OK
    mapper.end()
    assert client.do("stats") == -UNAVAILABLE
    mapper.start()
    assert client.do("stats") == -UNKNOWN
