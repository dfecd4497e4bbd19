#!/bin/bash
# run.sh - runs every benchmark of a build, one after the other: `tests/bench/run.sh build [PART OF A NAME]`.
# Prints a table; BENCH_JSON=FILE gets the figures as lines of JSON too (default BUILD/bench.jsonl).
set -u
cd "$(dirname "$0")/../.." || exit 2
build=$1 part=${2:-${T:-}}
export EDURAG_BUILD=$PWD/$build BENCH_JSON=${BENCH_JSON:-$PWD/$build/bench.jsonl}
: >"$BENCH_JSON"
failed=0
printf '%-52s %12s %-6s %12s %8s\n' name value unit floor ratio
for source in tests/bench/*.c; do
    name=$(basename "$source" .c)
    [ -z "$part" ] || case $name in *"$part"*) ;; *) continue ;; esac
    "$build/tests/bench/$name" </dev/null
    code=$?
    [ $code = 0 ] || [ $code = 77 ] || { echo "$name failed (exit $code)"; failed=1; }
done
exit $failed
