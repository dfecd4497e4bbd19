#!/bin/bash
# torture.sh - the faults suite for longer: `tests/faults/torture.sh BUILD [PART OF A NAME]`, TORTURE_MINUTES in all.
# Each program gets its share of the time, alone, with TORTURE_SEED; `make torture TORTURE_SEED=N` repeats a run, and
# with T=NAME one program of it.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=$1 part=${2:-} minutes=${TORTURE_MINUTES:-20}
export TORTURE_SEED=${TORTURE_SEED:-$(date +%s)} BUILD=$PWD/$build EDURAG_BUILD=$PWD/$build
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/tests/lib/lsan.supp:print_suppressions=0}
programs=()
for program in "$build"/tests/faults/* "$build"/tests/server/jobs; do
    [ -x "$program" ] && [ -f "$program" ] && [ -f "${program#"$build"/}.c" ] || continue
    [ -z "$part" ] || [[ ${program#"$build"/tests/} == *"$part"* ]] || continue
    programs+=("$program")
done
[ ${#programs[@]} -gt 0 ] || { echo "No program of the faults suite has “$part” in its name."; exit 1; }
export TORTURE_SECONDS=$((minutes * 60 / ${#programs[@]}))
failed=0 skipped=0 log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
echo "seed $TORTURE_SEED, ${#programs[@]} programs, $TORTURE_SECONDS s each"
for program in "${programs[@]}"; do
    name=${program#"$build"/tests/}
    echo "== $name"
    if timeout -k 20 $((TORTURE_SECONDS * 2 + 600)) "$program" >"$log" 2>&1 </dev/null; then
        grep -v '^\[' "$log"
        skipped=$((skipped + $(grep -c '^skipped: ' "$log")))
    else
        tail -n 80 "$log"
        failed=$((failed + 1))
        echo "== $name FAILED; again: make torture T=$name TORTURE_SEED=$TORTURE_SEED TORTURE_MINUTES=$(((TORTURE_SECONDS + 59) / 60))"
    fi
done
echo "$((${#programs[@]} - failed)) passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped cases skipped") (seed $TORTURE_SEED)"
[ "$failed" = 0 ]
