#!/bin/bash
# search.sh - lets libFuzzer search for input that breaks a target: `tests/fuzz/search.sh NAME`, for FUZZ_SECONDS (5).
# Without FUZZ_KEEP the search starts from the kept inputs alone, with a fixed seed; FUZZ_KEEP=DIR goes on from
# and adds to what earlier searches left there. What breaks it is put into build/fuzz/NAME-… `search.sh can` only says
# whether this machine has what a search needs.
set -u
cd "$(dirname "$0")/../.." || exit 2
name=$1 seconds=${FUZZ_SECONDS:-5} program=build/fuzz/tests/fuzz/$1
if [ ! -x "$program" ] && ! echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null; then
    echo "skipped: clang with libFuzzer is not here (Debian: clang, libclang-rt-14-dev), so nothing was searched; the kept inputs were run"
    exit 77
fi
[ "$name" != can ] || exit 0
[ -x "$program" ] || { echo "$program is not built: make fuzz T=$name"; exit 1; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "${FUZZ_KEEP:-$work/corpus}" "$work/none"
most=$(sed -n 's/.*FUZZ_LONGEST \([0-9]*\).*/\1/p' "tests/fuzz/$name.c")
found=tests/fuzz/found/$name
[ -d "$found" ] || found=$work/none
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=0 UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lib/lsan.supp:print_suppressions=0
"$program" -seed=1 -max_total_time="$seconds" -max_len="${most:-2048}" -len_control=20 -rss_limit_mb=1500 -malloc_limit_mb=512 \
    -timeout=25 -print_final_stats=1 -artifact_prefix="build/fuzz/$name-" \
    "${FUZZ_KEEP:-$work/corpus}" "tests/fuzz/corpus/$name" "$found" >"$work/log" 2>&1
code=$?
if [ $code = 0 ]; then
    grep -E '^(Done|stat::number_of_executed_units|stat::peak_rss_mb)' "$work/log"
    exit 0
fi
grep -vE '^#[0-9]+.*(NEW|REDUCE|pulse)' "$work/log" | tail -n 60
echo "This input breaks tests/fuzz/$name.c. Keep it: mkdir -p tests/fuzz/found/$name && cp build/fuzz/$name-* tests/fuzz/found/$name/"
exit 1
