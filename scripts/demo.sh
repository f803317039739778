#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh [BUILD_DIR] - replicates a real tree out of one filerepd and into another, and
# proves that both copies are the original.  Leaves nothing behind.  `make demo` runs it.
#
# Environment: BUILD_DIR, if not given; DEMO_MB, least size of the tree (default 200);
# FILEREPD and FILEREP, the programs, if they are not in the build directory.
set -eu
LC_ALL=C
export LC_ALL

build=${1:-${BUILD_DIR:-build}}
server=${FILEREPD:-$build/examples/filerep/filerepd}
client=${FILEREP:-$build/examples/filerep/filerep}
mb=${DEMO_MB:-200}
for program in "$server" "$client"; do
    [ -x "$program" ] || { echo "demo: no $program: build first" >&2; exit 1; }
done
server=$(realpath "$server")
client=$(realpath "$client")

dir=$(mktemp -d "${TMPDIR:-/tmp}/penstock-demo.XXXXXX")
pids=
cleanup() {
    trap - EXIT INT TERM
    for pid in $pids; do
        kill "$pid" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
    done
    chmod -R u+rwX "$dir" 2>/dev/null || :
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A demo has no business being root: become nobody, where nobody may run the programs.
as=
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    nobody="setpriv --reuid=nobody --regid=$(id -g nobody) --clear-groups --"
    if $nobody "$server" --help >/dev/null 2>&1 && $nobody "$client" --help >/dev/null 2>&1; then
        as=$nobody
    fi
fi

# ---- The original ----

# Real files and links, up to so many octets; one path per line, relative to "/".
pick() {
    (cd / && find "$1" -xdev \( -type l -o -type f -size -4M \) -readable \
        -printf '%s %p\n' 2>/dev/null) |
        awk -v want="$2" 'sum >= want { exit } { sum += $1; sub(/^[0-9]+ /, ""); print }'
}

odd_things() {
    deep=$1/deep
    i=0
    while [ $i -lt 60 ]; do
        deep=$deep/level-$i
        i=$((i + 1))
    done
    mkdir -p "$deep" "$1/empty folder" "$1/closed"
    echo bottom >"$deep/file"
    : >"$1/empty"
    ln -s ../../../../../../etc/passwd "$1/link out"
    ln -s nowhere "$1/dangling"
    ln -s "empty folder" "$1/link in"
    echo odd >"$1/-rf *?\"'"
    echo odd >"$1/$(printf 'tab\tnewline\nbell\ax')"
    echo odd >"$1/$(printf '\377\376 is not UTF-8')"
    echo odd >"$1/$(printf '%0255d' 0)"
    echo private >"$1/private"
    chmod 400 "$1/private"
    echo read-only >"$1/closed/file"
    chmod 555 "$1/closed"
    touch -d '1999-12-31 23:59:59.123456789' "$1/private" "$1/closed" "$1/empty folder"
    touch -h -d '2001-02-03 04:05:06' "$1/dangling"
}

make_original() {
    mkdir "$1"
    for part in usr/bin usr/lib; do
        pick "$part" $((mb * 500000)) | tr '\n' '\0' >"$dir/list"
        (cd / && xargs -0 -r cp -a --parents -t "$1" <"$dir/list")
        rm "$dir/list"
    done
    # A small system has less to offer: one large file makes up for it.
    have=$(($(du -sb "$1" | cut -f1) / 1000000))
    [ "$have" -ge "$mb" ] || head -c $(((mb - have + 1) * 1000000)) /dev/urandom >"$1/filler"
    odd_things "$1"
    # Without their owners set-id bits mean something else, so they are not replicated.
    find "$1" -type f -perm /6000 -exec chmod ug-s {} +
    [ -z "$as" ] || chown -hR nobody:"$(id -g nobody)" "$1"
}

# ---- Proof ----

# Type, permissions, time, link target, size of files; then the digest of every file.
describe() {
    (cd "$1" && find . -type d -printf '%p|%y|%m|%T@\n' -o -printf '%p|%y|%m|%T@|%l|%s\n' | sort)
}
digests() {
    (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}
prove() {
    diff -r --no-dereference "$original" "$1"
    describe "$1" | diff "$dir/description" -
    digests "$1" | diff "$dir/digests" -
    echo "   proved: contents, names, links, permissions and times are those of the original"
}

# ---- The demo ----

serve() { # NAME FOLDER: a server in the background, listening when this returns
    $as "$server" --root "$2" --endpoint "ncalrpc:$1" >"$dir/$1.log" &
    server_pid=$!
    pids="$pids $server_pid"
    tries=0
    until grep -qs serving "$dir/$1.log"; do
        kill -0 "$server_pid" || { echo "demo: the server did not start" >&2; exit 1; }
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "demo: the server does not listen" >&2; exit 1; }
        sleep 0.1
    done
}
run_client() {
    result=0
    $as "$client" -v "$@" 2>"$dir/client.log" || result=$?
    sed 's/^/   /' "$dir/client.log"
    [ $result = 0 ] || { echo "demo: filerep failed ($result)" >&2; exit 1; }
}
server_memory() {
    sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/   filerepd: peak memory \1 kB/p' "/proc/$1/status"
}

original=$dir/original
echo "== Make a tree of at least $mb MB from /usr/bin, /usr/lib and some odd names"
make_original "$original"
[ -z "$as" ] || chown nobody "$dir"
describe "$original" >"$dir/description"
digests "$original" >"$dir/digests"
count() {
    find "$original" -type "$1" -printf x | wc -c
}
echo "   $(count f) files, $(count l) links, $(count d) folders," \
    "$(find "$original" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }') octets"

XDG_RUNTIME_DIR=$dir/run
export XDG_RUNTIME_DIR
$as mkdir -m 700 "$XDG_RUNTIME_DIR" "$dir/second"
serve demo-first "$original"
first=$server_pid
serve demo-second "$dir/second"
second=$server_pid

echo "== filerep get: out of the first server"
run_client get 'ncalrpc:[demo-first]' . "$dir/copy"
server_memory "$first"
prove "$dir/copy"

echo "== filerep put: into the second server"
run_client put 'ncalrpc:[demo-second]' tree "$dir/copy"
server_memory "$second"
prove "$dir/second/tree"
echo "== Done: two replications, no difference"
