-- memory.sql - what is remembered about the caller; always as that person, but for the worker's part below.

-- name: memory_retain
select r.fact_id, r.fact from api.retain(:fact, :fact_key, :source, :topic, :course_id::uuid, :state) r

-- name: memory_course_title
select c.title from public.courses c where c.course_id = :course_id::uuid

-- What recall ranks: the latest facts of the caller.
-- name: memory_facts
select f.fact_id, f.fact, f.count, extract(epoch from now() - f.at)::bigint, api.utc(f.at), f.topic, f.source,
       extract(epoch from now() - f.first_at)::bigint, f.course_id
  from public.memory_facts f order by f.at desc, f.fact_id limit :most::int

-- name: memory_list
with page as (
    select f.*, row_number() over (order by f.at desc, f.fact_id desc) as n
      from public.memory_facts f, (select api.cursor_key(:cursor, 'timestamptz,uuid') as key) k
     where (k.key is null or (f.at, f.fact_id) < ((k.key ->> 0)::timestamptz, (k.key ->> 1)::uuid))
       and (:query::text is null or f.fact ilike api.like_pattern(:query::text))
     order by f.at desc, f.fact_id desc limit :limit::int + 1
)
select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('fact_id', p.fact_id, 'fact', p.fact, 'source', p.source, 'count', p.count,
        'at', api.utc(p.at)) order by p.n) filter (where p.n <= :limit::int), '[]'),
    'next_cursor', case when count(*) > :limit::int then (
        select api.cursor(jsonb_build_array(l.at, l.fact_id)) from page l where l.n = :limit::int) end)
  from page p

-- name: memory_forget
select api.forget(:fact_id::uuid)::text

-- name: memory_export
select api.memory_export()

-- name: memory_access_log
with page as (
    select l.*, row_number() over (order by l.at desc, l.access_id desc) as n
      from public.memory_access_log l, (select api.cursor_key(:cursor, 'timestamptz,uuid') as key) k
     where k.key is null or (l.at, l.access_id) < ((k.key ->> 0)::timestamptz, (k.key ->> 1)::uuid)
     order by l.at desc, l.access_id desc limit :limit::int + 1
)
select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('at', api.utc(p.at), 'by', coalesce(p.by_name, 'somebody who is no longer here'),
        'role', p.role, 'action', p.action) order by p.n) filter (where p.n <= :limit::int), '[]'),
    'next_cursor', case when count(*) > :limit::int then (
        select api.cursor(jsonb_build_array(l.at, l.access_id)) from page l where l.n = :limit::int) end)
  from page p

-- name: memory_status
select count(*), count(*) filter (where f.state in ('pending', 'sent')) + (select count(*) from public.erasures e where e.state = 'pending'),
       count(*) filter (where f.state = 'failed') + (select count(*) from public.erasures e where e.state = 'failed'),
       coalesce((array_agg(f.error_message order by f.at desc) filter (where f.error_message is not null))[1],
                (select e.error_message from public.erasures e where e.error_message is not null order by e.created_at desc limit 1))
  from public.memory_facts f

-- name: memory_opened
select o.pdf_id, o.page from public.page_opens o order by o.last_at desc limit :most::int

-- name: memory_reflection_begin
select api.reflection_begin(:user_id::uuid)::text

-- As the worker.
-- name: memory_reflection_sweep
select worker.sweep_reflections()

-- What a reflection on somebody else is computed from.
-- name: worker_reflection_rows
select worker.reflection_rows(:reflection_id::uuid)::text

-- What the documents of these courses call things: titles and headings without their numbers.
-- name: worker_subjects
with scope as (
    select p.pdf_id, p.title, p.outline from public.pdfs p
     where p.indexed_at is not null and coalesce(p.course_id, auth.open_course()) = any (:courses::uuid[])
), names as (
    select s.title as name from scope s
    union select o ->> 'title' from scope s, jsonb_array_elements(s.outline) o
    union select c.heading from scope s join public.pdf_chunks c using (pdf_id)
)
select distinct x.name
  from (select btrim(regexp_replace(regexp_replace(n.name, '^.*> *', ''), '^[0-9]+([.][0-9]+)*[.)]? +', '')) as name from names n) x
 where char_length(x.name) between 2 and 120 order by x.name limit :most::int

-- name: worker_sweep_kept
select worker.sweep_kept(:audit_days::int, :address_days::int)

-- name: memory_reflection_end
select api.reflection_end(:reflection_id::uuid, :provider, :summary, :error_message)::text

-- A topic of the open library and of a course of the caller's is one.
-- name: trending_list
select jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object('topic', t.topic, 'searches', t.people,
    'searchers', t.people) order by t.people desc, t.topic), '[]'))
  from (select x.topic, max(x.searchers) as people from public.trending x group by x.topic
         order by 2 desc, 1 limit coalesce(:limit::int, 10)) t

-- name: worker_trending_places
select worker.trending_places(:people::int)

-- name: worker_trending_searches
select s.query, s.user_id from worker.trending_searches(:course_id::uuid, :most::int) s

-- name: worker_trending_take
select worker.trending_take(:course_id::uuid, :people::int, :topics::text[], :counts::int[], :gone::text[])

-- name: worker_trending_known
select t from worker.trending_known(:course_id::uuid) t

-- no pause is ten minutes long: such a time is from before the clock was put back
-- name: memory_sync_claim
with next as (
    select f.fact_id from public.memory_facts f
     where f.state in ('pending', 'sent') and (f.run_after <= now() or f.run_after > now() + interval '10 minutes') order by f.run_after limit :most::int for update skip locked
)
update public.memory_facts f set run_after = now() + interval '1 minute',
       operation_id = coalesce(f.operation_id, gen_random_uuid())
  from next where f.fact_id = next.fact_id
returning f.fact_id, f.user_id, f.fact, f.source, api.utc(f.first_at), f.state, f.operation_id, f.attempts

-- What came of it. An empty operation: the next sending takes a new one.
-- name: memory_sync_note
update public.memory_facts f set state = :state, attempts = :attempts::int,
       operation_id = nullif(:operation_id, '')::uuid, run_after = now() + :seconds::int * interval '1 second',
       synced_at = case when :state = 'synced' then now() end, failed_at = case when :state = 'failed' then now() end,
       error_message = case when :state <> 'synced' then coalesce(:error_message, f.error_message) end
 where f.fact_id = :fact_id::uuid

-- name: memory_erasure_claim
with next as (
    select e.erasure_id from public.erasures e
     where e.state = 'pending' and (e.run_after <= now() or e.run_after > now() + interval '10 minutes') order by e.run_after limit :most::int for update skip locked
)
update public.erasures e set run_after = now() + interval '1 minute'
  from next where e.erasure_id = next.erasure_id
returning e.erasure_id, e.user_id, e.kind, e.fact_id, e.operation_id, e.attempts

-- name: memory_erasure_note
update public.erasures e set state = :state, attempts = :attempts::int, run_after = now() + :seconds::int * interval '1 second',
       done_at = case when :state = 'done' then now() end, failed_at = case when :state = 'failed' then now() end,
       error_message = case when :state <> 'done' then :error_message end
 where e.erasure_id = :erasure_id::uuid

-- A page was opened in the reader. Tells which section that is (the asked passage's own heading; else the outline's first
-- entry on the page, or its last one before), and whether it had never been opened.
-- name: memory_open
with place as (
    select p.pdf_id, p.title, p.course_id, coalesce((
        select nullif(split_part(c.heading, ' > ', -1), '') from public.pdf_chunks c
         where c.pdf_id = p.pdf_id and c.chunk_id::text = :chunk_ids::jsonb ->> 0), (
        select o ->> 'title' from jsonb_array_elements(p.outline) with ordinality as e (o, n)
         where (o ->> 'page')::int <= :page::int
         order by (o ->> 'page')::int desc, case when (o ->> 'page')::int = :page::int then n else -n end limit 1), '') as section
      from public.pdfs p where p.pdf_id = :pdf_id::uuid
), before as (
    select from public.page_opens o join place on o.pdf_id = place.pdf_id and o.section = place.section
), done as (
    insert into public.page_opens as o (pdf_id, page, section) select place.pdf_id, :page::int, place.section from place
    on conflict (user_id, pdf_id, page) do update set opens = o.opens + 1, last_at = now(), section = excluded.section
)
select coalesce(nullif(place.section, ''), place.title), case when place.section <> '' then place.title end, place.course_id,
       not exists (select from before)
  from place
