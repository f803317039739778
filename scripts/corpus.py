#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles every IDL file of a directory, with its ACF, and the C that comes out.

Prints how many of how many passed and, by message, what stopped the others: the next
most useful thing to support stands on top.  The files are real interfaces collected
elsewhere; none of them is part of this project.

    scripts/corpus.py --alias 'ms-{}' --own ms-dtyp.idl path/to/idl
    scripts/corpus.py path/to/samples/netds/rpc

A collection may have renamed its files: --alias 'ms-{}' makes dtyp.idl known, too, as
ms-dtyp.idl, when some file imports it by that name.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wno-sign-conversion"]


def run(command, cwd):
    try:
        return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True,
                              text=True, errors="replace", timeout=120, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        return subprocess.CompletedProcess(command, 124, "", f"timed out after {error.timeout} s")


def import_names(files):
    """Every name that an import statement mentions."""
    names = set()
    for path in files:
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(errors="replace"), flags=re.DOTALL)
        for statement in re.findall(r'\bimport\s+((?:"[^"]*"\s*,?\s*)+);', text):
            names.update(re.findall(r'"([^"]*)"', statement))
    return names


def apply_fixes(fixes, files):
    """Lines of file name (* for all), regular expression, replacement, with tabs between: what the
    collection has that is no MIDL, so that one oddity does not hide all that imports it."""
    for line in pathlib.Path(fixes).read_text().splitlines():
        name, pattern, replacement = line.split("\t")
        for path in files:
            if name in (path.name, "*"):
                text = path.read_text(errors="replace")
                fixed = re.sub(pattern, replacement, text)
                if fixed == text and name != "*":
                    print(f"{name}: nothing to fix: {pattern}")
                path.write_text(fixed)


def lay_out(options, work):
    """The corpus under `work`, aliased files under the name by which they are imported."""
    source = pathlib.Path(options.directory).resolve()
    shutil.copytree(source, work, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    for name in options.own:
        for path in [p for p in work.rglob("*") if name in (p.name, options.alias.format(p.name))]:
            path.unlink()
    files = sorted(p for p in work.rglob("*") if p.suffix.lower() in (".idl", ".h"))
    if options.fixes:
        apply_fixes(options.fixes, files)
    wanted = import_names(files)
    for path in files:
        alias = path.with_name(options.alias.format(path.name))
        if alias == path or alias.name not in wanted or path.suffix.lower() != ".idl":
            continue
        if path.name in wanted:
            alias.symlink_to(path.name)
        else:
            path.rename(alias)
    idls = sorted(p for p in work.rglob("*") if p.suffix.lower() == ".idl")
    others = [p for p in idls if p.is_symlink()]
    # An imported .h is IDL, too: its own C header takes its place.
    others += [p for p in files if p.suffix.lower() == ".h" and p.name in wanted]
    return [p for p in idls if not p.is_symlink()], others


class Result:
    def __init__(self, name):
        self.name, self.seconds, self.compiled = name, 0.0, False
        self.passed, self.stage, self.message, self.first = False, "", "", ""
        self.outputs, self.warnings = 0, collections.Counter()


def first_error(text):
    for line in text.splitlines():
        if re.search(r"\berror\b", line) or "Sanitizer" in line:
            return line
    return text.splitlines()[0] if text else "no message"


def kind_of(message):
    """The message without the names of one file, so that equal causes count together."""
    text = re.sub(r"^.*?: (error|warning)", r"\1", message)
    return re.sub(r"['‘][^'’]*['’]", "'...'", text) if "not supported yet" not in text else text


def output_of(idl, work):
    """Where the C of `idl` goes: a .h that is imported must not be overwritten."""
    return work.with_name(work.name + "-out") / idl.parent.relative_to(work)


def compile_idl(options, idl, work, includes):
    result = Result(str(idl.relative_to(work)))
    out = output_of(idl, work)
    out.mkdir(parents=True, exist_ok=True)
    names = ["-header", idl.name] if idl.suffix.lower() == ".h" else []
    started = time.monotonic()
    done = run([options.compiler, *options.arg, *includes, *names, "-out", out, idl.name],
               idl.parent)
    result.seconds = time.monotonic() - started
    result.compiled = done.returncode == 0
    result.text = done.stdout + done.stderr
    if done.returncode not in (0, 1):
        result.stage = "crash"
        result.first = f"error: exit status {done.returncode}: {result.text[-300:]}"
    elif not result.compiled:
        result.stage, result.first = "idl", first_error(result.text)
    for line in result.text.splitlines():
        if " warning MIDL" in line:
            result.warnings[kind_of(line)] += 1
    return result


def compile_c(idl, work, result, includes):
    stem = output_of(idl, work) / idl.stem
    sources = [pathlib.Path(f"{stem}{suffix}") for suffix in (".h", "_c.c", "_s.c")]
    for source in sources:
        if not source.exists():
            continue
        result.outputs += 1
        done = run(["gcc", "-std=gnu11", "-fsyntax-only", *WARNINGS, *includes, "-x", "c", source],
                   source.parent)
        if done.returncode != 0 or done.stderr:
            result.stage = "C"
            lines = [l for l in done.stderr.splitlines() if re.search(r"(error|warning):", l)]
            errors = [l for l in lines if " error:" in l] or lines or [done.stderr]
            result.first = errors[0]
            return
    result.passed = True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", help="where the IDL files are")
    parser.add_argument("--compiler", help="penstock-idl",
                        default=os.path.join(os.environ.get("PENSTOCK_BUILD_DIR", ROOT / "build"),
                                             "src/idl/penstock-idl"))
    parser.add_argument("--alias", default="{}",
                        help="another name of the files for imports, as 'ms-{}'")
    parser.add_argument("--own", action="append", default=[], metavar="FILE",
                        help="take our own file of that name, not the collection's")
    parser.add_argument("--fixes", metavar="FILE", help="corrections: name, regex, replacement")
    parser.add_argument("--arg", action="append", default=[], help="argument for penstock-idl")
    parser.add_argument("-I", action="append", default=[], dest="include", help="search for imports")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--all", action="store_true", help="list each failing file")
    parser.add_argument("--warnings", action="store_true", help="count the warnings, too")
    parser.add_argument("--keep", help="leave the generated files in this (new) directory")
    options = parser.parse_args()
    options.compiler = os.path.abspath(options.compiler)

    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(options.keep or directory).resolve() / "corpus"
        work.mkdir(parents=True)
        idls, aliases = lay_out(options, work)
        folders = sorted({p.parent for p in work.rglob("*")
                          if p.suffix.lower() == ".h" and p.parent != work})
        includes = [w for p in [work, *sorted({i.parent for i in idls} - {work}), *folders,
                                *map(os.path.abspath, options.include)] for w in ("-I", p)]
        outputs = [w for i in [work / "x", *idls, *aliases] for w in ("-I", output_of(i, work))]
        c_includes = [*outputs, *includes] + [w for p in (ROOT / "include", ROOT / "include" / "penstock") for w in ("-I", p)]
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            started = time.monotonic()
            results = list(pool.map(lambda i: compile_idl(options, i, work, includes), idls))
            elapsed = time.monotonic() - started
            list(pool.map(lambda i: compile_idl(options, i, work, includes), aliases))
            good = [(i, r) for i, r in zip(idls, results) if r.compiled]
            list(pool.map(lambda p: compile_c(p[0], work, p[1], c_includes), good))

    table = collections.defaultdict(list)
    for result in results:
        if not result.passed:
            table[f"[{result.stage}] {kind_of(result.first)}"].append(result)
    for message, failing in sorted(table.items(), key=lambda item: -len(item[1])):
        print(f"{len(failing):4}  {message}")
        shown = failing if options.all else failing[:3]
        for result in shown:
            print(f"        {result.name}: {result.first}")
    if options.warnings:
        total = collections.Counter()
        for result in results:
            total.update(result.warnings.keys())
        for message, count in total.most_common():
            print(f"{count:4}  files: {message}")
    compiled = sum(r.compiled for r in results)
    passed = sum(r.passed for r in results)
    count = sum(r.outputs for r in results)
    cpu = sum(r.seconds for r in results)
    print(f"{compiled} of {len(results)} compiled ({elapsed:.1f} s, {cpu:.1f} s one by one); "
          f"the C of {passed} compiled without a warning ({count} files)")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
