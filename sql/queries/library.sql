-- library.sql - documents: uploading, listing, reading and changing them, as the caller.
-- name: library_upload_begin
select api.upload_begin(:filename, :size::bigint, :sha256, :title, :course_id::uuid) || jsonb_build_object('chunk_size', :chunk_size::int)

-- name: library_upload_chunk
select api.upload_chunk(:upload_id::uuid, :offset::bigint, :data::bytea)

-- the bytes from `start` on; binary, null behind the last
-- name: library_upload_piece
select api.upload_piece(:upload_id::uuid, :start::bigint)

-- name: library_upload_commit
select api.upload_commit(:upload_id::uuid, :digest)

-- name: library_quota
select api.quota()

-- name: library_upload_abort
select api.upload_abort(:upload_id::uuid)

-- name: library_job
select api.job_json(j, p.title) from public.index_jobs j join public.pdfs p using (pdf_id) where j.job_id = :job_id::uuid

-- New vectors for old passages are nobody's business here: admin.stats counts them.
-- name: library_jobs
with page as (
    select j.queued_at, j.job_id, api.job_json(j, p.title) as item, row_number() over (order by j.queued_at desc, j.job_id desc) as n
      from (select api.cursor_key(:cursor, 'timestamptz,uuid') as key) k, public.index_jobs j join public.pdfs p using (pdf_id)
     where j.kind = 'index' and (:state::text is null or j.state = :state)
       and (k.key is null or (j.queued_at, j.job_id) < ((k.key ->> 0)::timestamptz, (k.key ->> 1)::uuid))
     order by j.queued_at desc, j.job_id desc limit :limit::int + 1
)
select jsonb_build_object(
    'items', coalesce(jsonb_agg(p.item order by p.n) filter (where p.n <= :limit::int), '[]'),
    'next_cursor', case when count(*) > :limit::int
        then (select api.cursor(jsonb_build_array(l.queued_at, l.job_id)) from page l where l.n = :limit::int) end)
  from page p

-- name: library_retry
select api.retry(:pdf_id::uuid)

-- name: library_list
with page as (
    select d.*, row_number() over (order by d.created_at desc, d.pdf_id desc) as n
      from (select api.cursor_key(:cursor, 'timestamptz,uuid') as key) k, public.pdfs d
     where (:query::text is null or d.title ilike api.like_pattern(:query) or d.filename ilike api.like_pattern(:query))
       and (:course_id::uuid is null or d.course_id = :course_id::uuid)
       and (k.key is null or (d.created_at, d.pdf_id) < ((k.key ->> 0)::timestamptz, (k.key ->> 1)::uuid))
     order by d.created_at desc, d.pdf_id desc limit :limit::int + 1
)
select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('pdf_id', p.pdf_id, 'title', p.title, 'filename', p.filename, 'pages', p.pages,
        'course_id', p.course_id, 'uploaded_by', p.uploaded_by, 'created_at', api.utc(p.created_at),
        'indexed_at', api.utc(p.indexed_at), 'failed_at', api.utc(p.failed_at), 'error_message', p.error_message)
        order by p.n) filter (where p.n <= :limit::int), '[]'),
    'next_cursor', case when count(*) > :limit::int
        then (select api.cursor(jsonb_build_array(l.created_at, l.pdf_id)) from page l where l.n = :limit::int) end)
  from page p

-- name: library_outline
select jsonb_build_object('items', p.outline) from public.pdfs p where p.pdf_id = :pdf_id::uuid

-- chunk_ids as a JSON array
-- name: library_page
select jsonb_build_object('text', g.text, 'page', g.page, 'page_label', g.label, 'pages', p.pages, 'title', p.title,
    'passages', coalesce((
        select jsonb_agg(jsonb_build_object('chunk_id', c.chunk_id, 'start', (s ->> 'start')::int, 'end', (s ->> 'end')::int)
                         order by (s ->> 'start')::int, c.chunk_id)
          from public.pdf_chunks c, jsonb_array_elements(c.spans) s
         where c.pdf_id = p.pdf_id and (s ->> 'page')::int = g.page
           and c.chunk_id::text in (select x from jsonb_array_elements_text(:chunk_ids::jsonb) x)), '[]'))
  from public.pdfs p join public.pdf_pages g using (pdf_id) where p.pdf_id = :pdf_id::uuid and g.page = :page::int

-- name: library_update
with seen as (
    select from public.pdfs p where p.pdf_id = :pdf_id::uuid
), done as (
    update public.pdfs p set title = coalesce(:title, p.title),
           course_id = case when :course_id_given::boolean then :course_id::uuid else p.course_id end
     where p.pdf_id = :pdf_id::uuid returning p.*
)
select coalesce(
    (select jsonb_build_object('pdf_id', d.pdf_id, 'title', d.title, 'filename', d.filename, 'pages', d.pages,
        'course_id', d.course_id, 'uploaded_by', d.uploaded_by, 'created_at', api.utc(d.created_at),
        'indexed_at', api.utc(d.indexed_at), 'failed_at', api.utc(d.failed_at), 'error_message', d.error_message) from done d),
    case when exists (select from seen) then api.refuse('forbidden', 'Only who uploaded this document, or teaches its course, may do this.')
         else api.refuse('not_found', 'This document is not here, or no longer here.') end)

-- name: library_delete
with seen as (
    select from public.pdfs p where p.pdf_id = :pdf_id::uuid
), done as (
    delete from public.pdfs p where p.pdf_id = :pdf_id::uuid returning '{}'::jsonb as nothing
)
select coalesce((select nothing from done),
    case when exists (select from seen) then api.refuse('forbidden', 'Only who uploaded this document, or teaches its course, may do this.')
         else api.refuse('not_found', 'This document is not here, or no longer here.') end)
