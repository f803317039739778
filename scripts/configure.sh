#!/bin/sh
# SPDX-License-Identifier: MIT
# configure.sh DIR FLAGS... - sets DIR up with Meson, or anew when the flags changed.
set -eu
dir=$1
shift
stamp="$dir/.flags"
flags="${CC:-} $*"
if [ -f "$dir/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$flags" ]; then
    exit 0
fi
rm -rf "$dir"
meson setup "$dir" "$@" >"${TMPDIR:-/tmp}/penstock-meson.$$" 2>&1 || {
    cat "${TMPDIR:-/tmp}/penstock-meson.$$"
    rm -f "${TMPDIR:-/tmp}/penstock-meson.$$"
    exit 1
}
rm -f "${TMPDIR:-/tmp}/penstock-meson.$$"
printf '%s' "$flags" >"$stamp"
