#!/bin/bash
# doctor.sh - `eduragd doctor` finds a healthy school healthy, and each thing that is put out of joint.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
dir=$(mktemp -d /tmp/edurag-doctor.XXXXXX) && chmod 755 "$dir" || exit 2
# Without root the data directory is ours; with it, of the account that eduragd becomes.
mkdir "$dir/data" && { [ "$(id -u)" != 0 ] || chown postgres "$dir/data"; }
for name in $(compgen -e | grep -E '^(EDURAG_|HINDSIGHT_|GEMINI_|OPENAI_)'); do
    case $name in EDURAG_BUILD) ;; *) unset "$name" ;; esac
done
export EDURAG_DATA_DIR=$dir/data EDURAG_LISTEN=off EDURAG_SOCKET=$dir/data/s EDURAG_BCRYPT_COST=4 EDURAG_LOG=error
server=
finish() {
    [ -z "$server" ] || { kill -TERM "$server" && wait "$server"; } 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT
failed=0
fail() { echo "FAIL: $*"; sed 's/^/    /' "$dir/said" 2>/dev/null; failed=1; }

# doctor EXIT_CODE LINE...: what it ends with, and lines that begin like this.
doctor() {
    local want=$1 code line
    shift
    "$build/eduragd" doctor >"$dir/said" 2>&1
    code=$?
    [ "$code" = "$want" ] || fail "exit code $code, not $want"
    for line in "$@"; do grep -qF -- "$line" "$dir/said" || fail "not said: $line"; done
}

doctor 0 'warn database: there is none'
"$build/eduragd" >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 600); do [ -S "$EDURAG_SOCKET" ] && break; sleep 0.1; done
[ -S "$EDURAG_SOCKET" ] || { cat "$dir/log"; exit 1; }
doctor 0 'ok   settings' 'ok   open files' 'ok   clock of the database' 'ok   database: row security is enabled' 'ok   answers: extractive'
grep -q '^bad' "$dir/said" && fail "a healthy school is ill"

psql=$(ls /usr/lib/postgresql/*/bin/psql | tail -n 1)
sql() {
    local as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid postgres --regid postgres --clear-groups)
    "${as[@]}" "$psql" -X -q -h "$dir/data/run" -p 5432 -U postgres -d edurag -v ON_ERROR_STOP=1 -c "$1" >"$dir/psql" 2>&1 ||
        { cat "$dir/psql"; fail "$1"; }
}
while IFS='|' read -r harm mend line; do
    sql "$harm"
    doctor 1 "bad  database: not so: $line"
    sql "$mend"
done <<'E2'
alter role edurag_app bypassrls|alter role edurag_app nobypassrls|no role is a superuser, passes row security by, or makes roles and databases (edurag_app)
alter role edurag_worker createrole|alter role edurag_worker nocreaterole|no role is a superuser, passes row security by, or makes roles and databases (edurag_worker)
alter table users no force row level security|alter table users force row level security|row security is enabled and forced on every table (users)
create table public.extra (a int)|drop table public.extra|row security is enabled and forced on every table (extra)
alter function auth.sessions_ended() reset search_path|alter function auth.sessions_ended() set search_path = pg_catalog, pg_temp|functions with the owner's rights fix their search_path (auth.sessions_ended())
grant execute on function auth.sessions_ended() to public|revoke execute on function auth.sessions_ended() from public|functions with the owner's rights are closed to strangers (auth.sessions_ended())
grant temporary on database edurag to public|call auth.close_database()|strangers may not connect to the database or make anything in it (temporary)
grant create on database edurag to edurag_app|revoke create on database edurag from edurag_app|the logins of nodes may make no schemas
grant create on schema public to edurag_worker|revoke create on schema public from edurag_worker|the schema public is closed to the logins of nodes (edurag_worker)
alter role edurag_owner set log_min_duration_statement = 0; alter role edurag_owner set log_parameter_max_length = -1|alter role edurag_owner reset all|the log keeps no values, which are tokens and passwords
alter role edurag_owner set log_parameter_max_length_on_error = -1|alter role edurag_owner reset all|the log keeps no values of statements that fail
E2
# A role that has been made a member does not start any more, so the server's own check finds it as well.
sql 'grant edurag_owner to edurag_app'
doctor 1 'bad  database: not so: the logins of nodes are members of no other role (edurag_app of edurag_owner)'
sql 'revoke edurag_owner from edurag_app'
doctor 0

EDURAG_PING=never doctor 1 'bad  settings: EDURAG_PING must be' 'warn database and services: not looked at'
EDURAG_GENERATION=openai OPENAI_BASE_URL=http://127.0.0.1:9/v1 doctor 1 'bad  answers: openai does not answer' 'ok   memory: builtin'
EDURAG_CONNECTIONS=100 doctor 0
grep -qE 'EDURAG_(ADDRESS_DAYS|AUDIT_DAYS|TRENDING_INTERVAL)' "$dir/said" && fail "the defaults are said to tell too much"
EDURAG_ADDRESS_DAYS=3650 EDURAG_AUDIT_DAYS=3650 EDURAG_TRENDING_INTERVAL=1 doctor 0 'warn EDURAG_ADDRESS_DAYS keeps for 3650 days' \
    'warn EDURAG_AUDIT_DAYS keeps for 3650 days' 'warn EDURAG_TRENDING_INTERVAL is 1 s'
(ulimit -n 200 && EDURAG_CONNECTIONS=100 doctor 1 'bad  open files: 200 are allowed' && exit $failed) || failed=1
[ "$failed" = 0 ] && echo "All as it should be."
exit "$failed"
