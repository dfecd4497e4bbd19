#!/bin/bash
# queries.sh - every compiled-in query is prepared against the migrated schema, and planned with the rights
# of the role that its name says: owner_... the owner, worker_... a node, all others the app or a node.
. "$(dirname "$0")/lib/cluster.bash"
cluster_start
awk -v part=sql -f "$root/sql/queries.awk" "$root"/sql/queries/*.sql </dev/null >"$dir/list"
failed=0 count=0
# A line a query: name, number of values, text with line ends as blanks.
while IFS=$'\t' read -r name values text; do
    case $text in begin* | commit* | rollback* | listen* | unlisten* | set\ * | savepoint* | release* | deallocate* | notify*) continue ;; esac
    nulls=$(printf 'null,%.0s' $(seq "$values"))
    [ "$values" != 0 ] && call="execute q(${nulls%,})" || call='execute q'
    case $name in owner_*) roles=edurag_owner ;; worker_*) roles=edurag_worker ;; *) roles='edurag_app edurag_worker' ;; esac
    ok=
    : >"$dir/errors"
    for role in $roles; do
        if PGUSER=$role psql -X -q -v ON_ERROR_STOP=1 -c 'set plan_cache_mode = force_generic_plan' -c "prepare q as $text" -c "explain $call" >/dev/null 2>>"$dir/errors"; then
            ok=1
            break
        fi
    done
    count=$((count + 1))
    [ -n "$ok" ] || { echo "not ok - $name"; sed 's/^/    /' "$dir/errors"; failed=$((failed + 1)); }
done <"$dir/list"
echo "$count queries, $failed can not be prepared"
[ "$count" -gt 20 ] && [ "$failed" = 0 ]
