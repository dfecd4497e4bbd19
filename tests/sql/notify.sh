#!/bin/bash
# news.sh - what NOTIFY says, word for word as the head of 001_identity.sql promises: ids only, and short.
. "$(dirname "$0")/lib/cluster.bash"
cluster_start
db postgres -f "$here/lib/school.sql"
# The ids in what is heard become names.
{
    db postgres -At -c "select format('s/%s/<%s>/g', id, name) from (select 'user:' || who as name, user_id as id from t.who
        union all select name, id from t.ids union all select 'common', auth.open_course()) x"
    echo 's/[0-9a-f]\{8\}\(-[0-9a-f]\{4\}\)\{3\}-[0-9a-f]\{12\}/<id>/g'
} >"$dir/names.sed"
db postgres -At -F ' ' -c "select name, id from t.ids union all select 'user:' || who, user_id from t.who" | sed 's/ \([^ ]*\)$/\t\1/' >"$dir/ids"
db postgres -At -F ' ' -c 'select who, token from t.who' >"$dir/tokens"
failed=0 tried=0
id() { awk -F '\t' -v n="$1" '$1 == n {print $2}' "$dir/ids"; }
user() { id "user:$1"; }
# hears WANT WHO SQL: everything heard while WHO (a person, worker or postgres) runs SQL, sorted, one line.
hears() {
    local want=$1 who=$2 sql=$3 got token=
    case $who in
        worker) role=edurag_worker ;;
        postgres) role=postgres ;;
        *) role=edurag_app token=$(awk -v n="$who" '$1 == n {print $2}' "$dir/tokens") ;;
    esac
    {
        for c in session user index job model chat chat_deleted chat_expired presence mute memory enrolled; do echo "listen edurag_$c;"; done
        echo "\\! PGUSER=$role PGOPTIONS= psql -X -q -At -v ON_ERROR_STOP=1 -c \"set edurag.token = '$token'\" -c \"$sql\" >>$dir/act.log 2>&1 || echo 'Asynchronous notification \"edurag_FAILED\" with payload \"\" received'"
        echo 'select 1;'
    } >"$dir/listen.sql"
    PGUSER=edurag_worker psql -X -q -At -f "$dir/listen.sql" >"$dir/heard"
    ! grep -E 'payload ".{201,}"' "$dir/heard" || [ "${4:-}" = long ] || failed=$((failed + 1))
    got=$(sed -n 's/^Asynchronous notification "edurag_\([a-zA-Z_]*\)" with payload "\(.*\)" received.*/\1 \2/p' "$dir/heard" |
        sed -f "$dir/names.sed" | sort -u | paste -sd '|')
    tried=$((tried + 1))
    if [ "$got" != "$want" ]; then
        echo "not ok - $sql: heard “$got”, wanted “$want”"
        failed=$((failed + 1))
    fi
}
hears 'user <user:s1>' s1 "update public.users set avatar = 'x' where user_id = (select (auth.me()).user_id)"
hears '' s1 "update public.users set plain = true where user_id = (select (auth.me()).user_id)"
hears 'enrolled <user:s2> <bio>|user <user:s2>' t1 "select api.enrol('$(id bio)', '{s2}')"
hears 'user <user:s2>' t1 "select api.enrol('$(id bio)', '{s2}', true)"
hears 'session user <user:s2>|user <user:s2>' a1 "select api.user_update('$(user s2)', null, null, true)"
hears 'user <user:s2>' a1 "select api.user_update('$(user s2)', null, null, false)"
hears 'session user <user:s2>' a1 "select api.user_reset_password('$(user s2)')"
hears 'chat <common> 3' s1 "select api.chat_send(null, 'hello')"
hears 'chat_deleted <common> <line>' a1 "select api.chat_delete('$(id line)')"
hears 'mute <common> <user:s1>' a1 "select api.chat_mute(null, '$(user s1)', 60)"
db postgres -c "update public.chat_messages set expires_at = now()"
hears 'chat_expired <bio> <bio line>|chat_expired <common> <id> <id>' worker 'select worker.sweep_chat()' long
hears 'presence <art>' worker "insert into public.presence values ('node', '$(id art)', '$(user s1)')"
hears 'job <id>' t1 "select api.retry('$(id broken)')"
hears 'job <id>' worker "select job_id from worker.claim_job('n', 60)"
hears '' worker "select worker.renew_job(job_id, lease, 60) from public.index_jobs where lease is not null"
hears 'job <id>' worker "select worker.renew_job(job_id, lease, 60, 'extracting', 9, 1) from public.index_jobs where lease is not null"
hears 'index <open>' t1 "update public.pdfs set title = 'Other' where pdf_id = '$(id open)'"
hears 'index <open>' t1 "delete from public.pdfs where pdf_id = '$(id open)'"
hears 'memory fact' s1 "insert into public.memory_facts (fact, fact_key, source, state) values ('a fact', 'k', 'client', 'pending')"
hears '' s1 "insert into public.memory_facts (fact, fact_key, source) values ('kept here', 'l', 'client')"
hears 'memory erasure' s1 "select api.forget(null)"
hears 'model m3' worker "update public.embedding_models set fusion_weight = 0.5 where model = 'm3'"
hears 'session sid <id>' s1 'select api.refresh()'
hears 'session user <user:t2>' t2 'select api.logout(true)'
hears '' nobody "select api.login('s1', 'wrong')"
hears 'memory erasure|presence <art>|presence <bio>|session user <user:s1>|user <user:s1>' a1 "select api.user_delete('$(user s1)')"
[ "$failed" = 0 ] || cat "$dir/act.log"
echo "$tried events, $failed not told as promised"
[ "$failed" = 0 ]
