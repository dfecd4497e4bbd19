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
leave() { # out of the search field, then out of the program
    for _ in $(seq 40); do [ -e "$dir/school/socket" ] || break; printf '\033' >&7; sleep 1; printf q >&7; done
    wait "$held"
}
# One that has a terminal goes on, and another beside it joins its school as somebody else.
mkfifo "$dir/keys" && exec 7<>"$dir/keys"
EDURAG_TEST_UNSAFE_DATABASE=1 DEMO_DIR=$dir/school DEMO_BUILD=$build timeout 90 script -qfc "stty rows 24 cols 80; exec tests/lib/run-demo.sh" /dev/null >"$dir/screen" 2>&1 <"$dir/keys" &
held=$!
for _ in $(seq 300); do [ -s "$dir/school/socket" ] && break; sleep 0.1; done
DEMO_DIR=$dir/school DEMO_BUILD=$build tests/lib/run-demo.sh >"$dir/joined" 2>&1 </dev/null
code=$?
[ "$code" = 0 ] && grep -q 'already; joining it' "$dir/joined" && grep -q 'D. Novak' "$dir/joined" || {
    echo "The one that joins ended with $code:"
    cat "$dir/joined"; tail -n 20 "$dir/screen"
    leave; exit 1
}
leave

# Whatever still works in that directory would have been left behind.
for process in /proc/[0-9]*; do
    tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "$dir" && { echo "Left running: $(tr '\0' ' ' <"$process/cmdline")"; exit 1; }
done
exit 0
