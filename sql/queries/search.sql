-- search.sql - searching, asking, and what a person has searched; always as that person.

-- whose documents: courses (with the open library's) and the person
-- name: search_asker
select a.courses, a.user_id from api.search_asker() a

-- The rows behind the index's candidates, in their order; what the person may not see is not there.
-- name: search_passages
select c.chunk_id, c.pdf_id, p.title, c.first_page, c.last_page, c.first_label, c.last_label, c.heading, c.text, c.spans,
       case when c.last_page > c.first_page + 1 then (
           select jsonb_object_agg(g.page, g.label) from public.pdf_pages g
            where g.pdf_id = c.pdf_id and g.page between c.first_page and c.last_page) end,
       c.ordinal
  from unnest(:chunk_ids::uuid[]) with ordinality w(chunk_id, n)
  join public.pdf_chunks c on c.chunk_id = w.chunk_id
  join public.pdfs p on p.pdf_id = c.pdf_id
 where p.indexed_at is not null
 order by w.n

-- With what it tells of the person, or (fact null) without.
-- name: search_record
select api.search_record(:query, :results::int, :course_id::uuid, :thread_id::uuid, :fact, :fact_key, :topic, :state)

-- Passages went while they were fetched.
-- name: search_recount
update public.search_history set results = :results::int where search_id = :search_id::uuid

-- The thread that goes on, or a new one; no row: it is not this person's.
-- name: search_open_thread
with new as (
    insert into public.threads (course_id) select :course_id::uuid where :thread_id::uuid is null returning thread_id
)
select thread_id from new
union all select t.thread_id from public.threads t where t.thread_id = :thread_id::uuid

-- The turns that a model is reminded of, oldest first.
-- name: search_earlier
select t.query, t.answer
  from (select r.query, r.answer, r.at, r.search_id from public.turns r
         where r.thread_id = :thread_id::uuid order by r.at desc, r.search_id desc limit 8) t
 order by t.at, t.search_id

-- name: search_record_turn
insert into public.turns (search_id, thread_id, query, answer, citations, sentences, grounded, generation, memory_used)
values (:search_id::uuid, :thread_id::uuid, :query, :answer, :citations::jsonb, :sentences::jsonb, :grounded::boolean,
        :generation, :memory_used::int)

-- name: search_thread
select case when exists (select from public.threads t where t.thread_id = :thread_id::uuid) then (
        select jsonb_build_object('turns', coalesce(jsonb_agg(jsonb_build_object('search_id', r.search_id, 'query', r.query,
            'answer', r.answer, 'citations', r.citations, 'at', api.utc(r.at)) order by r.at, r.search_id), '[]'))
          from public.turns r where r.thread_id = :thread_id::uuid)
    else api.refuse('not_found', 'There is no such thread, or no longer.') end

-- name: search_history
with page as (
    select h.*, row_number() over (order by h.at desc, h.search_id desc) as n
      from public.search_history h, (select api.cursor_key(:cursor, 'timestamptz,uuid') as key) k
     where k.key is null or (h.at, h.search_id) < ((k.key ->> 0)::timestamptz, (k.key ->> 1)::uuid)
     order by h.at desc, h.search_id desc limit :limit::int + 1
)
select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('search_id', p.search_id, 'thread_id', p.thread_id, 'query', p.query,
        'results', p.results, 'at', api.utc(p.at)) order by p.n) filter (where p.n <= :limit::int), '[]'),
    'next_cursor', case when count(*) > :limit::int then (
        select api.cursor(jsonb_build_array(l.at, l.search_id)) from page l where l.n = :limit::int) end)
  from page p

-- Questions and their answers go too.
-- name: search_clear_history
with gone as (
    delete from public.search_history returning 1
), threads as (
    delete from public.threads
)
select jsonb_build_object('deleted', count(*)) from gone
