-- index.sql - what a node keeps in memory to search in, and the models that made its vectors. As the worker.

-- with an id: that one; passages tells how much there is to load
-- name: index_documents
select p.pdf_id, coalesce(p.course_id, '00000000-0000-0000-0000-000000000000'),
       coalesce(p.uploaded_by, '00000000-0000-0000-0000-000000000000'), p.embedding_model,
       (extract(epoch from p.indexed_at) * 1000000)::bigint,
       (select count(*) from public.pdf_chunks c where c.pdf_id = p.pdf_id)
  from public.pdfs p
 where p.indexed_at is not null and (:pdf_id::uuid is null or p.pdf_id = :pdf_id::uuid)

-- binary; pdf_ids as an array's text. "offset 0" keeps the order of the joins: one look into an index a passage, also
-- where the planner believes a model to have few vectors and would read them all for each document
-- name: index_passages
select p.pdf_id, c.chunk_id, c.words, e.vector, p.embedding_model,
       (extract(epoch from p.indexed_at) * 1000000)::bigint
  from public.pdfs p
 cross join lateral (
    select k.chunk_id, k.ordinal, coalesce(k.search_text, k.text) as words from public.pdf_chunks k
     where k.pdf_id = p.pdf_id offset 0) c
 cross join lateral (
    select v.vector from public.rag_embeddings v
     where v.chunk_id = c.chunk_id and v.model = p.embedding_model offset 0) e
 where p.pdf_id = any (:pdf_ids::uuid[]) and p.indexed_at is not null
 order by p.pdf_id, c.ordinal

-- name: embed_models
select m.model, m.provider, m.dim, m.fusion_weight, m.state, m.fitted_on, m.parameters is not null
  from public.embedding_models m where m.state in ('ready', 'current') order by m.created_at

-- binary
-- name: embed_parameters
select m.parameters from public.embedding_models m where m.model = :model

-- The first model of a new library; whichever stands as current stays so.
-- name: embed_found
insert into public.embedding_models (model, provider, dim, fusion_weight, state)
select :model, 'builtin', :dim::int, 0, case when exists (select from public.embedding_models where state = 'current') then 'ready' else 'current' end
    on conflict do nothing

-- One node at a time fits; a claim older than three minutes belongs to a node that died. Nothing is
-- returned where another node was faster, or where the latest built-in model still fits the library.
-- name: embed_claim_fit
with stale as (
    delete from public.embedding_models where state = 'fitting' and created_at < now() - interval '3 minutes'
), latest as (
    select m.fitted_on from public.embedding_models m
     where m.provider = 'builtin' and m.state <> 'fitting' order by m.created_at desc limit 1
)
insert into public.embedding_models (model, provider, dim, fusion_weight, state)
select 'builtin-lsa-' || coalesce(max(substring(m.model from '^builtin-lsa-([0-9]+)$')::int), 0) + 1,
       'builtin', :dim::int, :weight::real, 'fitting'
  from public.embedding_models m
having count(*) filter (where m.state = 'fitting' and m.created_at >= now() - interval '3 minutes') = 0
   and (select abs(:passages::int - l.fitted_on) >= 0.1 * l.fitted_on from latest l)
    on conflict do nothing
returning model

-- name: embed_give_up_fit
delete from public.embedding_models where model = :model and state = 'fitting'

-- name: embed_demote
update public.embedding_models set state = 'ready' where state = 'current'

-- name: embed_demote_builtin
update public.embedding_models set state = 'ready' where state = 'current' and provider = 'builtin'

-- The model of the settings, from a service.
-- name: embed_adopt
insert into public.embedding_models (model, provider, dim, fusion_weight, state)
values (:model, :provider, :dim::int, :weight::real, 'current')
    on conflict (model) do update set state = 'current', fusion_weight = excluded.fusion_weight

-- A service that the settings no longer name, and what serves instead: the latest built-in model.
-- name: embed_leave
update public.embedding_models set state = 'ready' where state = 'current' and provider <> 'builtin' returning model

-- name: embed_return
update public.embedding_models set state = 'current'
 where model = (select m.model from public.embedding_models m where m.provider = 'builtin' and m.state = 'ready'
                 order by m.created_at desc limit 1)

-- Current, unless a service is: then it waits to stand in.
-- name: embed_promote
update public.embedding_models set parameters = :parameters::bytea, fitted_on = :fitted_on::int,
       state = case when exists (select from public.embedding_models c where c.state = 'current') then 'ready' else 'current' end
 where model = :model and state = 'fitting' returning model

-- name: embed_follow
select worker.queue_embeddings(:model, 32)

-- Fitted models that serve no document any more, but for the latest.
-- name: embed_forget
delete from public.embedding_models m
 where m.state = 'ready' and m.model like 'builtin-lsa-%'
   and m.created_at < (select max(l.created_at) from public.embedding_models l where l.model like 'builtin-lsa-%' and l.state <> 'fitting')
   and not exists (select from public.pdfs p where p.embedding_model = m.model)
   and not exists (select from public.index_jobs j where j.model = m.model and j.state not in ('indexed', 'failed'))
   and not exists (select from public.rag_embeddings e where e.model = m.model)
