#!/bin/bash
# results.sh - `make bench-readme`: puts the last table of `make bench` between the two marks of RESULTS.md:
# `results.sh build/bench.json tests/bench/RESULTS.md`. Only figures that have a floor or an aim; all that was skipped, failed or missed.
set -eu
json=$1 readme=$2
[ -f "$json" ] || { echo "There is no $json yet: run make bench first." >&2; exit 1; }
table=$(mktemp)
trap 'rm -f "$table"' EXIT
# run.sh writes one member or one row a line, and no text in it has a quote.
awk '
function member(name,    at, text) {
    at = index($0, "\"" name "\":")
    if (!at) return ""
    text = substr($0, at + length(name) + 3)
    if (substr(text, 1, 1) == "\"") { sub(/^"/, "", text); sub(/".*/, "", text) }
    else sub(/[,}].*/, "", text)
    return text == "null" ? "" : text
}
/^"rows":/ { rows = 1; next }
!rows { split($0, part, "\""); if (part[2]) fact[part[2]] = member(part[2]); next }
/^\]/ { next }
{
    bench = member("bench")
    row = ""
    if (member("skipped")) row = "| " bench " | skipped: " member("skipped") " | | | |"
    else if (member("failed")) row = "| " bench " | **failed: " member("failed") "** | | | |"
    else if (member("floor") != "" || member("aim") != "") {
        unit = member("unit"); sub(/^us$/, "µs", unit); sub(/^\//, "/", unit)
        value = member("value") (unit ~ /^\// || unit == "" ? unit : " " unit)
        aim = member("aim"); sub(/^<= /, "≤ ", aim); sub(/^>= /, "≥ ", aim); sub(/x$/, " × floor", aim)
        if (member("met") == "false") { value = "**" value "**"; aim = aim ": **missed**" }
        row = "| " member("name") " | " value " | " member("floor") " | " member("ratio") " | " aim " |"
    }
    if (row != "") table = table row "\n"
}
END {
    printf "%s, commit %s; %s, %s cores, %s, %s, %s. ", substr(fact["date"], 1, 10), fact["commit"], fact["cpu"], \
        fact["cores"], fact["memory"], fact["kernel"], fact["system"]
    if (fact["load"] > 0.5) printf "**The machine was not quiet**: its load was %s when this began, so these figures are worse than its own. ", fact["load"]
    printf "PostgreSQL %s, libwebsockets %s, poppler %s, ICU %s, OpenSSL %s, ncurses %s, %s. ", fact["PostgreSQL"], fact["libwebsockets"], \
        fact["poppler"], fact["ICU"], fact["OpenSSL"], fact["ncurses"], fact["compiler"]
    printf "%d s for all of it.\n\n", fact["seconds"]
    print "| | value | floor | ratio | aim |\n|---|---|---|---|---|"
    printf "%s", table
}' "$json" >"$table"
grep -q '^<!-- bench -->$' "$readme" || { echo "$readme has no mark <!-- bench -->." >&2; exit 1; }
new=$(mktemp)
awk -v table="$table" '
/^<!-- \/bench -->$/ { inside = 0 }
!inside { print }
/^<!-- bench -->$/ { inside = 1; while ((getline line < table) > 0) print line }' "$readme" >"$new"
cat "$new" >"$readme"
rm -f "$new"
