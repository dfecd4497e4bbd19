-- jobs.sql - indexing, as the worker: the next job, its file, how far it is, how it ends.
-- no row: nothing to do
-- name: jobs_claim
select j.job_id, j.lease, j.pdf_id, j.kind, j.model, j.attempt from worker.claim_job(:node, :seconds::int) j

-- one row: whether the lease is still ours
-- name: jobs_renew
select worker.renew_job(:job_id::uuid, :lease::uuid, :seconds::int, :state, :pages_total::int, :pages_done::int,
                        :pages_without_text::int, :chunks_total::int, :chunks_done::int)

-- name: jobs_fail
select worker.fail_job(:job_id::uuid, :lease::uuid, :sentence, :permanent::boolean)

-- name: jobs_release
select worker.release_jobs(:node)

-- who has leases now
-- name: jobs_nodes
select distinct j.node from public.index_jobs j where j.lease is not null and j.lease_until > now()

-- name: jobs_expire
select worker.expire_leases(:node)

-- name: jobs_file
select p.file_id, p.size, p.sha256 from public.pdfs p where p.pdf_id = :pdf_id::uuid

-- the piece that begins at :start; binary
-- name: jobs_file_piece
select f.data from public.pdf_file_pieces f where f.file_id = :file_id::uuid and f.start = :start::bigint

-- which of the texts (hashes: a JSON array of hex) have a vector of the model already
-- name: jobs_cached
select encode(c.text_sha256, 'hex') from public.embedding_cache c
 where c.model = :model and c.text_sha256 in (select decode(h, 'hex') from jsonb_array_elements_text(:hashes::jsonb) h)

-- vectors as [{hash, vector}]
-- name: jobs_cache
insert into public.embedding_cache (model, text_sha256, vector)
select :model, decode(v.hash, 'hex'), v.vector from jsonb_to_recordset(:vectors::jsonb) as v(hash text, vector real[])
 order by 2 on conflict do nothing

-- name: jobs_store
select worker.store_document(:job_id::uuid, :lease::uuid, :model, :extractor, :partial, :pages::jsonb, :chunks::jsonb, :outline::jsonb)

-- the passages of a document that is embedded anew
-- name: jobs_passages
select c.text from public.pdf_chunks c where c.pdf_id = :pdf_id::uuid order by c.ordinal

-- name: jobs_store_vectors
select worker.store_vectors(:job_id::uuid, :lease::uuid)

-- whom a job's progress is for, and what it says
-- name: jobs_notification
select coalesce(j.uploaded_by::text, ''), api.job_json(j, p.title) from public.index_jobs j join public.pdfs p using (pdf_id)
 where j.job_id = :job_id::uuid

-- abandoned uploads and old vectors
-- name: jobs_sweep
select worker.sweep_library()

-- how many there are in each state
-- name: jobs_count
select j.state, count(*) from public.index_jobs j where j.kind = 'index' group by j.state
