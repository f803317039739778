# SPDX-License-Identifier: MIT
"""filerep and filerepd, end to end: what arrives, what never may, and what stays behind.

PENSTOCK_BUILD_DIR names the build directory.  Everything else is made here.
"""
import hashlib
import os
import pty
import random
import re
import signal
import socket
import stat
import struct
import subprocess
import threading
import time
import uuid
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("PENSTOCK_BUILD_DIR", "build")).resolve()
FILEREPD = BUILD / "examples" / "filerep" / "filerepd"
FILEREP = BUILD / "examples" / "filerep" / "filerep"
NOBODY = 65534
ROOT = os.geteuid() == 0
TIMEOUT = 60  # seconds; for what takes less than one unless something hangs


# ---- Tools -------------------------------------------------------------------------------


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A filerepd; `binding` is where clients find it."""

    def __init__(self, root, runtime_dir, transport="ncalrpc", options=(), as_user=None):
        self.root = Path(root)
        self.env = dict(os.environ, XDG_RUNTIME_DIR=str(runtime_dir))
        # In a build with the address sanitizer: freed memory must not count as used.
        self.env["ASAN_OPTIONS"] = f"{self.env.get('ASAN_OPTIONS', '')}:quarantine_size_mb=1"
        if transport == "ncalrpc":
            name = f"test-{uuid.uuid4().hex[:12]}"
            endpoint, self.binding = f"ncalrpc:{name}", f"ncalrpc:[{name}]"
        else:
            port = free_port()
            endpoint = f"ncacn_ip_tcp:{port}"
            self.binding = f"ncacn_ip_tcp:127.0.0.1[{port}]"
        self.process = subprocess.Popen(
            [FILEREPD, "--root", self.root, "--endpoint", endpoint, *options],
            stdout=subprocess.PIPE, env=self.env, user=as_user, group=as_user,
            extra_groups=None if as_user is None else [])
        line = self.process.stdout.readline()
        assert b"serving" in line, "filerepd did not start"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=TIMEOUT)
        self.process.stdout.close()
        return self.process.returncode

    def start_client(self, *args, **kwargs):
        return subprocess.Popen([FILEREP, *args], env=self.env, stderr=subprocess.PIPE, text=True,
                                errors="surrogateescape", **kwargs)

    def client(self, *args, **kwargs):
        process = self.start_client(*args, **kwargs)
        try:
            _, stderr = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
        return process.returncode, stderr

    def get(self, remote, local, *options):
        return self.client(*options, "get", self.binding, remote, local)

    def put(self, remote, local, *options):
        return self.client(*options, "put", self.binding, remote, local)

    def files_open(self):
        """What of the served folder the server has open, nameless files included."""
        found = []
        for fd in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                target = os.readlink(fd)
            except FileNotFoundError:
                continue
            if target.startswith(f"{self.root}/"):
                found.append(target)
        return found


@pytest.fixture
def serve(tmp_path):
    runtime_dir = tmp_path / "run"
    runtime_dir.mkdir(mode=0o700)
    servers = []

    def start(root=None, **kwargs):
        if root is None:
            root = tmp_path / "served"
            root.mkdir(exist_ok=True)
        servers.append(Server(root, runtime_dir, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            assert server.files_open() == [], "the server forgot to close something"
            assert server.stop() == 0
        else:
            server.stop()


def describe(top):
    """Everything that must be equal in two trees."""
    result = {}
    paths = [Path(top)]
    for folder, folders, files in os.walk(top):
        paths += [Path(folder) / name for name in folders + files]
    for path in paths:
        st = path.lstat()
        name = os.fsencode(path.relative_to(top))
        kind = stat.S_IFMT(st.st_mode)
        entry = [kind, st.st_mtime_ns]
        if kind == stat.S_IFLNK:
            entry.append(os.readlink(path))
        else:
            entry.append(stat.S_IMODE(st.st_mode))
        if kind == stat.S_IFREG:
            entry.append(hashlib.sha256(path.read_bytes()).hexdigest())
        result[name] = entry
    return result


def parts_left(folder, receiver_killed=False):
    """What an unfinished transfer left behind.  Where the file system has no nameless files, a
    receiver that is killed (not told) cannot take its temporary file away."""
    names = [path.name for path in Path(folder).iterdir()]
    if receiver_killed:
        try:
            os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
        except OSError:
            names = [name for name in names if not name.startswith(".filerep-")]
    return names


def eventually(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def make_tree(top):
    rng = random.Random(1)
    top.mkdir()
    (top / "empty").touch()
    (top / "empty folder").mkdir()
    for size in (1, 31, 32, 33, 4095, 4096, 262143, 262144, 262145, 1000003):
        (top / f"size-{size}").write_bytes(rng.randbytes(size))
    deep = top
    for level in range(100):
        deep = deep / f"level-{level}"
    deep.mkdir(parents=True)
    (deep / "bottom").write_text("bottom")
    (top / ("n" * 255)).write_text("long name")
    (top / "a\nb\tc\x07").write_text("control characters")
    Path(os.fsdecode(os.fsencode(top) + b"/\xff\xfe")).write_text("not UTF-8")
    (top / "-rf *?\"'\\").write_text("odd")
    (top / "link in").symlink_to("empty folder")
    (top / "link out").symlink_to("../../../../../../../../etc/passwd")
    (top / "link absolute").symlink_to("/etc")
    (top / "link dangling").symlink_to("x" * 1000)
    (top / "link to itself").symlink_to("link to itself")
    closed = top / "closed"
    closed.mkdir()
    (closed / "file").write_text("in a folder nobody may write to")
    (top / "run me").write_text("#!/bin/sh\n")
    (top / "run me").chmod(0o751)
    (top / "sticky").mkdir(mode=0o777)
    (top / "sticky").chmod(0o1777)
    os.utime(top / "size-1", ns=(0, 981173106_123456789))
    os.utime(top / "empty folder", ns=(0, 946684799_999999999))
    os.utime(top / "link out", ns=(0, 1_000_000_001), follow_symlinks=False)
    (top / "size-31").chmod(0o400)
    closed.chmod(0o555)
    return top


def big_file(path, octets):
    """Sparse: costs nothing here and everything on the way."""
    with open(path, "wb") as f:
        f.truncate(octets)


# ---- a: smoke ----------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["ncalrpc", "ncacn_ip_tcp"])
def test_a_tree_both_ways(serve, tmp_path, transport):
    original = make_tree(tmp_path / "original")
    first = serve(original, transport=transport)
    second = serve(transport=transport)
    assert first.get(".", tmp_path / "copy") == (0, "")
    assert describe(tmp_path / "copy") == describe(original)
    assert second.put("tree", tmp_path / "copy") == (0, "")
    assert describe(second.root / "tree") == describe(original)
    # Once more over what is there, with one file at a time: the same again.
    assert second.put("tree", original, "-j", "1") == (0, "")
    assert describe(second.root / "tree") == describe(original)


def test_a_tutorial_quotes_the_real_code():
    """Each block of docs/tutorial.md that names a file is in that file, line by line."""
    top = Path(__file__).resolve().parents[2]
    quotes = re.findall(r"^`(examples/[\w./]+)`[^\n]*\n\n```\w+\n(.*?)^```$",
                        (top / "docs" / "tutorial.md").read_text(), re.M | re.S)
    assert len(quotes) >= 8
    for name, quote in quotes:
        text = (top / name).read_text()
        for part in re.split(r"^ *\.\.\.\n", quote, flags=re.M):
            assert part.strip("\n") in text, f"{name} has changed:\n{part}"


@pytest.mark.parametrize("octets", [0, 1, 262144, 262144 * 3 + 17])
def test_a_one_file(serve, tmp_path, octets):
    server = serve()
    data = random.Random(octets).randbytes(octets)
    (tmp_path / "here").write_bytes(data)
    (tmp_path / "here").chmod(0o640)
    assert server.put("there", tmp_path / "here") == (0, "")
    assert (server.root / "there").read_bytes() == data
    assert server.get("there", tmp_path / "back") == (0, "")
    assert (tmp_path / "back").read_bytes() == data
    assert stat.S_IMODE((tmp_path / "back").stat().st_mode) == 0o640
    assert (tmp_path / "back").stat().st_mtime_ns == (tmp_path / "here").stat().st_mtime_ns


# ---- b: basics ---------------------------------------------------------------------------


def test_b_one_link(serve, tmp_path):
    server = serve()
    (server.root / "link").symlink_to("../elsewhere")
    assert server.get("link", tmp_path / "copy") == (0, "")
    assert os.readlink(tmp_path / "copy") == "../elsewhere"
    assert server.put("again", tmp_path / "copy") == (0, "")
    assert os.readlink(server.root / "again") == "../elsewhere"


def test_b_files_and_links_are_replaced(serve, tmp_path):
    server = serve()
    outside = tmp_path / "outside"
    outside.write_text("must not change")
    (tmp_path / "new").write_text("new")
    (server.root / "file").write_text("old")
    (server.root / "link").symlink_to(outside)
    for name in ("file", "link"):
        assert server.put(name, tmp_path / "new") == (0, "")
        assert not (server.root / name).is_symlink()
        assert (server.root / name).read_text() == "new"
    (tmp_path / "local link").symlink_to(outside)
    assert server.get("file", tmp_path / "local link") == (0, "")
    assert (tmp_path / "local link").read_text() == "new"
    assert outside.read_text() == "must not change"


def test_b_many_small_files(serve, tmp_path):
    original = tmp_path / "original"
    for i in range(3000):
        folder = original / f"folder-{i % 50}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file-{i}").write_text(f"{i}\n" * (i % 7))
    server = serve(original)
    assert server.get(".", tmp_path / "copy", "-j", "16") == (0, "")
    assert describe(tmp_path / "copy") == describe(original)
    assert server.client("-j", "64", "put", server.binding, "again", tmp_path / "copy") == (0, "")
    assert describe(original / "again") == describe(tmp_path / "copy")


def test_b_big_file(serve, tmp_path):
    server = serve()
    rng = random.Random(7)
    with open(server.root / "big", "wb") as f:
        for _ in range(200):
            f.write(rng.randbytes(1 << 20))
    code, stderr = server.get("big", tmp_path / "copy", "-v")
    assert code == 0, stderr
    assert "1 files" in stderr and "peak memory" in stderr
    assert server.put("again", tmp_path / "copy") == (0, "")
    for path in (tmp_path / "copy", server.root / "again"):
        assert subprocess.run(["cmp", server.root / "big", path]).returncode == 0


def memory_kb(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def linked_libraries():
    return subprocess.run(["ldd", FILEREPD], capture_output=True, text=True).stdout


def test_b_memory_is_bounded(serve, tmp_path):
    """A gigabyte passes through; neither process needs much more for it than for nothing."""
    server = serve()
    big_file(server.root / "big", 1 << 30)
    (server.root / "small").write_text("small")
    client_mb, server_kb = [], []
    for name in ("small", "big"):
        code, stderr = server.get(name, tmp_path / name, "-v")
        assert code == 0, stderr
        client_mb.append(float(stderr.split("peak memory ")[1].split()[0]))
        server_kb.append(memory_kb(server))
    # The thread sanitizer has four octets of its own for each that was touched.
    allowed_mb = 100 if "libtsan" in linked_libraries() else 20
    assert client_mb[1] - client_mb[0] < allowed_mb
    assert server_kb[1] - server_kb[0] < allowed_mb * 1000


def test_b_missing_file(serve, tmp_path):
    server = serve()
    code, stderr = server.get("no such thing", tmp_path / "copy")
    assert (code, stderr) == (1, "filerep: get: no such thing: No such file or directory\n")
    assert not (tmp_path / "copy").exists()
    code, stderr = server.put("x", tmp_path / "nothing")
    assert code == 1 and "nothing: No such file or directory" in stderr


def test_b_a_folder_in_the_way(serve, tmp_path):
    server = serve()
    (server.root / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    code, stderr = server.put("folder", tmp_path / "file")
    assert code == 1 and stderr == "filerep: put: folder: Is a directory\n"
    (server.root / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    code, stderr = server.get("file", tmp_path / "folder")
    assert code == 1 and "Is a directory" in stderr
    code, stderr = server.put("file", tmp_path / "folder")
    assert code == 1 and "File exists" in stderr
    assert list((server.root / "folder").iterdir()) == []


def serve_unprivileged(serve, served, tmp_path):
    """Root may read everything, so somebody else has to serve."""
    if not ROOT:
        return serve(served)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    for path in (tmp_path / "run", served, *served.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    return serve(served, as_user=NOBODY)


def test_b_many_refusals(serve, tmp_path):
    """The server refuses each file at once: its fault races with the client's first pull, which
    may fail while the notification of the same failure is under way (F6, AP-37, AP-41)."""
    served = tmp_path / "served"
    served.mkdir()
    for i in range(300):
        (served / f"{i}").touch(mode=0)
    server = serve_unprivileged(serve, served, tmp_path)
    for _ in range(5):
        code, stderr = server.get(".", tmp_path / "copy", "-j", "16")
        assert code == 1
        assert sorted(stderr.splitlines()) == sorted(
            f"filerep: get: ./{i}: Permission denied" for i in range(300))
        assert list((tmp_path / "copy").iterdir()) == []


def test_b_no_permission(serve, tmp_path):
    """One file cannot be read: said, and everything else arrives."""
    served = tmp_path / "served"
    served.mkdir()
    for name in ("before", "secret", "zzz"):
        (served / name).write_text(name)
    (served / "secret").chmod(0)
    (served / "closed").mkdir(mode=0)
    server = serve_unprivileged(serve, served, tmp_path)
    code, stderr = server.get(".", tmp_path / "copy")
    assert code == 1
    assert sorted(stderr.splitlines()) == ["filerep: get: ./closed: Permission denied",
                                           "filerep: get: ./secret: Permission denied"]
    assert sorted(p.name for p in (tmp_path / "copy").iterdir()) == ["before", "zzz"]


def test_b_file_without_permissions_is_kept_so(serve, tmp_path):
    if not ROOT:
        pytest.skip("only root can read a file of mode 0")
    server = serve()
    (server.root / "file").write_text("x")
    (server.root / "file").chmod(0)
    assert server.get("file", tmp_path / "copy") == (0, "")
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0
    assert server.put("again", tmp_path / "copy") == (0, "")
    assert stat.S_IMODE((server.root / "again").stat().st_mode) == 0


def test_b_set_id_bits_are_dropped(serve, tmp_path):
    server = serve()
    (server.root / "file").write_text("x")
    (server.root / "file").chmod(0o6755)
    assert server.get("file", tmp_path / "copy") == (0, "")
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o755


def test_b_special_files_are_skipped(serve, tmp_path):
    server = serve()
    os.mkfifo(server.root / "fifo")
    (server.root / "file").write_text("x")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(server.root / "socket"))
    code, stderr = server.get(".", tmp_path / "copy")
    assert code == 0
    assert sorted(stderr.splitlines()) == ["filerep: get: ./fifo: special file skipped",
                                           "filerep: get: ./socket: special file skipped"]
    assert [p.name for p in (tmp_path / "copy").iterdir()] == ["file"]


def test_b_read_only_server(serve, tmp_path):
    server = serve(options=["--read-only"])
    (server.root / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "new").write_text("new")
    (tmp_path / "link").symlink_to("x")
    for source in ("folder", "folder/new", "link"):
        code, stderr = server.put("target", tmp_path / source)
        assert code == 1
        assert stderr == "filerep: put: target: The server is read-only\n"
    assert [p.name for p in server.root.iterdir()] == ["file"]
    assert server.get("file", tmp_path / "copy") == (0, "")


def test_b_usage(serve, tmp_path):
    server = serve()
    for args in ([], ["get"], ["take", "a", "b", "c"], ["-j", "0", "get", "a", "b", "c"],
                 ["-j", "65", "get", "a", "b", "c"], ["-x"], ["get", "a", "b", ""]):
        code, stderr = server.client(*args)
        assert code == 2 and stderr
    code, stderr = server.client("get", "no binding at all [", "x", tmp_path / "copy")
    assert code == 2 and stderr.startswith("filerep: ")


def test_b_no_server(serve, tmp_path):
    server = serve()
    for binding in (f"ncacn_ip_tcp:127.0.0.1[{free_port()}]", "ncalrpc:[no-such-server]"):
        code, stderr = server.client("get", binding, ".", tmp_path / "copy")
        assert code == 1 and stderr.startswith("filerep: get: ") and stderr.count("\n") == 1
    assert not (tmp_path / "copy").exists()


def test_b_progress_only_on_a_terminal(serve, tmp_path):
    server = serve()
    big_file(server.root / "big", 1 << 30)
    master, slave = pty.openpty()
    process = subprocess.Popen([FILEREP, "get", server.binding, "big", tmp_path / "copy"],
                               env=server.env, stderr=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert process.wait(timeout=TIMEOUT) == 0
    assert b"%" in shown and b"B/s" in shown and b"left" in shown
    assert shown.endswith(b"\r\x1b[K"), "the bar is taken away at the end"


# ---- c: paths that try to get out --------------------------------------------------------

ESCAPES = ["..", "../secret", "a/../../secret", "/etc/passwd", "a//b", "./a", "a/.", "a/..",
           "a/./b", "up/secret", "abs/passwd", "a/up2/secret", "n" * 256, "n/" * 2100 + "n"]


@pytest.mark.parametrize("options", [(), ("--no-openat2",)])
def test_c_paths_that_lead_out_are_refused(serve, tmp_path, options):
    server = serve(options=options)
    (tmp_path / "secret").write_text("secret")
    (server.root / "a" / "b").mkdir(parents=True)
    (server.root / "up").symlink_to("..")
    (server.root / "abs").symlink_to("/etc")
    (server.root / "a" / "up2").symlink_to("../..")
    (tmp_path / "new").write_text("new")
    before = describe(server.root)
    words = ("Not an acceptable path", "A symbolic link is in the way", "File name too long",
             "The path leads out of the folder")
    for path in ESCAPES:
        for verb, local in (("get", tmp_path / "copy"), ("put", tmp_path / "new")):
            code, stderr = server.client(verb, server.binding, path, local)
            assert code == 1, (verb, path)
            assert stderr.count("\n") == 1 and any(w in stderr for w in words), stderr
    assert not (tmp_path / "copy").exists()
    assert (tmp_path / "secret").read_text() == "secret"
    assert describe(server.root) == before


@pytest.mark.parametrize("options", [(), ("--no-openat2",)])
def test_c_a_link_at_the_end_is_itself(serve, tmp_path, options):
    server = serve(options=options)
    (tmp_path / "secret").write_text("secret")
    (server.root / "link").symlink_to("../secret")
    assert server.get("link", tmp_path / "copy") == (0, "")
    assert (tmp_path / "copy").is_symlink()


class LyingServer:
    """A server of our own making, written apart from the product: it accepts the interface,
    answers filerep_list with the entries given, and filerep_get and filerep_read_link with
    something harmless."""

    def __init__(self, entries, digest=None):
        self.entries = entries
        self.digest = digest or hashlib.sha256(b"lies").digest()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.binding = f"ncacn_ip_tcp:127.0.0.1[{self.socket.getsockname()[1]}]"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    @staticmethod
    def receive(connection, length):
        data = b""
        while len(data) < length:
            part = connection.recv(length - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def talk(self, connection):
        try:
            while True:
                header = self.receive(connection, 16)
                frag_len, _, call_id = struct.unpack_from("<HHI", header, 8)
                body = self.receive(connection, frag_len - 16)
                if header[2] in (11, 14):  # bind, alter_context
                    self.send(connection, 12 if header[2] == 11 else 15, call_id,
                              self.bind_ack(body))
                elif header[2] == 0 and header[3] & 2:  # the last fragment of a request
                    opnum = struct.unpack_from("<H", body, 6)[0]
                    context = struct.unpack_from("<H", body, 4)[0]
                    self.respond(connection, call_id, context, self.answer(opnum))
        except (EOFError, ConnectionError):
            connection.close()

    @staticmethod
    def send(connection, kind, call_id, body, flags=3):
        connection.sendall(struct.pack("<BBBBIHHI", 5, 0, kind, flags, 0x10, 16 + len(body), 0,
                                       call_id) + body)

    @staticmethod
    def bind_ack(body):
        """Accepts NDR 2.0 wherever it is offered and rejects everything else."""
        ndr = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<I", 2)
        contexts, offset, results = body[8], 12, b""
        for _ in range(contexts):
            count = body[offset + 2]
            offers = [body[offset + 24 + 20 * i:offset + 44 + 20 * i] for i in range(count)]
            offset += 24 + 20 * count
            if ndr in offers:
                results += struct.pack("<HH", 0, 0) + ndr
            else:
                results += struct.pack("<HH", 2, 2) + bytes(20)
        address = b"0\0"
        return (struct.pack("<HHIH", 5840, 5840, 1, len(address)) + address +
                bytes(-(10 + len(address)) % 4) + struct.pack("<BBH", contexts, 0, 0) + results)

    def respond(self, connection, call_id, context, stub):
        parts = [stub[i:i + 4096] for i in range(0, len(stub), 4096)] or [b""]
        for i, part in enumerate(parts):
            flags = (1 if i == 0 else 0) | (2 if i == len(parts) - 1 else 0)
            self.send(connection, 2, call_id, struct.pack("<IHBB", len(part), context, 0, 0) +
                      part, flags)

    @staticmethod
    def info(mode, size=0):
        return struct.pack("<QqII", size, 1, 0, mode)

    def answer(self, opnum):
        if opnum == 0:  # get: four octets, the end, info, digest
            return (struct.pack("<I", 4) + b"lies" + struct.pack("<I", 0) + bytes(4) +
                    self.info(0o100644, 4) + self.digest)
        if opnum == 2:  # list
            entries = b"".join(self.info(mode) + struct.pack("<II", 0, depth) +
                               name.ljust(256, b"\0") for depth, mode, name in self.entries)
            return (struct.pack("<I", len(self.entries)) + bytes(4) + entries +
                    struct.pack("<I", 0))
        if opnum == 7:  # read_link
            target = os.fsencode(self.target) + b"\0"
            return struct.pack("<II", 0, len(target)) + target
        return b""

    def close(self):
        self.socket.close()


FOLDER, FILE, LINK = 0o40755, 0o100644, 0o120777


@pytest.fixture
def lie(tmp_path):
    servers = []

    def start(entries, **kwargs):
        servers.append(LyingServer(entries, **kwargs))
        servers[-1].target = tmp_path / "outside"
        return servers[-1]

    (tmp_path / "outside").mkdir()
    yield start
    for server in servers:
        server.close()
    assert list((tmp_path / "outside").iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "run") in (
        ["copy", "outside"], ["outside"])


def run_client(binding, local):
    result = subprocess.run([FILEREP, "get", binding, ".", local], stderr=subprocess.PIPE,
                            text=True, timeout=TIMEOUT)
    return result.returncode, result.stderr


def test_c_the_lying_server_can_tell_the_truth(lie, tmp_path):
    """So that the tests below fail for the reason they name."""
    server = lie([(0, FOLDER, b""), (1, FOLDER, b"a"), (2, FILE, b"f"), (1, LINK, b"l")])
    assert run_client(server.binding, tmp_path / "copy") == (0, "")
    assert (tmp_path / "copy" / "a" / "f").read_bytes() == b"lies"
    assert os.readlink(tmp_path / "copy" / "l") == str(tmp_path / "outside")


@pytest.mark.parametrize("entries", [
    [(1, FILE, b"../evil")], [(1, FILE, b"..")], [(1, FOLDER, b"..")], [(1, FILE, b"/evil")],
    [(1, FILE, b"a/b")], [(1, FILE, b".")], [(1, FILE, b"")], [(2, FILE, b"too deep")],
    [(1, FILE, b"f"), (2, FILE, b"below a file")], [(0, FOLDER, b"")], [(0, FILE, b"")],
    [(1, FILE, b"x" * 256)], [(0xFFFFFFFF, FILE, b"f")], [(300, FOLDER, b"f")],
    [(1, LINK, b"l"), (2, FILE, b"below a link")],
])
def test_c_listings_that_make_no_sense_are_refused(lie, tmp_path, entries):
    server = lie([(0, FOLDER, b""), *entries])
    code, stderr = run_client(server.binding, tmp_path / "copy")
    assert code == 1 and stderr.startswith("filerep: get: ")


@pytest.mark.parametrize("entries", [
    # A link and then a folder of the same name: the folder must not be the link's target.
    [(1, LINK, b"l"), (1, FOLDER, b"l"), (2, FILE, b"evil")],
    [(1, FOLDER, b"l"), (1, LINK, b"l"), (1, FOLDER, b"l"), (2, FILE, b"f")],
])
def test_c_no_way_out_through_a_link_of_its_own(lie, tmp_path, entries):
    server = lie([(0, FOLDER, b""), *entries])
    code, stderr = run_client(server.binding, tmp_path / "copy")
    assert code == 1 and stderr.startswith("filerep: get: ")


def test_c_damaged_data_are_refused(lie, tmp_path):
    server = lie([(0, FOLDER, b""), (1, FILE, b"f")], digest=bytes(32))
    code, stderr = run_client(server.binding, tmp_path / "copy")
    assert code == 1 and "SHA-256 mismatch" in stderr
    assert list((tmp_path / "copy").iterdir()) == []


def test_c_control_characters_do_not_reach_the_terminal(lie, tmp_path):
    server = lie([(0, FOLDER, b""), (1, 0o10644, b"\x1b[2J\nfifo")])
    code, stderr = run_client(server.binding, tmp_path / "copy")
    assert (code, stderr) == (0, "filerep: get: ./?[2J?fifo: special file skipped\n")


# ---- c: interruptions --------------------------------------------------------------------

HUGE = 64 << 30  # sparse; no disk is that fast


def interrupt_when_moving(server, process, path_of_progress, sig=signal.SIGINT):
    """Sends the signal once octets are moving; returns (exit code, seconds it took, stderr)."""
    eventually(path_of_progress)
    time.sleep(0.2)
    assert process.poll() is None
    start = time.monotonic()
    process.send_signal(sig)
    _, stderr = process.communicate(timeout=TIMEOUT)
    return process.returncode, time.monotonic() - start, stderr


def pid_writes(pid, at_least=8 << 20):
    """Has the process written so much to files?  (The kernel does not count sendmsg.)"""
    def condition():
        try:
            text = Path(f"/proc/{pid}/io").read_text()
        except OSError:
            return False
        return int(text.split("wchar:")[1].split()[0]) >= at_least
    return condition


@pytest.mark.parametrize("transport", ["ncalrpc", "ncacn_ip_tcp"])
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_c_interrupted_get(serve, tmp_path, transport, sig):
    server = serve(transport=transport)
    for i in range(3):
        big_file(server.root / f"huge-{i}", HUGE)
    process = server.start_client("get", server.binding, ".", tmp_path / "copy")
    code, seconds, stderr = interrupt_when_moving(server, process, pid_writes(process.pid), sig)
    assert (code, stderr) == (130, "")
    assert seconds < 3
    assert parts_left(tmp_path / "copy") == []
    eventually(lambda: server.files_open() == [])


@pytest.mark.parametrize("transport", ["ncalrpc", "ncacn_ip_tcp"])
def test_c_interrupted_put(serve, tmp_path, transport):
    server = serve(transport=transport)
    source = tmp_path / "source"
    source.mkdir()
    for i in range(3):
        big_file(source / f"huge-{i}", HUGE)
    process = server.start_client("put", server.binding, "target", source)
    code, seconds, stderr = interrupt_when_moving(server, process,
                                                  pid_writes(server.process.pid))
    assert (code, stderr) == (130, "")
    assert seconds < 3
    eventually(lambda: server.files_open() == [])
    assert parts_left(server.root / "target") == []


@pytest.mark.parametrize("verb", ["get", "put"])
def test_c_interrupted_anywhere(serve, tmp_path, verb):
    """At many moments of a replication of small and large files: it ends soon, and what is
    there is whole."""
    source = tmp_path / "source"
    rng = random.Random(3)
    whole = {}
    for i in range(200):
        path = source / f"folder-{i % 10}" / f"file-{i}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(rng.choice((0, 10, 5000, 1000000))))
        whole[path.relative_to(source)] = path.read_bytes()
    server = serve(source) if verb == "get" else serve()
    codes = set()
    for i in range(25):
        name = f"copy-{i}"
        top = tmp_path / name if verb == "get" else server.root / name
        remote, local = (".", top) if verb == "get" else (name, source)
        process = server.start_client(verb, server.binding, remote, local)
        time.sleep(0.01 * i)
        process.send_signal(signal.SIGINT)
        try:
            _, stderr = process.communicate(timeout=10)
        finally:
            process.kill()
        codes.add(process.returncode)
        assert process.returncode in (0, 130, -signal.SIGINT), stderr
        assert stderr == ""
        eventually(lambda: server.files_open() == [])
        for folder, _, files in os.walk(top):
            for file in files:
                path = Path(folder) / file
                assert path.read_bytes() == whole[path.relative_to(top)]
    assert 130 in codes


def test_c_interrupted_twice(serve, tmp_path):
    """A server that accepts the connection and then says nothing at all: the first interrupt
    may have to wait for the connection attempt, the second does not."""
    server = serve()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        binding = f"ncacn_ip_tcp:127.0.0.1[{silent.getsockname()[1]}]"
        process = server.start_client("get", binding, ".", tmp_path / "copy")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=10)
        assert (process.returncode, stderr) in ((130, ""), (-signal.SIGINT, ""))
        assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("verb", ["get", "put"])
@pytest.mark.parametrize("transport", ["ncalrpc", "ncacn_ip_tcp"])
def test_c_server_killed(serve, tmp_path, verb, transport):
    server = serve(transport=transport)
    source = server.root if verb == "get" else tmp_path / "source"
    source.mkdir(exist_ok=True)
    big_file(source / "huge", HUGE)
    if verb == "get":
        process = server.start_client("get", server.binding, ".", tmp_path / "copy")
        receiver = process.pid
    else:
        process = server.start_client("put", server.binding, "copy", source)
        receiver = server.process.pid
    eventually(pid_writes(receiver))
    server.process.kill()
    server.process.wait()
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 1
    assert stderr.startswith(f"filerep: {verb}: ") and stderr.count("\n") == 1
    copy = (tmp_path if verb == "get" else server.root) / "copy"
    assert parts_left(copy, receiver_killed=verb == "put") == []


@pytest.mark.parametrize("transport", ["ncalrpc", "ncacn_ip_tcp"])
@pytest.mark.parametrize("verb", ["get", "put"])
def test_c_client_killed(serve, tmp_path, verb, transport):
    """The server notices at once, and puts its files away (AP-37, AP-18, F4, F5)."""
    server = serve(transport=transport)
    source = server.root if verb == "get" else tmp_path / "source"
    source.mkdir(exist_ok=True)
    big_file(source / "huge", HUGE)
    if verb == "get":
        process = server.start_client("get", server.binding, ".", tmp_path / "copy")
    else:
        process = server.start_client("put", server.binding, "copy", source)
    eventually(pid_writes(process.pid if verb == "get" else server.process.pid))
    process.kill()
    process.communicate()
    eventually(lambda: server.files_open() == [], seconds=2)
    copy = (tmp_path if verb == "get" else server.root) / "copy"
    assert parts_left(copy, receiver_killed=verb == "get") == []
    # And it still serves.
    (server.root / "small").write_text("small")
    assert server.get("small", tmp_path / "small") == (0, "")


@pytest.mark.parametrize("verb", ["get", "put"])
def test_c_server_told_to_stop(serve, tmp_path, verb):
    server = serve()
    source = server.root if verb == "get" else tmp_path / "source"
    source.mkdir(exist_ok=True)
    big_file(source / "huge", HUGE)
    if verb == "get":
        process = server.start_client("get", server.binding, ".", tmp_path / "copy")
    else:
        process = server.start_client("put", server.binding, "copy", source)
    eventually(pid_writes(process.pid if verb == "get" else server.process.pid))
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 6
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 1
    assert stderr.startswith(f"filerep: {verb}: ") and stderr.count("\n") == 1
    copy = (tmp_path if verb == "get" else server.root) / "copy"
    assert list(copy.iterdir()) == []


def test_c_a_stopped_client_does_not_fill_the_server(serve, tmp_path):
    """A client that does not pull stops the server's pushes: the server keeps still and small
    (AP-13 and the pipe's limits), and goes on when the client does."""
    server = serve()
    big_file(server.root / "big", 1 << 30)
    before = memory_kb(server)
    process = server.start_client("get", server.binding, "big", tmp_path / "copy")
    eventually(pid_writes(process.pid))
    process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    io = Path(f"/proc/{server.process.pid}/io")
    first = io.read_text()
    time.sleep(0.5)
    second = io.read_text()
    after = memory_kb(server)
    process.send_signal(signal.SIGCONT)
    _, stderr = process.communicate(timeout=TIMEOUT)
    assert first.split("rchar:")[1].split()[0] == second.split("rchar:")[1].split()[0]
    assert after - before < 20_000
    assert (process.returncode, stderr) == (0, "")
    assert (tmp_path / "copy").stat().st_size == 1 << 30


# ---- c: a full disk ----------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    if not ROOT:
        pytest.skip("needs root: mounts a small tmpfs")
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", mount],
                          stderr=subprocess.PIPE, text=True)
    if made.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {made.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def test_c_no_space_on_the_server(serve, small_disk, tmp_path):
    server = serve(small_disk)
    (tmp_path / "big").write_bytes(bytes(16 << 20))
    code, stderr = server.put("x/y", tmp_path / "big")
    assert (code, stderr) == (1, "filerep: put: x/y: No such file or directory\n")
    (small_disk / "x").mkdir()
    code, stderr = server.put("x/y", tmp_path / "big")
    assert (code, stderr) == (1, "filerep: put: x/y: No space left on device\n")
    assert list((small_disk / "x").iterdir()) == []
    # A small file still fits, over the same connection or another.
    (tmp_path / "little").write_bytes(bytes(1 << 20))
    assert server.put("x/y", tmp_path / "little") == (0, "")


def test_c_no_space_here(serve, small_disk, tmp_path):
    server = serve()
    (server.root / "big").write_bytes(bytes(16 << 20))
    code, stderr = server.get("big", small_disk / "copy")
    assert (code, stderr) == (1, f"filerep: get: {small_disk}/copy: No space left on device\n")
    assert list(small_disk.iterdir()) == []
    eventually(lambda: server.files_open() == [])
