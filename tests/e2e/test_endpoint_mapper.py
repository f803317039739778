# SPDX-License-Identifier: MIT
"""penstock-epmd with our own servers and clients (tests/e2e/endpoint), each a process.

What others make of it is in test_endpoint_oracles.py.
"""
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from conftest import free_port, sanitizer
from endpoint_mapper import (ALL, BY_BOTH, BY_IF, BY_OBJECT, CANT_PERFORM, EPMD, INTERFACE,
                             NO_BINDINGS, OK, PEER, SOON, UNAVAILABLE, UNKNOWN, Client, Server,
                             a_mapper, starter, until)  # fixtures: mapper, start

assert a_mapper and starter

PARTIAL = pytest.mark.parametrize("binding", ["ncacn_ip_tcp:127.0.0.1", "ncalrpc:"])


# ---- Resolving ------------------------------------------------------------------


@PARTIAL
@pytest.mark.parametrize("how", ["who", "async"])
def test_first_call_resolves(start, binding, how):
    """A partially bound handle is resolved by its first call, synchronous or asynchronous, and
    stays so: its string binding shows the endpoint."""
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 0 a test") == OK
    client = start(Client, binding)
    assert client.do(how) == server.pid
    text = client.ask("text")
    assert "[" in text and text.startswith(binding)
    assert client.do("who") == server.pid
    assert client.do("async") == server.pid
    assert client.ask("text") == text


@PARTIAL
def test_resolve_binding(start, binding):
    """RpcEpResolveBinding resolves, is nothing on a handle that is, and RpcBindingReset undoes it."""
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 0 -") == OK
    client = start(Client, binding)
    assert client.do("resolve endpoint") == OK
    text = client.ask("text")
    assert "[" in text
    assert client.do("resolve endpoint") == OK and client.ask("text") == text
    assert client.do("who") == server.pid
    assert client.do("reset") == OK
    assert "[" not in client.ask("text")
    assert client.do("async") == server.pid
    assert client.ask("text") == text
    assert client.do("copy") == OK and client.ask("text") == text
    assert client.do("who") == server.pid


@PARTIAL
def test_not_registered(start, binding):
    """The mapper does not know the interface: 1753, by every way, and later it may know it."""
    client = start(Client, binding)
    assert client.do("resolve endpoint") == UNKNOWN
    assert client.do("who") == -UNKNOWN
    assert client.do("async") == -UNKNOWN
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 0 -") == OK
    assert client.do("async") == server.pid


@PARTIAL
def test_no_mapper(mapper, start, binding):
    """No mapper: 1722, by every way; nothing is registered."""
    mapper.end()
    client, server = start(Client, binding), start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert client.do("resolve endpoint") == UNAVAILABLE
    assert client.do("who") == -UNAVAILABLE
    assert client.do("async") == -UNAVAILABLE
    assert server.do("register endpoint 0 -") == UNAVAILABLE
    assert server.do("unregister endpoint 0 -") == UNKNOWN
    mapper.start()
    assert client.entries() == []


def test_named_endpoint(mapper, start):
    """What the interface's [endpoint] says is used without asking the mapper."""
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("named endpoint-test-named") == OK
    mapper.end(signal.SIGKILL)
    client = start(Client, "ncalrpc:")
    assert client.do("resolve named") == OK
    assert client.ask("text") == "ncalrpc:[endpoint-test-named]"
    assert client.do("named") == server.pid
    tcp = start(Client, "ncacn_ip_tcp:127.0.0.1")
    assert tcp.do("named") == -UNAVAILABLE  # names none for TCP
    mapper.start()


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6")
def test_ipv6(start):
    """The mapper and the server it tells of are reached by IPv6, by the host alone."""
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("register endpoint 0 -") == OK
    client = start(Client, "ncacn_ip_tcp:::1")
    assert client.do("async") == server.pid
    assert client.ask("text").startswith("ncacn_ip_tcp:::1[")
    assert client.do("reset") == OK
    assert len(client.entries(here=False)) == 1


def test_many_calls_in_line(start):
    """Calls made while the endpoint is looked for get in line, and all are answered."""
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 0 -") == OK
    for binding in ("ncacn_ip_tcp:127.0.0.1", "ncalrpc:"):
        assert start(Client, binding).do("burst 500") == 500


@PARTIAL
def test_objects(start, binding):
    """An object leads to the server that registered it, else to one that registered none."""
    special, general = (start(Server, "ncacn_ip_tcp", "ncalrpc") for _ in range(2))
    assert special.do("register endpoint 3 -") == OK
    assert general.do("register endpoint 0 -") == OK
    client = start(Client, binding)
    for number, server in ((1, special), (3, special), (4, general), (0, general)):
        assert client.do("reset") == OK and client.do(f"object {number}") == OK
        assert client.do("async" if number == 3 else "who") == server.pid
    assert general.do("unregister endpoint 0 -") == OK
    assert client.do("reset") == OK and client.do("object 4") == OK
    assert client.do("who") == -UNKNOWN


def test_several_servers_share(start):
    """One of the servers with the interface is chosen at random."""
    servers = [start(Server, "ncalrpc") for _ in range(3)]
    for server in servers:
        assert server.do("register endpoint 0 -") == OK
    client, seen = start(Client, "ncalrpc:"), set()
    for _ in range(100):
        assert client.do("reset") == OK
        seen.add(client.do("who"))
    assert seen == {server.pid for server in servers}


# ---- Registering --------------------------------------------------------------------


def test_listed(start):
    """Entries are the cross product of bindings and objects, with annotation, found by interface,
    object, both and version."""
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 2 some words") == OK
    client = start(Client)
    found = client.entries()
    assert len(found) == 4
    assert sorted(entry.split()[2] for entry in found) == ["1", "1", "2", "2"]
    for entry in found:
        assert entry.startswith(f"{INTERFACE} 2.3 ") and entry.endswith("] some words")
    assert sum(" ncalrpc:[LRPC-" in entry for entry in found) == 2
    assert client.entries(BY_IF, 3) == found
    assert client.entries(BY_IF, 3, version="2.2") == []
    assert client.entries(BY_IF, 2, version="2.2") == found
    assert client.entries(BY_IF, 2, version="2.4") == []
    assert client.entries(BY_IF, 4, version="2.9") == found
    assert client.entries(BY_IF, 5, version="2.9") == found
    assert client.entries(BY_IF, 5, version="1.9") == []
    assert client.entries(BY_IF, 1, "named") == []
    assert len(client.entries(BY_OBJECT, number=2)) == 2
    assert client.entries(BY_OBJECT, number=0) == []
    assert len(client.entries(BY_BOTH, number=1)) == 2
    assert client.entries(BY_BOTH, interface="named", number=1) == []


def test_listed_from_elsewhere(mapper, start):
    """The same through TCP, by the host and by the mapper's own endpoint; bindings lead to where
    the mapper was reached."""
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("register endpoint 0 -") == OK
    for binding in ("ncacn_ip_tcp:127.0.0.1", f"ncacn_ip_tcp:127.0.0.1[{mapper.port}]"):
        client = start(Client, binding)
        entry, = client.entries(here=False)
        where = entry.split()[3]
        assert where.startswith("ncacn_ip_tcp:127.0.0.1[")
        assert client.do(f"bind {where}") == OK
        assert client.do("who") == server.pid


def test_replace(start):
    """RpcEpRegister takes the place of the process's own entries of the same interface, object and
    protocol sequence, RpcEpRegisterNoReplace adds; other processes' stay."""
    other, server = start(Server, "ncalrpc"), start(Server, "ncacn_ip_tcp", "ncalrpc")
    client = start(Client)
    assert other.do("register endpoint 0 -") == OK
    assert server.do("register endpoint 0 first") == OK
    assert server.do("register endpoint 0 second") == OK
    assert sorted(e.split()[-1] for e in client.entries())[1:] == ["second", "second"]
    assert server.do("noreplace endpoint 0 third") == OK  # the same once more
    assert len(client.entries()) == 3
    assert server.do("use ncalrpc") == OK
    assert server.do("noreplace endpoint 0 -") == OK
    assert len(client.entries()) == 4
    assert server.do("register endpoint 1 -") == OK  # another object
    assert len(client.entries()) == 7
    assert server.do("register named 0 -") == OK
    assert len(client.entries(BY_IF, 1, "named")) == 3


def test_unregister(start):
    """RpcEpUnregister removes exactly that; what is not there is 1753."""
    server, client = start(Server, "ncacn_ip_tcp", "ncalrpc"), start(Client)
    assert server.do("unregister endpoint 0 -") == UNKNOWN
    assert server.do("register endpoint 2 -") == OK
    assert server.do("unregister endpoint 0 -") == UNKNOWN
    assert server.do("unregister endpoint 1 -") == OK
    assert {entry.split()[2] for entry in client.entries()} == {"2"}
    assert server.do("unregister endpoint 2 -") == OK
    assert client.entries() == []
    assert server.do("register endpoint 0 -") == OK
    assert len(client.entries()) == 2


def test_annotation_is_cut(start):
    """64 octets with the NUL, and no half of a character."""
    server, client = start(Server, "ncalrpc"), start(Client)
    assert server.do("register endpoint 0 " + "é" * 40) == OK
    assert client.entries()[0].split()[-1] == "é" * 31
    assert server.do("register endpoint 0 " + "x" * 63) == OK
    assert client.entries()[0].split()[-1] == "x" * 63


def test_no_bindings(start):
    server = start(Server)
    assert server.do("register endpoint 0 -") == NO_BINDINGS


def test_management_unregister(start):
    """RpcMgmtEpUnregister removes another process's entry, from this computer only."""
    server, client = start(Server, "ncacn_ip_tcp"), start(Client, "ncacn_ip_tcp:127.0.0.1")
    assert server.do("register endpoint 1 -") == OK
    where = client.entries(here=False)[0].split()[3]
    assert client.do(f"forget {where} 2.3 1") == CANT_PERFORM
    assert client.do("bind ncalrpc:") == OK
    assert client.do(f"forget {where} 2.3 2") == UNKNOWN
    assert client.do(f"forget {where} 2.3 1") == OK
    assert client.entries() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_other_users_entries(mapper, start):
    """Another user may list and use entries, not remove them."""
    os.chmod(mapper.env["XDG_RUNTIME_DIR"], 0o755)
    folder = os.path.dirname(mapper.env["XDG_RUNTIME_DIR"])
    while len(folder) > 4:  # pytest's own folders are its user's
        os.chmod(folder, 0o755)
        folder = os.path.dirname(folder)
    server = start(Server, "ncacn_ip_tcp")
    assert server.do("register endpoint 1 -") == OK
    nobody = subprocess.Popen([PEER, "client"], env=mapper.env, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, user=65534, group=65534)
    client = Client.__new__(Client)
    client.process = nobody
    assert client.do("bind ncalrpc:") == OK
    where = client.entries()[0].split()[3]
    assert client.do(f"forget {where} 2.3 1") == 5
    assert len(client.entries()) == 1
    client.close()


# ---- Coming and going -----------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_entries_go_with_their_process(start, how):
    """Whatever ends a server, its entries go, and only its own."""
    other, server, client = start(Server, "ncalrpc"), start(Server, "ncalrpc"), start(Client)
    assert other.do("register endpoint 0 other") == OK
    assert server.do("register endpoint 5 -") == OK
    assert len(client.entries()) == 6
    server.process.send_signal(how)
    server.process.wait(SOON)
    until(lambda: len(client.entries()) == 1, "the entries of a dead process stay")
    assert client.entries()[0].endswith("other")
    server.process.stdin.close()
    server.process.stdout.close()


def test_mapper_killed_and_started_again(mapper, start):
    """Live servers register again with a mapper that was killed -9, those that have died or
    unregistered meanwhile do not; no thread waits for that."""
    servers = [start(Server, "ncacn_ip_tcp", "ncalrpc") for _ in range(5)]
    for number, server in enumerate(servers):
        assert server.do(f"register endpoint {number + 1} server{number}") == OK
    client = start(Client)
    threads = len(os.listdir(f"/proc/{servers[0].pid}/task"))
    assert len(client.entries()) == 2 * (1 + 2 + 3 + 4 + 5)
    mapper.end(signal.SIGKILL)
    assert servers[4].do("unregister endpoint 5 -") == OK
    servers[3].kill()
    time.sleep(0.5)
    mapper.start()
    until(lambda: len(client.entries()) == 2 * (1 + 2 + 3), "not all registered again")
    assert servers[4].do("register endpoint 1 again") == OK
    assert len(client.entries()) == 2 * (1 + 2 + 3 + 1)
    mapper.end(signal.SIGKILL)
    mapper.start()  # at once
    until(lambda: len(client.entries()) == 2 * (1 + 2 + 3 + 1), "not all registered again")
    until(lambda: len(os.listdir(f"/proc/{servers[0].pid}/task")) <= threads + 1,
          "threads are left")


def test_register_right_after_a_restart(mapper, start):
    """A registration that is the first to meet the new mapper brings all others with it."""
    server, client = start(Server, "ncalrpc"), start(Client)
    assert server.do("register endpoint 3 -") == OK
    for _ in range(5):
        mapper.end(signal.SIGKILL)
        mapper.start()
        assert server.do("register named 0 -") == OK
        until(lambda: len(client.entries()) == 4, "not all are there")
        time.sleep(0.3)
        assert len(client.entries()) == 4


def test_stopped_mapper(mapper, start):
    """A mapper that holds its endpoints and does not answer keeps servers for 5 seconds, and their
    registrations and withdrawals happen when it does; clients for as long as their
    RpcMgmtSetComTimeout says, by every way."""
    more, gone, silent, late = (start(Server, "ncacn_ip_tcp") for _ in range(4))
    lister = start(Client)
    for server in more, gone, silent:
        assert server.do("register endpoint 1 before") == OK
    clients = [start(Client, binding) for binding in ("ncacn_ip_tcp:127.0.0.1", "ncalrpc:")
               for _ in range(4)]
    for client in clients:
        assert client.do("timeout 0") == OK
    mapper.process.send_signal(signal.SIGSTOP)
    tasks = f"/proc/{mapper.process.pid}/task"
    until(lambda: all(" T " in open(f"{tasks}/{task}/stat", encoding="utf-8").read()
                      for task in os.listdir(tasks)), "it does not stop")
    try:
        begun = time.monotonic()
        more.tell("noreplace endpoint 2 more")
        gone.tell("unregister endpoint 1 -")
        late.tell("register endpoint 0 late")
        for client, question in zip(clients, ["who", "async", "resolve endpoint",
                                              "list 0 1 endpoint 2.3 0"] * 2):
            client.tell(question)
        for server in more, gone, late:
            assert int(server.line()) == OK
        for client in clients:
            assert client.line() in (str(UNAVAILABLE), f"-{UNAVAILABLE}", f"end {UNAVAILABLE}")
        assert 4.5 < time.monotonic() - begun < 9
        assert late.do("register named 1 late") == OK
        assert time.monotonic() - begun < 14
    finally:
        mapper.process.send_signal(signal.SIGCONT)
    until(lambda: len(lister.entries()) == 2 + 0 + 1 + 2, "not all are there")
    assert {entry.split()[-1] for entry in lister.entries()} == {"before", "more", "late"}
    for client in clients[:4]:
        assert client.do("who") == late.pid
    assert more.do("unregister endpoint 2 -") == OK and len(lister.entries()) == 3


def test_mapper_ends(mapper, start):
    """SIGTERM ends it with status 0 and removes its local socket, registered servers or not."""
    server = start(Server, "ncalrpc")
    assert server.do("register endpoint 0 -") == OK
    name = f"{mapper.env['XDG_RUNTIME_DIR']}/penstock/epmapper-{mapper.port}"
    assert os.path.exists(name)
    assert mapper.end() == 0
    assert not os.path.exists(name)
    mapper.start()


@pytest.mark.skipif(sanitizer() != "", reason="takes minutes")
def test_thousands_of_entries(start):
    """10,000 entries, fetched in batches, of a single process's limit each."""
    servers = [start(Server, "ncalrpc") for _ in range(2)]
    for server in servers:
        assert server.do("register endpoint 5000 -") == OK
    assert servers[0].do("noreplace named 5000 -") == 1721  # its limit: 8,192
    client = start(Client)
    assert len(client.entries()) == 10000
    assert client.entries(BY_BOTH, number=4711)[0].split()[2] == "4711"
    assert servers[0].do("unregister endpoint 5000 -") == OK
    assert len(client.entries()) == 5000


# ---- The program ---------------------------------------------------------------------------


def run_epmd(env, *args, **more):
    return subprocess.run([EPMD, *args], env=env, capture_output=True, text=True, timeout=SOON,
                          check=False, stdin=subprocess.DEVNULL, **more)


def test_options(program_env):
    usage = run_epmd(program_env, "--help")
    assert usage.returncode == 0 and usage.stdout.startswith("usage: penstock-epmd")
    assert run_epmd(program_env, "--version").stdout.startswith("penstock-epmd 0.")
    for wrong in (["--port", "0"], ["--port", "70000"], ["--port", "x"], ["--unknown"], ["what"]):
        result = run_epmd(program_env, *wrong)
        assert result.returncode == 2 and "penstock-epmd" in result.stderr


def test_second_mapper_is_refused(mapper):
    result = run_epmd(mapper.env, "--port", str(mapper.port))
    assert result.returncode == 1
    assert f"cannot listen on TCP port {mapper.port}" in result.stderr
    assert "Another endpoint mapper is running" in result.stderr


def test_wrong_environment(mapper, start):
    """PENSTOCK_EPMAPPER that is no port: the endpoint's form is wrong."""
    server = start(Server, "ncalrpc")
    assert server.do("register endpoint 0 -") == OK
    client = Client.__new__(Client)
    client.process = subprocess.Popen([PEER, "client"], stdin=subprocess.PIPE, text=True,
                                      stdout=subprocess.PIPE,
                                      env=dict(mapper.env, PENSTOCK_EPMAPPER="no port"))
    assert client.do("bind ncalrpc:") == OK
    assert client.do("who") == -1706
    assert client.do("async") == -1706
    client.close()


def pass_sockets(env, *sockets, **more):
    """The mapper as systemd starts it, with the sockets as descriptors 3, 4 ..."""
    become = ("import os, sys\nfds = [int(fd) for fd in sys.argv[2:]]\n"
              "for i, fd in enumerate(fds): os.dup2(fd, 3 + i)\n"
              "os.environ.update(LISTEN_FDS=str(len(fds)), LISTEN_PID=str(os.getpid()))\n"
              "os.execv(sys.argv[1], sys.argv[1:2])")
    # High numbers: none of them is in the way of 3 and 4.
    high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 50) for s in sockets]
    process = subprocess.Popen([sys.executable, "-c", become, EPMD, *map(str, high)], env=env,
                               pass_fds=high, stdout=subprocess.PIPE, text=True, **more)
    for fd in high:
        os.close(fd)
    return process


def test_socket_activation(program_env, tmp_path):
    """Sockets passed as systemd does, and the message that it is ready."""
    port = free_port()
    folder = f"{program_env['XDG_RUNTIME_DIR']}/penstock"
    os.makedirs(folder, exist_ok=True)
    local = socket.socket(socket.AF_UNIX)
    local.bind(f"{folder}/epmapper-{port}")
    local.listen(100)
    tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(SOON)
    env = dict(program_env, PENSTOCK_EPMAPPER=str(port), NOTIFY_SOCKET=str(tmp_path / "notify"))
    process = pass_sockets(env, local, tcp)
    try:
        assert notify.recv(100) == b"READY=1"
        assert process.stdout.readline() == "penstock-epmd: listening on 2 sockets that were passed\n"
        mapper = type("Passed", (), {"env": env})
        server, client = Server(mapper, "ncacn_ip_tcp"), Client(mapper, "ncacn_ip_tcp:127.0.0.1")
        assert server.do("register endpoint 0 -") == OK
        assert client.do("who") == server.pid
        client.close()
        server.close()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SOON) == 0
        process.stdout.close()
    assert os.path.exists(f"{folder}/epmapper-{port}"), "the name is systemd's"
    for end in (local, tcp, notify):
        end.close()


def test_wrong_socket_is_refused(program_env):
    """A descriptor that does not listen: said so, status 1."""
    with socket.socket() as quiet:
        process = pass_sockets(program_env, quiet, stderr=subprocess.PIPE)
        _, said = process.communicate(timeout=SOON)
    assert process.returncode == 1
    assert "the socket passed as descriptor 3" in said
