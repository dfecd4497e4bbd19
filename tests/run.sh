#!/bin/bash
# run.sh - runs the tests of a build: `tests/run.sh build [PART OF A NAME]`.
# Every executable under BUILD/tests/{unit,server,tui,faults,fuzz}, every tests/{sql,server,tui}/*.sh; for a plain build also
# a short search by each fuzz target (FUZZ_SECONDS). Three times as many at a time as there are processors (JOBS): most
# wait most of the time; twice as many under a sanitizer, which leaves them more to do. Kinds whose tests take long begin first, so that none is left alone at the end.
# A test passes with exit code 0, is skipped with 77 (its last line says why), and fails otherwise; its output
# is shown when it fails. One that passes counts each of its lines "skipped: CASE: why" as skipped, too. The last line is `N passed, N failed[, N skipped]`; TALLY=FILE gets the same figures.
set -u
cd "$(dirname "$0")/.." || exit 2
build=$1 part=${2:-} jobs=${JOBS:-$(($([ "$1" = build ] && echo 3 || echo 2) * $(nproc)))} limit=${LIMIT:-600}
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
export BUILD=$PWD/$build EDURAG_BUILD=$PWD/$build
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1} LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/tests/lib/lsan.supp:print_suppressions=0}

one() {
    name=$1 program=$2 log=$out/$(echo "$1" | tr / _)
    shift 2
    start=$(date +%s%N)
    timeout -k 5 "$limit" "$program" "$@" >"$log" 2>&1 </dev/null
    code=$?
    took=$((($(date +%s%N) - start) / 1000000))
    case $code in
        0)
            echo "ok   $name (${took} ms)"; echo pass >>"$out/tally"
            sed -n 's/^skipped: //p' "$log" | while read -r case; do echo "skip $name: $case"; echo skip >>"$out/tally"; done ;;
        77) echo "skip $name: $(tail -n 1 "$log")"; echo skip >>"$out/tally" ;;
        *) { echo "FAIL $name (exit $code, ${took} ms)"; tail -n 60 "$log" | sed 's/^/     /'; }; echo fail >>"$out/tally" ;;
    esac
}
export -f one
export out limit

list=$(
    for f in "$build"/tests/unit/* "$build"/tests/server/* "$build"/tests/tui/* "$build"/tests/faults/* "$build"/tests/fuzz/*; do
        [ -f "$f" ] && [ -x "$f" ] && [ -f "${f#"$build"/}.c" ] && echo "${f#"$build"/tests/} $PWD/$f"
    done
    for f in tests/sql/*.sh tests/server/*.sh tests/tui/*.sh; do
        [ -f "$f" ] && echo "${f#tests/} $PWD/$f"
    done
    for f in tests/fuzz/*.c; do
        [ "$build" = build ] && [ "$f" != tests/fuzz/replay.c ] && f=$(basename "$f" .c) && echo "fuzz/$f.search $PWD/tests/fuzz/search.sh $f"
    done
)
[ -z "$part" ] || list=$(printf '%s\n' "$list" | awk -v p="$part" 'index($1, p)')
[ -n "$list" ] || { echo "No test has “$part” in its name."; exit 1; }
touch "$out/tally"
list=$(for kind in faults/ tui/ sql/ server/ ''; do printf '%s\n' "$list" | grep "^$kind"; done | awk '!seen[$1]++')
printf '%s\n' "$list" | xargs -P "$jobs" -L 1 bash -c 'one "$@"' _
passed=$(grep -c pass "$out/tally") failed=$(grep -c fail "$out/tally") skipped=$(grep -c skip "$out/tally")
[ -z "${TALLY:-}" ] || echo "$passed $failed $skipped" >>"$TALLY"
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
