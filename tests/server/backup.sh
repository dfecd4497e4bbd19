#!/bin/bash
# backup.sh - a school goes into a file and comes out of it whole: rows, passwords, hardening; and into nothing but emptiness.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
dir=$(mktemp -d /tmp/edurag-backup.XXXXXX) && chmod 755 "$dir" || exit 2
for name in $(compgen -e | grep -E '^(EDURAG_|HINDSIGHT_|GEMINI_|OPENAI_)'); do
    case $name in EDURAG_BUILD) ;; *) unset "$name" ;; esac
done
export EDURAG_LISTEN=off EDURAG_BCRYPT_COST=4 EDURAG_LOG=error EDURAG_TEST_UNSAFE_DATABASE=1
export XDG_STATE_HOME=$dir/state
server=
stop() { [ -z "$server" ] || { kill -TERM "$server" && wait "$server"; } 2>/dev/null; server=; }
trap 'stop; rm -rf "$dir"' EXIT
failed=0
fail() { echo "FAIL: $*"; failed=1; }
# in_school NAME: the data directory of that name from here on; start: its server.
in_school() {
    [ -d "$dir/$1" ] || { mkdir "$dir/$1" && { [ "$(id -u)" != 0 ] || chown postgres "$dir/$1"; }; }
    export EDURAG_DATA_DIR=$dir/$1 EDURAG_SOCKET=$dir/$1/s EDURAG_SERVER=unix:$dir/$1/s
}
start() {
    "$build/eduragd" >"$dir/log" 2>&1 &
    server=$!
    for _ in $(seq 600); do "$build/edurag" ping >/dev/null 2>&1 && return; sleep 0.1; done
    cat "$dir/log"
    exit 1
}
psql=$(ls /usr/lib/postgresql/*/bin/psql | tail -n 1)
rows() {
    local as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid postgres --regid postgres --clear-groups)
    "${as[@]}" "$psql" -X -q -At -h "$EDURAG_DATA_DIR/run" -p 5432 -U postgres -d edurag -c "
        select c.oid::regclass, (xpath('/row/n/text()', query_to_xml('select count(*) as n from ' || c.oid::regclass, false, true, '')))[1]
          from pg_class c where c.relkind = 'r' and c.relnamespace in (select oid from pg_namespace where nspname in ('public', 'auth', 'api', 'worker'))
         order by c.oid::regclass::text"
}

in_school first
start
"$build/eduragd" user add --role teacher t1 'D. Novak' >"$dir/t1" || fail "t1 was not made"
"$build/eduragd" user add --role student s1 'Maria Okafor' >"$dir/s1" || fail "s1 was not made"
"$build/edurag" login t1 <"$dir/t1" >/dev/null 2>&1 || fail "t1 can't log in"
"$build/edurag" courses create BIO Biology >/dev/null || fail "no course"
"$build/edurag" courses enrol BIO s1 >/dev/null || fail "nobody enrolled"
pdf=$(ls "$build"/demo/*.pdf | head -n 1)
"$build/edurag" upload --wait --course BIO "$pdf" >/dev/null 2>"$dir/said" || fail "no lesson: $(cat "$dir/said")"
# A live school is backed up as it is: the server goes on.
"$build/eduragd" backup "$dir/school.backup" >"$dir/sum" 2>"$dir/said" || fail "backup: $(cat "$dir/said")"
(cd / && sha256sum -c --quiet "$dir/sum") || fail "the checksum is not the file's"
[ "$(stat -c %a "$dir/school.backup")" = 600 ] || fail "the backup is open to others"
"$build/eduragd" backup "$dir/school.backup" >/dev/null 2>"$dir/said" && fail "a backup was overwritten"
grep -q 'is there already' "$dir/said" || fail "not said why: $(cat "$dir/said")"
"$build/eduragd" restore "$dir/school.backup" >/dev/null 2>"$dir/said" && fail "restored over a school"
grep -q 'not empty' "$dir/said" || fail "not said why: $(cat "$dir/said")"
rows >"$dir/rows.first"
stop

# A damaged file restores nothing.
in_school second
size=$(stat -c %s "$dir/school.backup")
head -c $((size / 2)) "$dir/school.backup" >"$dir/half"
"$build/eduragd" restore "$dir/half" >/dev/null 2>&1 && fail "half a backup was restored"
"$build/eduragd" restore "$dir/school.backup" >"$dir/sum2" 2>"$dir/said" || fail "restore: $(cat "$dir/said")"
[ "$(cut -c1-64 "$dir/sum")" = "$(cut -c1-64 "$dir/sum2")" ] || fail "another checksum when restoring"
start
rows >"$dir/rows.second"
# What the nodes write by themselves may differ.
diff <(grep -vE 'nodes|login_failures' "$dir/rows.first") <(grep -vE 'nodes|login_failures' "$dir/rows.second") || fail "not the same rows"
[ "$(wc -l <"$dir/rows.second")" -gt 20 ] || fail "hardly any table"
"$build/edurag" login s1 <"$dir/s1" >/dev/null 2>"$dir/said" || fail "s1 can't log in afterwards: $(cat "$dir/said")"
"$build/edurag" search "energy" 2>&1 | grep -q 'page' || fail "nothing is found afterwards"
"$build/eduragd" doctor >"$dir/said" 2>&1
grep '^bad' "$dir/said" | grep -v 'survives a power cut' && fail "the hardening was lost"
[ "$failed" = 0 ] && echo "All as it should be."
exit "$failed"
