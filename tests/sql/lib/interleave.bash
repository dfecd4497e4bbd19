# interleave.bash - one call waits for what another transaction changes, and asks again after the wait.
# `. lib/cluster.bash; cluster_start; . lib/interleave.bash`, then: interleave..., and interleave_done at the end.
# Each case: a transaction changes somebody or something and stays open; a call is begun and is seen to wait; the
# transaction commits; what the call then says, and what stands in the tables, must fit the change.
failed=0 cases=0
say() { echo "not ok - $1"; failed=$((failed + 1)); }
value() { db postgres -At -c "$1"; }
waiting() { value "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"; }

# interleave NAME CHANGE WHO CALL EXPECTED [AFTER]: WHO has an account of lib/school.sql, or is - (a stranger) or
# edurag_owner; EXPECTED is the call's first answer or its SQLSTATE; AFTER must hold then.
interleave() {
    local name=$1 change=$2 role=edurag_app token='' got tries
    cases=$((cases + 1))
    case $3 in edurag_owner) role=$3 ;; -) ;; *) token=$(value "select t.token('$3')") ;; esac
    coproc holder { PGUSER=postgres psql -X -q -At 2>&1; }
    local out=${holder[0]} in=${holder[1]} pid=$holder_PID
    printf 'begin; %s; select %s;\n' "$change" "'held'" >&"$in"
    while read -r -u "$out" line; do
        case $line in held) break ;; *ERROR*) say "$name: $line" ;; esac
    done
    PGUSER=$role psql -X -q -At -v VERBOSITY=sqlstate -c "set edurag.token = '$token'" -c "select $4" >"$dir/call" 2>&1 &
    local call=$!
    for ((tries = 0; tries < 600; tries++)); do
        [ "$(waiting)" = 0 ] || break
        kill -0 "$call" 2>/dev/null || break
        sleep 0.05
    done
    kill -0 "$call" 2>/dev/null || say "$name: the call did not wait"
    echo 'commit;' >&"$in"
    eval "exec $in>&-"
    wait "$call" || true
    wait "$pid" 2>/dev/null || true
    got=$(sed -n 's/^ERROR:  \([A-Z0-9]*\).*/\1/; p; q' "$dir/call")
    [ "$got" = "$5" ] || say "$name: said '$got' instead of '$5'"
    [ -z "${6-}" ] || [ "$(value "select $6")" = t ] || say "$name: not true afterwards: $6"
}
interleave_done() {
    grep -h 'deadlock' "$dir/server.log" && say 'a deadlock'
    echo "$cases cases, $failed lost"
    [ "$failed" = 0 ]
}
