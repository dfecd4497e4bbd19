#!/bin/bash
# run.sh - `make bench`: every benchmark of a build, one after the other, as one table: `run.sh build [PART OF A NAME]`.
# The machine, the versions and every row also go to BUILD/bench.json (of a part: bench-PART.json; BENCH_OUT=FILE). A benchmark that was skipped
# or failed is a row that says so. LIMIT: seconds that one may take.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=$1 part=${2:-} limit=${LIMIT:-900}
rows=$(mktemp) words=$(mktemp) || exit 2
trap 'rm -f "$rows" "$words"' EXIT
export EDURAG_BUILD=$PWD/$build BENCH_JSON=$rows
out=${BENCH_OUT:-$build/bench${part:+-$part}.json}

json() { printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | tr '"\\' "'/")"; }
version() { local said; said=$(pkg-config --modversion "$1" 2>/dev/null) && echo "${said%-}" || echo unknown; }
commit=$(git rev-parse --short=10 HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] || commit="$commit with changes"
postgres=$(for p in /usr/lib/postgresql/*/bin/postgres; do echo "$p"; done | sort -V | tail -n 1)
facts=(
    date "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    commit "$commit"
    cpu "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)"
    cores "$(nproc)"
    memory "$(awk '/^MemTotal/ {printf "%.1f GiB", $2 / 1048576}' /proc/meminfo)"
    kernel "$(uname -sr)"
    system "$(. /etc/os-release && echo "$PRETTY_NAME")"
    load "$(cut -d ' ' -f 1 /proc/loadavg)"
    PostgreSQL "$("$postgres" --version 2>/dev/null | grep -o '[0-9][0-9.]*' | head -n 1)"
    libwebsockets "$(version libwebsockets)"
    poppler "$(version poppler-glib)"
    ICU "$(version icu-uc)"
    OpenSSL "$(version openssl)"
    ncurses "$(version ncursesw)"
    compiler "$(${CC:-cc} --version | head -n 1)"
)
for ((i = 0; i < ${#facts[@]}; i += 2)); do printf '%-14s %s\n' "${facts[i]}" "${facts[i + 1]}"; done
printf '\n%-66s %10s %-5s %10s %7s  %s\n' name value unit floor ratio aim

names=() number=0 failed=0 began=$SECONDS
for source in tests/bench/*.c; do
    name=$(basename "$source" .c)
    case $name in *"$part"*) names+=("$name") ;; esac
done
[ ${#names[@]} -gt 0 ] || { echo "No benchmark has “$part” in its name."; exit 1; }
for name in "${names[@]}"; do
    echo "-- $name, $((++number)) of ${#names[@]}, $((SECONDS - began)) s" >&2
    timeout -k 5 "$limit" "$build/tests/bench/$name" </dev/null 2>"$words" | tee "$words.said" | grep -v --line-buffered '^skipped: '
    code=${PIPESTATUS[0]}
    cat "$words" >&2
    case $code in
        0) continue ;;
        77) state=skipped why=$(tail -n 1 "$words.said") why=${why#skipped: } ;;
        124 | 137) state=failed why="not done within $limit s" failed=1 ;;
        *) state=failed why=$(tail -n 1 "$words") why="${why:-exit code $code}" failed=1 ;;
    esac
    printf '%-66s %s: %s\n' "$name" "$state" "$why"
    printf '{"bench":"%s","%s":%s}\n' "$name" "$state" "$(json "$why")" >>"$rows"
done
rm -f "$words.said"

{
    echo '{'
    for ((i = 0; i < ${#facts[@]}; i += 2)); do echo "\"${facts[i]}\":$(json "${facts[i + 1]}"),"; done
    echo "\"seconds\":$((SECONDS - began)),"
    echo '"rows":['
    sed '$!s/$/,/' "$rows"
    echo ']}'
} >"$out"
missed=$(grep -c '"met":false' "$rows")
echo
echo "$(grep -c '"name"' "$rows") figures in $((SECONDS - began)) s, $missed below their aim; all of it is in $out."
exit $failed
