#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark: raw program and RPC program in turn, medians, ratios.

Prints a table and writes one JSON object a line, {"name", "value", "unit", "ratio",
"of"}: `ratio` is `value` divided by the value of the row named `of`.  Only ratios
mean something elsewhere; docs/design/performance.md gives method and targets.

Exit status 0 also when a target is missed: this is a measurement, not a test.  Not
0 when octets were lost or changed, a program failed, or time ran out.
"""
import argparse
import collections
import json
import os
import pathlib
import resource
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 5
CALLS = 20000
SLOW_MS = 10000
CROWD = 1000  # clients
MAPPER_ENTRIES = 10_000
IDLE_PIPES = 1000
MANY_PIPES = 10_000  # what two processes have only once does not show any more
# Where an array's pages lie is chosen for each process.
ARRAY_RUNS = 9
MARSHAL_ROUNDS = 300_000
TOOL_RUNS = 25
STREAM_SECONDS = 1.0  # roughly, per measured stream
PROGRAM_SECONDS = 60  # no single run takes nearly as long unless it hangs
BUDGET_SECONDS = 290  # for everything

TRANSPORTS = {"tcp": "ncacn_ip_tcp", "unix": "ncalrpc"}

Target = collections.namedtuple("Target", "figure sense limit")  # figure: "ratio" or "value"
Row = collections.namedtuple("Row", "name value unit ratio of target")


class Failure(Exception):
    """The benchmark cannot go on: wrong data, a program that failed, no time left."""


class Bench:
    """Where the programs are, and how much time is left."""

    def __init__(self, build, budget):
        self.build = build
        self.end = time.monotonic() + budget
        self.cpu = str(max(os.sched_getaffinity(0)))

    def left(self):
        left = self.end - time.monotonic()
        if left <= 0:
            raise Failure("out of time")
        return left

    def run(self, program, *args):
        """Runs one program and returns the JSON line it printed."""
        command = [str(self.build / program), *map(str, args)]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  timeout=min(PROGRAM_SECONDS, self.left()), check=True)
            return json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            raise Failure("out of time in: " + " ".join(command)) from None
        except subprocess.CalledProcessError as error:
            raise Failure(f"status {error.returncode} from: {' '.join(command)}") from None
        except (OSError, ValueError) as error:
            raise Failure(f"{error} in: {' '.join(command)}") from None


class Server:
    """A bench_server on one transport, for a `with` block."""

    def __init__(self, bench, transport, pinned=False):
        self.bench = bench
        protseq = TRANSPORTS[transport]
        endpoint = str(free_port()) if transport == "tcp" else f"bench-{os.getpid()}"
        address = "127.0.0.1" if transport == "tcp" else ""
        self.binding = f"{protseq}:{address}[{endpoint}]"
        self.command = [str(bench.build / "bench_server"),
                        *(["--cpu", bench.cpu] if pinned else []), protseq, endpoint]

    def __enter__(self):
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE)
        except OSError as error:
            raise Failure(str(error)) from None
        ready, _, _ = select.select([self.process.stdout], [], [], min(10, self.bench.left()))
        if not ready or self.process.stdout.readline() != b"ready\n":
            self.process.kill()
            self.process.wait()
            raise Failure("the server did not start: " + " ".join(self.command))
        return self

    def __exit__(self, *_):
        self.process.stdin.close()  # its signal to end
        try:
            status = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        if status != 0 and sys.exc_info()[0] is None:
            raise Failure(f"the server ended with status {status}")

    def client(self, *args):
        return self.bench.run("bench_client", self.binding, *args)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def alternate(raw, rpc, rounds):
    """Results of `raw` and `rpc`, run in turn so that both see the same machine."""
    pairs = [(raw(), rpc()) for _ in range(rounds)]
    return [p[0] for p in pairs], [p[1] for p in pairs]


def compare(name, raw_name, unit, raw_values, rpc_values, target):
    """The raw row and the RPC row of one figure, medians."""
    raw, rpc = statistics.median(raw_values), statistics.median(rpc_values)
    return [Row(raw_name, raw, unit, None, None, None),
            Row(name, rpc, unit, rpc / raw, raw_name, target)]


def stream_rows(bench, transport, rounds, rate_target):
    """Byte pipe [in] and [out] against send and recv of 256 KiB."""
    rows = []
    with Server(bench, transport) as server:
        for direction in ("in", "out"):
            trial = bench.run("raw_stream", transport, direction, 500_000_000)
            octets = int(trial["octets"] / trial["seconds"] * STREAM_SECONDS)
            raw, rpc = alternate(
                lambda: bench.run("raw_stream", transport, direction, octets),
                lambda: server.client(direction, octets), rounds)
            name = f"{transport}.{direction}"
            rate = lambda r: r["octets"] / r["seconds"] / 1e9
            cpu = lambda r: (r["client_cpu"] + r["server_cpu"]) / (r["octets"] / 1e9)
            # CPU of local transports has no target; it is shown all the same.
            cpu_target = Target("ratio", "<=", 1.2) if transport == "tcp" else None
            rows += compare(f"pipe.{name}.rate", f"raw.{name}.rate", "GB/s", map(rate, raw),
                            map(rate, rpc), rate_target)
            rows += compare(f"pipe.{name}.cpu", f"raw.{name}.cpu", "s/GB", map(cpu, raw),
                            map(cpu, rpc), cpu_target)
    return rows


def longs_rows(bench, transport, rounds):
    """A pipe of long against the byte pipe, octets per second."""
    with Server(bench, transport) as server:
        octets, elements = alternate(lambda: server.client("in", 2_000_000_000),
                                     lambda: server.client("longs", 2_000_000_000), rounds)
    rate = lambda results: [r["octets"] / r["seconds"] / 1e9 for r in results]
    return compare(f"pipe.{transport}.longs.rate", f"pipe.{transport}.octets.rate", "GB/s",
                   rate(octets), rate(elements), Target("ratio", ">=", 0.9))


def call_rows(bench, transport, rounds, calls):
    """Synchronous calls against raw round trips, everything on one CPU."""
    with Server(bench, transport, pinned=True) as server:
        raw, rpc = alternate(lambda: bench.run("raw_pingpong", transport, bench.cpu, calls),
                             lambda: server.client("call", bench.cpu, calls), rounds)
    rows = []
    for figure, target in (("p50", Target("ratio", "<=", 1.6)), ("p99", None)):
        values = lambda results: [r[figure + "_us"] for r in results]
        rows += compare(f"call.{transport}.{figure}", f"raw.roundtrip.{transport}.{figure}", "us",
                        values(raw), values(rpc), target)
    return rows


def outstanding_rows(bench, transport, rounds, calls):
    """64 asynchronous calls outstanding on one binding handle against raw round trips, calls
    per second, everything on one CPU."""
    with Server(bench, transport, pinned=True) as server:
        raw, rpc = alternate(lambda: bench.run("raw_pingpong", transport, bench.cpu, calls),
                             lambda: server.client("calls", bench.cpu, calls), rounds)
    return compare(f"outstanding.{transport}", f"raw.roundtrips.{transport}", "1/s",
                   [1e6 / r["mean_us"] for r in raw], [r["calls"] / r["seconds"] for r in rpc],
                   Target("ratio", ">=", 2.3))


def crowd_rows(bench, transport):
    """Clients that connect and call at once; one that is refused fails the measurement."""
    with Server(bench, transport) as server:
        seconds = [server.client("crowd", CROWD)["seconds"] for _ in range(3)]
    return [Row(f"crowd.{CROWD}.{transport}", statistics.median(seconds) * 1e3, "ms", None, None,
                None)]


def mapper_rows(bench, rounds):
    """ept_map on an endpoint mapper with many entries against raw round trips, on one CPU."""
    port = str(free_port())
    command = [str(bench.build.parent / "src/tools/penstock-epmd"), "--port", port]
    raw, rpc = [], []
    for _ in range(rounds):
        raw.append(bench.run("raw_pingpong", "tcp", bench.cpu, CALLS))
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              preexec_fn=lambda: os.sched_setaffinity(0, {int(bench.cpu)})) as mapper:
            try:
                if not mapper.stdout.readline():
                    raise Failure("penstock-epmd did not start")
                rpc.append(bench.run("bench_epm", port, bench.cpu, MAPPER_ENTRIES, CALLS))
            finally:
                mapper.terminate()
    rows = []
    for figure, target in (("p50", None), ("p99", Target("ratio", "<=", 10))):
        values = lambda results: [r[figure + "_us"] for r in results]
        rows += compare(f"ept_map.{MAPPER_ENTRIES}.{figure}", f"raw.roundtrip.epm.{figure}", "us",
                        values(raw), values(rpc), target)
    return rows


def slow_receiver_rows(bench, transport, slow_ms):
    with Server(bench, transport) as server:
        result = server.client("slow", slow_ms)
    growth = (result["peak_kib"] - result["before_kib"]) / 1024
    return [Row(f"slow_receiver.{transport}.growth", growth, "MiB", None, None,
                Target("value", "<=", 4.0))]


def idle_rows(bench, transport, name, pipes):
    """Resident memory of both processes, and how much of it is the library's."""
    with Server(bench, transport) as server:
        result = server.client("idle", pipes)
    threads = Target("value", "<=", len(os.sched_getaffinity(0)) + 2)
    name = f"{name}.{transport}"
    program = {side: result[f"{side}_program_kib"] for side in ("client", "server")}
    library = {side: result[f"{side}_kib"] - program[side] for side in program}
    return [Row(f"{name}.client_threads", result["client_threads"], "threads", None, None, threads),
            Row(f"{name}.server_threads", result["server_threads"], "threads", None, None, threads),
            Row(f"{name}.memory.program", sum(program.values()), "KiB/pipe", None, None, None),
            *(Row(f"{name}.memory.library.{side}", library[side], "KiB/pipe", None, None, None)
              for side in library),
            Row(f"{name}.memory.library", sum(library.values()), "KiB/pipe", None, None,
                Target("value", "<=", 2.0))]


def marshal_rows(bench):
    """Encoding and decoding alone: a message beside protobuf, arrays beside memcpy."""
    rows = []
    program = bench.build / "marshal_protobuf"
    if program.exists():
        peer, own = alternate(lambda: bench.run("marshal_protobuf", MARSHAL_ROUNDS),
                              lambda: bench.run("marshal", "message", MARSHAL_ROUNDS), 3)
        ns = lambda results: [r["ns"] for r in results]
        rows += compare("marshal.message", "protobuf.message", "ns", ns(peer), ns(own),
                        Target("ratio", "<=", 1.0))
    else:
        value = bench.run("marshal", "message", MARSHAL_ROUNDS)["ns"]
        rows.append(Row("marshal.message", value, "ns", None, None, None))
    ndr, ndr64 = alternate(lambda: bench.run("marshal", "message", MARSHAL_ROUNDS),
                           lambda: bench.run("marshal", "message", MARSHAL_ROUNDS, "ndr64"), 3)
    rows += compare("marshal.message.ndr64", "marshal.message", "ns", [r["ns"] for r in ndr],
                    [r["ns"] for r in ndr64], None)[1:]
    for kind in ("longs", "doubles", "items"):
        results = [bench.run("marshal", kind, 1 << 20) for _ in range(ARRAY_RUNS)]
        for way in ("encode", "decode"):
            rows += compare(f"marshal.{kind}.{way}", f"memcpy.{kind}.{way}", "GB/s",
                            [r[f"{way}_memcpy"] for r in results], [r[way] for r in results],
                            Target("ratio", ">=", 0.8))
    return rows


def tool_rows(bench):
    """`penstock call`, from its start to its end: compiles bench.idl, calls, prints.  A file
    with directives (-D stands for them) takes a run of the C preprocessor as well."""
    program = bench.build.parent / "src" / "tools" / "penstock"
    idl = pathlib.Path(__file__).resolve().parent / "bench.idl"
    rows = []
    with Server(bench, "unix") as server:
        for name, extra in (("tool.call", ()), ("tool.call.preprocessed", ("-D", "X=1"))):
            times = []
            for _ in range(TOOL_RUNS):
                start = time.monotonic()
                found = bench.run(program, "call", "-c", *extra, server.binding, idl, "BenchUsage")
                times.append((time.monotonic() - start) * 1000)
                if "usage" not in found:
                    raise Failure(f"no usage in {found}")
            rows.append(Row(name, statistics.median(times), "ms", None, None,
                            Target("value", "<=", 100.0)))
    return rows


def met(row):
    figure = row.ratio if row.target.figure == "ratio" else row.value
    return figure >= row.target.limit if row.target.sense == ">=" else figure <= row.target.limit


def table_line(row):
    ratio = f"{row.ratio:6.2f}" if row.ratio is not None else " " * 6
    verdict = ""
    if row.target:
        limit = f"{row.target.sense} {row.target.limit:g}"
        verdict = f"{limit:<8} {'pass' if met(row) else 'FAIL'}"
    return f"{row.name:<34} {row.value:>10.3f} {row.unit:<9} {ratio}  {verdict}".rstrip()


def measurements(bench, args):
    """Name and function of every group of rows, in order."""
    for transport, limit in (("tcp", 0.90), ("unix", 0.80)):
        target = Target("ratio", ">=", limit)
        yield f"stream-{transport}", lambda t=transport, l=target: stream_rows(bench, t,
                                                                              args.rounds, l)
    yield "longs", lambda: longs_rows(bench, "tcp", args.rounds)
    for transport in TRANSPORTS:
        yield f"call-{transport}", lambda t=transport: call_rows(bench, t, args.rounds, CALLS)
    for transport in TRANSPORTS:
        yield f"outstanding-{transport}", lambda t=transport: outstanding_rows(bench, t, args.rounds,
                                                                               5 * CALLS)
    yield "crowd", lambda: crowd_rows(bench, "tcp")
    yield "mapper", lambda: mapper_rows(bench, args.rounds)
    yield "slow", lambda: slow_receiver_rows(bench, "tcp", SLOW_MS)
    yield "marshal", lambda: marshal_rows(bench)
    yield "tool", lambda: tool_rows(bench)
    for transport in TRANSPORTS:
        yield f"idle-{transport}", lambda t=transport: idle_rows(bench, t, "idle_pipes",
                                                                IDLE_PIPES)
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY or descriptors > MANY_PIPES + 200:
        for transport in TRANSPORTS:
            yield f"idle-many-{transport}", lambda t=transport: idle_rows(
                bench, t, "many_idle_pipes", MANY_PIPES)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/bench"),
                        help="folder of the benchmark programs (default %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, help="where to write the JSON lines")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default %(default)s")
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="only groups whose name contains TEXT (stream-tcp, stream-unix, longs, "
                             "call-tcp, call-unix, outstanding-tcp, outstanding-unix, "
                             "crowd, mapper, slow, marshal, tool, idle-tcp, idle-unix, idle-many-tcp, "
                             "idle-many-unix)")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds is at least 1")
    return args


def main():
    args = parse_arguments()
    bench = Bench(args.build.resolve(), BUDGET_SECONDS)
    rows, failures = [], []
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as runtime_dir:
        os.environ["XDG_RUNTIME_DIR"] = runtime_dir  # where local endpoints live
        print(f"{'name':<34} {'value':>10} {'unit':<9} {'ratio':>6}  target", flush=True)
        for name, measure in measurements(bench, args):
            if args.only not in name:
                continue
            try:
                new = measure()
            except Failure as failure:
                failures.append(f"{name}: {failure}")
                print(f"{name:<34} no figure: {failure}", flush=True)
                continue
            rows += new
            print("\n".join(map(table_line, new)), flush=True)
    judged = [row for row in rows if row.target]
    print(f"{sum(map(met, judged))} of {len(judged)} targets met"
          + (f", {len(failures)} measurements failed" if failures else ""))
    if args.json:
        lines = [json.dumps({k: getattr(r, k) for k in ("name", "value", "unit", "ratio", "of")})
                 for r in rows]
        args.json.write_text("".join(line + "\n" for line in lines))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
