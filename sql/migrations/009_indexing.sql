-- 009_indexing.sql - a node's work on documents: leases, failures, and the one way that passages and vectors get in.
-- Lock order: the pdf's row, then its job's.

-- A failure: back into the queue with a growing pause, or final (third attempt, or a cause that can't change).
-- False: the lease was lost, and somebody else has it.
create function worker.fail_job(job_id uuid, lease uuid, sentence text, permanent boolean) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    p public.pdfs;
    j public.index_jobs;
begin
    select x.* into p from public.pdfs x where x.pdf_id = (select y.pdf_id from public.index_jobs y where y.job_id = fail_job.job_id)
       for update;
    select * into j from public.index_jobs x where x.job_id = fail_job.job_id and x.lease = fail_job.lease for update;
    if j.job_id is null then
        return false;
    end if;
    if permanent or j.attempt >= 3 then
        update public.index_jobs x set state = 'failed', failed_at = now(), error_message = sentence, lease = null, lease_until = null
         where x.job_id = j.job_id;
        if p.indexed_at is null then
            update public.pdfs x set failed_at = now(), error_message = sentence where x.pdf_id = p.pdf_id;
        end if;
    else
        update public.index_jobs x set state = 'queued', lease = null, lease_until = null, error_message = sentence,
               run_after = now() + j.attempt * j.attempt * interval '2 seconds'
         where x.job_id = j.job_id;
    end if;
    return true;
end $$;

-- The next job for this node, with a lease; no row: nothing to do. A lease that ran out is taken over; a job
-- whose third worker died ends as failed.
create function worker.claim_job(node text, seconds int) returns setof public.index_jobs
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    j public.index_jobs;
    dead record;
begin
    for dead in select x.job_id, x.lease from public.index_jobs x
                 where x.state not in ('queued', 'indexed', 'failed') and x.lease_until < now() and x.attempt >= 3 loop
        perform worker.fail_job(dead.job_id, dead.lease, 'Reading this file stopped the server three times. It was set aside.', true);
    end loop;
    select * into j from public.index_jobs x
     where x.state not in ('indexed', 'failed') and x.attempt < 3
       and (x.state = 'queued' and x.run_after <= now() or x.lease_until < now())
     order by x.kind desc, x.run_after limit 1 for update skip locked; -- 'index' before 'embed'
    if j.job_id is null then
        return;
    end if;
    return query update public.index_jobs x
        set state = case when x.kind = 'embed' then 'embedding' else 'extracting' end, attempt = x.attempt + 1,
            lease = gen_random_uuid(), lease_until = now() + seconds * interval '1 second', node = claim_job.node,
            started_at = coalesce(x.started_at, now()), pages_done = 0, chunks_done = 0
      where x.job_id = j.job_id returning *;
end $$;

-- Keeps the lease and tells how far it is (null: unchanged). False: the lease was lost; stop working.
create function worker.renew_job(job_id uuid, lease uuid, seconds int, state text default null, pages_total int default null,
    pages_done int default null, pages_without_text int default null, chunks_total int default null, chunks_done int default null)
returns boolean language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if renew_job.state not in ('extracting', 'embedding', 'storing') then
        perform auth.fail('invalid_params', 'state is not one of a running job.', '{"field": "state"}');
    end if;
    update public.index_jobs x set lease_until = now() + seconds * interval '1 second', state = coalesce(renew_job.state, x.state),
           pages_total = coalesce(renew_job.pages_total, x.pages_total), pages_done = coalesce(renew_job.pages_done, x.pages_done),
           pages_without_text = coalesce(renew_job.pages_without_text, x.pages_without_text),
           chunks_total = coalesce(renew_job.chunks_total, x.chunks_total), chunks_done = coalesce(renew_job.chunks_done, x.chunks_done)
     where x.job_id = renew_job.job_id and x.lease = renew_job.lease;
    return found;
end $$;

-- Nodes whose process is known to be dead: their jobs need not wait for the lease to run out. The attempt counts.
create function worker.expire_leases(node text) returns int language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    n int;
begin
    update public.index_jobs x set lease_until = now() - interval '1 second'
     where x.node = expire_leases.node and x.lease is not null and x.lease_until > now();
    get diagnostics n = row_count;
    return n;
end $$;

-- A node that stops gives its jobs back without counting the attempt.
create function worker.release_jobs(node text) returns int language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    n int;
begin
    update public.index_jobs x set state = 'queued', attempt = x.attempt - 1, lease = null, lease_until = null, run_after = now()
     where x.node = release_jobs.node and x.lease is not null;
    get diagnostics n = row_count;
    return n;
end $$;

-- Locks the document and then the job; false where the lease is lost.
create function auth.lock_job(job uuid, lease uuid, out p public.pdfs, out j public.index_jobs, out ok boolean)
language plpgsql volatile as $$
begin
    select x.* into p from public.pdfs x where x.pdf_id = (select y.pdf_id from public.index_jobs y where y.job_id = job) for update;
    select * into j from public.index_jobs x where x.job_id = job and x.lease = lock_job.lease for update;
    ok := p.pdf_id is not null and j.job_id is not null;
end $$;

-- The one way that pages, passages and vectors get in: replaces all of them and says "indexed", in one
-- transaction. `pages`: [{page, label, status, text}]; `chunks`: [{first_page, last_page, first_label,
-- last_label, start_offset, end_offset, heading, text, search_text, tokens, spans, embed_sha256}] in order;
-- `outline`: [{title, page, level}]. Each vector is taken from embedding_cache by embed_sha256 (hex), or
-- where that is absent by the SHA-256 of the passage's text. False: the lease was lost.
create function worker.store_document(job_id uuid, lease uuid, model text, extractor text, partial text,
                                      pages jsonb, chunks jsonb, outline jsonb) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    p public.pdfs;
    j public.index_jobs;
    held record;
    empty_pages int;
    vectors int;
    dims int;
begin
    select * into held from auth.lock_job(store_document.job_id, store_document.lease);
    if not held.ok then
        return false;
    end if;
    p := held.p;
    j := held.j;
    if jsonb_array_length(chunks) = 0 then
        raise exception 'a document without passages can not be stored' using errcode = '23514';
    end if;
    delete from public.pdf_chunks c where c.pdf_id = p.pdf_id;
    delete from public.pdf_pages g where g.pdf_id = p.pdf_id;
    insert into public.pdf_pages (pdf_id, page, label, status, text)
    select p.pdf_id, g.page, coalesce(g.label, ''), g.status, coalesce(g.text, '')
      from jsonb_to_recordset(pages) as g(page int, label text, status text, text text);
    select m.dim into strict dims from public.embedding_models m where m.model = store_document.model;
    with given as (
        select gen_random_uuid() as chunk_id, (r.n - 1)::int as ordinal, c.*
          from jsonb_array_elements(chunks) with ordinality r(item, n),
               jsonb_to_record(r.item) as c(first_page int, last_page int, first_label text, last_label text, start_offset int,
                   end_offset int, heading text, text text, search_text text, tokens int, spans jsonb, embed_sha256 text)
    ), stored as (
        insert into public.pdf_chunks (chunk_id, pdf_id, ordinal, first_page, last_page, first_label, last_label,
                                       start_offset, end_offset, heading, text, search_text, tokens, spans)
        select g.chunk_id, p.pdf_id, g.ordinal, g.first_page, g.last_page, coalesce(g.first_label, ''), coalesce(g.last_label, ''),
               g.start_offset, g.end_offset, coalesce(g.heading, ''), g.text, nullif(g.search_text, g.text),
               coalesce(g.tokens, 0), coalesce(g.spans, '[]')
          from given g returning chunk_id
    )
    insert into public.rag_embeddings (chunk_id, model, vector)
    select g.chunk_id, store_document.model, e.vector
      from given g
      join public.embedding_cache e on e.model = store_document.model and cardinality(e.vector) = dims
       and e.text_sha256 = coalesce(decode(g.embed_sha256, 'hex'), sha256(convert_to(g.text, 'UTF8')));
    get diagnostics vectors = row_count;
    if vectors <> jsonb_array_length(chunks) then
        raise exception '% of % vectors of % are there', vectors, jsonb_array_length(chunks), store_document.model
            using errcode = '23514', constraint = 'indexed_means_searchable', table = 'pdfs';
    end if;
    select count(*) filter (where g.status <> 'ok') into empty_pages from public.pdf_pages g where g.pdf_id = p.pdf_id;
    update public.pdfs x set pages = jsonb_array_length(store_document.pages), pages_without_text = empty_pages,
           outline = coalesce(store_document.outline, '[]'), partial = store_document.partial, extractor = store_document.extractor,
           embedding_model = store_document.model, indexed_at = clock_timestamp(), failed_at = null, error_message = null
     where x.pdf_id = p.pdf_id;
    update public.index_jobs x set state = 'indexed', indexed_at = now(), error_message = null, lease = null, lease_until = null,
           pages_total = jsonb_array_length(store_document.pages), pages_done = jsonb_array_length(store_document.pages),
           pages_without_text = empty_pages, chunks_total = vectors, chunks_done = vectors
     where x.job_id = j.job_id;
    return true;
end $$;

-- An `embed` job's end: the document's passages get vectors of the job's model from the cache (by the
-- SHA-256 of `embed_texts`' order: hashes[i] belongs to ordinal i-1; null: of the passage's text), and it serves them.
create function worker.store_vectors(job_id uuid, lease uuid, hashes bytea[] default null) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    p public.pdfs;
    j public.index_jobs;
    held record;
    dims int;
begin
    select * into held from auth.lock_job(store_vectors.job_id, store_vectors.lease);
    if not held.ok then
        return false;
    end if;
    p := held.p;
    j := held.j;
    select m.dim into strict dims from public.embedding_models m where m.model = j.model;
    delete from public.rag_embeddings e using public.pdf_chunks c where c.pdf_id = p.pdf_id and e.chunk_id = c.chunk_id;
    insert into public.rag_embeddings (chunk_id, model, vector)
    select c.chunk_id, j.model, e.vector
      from public.pdf_chunks c
      join public.embedding_cache e on e.model = j.model and cardinality(e.vector) = dims
       and e.text_sha256 = coalesce(hashes[c.ordinal + 1], sha256(convert_to(c.text, 'UTF8')))
     where c.pdf_id = p.pdf_id;
    update public.pdfs x set embedding_model = j.model where x.pdf_id = p.pdf_id;
    update public.index_jobs x set state = 'indexed', indexed_at = now(), error_message = null, lease = null, lease_until = null,
           chunks_done = (select count(*) from public.pdf_chunks c where c.pdf_id = p.pdf_id)
     where x.job_id = j.job_id;
    return true;
end $$;

-- One `embed` job for each indexed document that another model serves, at most `most` at a time; how many.
create function worker.queue_embeddings(model text, most int) returns int language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    n int;
begin
    insert into public.index_jobs (pdf_id, kind, model, chunks_total) -- nobody's: only admins see them
    select p.pdf_id, 'embed', queue_embeddings.model, (select count(*) from public.pdf_chunks c where c.pdf_id = p.pdf_id)
      from public.pdfs p
     where p.indexed_at is not null and p.embedding_model <> queue_embeddings.model
       and not exists (select from public.index_jobs j where j.pdf_id = p.pdf_id and (j.state not in ('indexed', 'failed')
                          or j.kind = 'embed' and j.model = queue_embeddings.model and j.state = 'failed'
                             and j.failed_at > now() - interval '1 hour'))
     limit most on conflict do nothing;
    get diagnostics n = row_count;
    return n;
end $$;

-- Abandoned uploads (a day without a byte) and old cache entries. Returns how many uploads.
create function worker.sweep_library() returns int language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    n int;
begin
    delete from public.uploads where updated_at < now() - interval '1 day';
    get diagnostics n = row_count;
    delete from public.embedding_cache where created_at < now() - interval '7 days';
    return n;
end $$;
grant execute on function worker.fail_job(uuid, uuid, text, boolean), worker.claim_job(text, int),
    worker.renew_job(uuid, uuid, int, text, int, int, int, int, int), worker.release_jobs(text), worker.expire_leases(text),
    worker.store_document(uuid, uuid, text, text, text, jsonb, jsonb, jsonb), worker.store_vectors(uuid, uuid, bytea[]),
    worker.queue_embeddings(text, int), worker.sweep_library() to edurag_worker;
