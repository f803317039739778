# SPDX-License-Identifier: MIT
"""The endpoint mapper, its servers and its clients where memory ends: the n-th allocation of a
process fails, for each n; what it was asked fails or is made good for, nothing hangs, crashes or
leaves entries behind."""
import subprocess

import pytest

from conftest import BUILD, sanitizer
from endpoint_mapper import OK, PEER, SOON, Client, Mapper, Server, a_mapper, starter, until

assert a_mapper and starter
pytestmark = pytest.mark.skipif(sanitizer() != "", reason="the sanitizer has its own malloc")

STARVE = BUILD / "tests/e2e/callback/callback_starve.so"
NO_MEMORY = {14, 1130, 1721, 1722, 1726, 1728, 1753, 1899}  # of ours, or of somebody we need
ENOUGH = 100  # runs in a row without a failure: it needs no more


def starved(env, nth):
    return dict(env, LD_PRELOAD=str(STARVE), STARVE_NTH=str(nth), PENSTOCK_OBJECTS="heap")


def run_starved(mapper, args, lines, first=1):
    """The answers for each n, until all are good for a while."""
    quiet, nth = 0, first
    while quiet < ENOUGH:
        done = subprocess.run([PEER, *args], env=starved(mapper.env, nth), text=True,
                              input="".join(line + "\n" for line in lines), capture_output=True,
                              timeout=SOON, check=False)
        assert done.returncode in (0, 1), (nth, done)
        said = done.stdout.split("\n")[:-1]
        quiet = quiet + 1 if all_good(said, len(lines)) else 0
        yield nth, said
        nth += 1
        assert nth < 3000


def all_good(said, count):
    return len(said) >= count and not any(line.startswith("-") or line in map(str, NO_MEMORY)
                                          for line in said)


def test_each_allocation_of_a_client_fails(mapper, start):
    server = start(Server, "ncacn_ip_tcp", "ncalrpc")
    assert server.do("register endpoint 2 -") == OK
    assert server.do("noreplace endpoint 0 -") == OK
    failures = set()
    for binding in ("ncalrpc:", "ncacn_ip_tcp:127.0.0.1"):
        lines = [f"bind {binding}", "resolve endpoint", "who", "reset", "async", "burst 2",
                 "list 0 1 endpoint 2.3 0"]
        for nth, said in run_starved(mapper, ["client"], lines):
            failures |= {line for line in said if line.startswith("-")}
            if said and said[-1].startswith("end "):
                # With memory, a list is whole.
                assert said[-1] != "end 1772" or sum(": " in line or "[" in line
                                                     for line in said) == 6, (nth, said)
    assert "-14" in failures


def test_each_allocation_of_a_server_fails(mapper, start):
    client, statuses = start(Client), set()
    lines = ["register endpoint 2 one", "noreplace named 0 two", "unregister endpoint 2 -",
             "register endpoint 1 three"]
    for _, said in run_starved(mapper, ["server", "ncalrpc"], lines):
        statuses |= set(map(int, said[1:]))
    assert statuses <= NO_MEMORY | {OK, 1753, 164}
    assert 14 in statuses
    until(lambda: client.entries() == [], "entries of a process that has ended")


def test_each_allocation_of_the_mapper_fails(program_env):
    statuses = set()
    for nth in range(30, 330, 2):
        try:
            starving = StarvedMapper(program_env, nth)
        except AssertionError:  # too early for it
            continue
        server = Server(starving, "ncacn_ip_tcp", "ncalrpc")
        statuses.add(server.do("register endpoint 2 -"))
        client = Client(starving, "ncacn_ip_tcp:127.0.0.1")
        client.do("object 1")
        client.do("who")
        # It was one failure only.
        until(lambda: server.do("register endpoint 2 -") == OK, "registering fails for ever")
        client.do("reset")
        until(lambda: client.do("who") == server.pid, "resolving fails for ever")
        client.close()
        server.close()
        assert starving.end() == 0, nth
    assert OK in statuses


class StarvedMapper(Mapper):
    def __init__(self, env, nth):
        self.nth = nth
        super().__init__(env)

    def start(self):
        whole = self.env
        self.env = starved(whole, self.nth)
        try:
            super().start()
        except AssertionError:
            self.process.wait(SOON)
            self.process.stdout.close()
            raise
        finally:
            self.env = whole
