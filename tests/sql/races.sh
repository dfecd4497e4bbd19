#!/bin/bash
# races.sh - several connections at once: nothing is doubled, nothing half written, no deadlock.
. "$(dirname "$0")/lib/cluster.bash"
cluster_start
db postgres -f "$here/lib/school.sql"
seconds=${SECONDS_PER_RACE:-4}
db postgres <<'SQL'
-- Ten documents that are replaced, given new vectors, deleted and put back by several hands at once.
create procedure t.replacing(seed float8, seconds int) language plpgsql as $$
declare
    until timestamptz := clock_timestamp() + seconds * interval '1 second';
    j public.index_jobs;
    n int;
    done int := 0;
begin
    perform setseed(seed);
    while clock_timestamp() < until loop
        n := floor(random() * 10);
        perform t.put(n);
        commit;
        insert into public.index_jobs (pdf_id, kind, model)
        select pdf_id, case when indexed_at is null or random() < 0.5 then 'index' else 'embed' end, case when random() < 0.5 then 'm2' else 'm3' end
          from public.pdfs where filename = 'race' || n and failed_at is null for key share on conflict do nothing;
        commit;
        select * into j from worker.claim_job('race' || seed, 60);
        commit;
        if j.job_id is null then continue; end if;
        if random() < 0.1 then
            perform worker.fail_job(j.job_id, j.lease, 'A race.', random() < 0.5);
        elsif j.kind = 'embed' then
            done := done + worker.store_vectors(j.job_id, j.lease)::int;
        else
            done := done + worker.store_document(j.job_id, j.lease, case when random() < 0.5 then 'm2' else 'm3' end, 'x', null,
                '[{"page": 1, "status": "ok", "text": "chunk"}]',
                (select jsonb_agg(jsonb_build_object('first_page', 1, 'last_page', 1, 'start_offset', 0, 'end_offset', 1, 'text', 'chunk ' || k))
                   from generate_series(1, 1 + floor(random() * 20)::int) k), '[]')::int;
        end if;
        commit;
    end loop;
    raise warning 'stored %', done;
end $$;
create function t.put(n int) returns void language sql volatile begin atomic
    with f as (insert into public.pdf_files default values returning file_id)
    insert into public.pdfs (file_id, title, filename, size, sha256) select file_id, 'race', 'race' || n, 1, repeat(n::text, 64) from f on conflict do nothing;
end;
create procedure t.deleting(seed float8, seconds int) language plpgsql as $$
declare
    until timestamptz := clock_timestamp() + seconds * interval '1 second';
begin
    perform setseed(seed);
    while clock_timestamp() < until loop
        delete from public.pdfs where filename = 'race' || floor(random() * 10)::int;
        commit;
        perform pg_sleep(0.01);
    end loop;
end $$;
insert into public.embedding_cache (model, text_sha256, vector)
select m.model, sha256(convert_to('chunk ' || k, 'UTF8')), array_fill(1::real, array[m.dim]) from public.embedding_models m, generate_series(1, 20) k;
delete from public.index_jobs where state = 'queued';
SQL
export PGOPTIONS='-c client_min_messages=warning'
pids=()
race() {
    PGUSER=$1 psql -X -q -At -v VERBOSITY=sqlstate -c "$2" >>"$dir/race.$3" 2>&1 &
    pids+=($!)
}
for i in 1 2 3 4; do race postgres "call t.replacing(0.$i, $seconds)" "replace$i"; done
for i in 5 6 7; do race postgres "call t.deleting(0.$i, $seconds)" "delete$i"; done
wait "${pids[@]}" || true
failed=0
say() { echo "not ok - $1"; failed=$((failed + 1)); }
! grep -h ERROR "$dir"/race.* || say 'a replacer or deleter stopped'
stored=$(grep -ho 'stored [0-9]*' "$dir/server.log" | awk '{n += $2} END {print n + 0}')
[ "$stored" -gt 0 ] || say 'nothing was stored'
bad=$(db postgres -At -c "select count(*) from public.pdfs p where p.indexed_at is not null and (
        not exists (select from public.pdf_chunks c where c.pdf_id = p.pdf_id) or exists (select from public.pdf_chunks c where c.pdf_id = p.pdf_id
        and not exists (select from public.rag_embeddings e where e.chunk_id = c.chunk_id and e.model = p.embedding_model)))")
[ "$bad" = 0 ] || say "$bad documents are indexed without all their vectors"
[ "$(db postgres -At -c "select count(*) from public.pdf_files f where not exists (select from public.pdfs p where p.file_id = f.file_id)
        and not exists (select from public.uploads u where u.file_id = f.file_id) and f.created_at > now() - interval '0 s'")" = 0 ] || say 'bytes without a document'

# Each job goes to one claimer.
db postgres -c "delete from public.index_jobs; select t.put(n) from generate_series(0, 9) n; insert into public.index_jobs (pdf_id) select pdf_id from public.pdfs" >/dev/null
pids=()
for i in 1 2 3 4; do
    for k in 1 2 3 4; do echo 'select job_id from worker.claim_job('"'n$i'"', 60);'; done >"$dir/claim.sql"
    PGUSER=edurag_worker psql -X -q -At -f "$dir/claim.sql" >"$dir/claimed.$i" &
    pids+=($!)
done
wait "${pids[@]}"
sort "$dir"/claimed.* | uniq -d | grep . && say 'one job was claimed twice'
[ "$(cat "$dir"/claimed.* | wc -l)" -ge 10 ] || say 'jobs were left over'

# Chat: numbers without gaps, in the order of the commits, and one line for one client_id.
pids=()
for who in s1 s2 t1 t2; do
    t=$(db postgres -At -c "select t.token('$who')")
    { echo "set edurag.token = '$t';"; for n in $(seq 50); do echo "select api.chat_send(null, 'race $n', 'k$n');"; echo "select api.chat_send(null, 'race $n', 'k$n');"; done; } >"$dir/chat.$who.sql"
    PGUSER=edurag_app psql -X -q -At -v ON_ERROR_STOP=1 -f "$dir/chat.$who.sql" >/dev/null &
    pids+=($!)
done
for p in "${pids[@]}"; do wait "$p" || say 'a sender stopped'; done
read -r lines last disorder <<<"$(db postgres -At -F ' ' -c "select count(*), max(seq) - min(seq) + 1, count(*) filter (where at < before)
    from (select *, lag(at) over (order by seq) as before from public.chat_messages where text like 'race%') m")"
[ "$lines $last $disorder" = '200 200 0' ] || say "chat: $lines lines, numbers span $last, $disorder out of order"

# A token is refreshed once; of two first logins past the free failures one is checked.
pids=()
t=$(db postgres -At -c "select api.login('s1', 'password-s1', 'x') ->> 'token'")
for i in 1 2 3 4; do
    PGUSER=edurag_app psql -X -q -At -c "set edurag.token = '$t'" -c 'select api.refresh() ? '"'token'" >"$dir/refresh.$i" 2>&1 &
    pids+=($!)
done
wait "${pids[@]}" || true
[ "$(cat "$dir"/refresh.* | grep -c '^t$')" = 1 ] || say 'one token was refreshed twice'

# The same file begun in two windows is one upload; two teachers commit it into one place once.
sha=$(printf '%%PDF-race' | sha256sum | cut -d' ' -f1)
pids=()
for i in 1 2 3 4; do
    who=t$((i % 2 + 1))
    t=$(db postgres -At -c "select token from t.who where who = '$who'")
    PGUSER=edurag_app psql -X -q -At -c "set edurag.token = '$t'" -c "select api.upload_begin('r.pdf', 9, '$sha') ->> 'upload_id' as id" \
        -c "select api.upload_chunk((select upload_id from public.uploads where sha256 = '$sha'), 0, '%PDF-race')" \
        -c "select api.upload_commit((select upload_id from public.uploads where sha256 = '$sha'), '$sha')" >"$dir/upload.$i" 2>&1 &
    pids+=($!)
done
wait "${pids[@]}" || true
[ "$(cat "$dir"/upload.* | grep -c accepted)" = 1 ] || { cat "$dir"/upload.*; say 'the file was not accepted exactly once'; }

# Put into a course, taken out, leaving, muted, promoted, switched off and erased, all at once.
db postgres <<'SQL'
insert into t.who (who, user_id) select 'p' || n, (auth.user_add(null, 'p' || n, 'P', 'student', 'password-p' || n) #>> '{user,user_id}')::uuid from generate_series(1, 6) n;
update t.who set token = api.login(who, 'password-' || who, 'test') ->> 'token' where who like 'p_' or who in ('t1', 'a1');
-- One hand: again and again one of its calls, each as somebody. What is refused is refused; a deadlock is one too many.
create procedure t.calling(seed float8, seconds int, calls text[]) language plpgsql as $$
declare
    until timestamptz := clock_timestamp() + seconds * interval '1 second';
    person text;
begin
    perform setseed(seed);
    while clock_timestamp() < until loop
        person := 'p' || 1 + floor(random() * 6)::int;
        perform set_config('edurag.token', t.token(case when calls[1] = 'self' then person else calls[1] end), false);
        begin
            execute replace(calls[2 + floor(random() * (cardinality(calls) - 1))::int], '@', person);
        exception when deadlock_detected then raise warning 'deadlock'; when others then null;
        end;
        commit;
    end loop;
end $$;
SQL
pids=()
many="'select api.enrol(t.id(''bio''), ''{p1,p3,p5,p2}'')', 'select api.enrol(t.id(''bio''), ''{@,p4}'')', 'select api.enrol(t.id(''bio''), ''{@,p2}'', true)'"
race postgres "call t.calling(0.1, $seconds, array['t1', $many, 'select api.chat_mute(t.id(''bio''), t.user_id(''@''), 9)', 'select api.reflection_begin(t.user_id(''@''))'])" calls1
race postgres "call t.calling(0.2, $seconds, array['a1', $many, 'select api.chat_mute(null, t.user_id(''@''), 9)'])" calls2
race postgres "call t.calling(0.3, $seconds, array['self', 'select api.leave(t.id(''bio''))', 'select api.chat_send(t.id(''bio''), ''hello'')', 'select api.forget(null)', 'select api.memory_export()'])" calls3
race postgres "call t.calling(0.4, $seconds, array['a1', 'update public.users set role = case role when ''student'' then ''teacher'' else ''student'' end where user_id = t.user_id(''@'')',
    'update public.users set disabled = not disabled where user_id = t.user_id(''@'')', 'select worker.sweep_kept(1, 1)', 'select api.user_delete(t.user_id(''p6''))'])" calls4
wait "${pids[@]}" || true
! grep -h deadlock "$dir"/race.calls* || say 'a deadlock of people and courses'
bad=$(db postgres -At -c "select count(*) from public.courses c where c.members <> (select count(*) from public.enrolments e where e.course_id = c.course_id)")
[ "$bad" = 0 ] || say "$bad courses do not know how many are in them"

grep -h 'deadlock' "$dir/server.log" && say 'a deadlock'
echo "$failed races lost ($stored stored)"
[ "$failed" = 0 ]
