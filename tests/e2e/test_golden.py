# SPDX-License-Identifier: MIT
"""Every golden of the compiler as a round trip: its client stub calls its server stub, in both
transfer syntaxes; what is serialised instead is written to a file and read.  test_big_endian.py does the same between machines of both byte orders.

The programs (../golden/roundtrip) call each operation with values made at random from its
descriptors, seeded; what the client gave and the manager saw, and what the manager gave and
the client saw, is a line in the log of either, and the lines have to be the same.  The server
ends with an error if an object or a context handle is left.  GOLDEN_SEED in the environment
chooses other values.
"""
import os
import subprocess
from pathlib import Path

import pytest

from conftest import BUILD, serving

GOLDENS = Path(__file__).resolve().parents[1] / "golden"
PROGRAMS = BUILD / "tests/golden/roundtrip"
SEED = os.environ.get("GOLDEN_SEED", "20240229")
TIMES = 12
STRICT = {"UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}

# Goldens without a round trip, and why.
NO_ROUND_TRIP = {
    "b_const": "has constants only",
    "c_types_only": "has types only",
    "b_cs_pickle": "is serialised, never called: test_characters.py",
}

# Operations that cannot be called, and why.
NOT_CALLED = {
    "c_acf_full.c_acf_first.NoClient": "[nocode]: there is no client stub",
    "c_acf_full.c_acf_second.Silent": "[nocode]: there is no client stub",
    "c_old_mode.c_old_mode.NoClient": "[nocode]: there is no client stub",
    "c_pickle_mixed.c_pickle_mixed.Saved": "[encode]: serialised, never called",
}
NOT_COMPARED = {
    "c_anonymous.anonymous.Empty": "an automatic handle of an interface without an endpoint: "
                                   "it is raised that none is found",
}
# [encode], [decode]: with the octets of a file between them instead of a server
SERIALISED = {"b_pickle", "c_pickle_all", "c_pickle_convert", "c_pickle_mixed"}
# -protocol, -osf
ONE_SYNTAX = {"b_protocol_dce": "ndr", "c_osf": "ndr", "b_protocol_ndr64": "ndr64"}


def stems(pattern):
    return {path.name[:-4] for path in GOLDENS.glob(pattern)}


CALLED = sorted(stems("*_c.c") & stems("*_s.c"))


def test_a_every_golden_makes_a_round_trip():
    listed = set(subprocess.run([PROGRAMS / "golden_client", "--list"], capture_output=True,
                                text=True, timeout=60, check=True).stdout.split())
    accepted = {path.stem for path in GOLDENS.glob("*.idl") if not path.name.startswith("bad_")}
    missing = sorted(accepted - listed - set(NO_ROUND_TRIP))
    assert not missing, \
        f"{', '.join(missing)}: a golden with remote operations is run as a round trip: name it " \
        "in tests/golden/roundtrip/meson.build (support/NAME.h there is for what only a program " \
        "can supply), or in NO_ROUND_TRIP of tests/e2e/test_golden.py with the reason"
    assert not listed & set(NO_ROUND_TRIP)
    assert listed | set(NO_ROUND_TRIP) == accepted, "a golden that is named is gone"


class Log:
    """The lines of one side: {(call, "in" or "out"): values}, and the rest."""

    def __init__(self, path):
        self.values, self.skipped, self.notified = {}, set(), None
        for line in Path(path).read_text().splitlines():
            first, _, rest = line.partition(" ")
            if first == "skipped":
                self.skipped.add(rest)
            elif first == "notified":
                self.notified = [int(n) for n in rest.split()]
            else:
                direction, _, values = rest.partition(" ")
                self.values[first, direction] = values

    def of(self, golden):
        return {key: values for key, values in self.values.items()
                if key[0].startswith(golden + ".") and operation(key) not in NOT_COMPARED}


def operation(key):
    return key[0].rpartition("#")[0]


def round_trip(env, folder, programs=None, transport="tcp4", times=TIMES, goldens=()):
    """Client and server run once; their logs."""
    server, client = programs or (PROGRAMS / "golden_server", PROGRAMS / "golden_client")
    env = dict(env, GOLDEN_LOG=str(folder / "server.log"), GOLDEN_SEED=SEED, **STRICT)
    with serving(server, env) as found:
        done = subprocess.run([client, found.bindings[transport], folder / "client.log", SEED,
                               str(times), *goldens], env=env, capture_output=True, text=True,
                              timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return Log(folder / "client.log"), Log(folder / "server.log")


@pytest.fixture(scope="module")
def logs(syntax_env, tmp_path_factory):
    return round_trip(syntax_env, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def syntax(logs, syntax_env):
    return syntax_env["PENSTOCK_TRANSFER_SYNTAX"]


def shorten(values, other):
    """The end that differs, with what is before it."""
    same = len(os.path.commonprefix([values, other]))
    return ("..." if same > 60 else "") + values[max(0, same - 60):same + 200]


def check_values(golden, client, server):
    sent, seen = client.of(golden), server.of(golden)
    for key in sorted(set(sent) | set(seen)):
        assert key in sent, f"{key}: only the server knows of it"
        assert key in seen, f"{key}: the server knows nothing of it: {sent[key]}"
        assert sent[key] == seen[key], \
            f"{key} with GOLDEN_SEED={SEED}:\nclient: {shorten(sent[key], seen[key])}\n" \
            f"server: {shorten(seen[key], sent[key])}"
    return sent


@pytest.mark.parametrize("golden", CALLED)
def test_b_values_arrive(golden, logs, syntax):
    if ONE_SYNTAX.get(golden, syntax) != syntax:
        assert not logs[0].of(golden)
        pytest.skip(f"{golden} is made for one transfer syntax")
    assert check_values(golden, *logs), "no call was made"


def test_c_every_operation_was_called(logs, syntax):
    client, _ = logs
    names = {name for name in client.skipped
             if ONE_SYNTAX.get(name.split(".")[0], syntax) == syntax}
    assert {name for name in names if name.split(".")[0] in CALLED} == set(NOT_CALLED), \
        "see NOT_CALLED"


def test_c_values_are_worth_sending(logs):
    """The generator makes what is easily forgotten."""
    text = " ".join(logs[0].values.values())
    for what, least in ((" &0:", 1), ("^0", 20), ("=NULL", 200), ("=&", 1000), ("<", 300),
                        ("pipe[ ]", 5), ("context ", 100), ("=ignored", 10), ('""', 20)):
        assert text.count(what) >= least, what


def test_c_failures_are_raised_once(logs):
    client, server = logs
    raised = {operation(key) for key, values in client.values.items() if "raised" in values}
    assert raised == set(NOT_COMPARED)
    assert not any(operation(key) in NOT_COMPARED for key in server.values)


def test_c_notify_routines_ran(logs):
    """[notify] First, [notify, notify_flag] Second: once for each call."""
    client, server = logs
    calls = [sum(operation(key) == f"b_notify.b_notify.{name}" and key[1] == "in"
                 for key in client.values) for name in ("First", "Second")]
    assert server.notified == [sum(calls), calls[1]] and min(calls) > 0


def serialise(folder, syntax, programs=None, times=TIMES):
    """What one program writes the other reads: their lines."""
    writer, reader = programs or [PROGRAMS / "golden_client"] * 2
    env = dict(os.environ, PENSTOCK_TRANSFER_SYNTAX=syntax, **STRICT)
    for command in ([writer, "--write", folder / "octets", folder / "written", SEED, str(times)],
                    [reader, "--read", folder / "octets", folder / "read"]):
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return [(folder / name).read_text().splitlines() for name in ("written", "read")]


def check_serialised(written, read):
    for wrote, found in zip(written, read):
        assert wrote == found, f"with GOLDEN_SEED={SEED}:\nwritten: {shorten(wrote, found)}\n" \
            f"read:    {shorten(found, wrote)}"
    assert len(written) == len(read)
    assert {line.split(".")[0] for line in written} == SERIALISED


@pytest.mark.parametrize("transfer", ["ndr", "ndr64"])
def test_b_serialised_values_are_read(transfer, tmp_path):
    """What a stub can only encode is decoded by its descriptor turned round, and vice versa."""
    check_serialised(*serialise(tmp_path, transfer))


def test_c_over_local_endpoints(syntax_env, tmp_path):
    client, server = round_trip(syntax_env, tmp_path, transport="ncalrpc", times=3)
    for golden in CALLED:
        check_values(golden, client, server)
