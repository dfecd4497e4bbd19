# cluster.bash - a private PostgreSQL for one test: `. lib/cluster.bash; cluster_start`.
# Its own directory, Unix socket only, roles and migrations applied as an administrator would; stopped and
# removed when the test ends. Then: db ROLE psql-arguments..., and the variable $dir. `schema=NNN` stops before migration NNN.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
here=$root/tests/sql
bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$bin/initdb" ] || { echo "skipped: no PostgreSQL server is installed"; exit 77; }

# PostgreSQL refuses to run as root.
as_server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups env -C / "$@"
    else
        "$@"
    fi
}
cluster_stop() {
    [ ! -f "$dir/data/postmaster.pid" ] || as_server "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
cluster_start() {
    dir=$(mktemp -d /tmp/edurag-sql.XXXXXX)
    trap cluster_stop EXIT
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    as_server "$bin/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 -N >"$dir/initdb.log" 2>&1 ||
        { cat "$dir/initdb.log"; exit 1; }
    as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 30 start >/dev/null \
        -o "-c listen_addresses= -k $dir -c fsync=off -c shared_buffers=32MB -c max_connections=40 -c jit=off" ||
        { cat "$dir/server.log"; exit 1; }
    export PGHOST=$dir PGDATABASE=postgres PGOPTIONS='-c client_min_messages=warning'
    db postgres -f "$root/sql/roles.sql"
    db postgres -c "create database edurag owner edurag_owner encoding 'UTF8' template template0"
    PGDATABASE=edurag
    db postgres -f "$root/sql/roles.sql"
    for file in "$root"/sql/migrations/*.sql; do
        [[ "$(basename "$file")" > "${schema:-999}" ]] || db edurag_owner -1 -f "$file"
    done
    db edurag_owner -c "select auth.configure('{\"bcrypt_cost\": 4}')" >/dev/null
}
db() {
    local role=$1
    shift
    PGUSER=$role psql -X -q -v ON_ERROR_STOP=1 "$@"
}
# The pgTAP files named, as the superuser, after lib/school.sql has put a small school there.
prove_files() {
    db postgres -c 'create schema tap; create extension pgtap schema tap'
    db postgres -f "$here/lib/school.sql"
    export PGOPTIONS='-c client_min_messages=warning -c search_path=tap,public'
    PGUSER=postgres pg_prove -q --ext .sql "$@" || {
        PGUSER=postgres pg_prove -v --ext .sql "$@" 2>&1 | grep -A 12 -E '^not ok|ERROR' | grep -v '^ok' || true
        exit 1
    }
}
