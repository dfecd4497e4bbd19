#!/bin/bash
# demo.sh - `make run` without a terminal: the visit goes well, twice, and nothing of it stays running.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
dir=$(mktemp -d /tmp/edurag-demo-test.XXXXXX) && chmod 755 "$dir" || exit 2
trap 'rm -rf "$dir"' EXIT
for round in first second; do
    EDURAG_TEST_UNSAFE_DATABASE=1 DEMO_DIR=$dir/school DEMO_BUILD=$build tests/lib/run-demo.sh >"$dir/$round" 2>&1 </dev/null
    code=$?
    [ "$code" = 0 ] && grep -q 'The visit went well' "$dir/$round" && grep -q 'Maria Okafor, student' "$dir/$round" || {
        echo "The $round run ended with $code:"
        tail -n 40 "$dir/$round"
        exit 1
    }
done
# Whatever still works in that directory would have been left behind.
for process in /proc/[0-9]*; do
    tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "$dir" && { echo "Left running: $(tr '\0' ' ' <"$process/cmdline")"; exit 1; }
done
exit 0
