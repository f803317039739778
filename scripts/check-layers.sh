#!/bin/sh
# SPDX-License-Identifier: MIT
# check-layers.sh - a layer includes only what stands below it (docs/design/layers.md).
set -eu
cd "$(dirname "$0")/../src"
bad=0
check() { # LAYER ALLOWED...
    layer=$1
    shift
    allowed="^($layer"
    for name in "$@"; do allowed="$allowed|$name"; done
    allowed="$allowed)/"
    found=$(grep -rnE '^#include "[a-z_]+/' "$layer" --include='*.[ch]' --include='*.def' |
        sed 's/#include "//' | awk -F: -v ok="$allowed" '$3 !~ ok {print "src/" $1 ":" $2 ": includes " $3}')
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        bad=1
    fi
}
check base
check wire base
check ndr wire base
check proto wire ndr sec base
check io base
check win32 base
check runtime stubs win32 io proto ndr wire sec base
check idl base
check epm wire base
check tools epm stubs wire idl base
# The tools and examples see the run time through its public headers only.
if grep -rnE '#include "(base|wire|ndr|proto|io|win32|runtime)/' ../examples; then bad=1; fi
[ "$bad" -eq 0 ] && echo "layers: clean"
exit "$bad"
