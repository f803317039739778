# SPDX-License-Identifier: MIT
"""RpcMgmtEnableIdleCleanup: what a client does with connections that no call uses
(docs/design/connections.md).  What is seen is how many sockets the client's process has open; that
calls notice nothing is idle_tests.c's, too."""
import os
import time
from pathlib import Path

import pytest

from conftest import sanitizer
from endpoint_mapper import OK, Client, Server, a_mapper, starter  # fixtures: mapper, start

assert a_mapper and starter


def sockets(client):
    names = []
    for fd in Path(f"/proc/{client.process.pid}/fd").iterdir():
        try:
            names.append(os.readlink(fd))
        except OSError:  # closed meanwhile
            pass
    return sum(name.startswith("socket:") for name in names)


def seconds_until(client, count, most):
    start = time.monotonic()
    while sockets(client) != count:
        assert time.monotonic() - start < most, f"{sockets(client)} sockets, not {count}"
        time.sleep(0.01)
    return time.monotonic() - start


@pytest.fixture(name="connect")
def connecter(start):
    """A client whose handle is resolved, without connections."""
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 0 -") == OK

    def connect(binding):
        client = start(Client, binding)
        assert client.do("resolve endpoint") == OK
        assert sockets(client) == 0  # the mapper's went with its handle
        return client
    connect.pid = server.pid
    yield connect


def test_times_of_the_documentation(connect):
    """10 seconds, enabled before or after the connection; 5 with more than 500 of them; never, when
    it is not enabled, unless one server has more than 500."""
    clients = {name: connect(binding) for name, binding in [
        ("tcp", "ncacn_ip_tcp:127.0.0.1"), ("local", "ncalrpc:"), ("later", "ncalrpc:"),
        ("off", "ncalrpc:"), ("off_tcp", "ncacn_ip_tcp:127.0.0.1")]}
    crowd, threads = connect("ncacn_ip_tcp:127.0.0.1"), connect("ncalrpc:")
    for client in clients["tcp"], clients["local"], crowd:
        assert client.do("cleanup") == OK
    assert threads.do("threads 501") == 501
    threads_begun = time.monotonic()
    assert sockets(threads) == 64  # as many are kept
    assert crowd.do("crowd 501") == 501
    begun = time.monotonic()
    for client in clients.values():
        assert client.do("who") == connect.pid
    assert clients["later"].do("cleanup") == OK
    assert sockets(crowd) == 501
    while sockets(crowd) == 501:  # it need not take long until they are no longer more than 500
        assert time.monotonic() - begun < 7
        time.sleep(0.02)
    assert 4.5 < time.monotonic() - begun
    time.sleep(max(0, begun + 9 - time.monotonic()))
    assert [sockets(client) for client in clients.values()] == [1] * 5
    seconds_until(threads, 0, 8)
    assert 9 < time.monotonic() - threads_begun < 13
    for client in clients["tcp"], clients["local"], clients["later"], crowd:
        seconds_until(client, 0, 4)
        assert 9.9 < time.monotonic() - begun < 13
    assert sockets(clients["off"]) == sockets(clients["off_tcp"]) == 1
    for client in clients.values():
        assert client.do("async") == connect.pid


def test_last_connection_keeps_context_handles(connect):
    """The only connection to a server that keeps a context handle for us stays, others go; with
    the handle's end it goes, too."""
    clients = [connect("ncacn_ip_tcp:127.0.0.1"), connect("ncalrpc:")]
    for client in clients:
        assert client.do("idle 700") == OK
        assert client.do("hold") == connect.pid
        assert client.do("burst 20") == 20  # not on the connection that must not be lost
        assert sockets(client) > 1
    for client in clients:
        seconds_until(client, 1, 8)
    time.sleep(1)
    for client in clients:
        assert sockets(client) == 1
        assert client.do("holds") == connect.pid  # nothing has been run down
    time.sleep(1)
    for client in clients:
        assert sockets(client) == 1
        assert client.do("drop") == OK
    for client in clients:
        seconds_until(client, 0, 8)
        assert client.do("who") == connect.pid


@pytest.mark.skipif(sanitizer() == "tsan", reason="the thread sanitizer has a thread that wakes")
def test_nothing_runs_while_nothing_is_idle(connect):
    """The timer exists only while there is something to close."""
    client = connect("ncalrpc:")
    assert client.do("idle 50") == OK
    assert client.do("who") == connect.pid
    seconds_until(client, 0, 5)
    time.sleep(0.2)

    def switches():
        tasks = Path(f"/proc/{client.process.pid}/task").iterdir()
        return sum(int(line.split()[1]) for task in tasks
                   for line in (task / "status").read_text().splitlines()
                   if line.startswith("voluntary_ctxt_switches"))
    before = switches()
    time.sleep(1)
    assert switches() - before <= 2
