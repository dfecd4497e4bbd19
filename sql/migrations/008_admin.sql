-- 008_admin.sql - figures for admins: counts over everybody's rows, and never the rows themselves.

create function api.stats() returns jsonb language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
begin
    return jsonb_build_object(
        'users', (select jsonb_build_object('total', count(*), 'students', count(*) filter (where role = 'student'),
            'teachers', count(*) filter (where role = 'teacher'), 'admins', count(*) filter (where role = 'admin'),
            'disabled', count(*) filter (where disabled)) from public.users),
        'courses', (select count(*) from public.courses),
        'documents', (select count(*) from public.pdfs),
        'indexed', (select count(*) from public.pdfs where indexed_at is not null),
        'chunks', (select count(*) from public.pdf_chunks),
        'jobs', (select coalesce(jsonb_object_agg(j.state, j.n), '{}')
                   from (select state, count(*) as n from public.index_jobs where kind = 'index' group by state) j),
        'searches', (select coalesce(jsonb_agg(jsonb_build_object('day', d.day, 'searches', d.n) order by d.day), '[]')
                       from (select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*) as n from public.search_history
                              where at > now() - interval '14 days' group by 1) d),
        'online', (select count(distinct user_id) from public.presence),
        'nodes', (select count(*) from public.nodes where seen_at > now() - interval '10 seconds'),
        'embeddings', jsonb_build_object(
            'model', (select model from public.embedding_models where state = 'current'),
            'documents', (select count(*) from public.pdfs where indexed_at is not null),
            'done', (select count(*) from public.pdfs p where p.indexed_at is not null
                        and p.embedding_model = (select model from public.embedding_models where state = 'current')),
            'failed', (select count(*) from public.index_jobs where kind = 'embed' and state = 'failed')),
        'memory', jsonb_build_object('facts', (select count(*) from public.memory_facts),
            'pending', (select count(*) from public.memory_facts where state in ('pending', 'sent')),
            'failed', (select count(*) from public.memory_facts where state = 'failed'),
            'erasures', (select count(*) from public.erasures where state = 'pending')));
end $$;
grant execute on function api.stats() to edurag_app;
