#!/bin/bash
# manual.sh - the man pages: whole, clean, and nothing that the programs know is missing from them.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
pages=$build/man
failed=0
fail() { echo "FAIL: $*"; failed=1; }

for page in eduragd.8 edurag.1 edurag.conf.5 edurag-protocol.7; do
    [ -s "$pages/$page" ] || fail "$page was not made"
    grep -n '@[A-Z]*@' "$pages/$page" && fail "$page has a marker that nothing filled"
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$pages/$page" || fail "$page is not clean"
    fi
done

# in PAGE: every line of standard input is an item there.
in_page() {
    local page=$1 item count=0
    while read -r item; do
        count=$((count + 1))
        grep -qF -- ".It $item" "$pages/$page" || fail "$page does not have $item"
    done
    [ "$count" -ge "$2" ] || fail "only $count items were looked for in $page"
}
# What the sources say, so that a row which the programs leave out is seen as well.
in_page edurag.conf.5 50 < <(sed -n 's/^ *ROW([A-Z]*, [a-z_]*, "\([A-Z_]*\)".*/Ev \1/p' server/config.c)
in_page edurag.conf.5 50 < <("$build/eduragd" --help | sed -n 's/^  \([A-Z][A-Z_]*\).*/Ev \1/p')
in_page eduragd.8 7 < <("$build/eduragd" --help | sed -n 's/^  \([a-z]\{1,\}\) .*/Li "\1/p')
in_page edurag-protocol.7 50 < <(sed -n 's/.*METHOD_[A-Z]*("\([a-z]*\.[a-z_]*\)".*/Li \1/p' server/methods/*.c)
in_page edurag-protocol.7 11 < <(grep -hE 'notify|notification|tell_gone|taken_back [?]' server/*/*.c | grep -oE '"[a-z]+[.][a-z]+"' | sort -u | sed 's/"\(.*\)"/Li \1/')
in_page edurag-protocol.7 14 < <(sed -n 's/^ *X([A-Z_]*, \(-32[0-9]*\), "\([a-z_]*\)".*/\1 \2/p' common/err.h | grep -v -- '-3209' | sed 's/^\(-[0-9]*\) \(.*\)/Li \1 Ta Li \2/')
in_page edurag.1 50 < <("$build/edurag" help | sed -n 's/^  \([a-z]\{1,\}\( [a-z]\{1,\}\)*\)  .*/Li "\1/p')
in_page edurag.1 7 < <("$build/edurag" help | sed -n 's/^  -\(-[a-z]*\) .*/Fl \1/p')
in_page edurag.1 90 < <(sed -n 's/^ *{ACT_[A-Z_]*, [^"]*, "\([^"]*\)", \(true\|false\), .*/\1/p' tui/keymap.c | sed -e 's/^$/:/' -e 's/^\(.\)$/\\\&\1/' -e 's/.*/Li "&"/')
[ "$failed" = 0 ] && echo "All as it should be."
exit "$failed"
