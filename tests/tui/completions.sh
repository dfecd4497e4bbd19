#!/bin/bash
# completions.sh - every command of the program completes in bash and, where it is here, in fish.
set -u
cd "$(dirname "$0")/../.." || exit 2
edurag=${EDURAG_BUILD:-$PWD/build}/edurag
[ -x "$edurag" ] || { echo "skipped: edurag is not built"; exit 77; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $*"; failed=1; }
"$edurag" completions bash >"$work/bash" && bash -n "$work/bash" || fail "the file for bash"
"$edurag" completions fish >"$work/fish" || fail "the file for fish"
# shellcheck disable=SC1091
. "$work/bash"
offered() { # offered WORDS... LAST: what bash offers for the last word
    COMP_WORDS=(edurag "$@") COMP_CWORD=$#
    COMPREPLY=()
    _edurag
    printf '%s\n' "${COMPREPLY[@]}"
}
has() { local want=$1; shift; offered "$@" | grep -qxF -- "$want" || fail "bash: “$*” does not offer $want"; }
# The lower-case words of each command, as the man page lists them.
commands=$("$edurag" manual commands | sed -n 's/^\.It Li //p' | tr -d '"' | grep -oE '^[a-z]+( [a-z-]+)?( |$)' | sed 's/ *$//')
[ "$(echo "$commands" | wc -l)" -gt 40 ] || fail "few commands: $commands"
while read -r first second; do
    has "$first" "${first:0:2}"
    [ -z "$second" ] || has "$second" "$first" "${second:0:1}"
    has --json "$first" ${second:+"$second"} --
done <<<"$commands"
has student users create ''
has fish completions ''
has memory help m
has mono --theme m
has failed jobs --state f
offered memory '' | grep -q 'helplist' && fail "bash: words run together"
offered --server '' | grep -q . && fail "bash: an address is no command"
if command -v fish >/dev/null; then
    export HOME=$work
    while read -r first second; do
        printf 'complete -C "edurag %s" | cut -f1 | grep -qxF -- %s; or echo "fish: %s %s"\n' "${second:+$first }${second:-$first}" "${second:-$first}" "$first" "$second"
    done <<<"$commands" >"$work/asks"
    said=$(fish --no-config -c "source $work/fish; source $work/asks; complete -C 'edurag users create ' | grep -q '^student'; or echo 'fish: roles'; complete -C 'edurag users create ' | grep -q '^import'; and echo 'fish: a second second word'" 2>&1)
    [ -z "$said" ] || fail "$said"
fi
[ "$failed" = 0 ] && echo "every command completes"
exit "$failed"
