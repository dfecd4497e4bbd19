#!/bin/bash
# queries.sh - every compiled-in query is prepared against the migrated schema, and planned with the rights
# of the role that its name says: owner_... the owner, worker_... a node, all others the app or a node.
. "$(dirname "$0")/lib/cluster.bash"
cluster_start
awk -v part=sql -f "$root/sql/queries.awk" "$root"/sql/queries/*.sql </dev/null >"$dir/list"
# A line a query: name, number of values, text with line ends as blanks. Utility statements can't be prepared in SQL.
grep -vE $'^[^\t]*\t[0-9]*\t(begin|commit|rollback|listen|unlisten|set |savepoint|release|deallocate|notify)' "$dir/list" >"$dir/queries"
for role in edurag_owner edurag_app edurag_worker; do
    awk -F '\t' -v role=$role '
        BEGIN { print "set plan_cache_mode = force_generic_plan;" }
        ($1 ~ /^owner_/) == (role == "edurag_owner") && ($1 !~ /^worker_/ || role == "edurag_worker") {
            nulls = ""; for (i = 0; i < $2; i++) nulls = nulls (i ? ", " : "(") "null"; if ($2) nulls = nulls ")"
            print "prepare " $1 " as " $3 ";\n\\if :ERROR\n\\echo -\n\\else\nexplain (costs off) execute " $1 nulls ";"
            print "\\if :ERROR\n\\else\n\\echo ok " $1 "\n\\endif\n\\endif"
        }' "$dir/queries" >"$dir/$role.sql"
    PGUSER=$role psql -X -q -At -f "$dir/$role.sql" >"$dir/$role.out" 2>"$dir/$role.err"
done
cat "$dir"/*.out | sed -n 's/^ok //p' | sort -u >"$dir/good"
cut -f 1 "$dir/queries" | sort -u >"$dir/all"
bad=$(comm -23 "$dir/all" "$dir/good")
echo "$(wc -l <"$dir/all") queries${bad:+, not prepared: $bad}"
for name in $bad; do
    text=$(awk -F '\t' -v n="$name" '$1 == n {print $3}' "$dir/queries")
    db "$(case $name in owner_*) echo edurag_owner ;; worker_*) echo edurag_worker ;; *) echo edurag_app ;; esac)" -c "prepare q as $text" || true
done
[ -z "$bad" ] && [ "$(wc -l <"$dir/all")" -gt 20 ]
