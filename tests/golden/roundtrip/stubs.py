#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes what joins the stubs of one golden to the round trip's programs.

    stubs.py NAME SIDE OUTPUT
    stubs.py --table SIDE OUTPUT NAME...

SIDE is "client" or "server".  The result is a C file that includes the golden's stub and
ends with a `struct golden` (harness.h): for every operation a function that takes a frame,
in the order of the golden's own frame structures, and calls the stub with its members; for
every manager routine a function of the golden's name that gathers its arguments in such a
frame and gives it to golden_manage.  All goldens are linked into one program, so what a
golden defines gets a name of its own for the linker; its text is compiled as it is.

With --table: the list of them all.

What only the program can supply (routines of transmit_as, of generic handles ...) is in
support/NAME.h, which is compiled behind the stub of either side.
"""
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent
SUPPLIED = "/* supplied by the program */"


def identifier(name):
    return re.sub(r"\W", "_", name)


def split_commas(text):
    """Splits at the commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [p.strip() for p in [*parts, text[start:]] if p.strip()]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def declared_name(declaration):
    """x of `int x`, `T *x`, `int (*x)[3]`, `handle_t const x`."""
    inner = re.search(r"\(\s*\*+\s*(?:const\s+)?(\w+)\s*\)", declaration)
    return inner.group(1) if inner else re.findall(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$", declaration)[0]


class Frame:
    """struct INTERFACE_OPERATION_frame { members }"""

    def __init__(self, name, body):
        self.name = name
        self.members = [declared_name(line) for line in
                        re.sub(r"\s+", " ", without_comments(body)).split(";") if line.strip()]
        self.has_result = "_RetVal" in self.members

    def arguments(self, function):
        """The members that are parameters of a C function; more are the stub's own."""
        missing = set(function.names) - set(self.members)
        if missing or len(function.names) != len(function.params):
            raise SystemExit(f"{function.name}: not understood: {missing or function.params}")
        return function.names


class Function:
    """A prototype or a definition: its text without the semicolon, name and parameters."""

    def __init__(self, text, name, params):
        self.text, self.name = text.strip(), name
        params = re.sub(r"\s+", " ", without_comments(params)).strip()
        self.params = [] if params in ("", "void") else split_commas(params)

    @property
    def names(self):
        return [declared_name(p) for p in self.params]


def functions(text, end):
    """Those at the beginning of a line whose parameters are followed by `end`."""
    found = {}
    for m in re.finditer(r"^(?!typedef|static|struct \w+ \{|#|RpcTry|extern \"C\")"
                         r"((?:[A-Za-z_][\w ]*?[\s\*]+)(?:__RPC_USER )?(\w+)\("
                         r"((?:/\*.*?\*/|[^();]|\([^()]*\))*?)\))" + end,
                         text, re.MULTILINE | re.DOTALL):
        found.setdefault(m.group(2), Function(m.group(1), m.group(2), m.group(3)))
    return found


class Stub:
    def __init__(self, name, side):
        self.name, self.side = name, side
        self.file = f"{name}_{side[0]}.c"
        self.text = (GOLDEN / self.file).read_text()
        self.header = (GOLDEN / f"{name}.h").read_text()
        self.frames = {m.group(1): Frame(m.group(1), m.group(2)) for m in re.finditer(
            r"^struct (\w+)_frame \{\n(.*?)^\};", self.text, re.MULTILINE | re.DOTALL)}
        self.defined = functions(self.text, r"\s*\n\{")
        self.prototypes = functions(self.header, ";")
        supplied = self.header.partition(SUPPLIED)[2]
        self.supplied = functions(supplied, ";")
        # OPERATION tables: (interface, "Operations" or "Callbacks") -> frame names by number
        self.tables = {}
        for m in re.finditer(r"NDR_OPERATION (\w+?)_(Operations|Callbacks)\[\] = \{\n(.*?)^\};",
                             self.text, re.MULTILINE | re.DOTALL):
            self.tables[m.group(1), m.group(2)] = [
                (f"{m.group(1)}_{e}", e) for e in re.findall(r'\{\.name = "(\w+)"', m.group(3))]
        self.specs = {m.group(2): m.group(1) for m in re.finditer(
            r"^RPC_IF_HANDLE (\w+) =\s+\(RPC_IF_HANDLE\)&(\w+?)___Rpc\w+;", self.text,
            re.MULTILINE)}
        self.handles = re.findall(r"^(?!typedef|extern|static|struct|RPC_IF)(\w+) \*?(\w+);$",
                                  self.text, re.MULTILINE)

    def callers(self):
        """frame name -> the function that calls: its client stub, or the server's of a callback"""
        result = {}
        for name in self.defined:
            body = self.text[re.search(r"\b%s\([^;{]*\)\s*\n\{" % name, self.text).end():]
            m = re.match(r"\s*(?:[^}]*?)struct (\w+)_frame (\w+) = \{", body)
            if m:
                result[m.group(1)] = name
        return result

    def managers(self):
        """frame name -> C name of the routine that the stub calls, and its prototype"""
        result = {}
        default = {}
        for m in re.finditer(r"SERVER_EPV (\w+?)_DefaultEpv = \{\n(.*?)^\};", self.text,
                             re.MULTILINE | re.DOTALL):
            default[m.group(1)] = dict(re.findall(r"\.(\w+) = (\w+)", m.group(2)))
        for m in re.finditer(r"static void (\w+)_invoke\(const RPC_MGR_EPV.*?^\}", self.text,
                             re.MULTILINE | re.DOTALL):
            frame, body = m.group(1), m.group(0)
            called = re.search(r"\bmanager\w*->(\w+)\(", body)
            if not called:
                name = re.search(r"^    (?:args->_RetVal = )?(\w+)\(", body, re.MULTILINE)
                result[frame] = (name.group(1), None)
                continue
            interface = re.search(r"const (\w+)_SERVER_EPV \*", body).group(1)
            result[frame] = (default.get(interface, {}).get(called.group(1)),
                             (interface, called.group(1)))
        return result

    def prototype(self, operation):
        """Of an operation in the header, whatever its prefix."""
        for name, function in self.prototypes.items():
            if name == operation or name.endswith("_" + operation):
                return function
        raise SystemExit(f"{self.name}.h: no prototype of {operation}")


def renamed(stub):
    """What the linker is to see under names of this golden."""
    names = set(stub.defined) | set(stub.specs.values()) | set(stub.supplied)
    names |= {name for _, name in stub.handles}
    names |= {manager for manager, _ in stub.managers().values() if manager}
    # of [local] operations and of variables that only the program defines
    names |= set(re.findall(r"^extern (?:const )?\w[\w ]*?[\s\*]+(?:const )?(\w+)(?:\[\w+\])?;$",
                            stub.header, re.MULTILINE))
    return sorted(n for n in names if n)


def manager_routines(stub):
    """The manager routines' definitions, and per interface without a default EPV one of ours."""
    lines, epvs = [], {}
    operations = {frame: (table, number) for table, entries in stub.tables.items()
                  for number, (frame, _) in enumerate(entries)}
    for frame, (name, member) in stub.managers().items():
        table, number = operations[frame]
        operation = stub.tables[table][number][1]
        function = stub.prototypes.get(name) if name else stub.prototype(operation)
        text = function.text
        if not name:
            name = f"golden_manager_{frame}"
            text = "static " + re.sub(r"\b%s\(" % function.name, name + "(", text, count=1)
            epvs.setdefault(member[0], []).append((member[1], name))
        layout = stub.frames[frame]
        gathered = ", ".join(f".{m} = {m}" for m in layout.arguments(function)) or "0"
        lines += ["", text, "{", f"    struct {frame}_frame golden_frame = {{{gathered}}};",
                  f"    golden_manage(&golden_{identifier(stub.name)}_{stub.side}, "
                  f"&{table[0]}_{table[1]}[{number}], &golden_frame);"]
        if layout.has_result and "void" != re.match(r"(?:static )?(\w+)", text).group(1):
            lines.append("    return golden_frame._RetVal;")
        lines.append("}")
    for interface, members in epvs.items():
        lines += ["", f"static const {interface}_SERVER_EPV golden_{interface}_epv = {{"]
        lines += [f"    .{member} = {name}," for member, name in members]
        lines.append("};")
    return lines, set(epvs)


def rundowns(stub):
    """Routines whose names say what they are for; the rest is support/NAME.h's."""
    lines = []
    if stub.side != "server":
        return lines
    for name, function in stub.supplied.items():
        if name.endswith("_rundown"):
            lines += ["", f"void __RPC_USER {name}({function.params[0]} golden_context)", "{",
                      "    golden_rundown(golden_context);", "}"]
        elif name.endswith("_notify"):
            lines += ["", f"void __RPC_USER {name}(void)", "{", "    golden_notified();", "}"]
        elif name.endswith("_notify_flag"):
            lines += ["", f"void __RPC_USER {name}(boolean golden_called)", "{",
                      "    golden_notified_of(golden_called);", "}"]
    return lines


def call_routines(stub):
    lines = []
    callers = stub.callers()
    for entries in stub.tables.values():
        for frame, _ in entries:
            if frame not in callers:
                continue
            layout = stub.frames[frame]
            function = stub.defined[callers[frame]]
            returns = layout.has_result and function.text.split()[0] != "void"
            arguments = ", ".join(f"golden_args->{m}" for m in layout.arguments(function))
            lines += ["", f"static void golden_call_{frame}(void *golden_frame)", "{",
                      f"    struct {frame}_frame *golden_args = golden_frame;",
                      "    (void)golden_args;",
                      f"    {'golden_args->_RetVal = ' if returns else ''}"
                      f"{callers[frame]}({arguments});", "}"]
    return lines


def tables(stub, own_epvs):
    lines, callers = [], stub.callers()
    for (interface, kind), entries in stub.tables.items():
        lines += ["", f"static const golden_call_fn golden_{interface}_{kind}[] = {{"]
        lines += [f"    golden_call_{frame}," if frame in callers else "    NULL,"
                  for frame, _ in entries]
        lines.append("};")
    lines += ["", f"static const struct golden_interface golden_interfaces[] = {{"]
    for interface, spec in stub.specs.items():
        row = [f"&{spec}"]
        row += [f"golden_{interface}_{kind}" if (interface, kind) in stub.tables else "NULL"
                for kind in ("Operations", "Callbacks")]
        row.append(f"&golden_{interface}_epv" if interface in own_epvs else "NULL")
        lines.append("    {" + ", ".join(row) + "},")
    lines.append("    {NULL, NULL, NULL, NULL},")
    lines.append("};")
    return lines


def pickles(stub):
    """Serialised types: their routines, whether they take a handle or not."""
    found = {}
    for m in re.finditer(r"^void __RPC_USER (\w+)_(Encode|Decode)\((handle_t \w+, )?\w+ \*_pType\)"
                         r"\n\{\s*NdrxMesType\w+\(\w+, &(\w+?)___RpcClientInterface,\s*"
                         r"&(\w+_pickled)", stub.text, re.MULTILINE):
        name, what, handle, interface, param = m.groups()
        found.setdefault((name, interface, param), {})[what] = bool(handle)
    lines, rows = [], []
    for (name, interface, param), routines in found.items():
        row = [f"&{stub.specs[interface]}", f"&{param}"]
        for what in ("Encode", "Decode"):
            if what not in routines:
                row.append("NULL")
                continue
            call = f"golden_{name}_{what}"
            lines += ["", f"static void {call}(handle_t golden_handle, void *golden_object)", "{",
                      "    (void)golden_handle;",
                      f"    {name}_{what}({'golden_handle, ' * routines[what]}golden_object);", "}"]
            row.append(call)
        rows.append("    {" + ", ".join(row) + "},")
    lines += ["", "static const struct golden_pickle golden_pickles[] = {", *rows,
              "    {NULL, NULL, NULL, NULL},", "};"]
    return lines


def table(side, output, *names):
    symbols = [f"golden_{identifier(name)}_{side}" for name in names]
    Path(output).write_text("\n".join(
        ["/* Made by stubs.py. */", '#include "harness.h"', ""] +
        [f"extern const struct golden {symbol};" for symbol in symbols] +
        ["", "const struct golden *const goldens[] = {"] +
        [f"    &{symbol}," for symbol in symbols] + ["    NULL,", "};", ""]))


def main():
    if sys.argv[1] == "--table":
        table(*sys.argv[2:])
        return
    name, side, output = sys.argv[1:]
    stub = Stub(name, side)
    prefix = "golden_" + identifier(name)
    support = HERE / "support" / f"{name}.h"
    out = [f"/* Made by stubs.py from {stub.file}. */",
           f"#define GOLDEN_{side.upper()} 1", '#include "harness.h"', ""]
    out += [f"#pragma redefine_extname {n} {prefix}_{n}" for n in renamed(stub)]
    out += [f'#include "{stub.file}"', "", f"extern const struct golden {prefix}_{side};"]
    out += rundowns(stub)
    if support.exists():
        out += ["", f'#include "support/{name}.h"']
    managers, own_epvs = manager_routines(stub)
    out += managers + call_routines(stub) + tables(stub, own_epvs)
    if side == "client":
        out += ["", "static handle_t *const golden_handles[] = {"]
        out += [f"    &{variable}," for kind, variable in stub.handles if kind == "handle_t"]
        out += ["    NULL,", "};"]
        out += pickles(stub)
    out += ["", f"const struct golden {prefix}_{side} = {{", f'    .name = "{name}",',
            "    .interfaces = golden_interfaces,"]
    if side == "client":
        out += ["    .handles = golden_handles,", "    .pickles = golden_pickles,"]
    out += ["#ifdef GOLDEN_SET_UP", "    .set_up = GOLDEN_SET_UP,", "#endif",
            "#ifdef GOLDEN_USER_TYPES", "    .user_types = GOLDEN_USER_TYPES,", "#endif"]
    out += ["};", ""]
    Path(output).write_text("\n".join(out))


if __name__ == "__main__":
    main()
