-- tables.sql - the shape that keeps every table and function closed, read from the catalogue.
begin;
select no_plan();

create temp view ours as
select c.oid, n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname in ('public', 'auth', 'api', 'worker') and c.relkind in ('r', 'p', 'v', 'm', 'f');

select is_empty($$select o.name from ours o join pg_class c using (oid) where not (c.relrowsecurity and c.relforcerowsecurity)$$,
    'every table has row security, and it is forced');
select cmp_ok((select count(*) from ours), '>=', 34::bigint, 'all tables of the mission are there');
select is_empty($$select o.name from ours o join pg_class c using (oid) where c.relkind <> 'r'$$, 'there are no views that could slip past');
select is_empty($$select o.name from ours o where (select count(*) from pg_policy p where p.polrelid = o.oid
        and p.polroles = array['edurag_owner'::regrole::oid] and p.polcmd = '*') <> 1$$, 'one policy for the owner on each');
select is_empty($$select o.name, p.polname from ours o join pg_policy p on p.polrelid = o.oid
        where not p.polroles <@ array['edurag_owner'::regrole::oid, 'edurag_app'::regrole::oid, 'edurag_worker'::regrole::oid]$$,
    'no policy is for public or a stranger');
select is_empty($$select o.name from ours o join pg_class c using (oid) where c.relowner <> 'edurag_owner'::regrole$$, 'the owner owns them');
select is_empty($$select o.name from ours o, unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p
        where has_table_privilege('public', o.oid, p)$$, 'public has no right on any table');
select is_empty($$select o.name from ours o, unnest(array['edurag_app', 'edurag_worker']) r, unnest(array['truncate', 'references', 'trigger']) p
        where has_table_privilege(r, o.oid, p)$$, 'nobody may truncate, refer to, or hang triggers on a table');
select is_empty($$select o.name from ours o where o.name like 'auth.%' and (has_any_column_privilege('edurag_app', o.oid, 'select,insert,update')
        or has_any_column_privilege('edurag_worker', o.oid, 'select,insert,update'))$$, 'keys, passwords and sessions are the owner''s alone');
select is_empty($$select o.name, p.cmd, r from ours o, (values ('pdf_chunks'), ('rag_embeddings'), ('pdf_pages'), ('pdfs'), ('index_jobs')) t(x),
        unnest(array['edurag_app', 'edurag_worker']) r, (values ('insert'), ('update'), ('delete')) p(cmd)
        where o.name = 'public.' || t.x and has_table_privilege(r, o.oid, p.cmd) and not (t.x = 'pdfs' and r = 'edurag_app' and p.cmd = 'delete')$$,
    'passages, vectors, jobs: written through functions alone');

create temp view functions as
select p.oid::regprocedure::text as name, p.* from pg_proc p
 where p.pronamespace in ('public'::regnamespace, 'auth'::regnamespace, 'api'::regnamespace, 'worker'::regnamespace);
select is_empty($$select name from functions where prosecdef and coalesce(proconfig, '{}') <> array['search_path=pg_catalog, pg_temp']$$,
    'every definer function has a search path that ends in pg_temp');
select is_empty($$select name from functions where prosecdef and proowner <> 'edurag_owner'::regrole$$, 'definer functions have the owner''s rights, no more');
select is_empty($$select name from functions where has_function_privilege('public', oid, 'execute')$$, 'public may call nothing');
select is_empty($$select name from functions where pronamespace = 'worker'::regnamespace and has_function_privilege('edurag_app', oid, 'execute')$$,
    'the app may not do a node''s work');
select is_empty($$select name from functions where has_function_privilege('edurag_app', oid, 'execute') and not prosecdef and provolatile = 'v'
        and prosqlbody is null and proconfig is distinct from array['search_path=pg_catalog, pg_temp']
        and name not like 'auth.fail(%' and name not like 'api.refuse(%'$$, 'what the app may call and acts, means the same under any search path');
select set_eq($$select proname::text from functions where prosecdef and has_function_privilege('edurag_app', oid, 'execute')
        and pronamespace = 'auth'::regnamespace$$, array['me', 'my_courses', 'my_taught', 'my_own', 'my_people'], 'of auth the app may ask who and where it is');
select is_empty($$select r, s from unnest(array['edurag_app', 'edurag_worker']) r, unnest(array['public', 'auth', 'api', 'worker', 'crypto']) s
        where has_schema_privilege(r, s, 'create')$$, 'nobody may create in a schema');
select is_empty($$select r, p from unnest(array['edurag_app', 'edurag_worker', 'public']) r, unnest(array['create', 'temp']) p
        where has_database_privilege(r, current_database(), p)$$, 'nobody may create schemas or temporary tables');
select is_empty($$select r from unnest(array['edurag_app', 'edurag_worker']) r where has_schema_privilege(r, 'crypto', 'usage')$$,
    'pgcrypto is the owner''s alone');
select is_empty($$select p.oid::regprocedure from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace
        and (p.proname like 'lo\_%' or p.proname in ('loread', 'lowrite')) and has_function_privilege('edurag_app', p.oid, 'execute')$$,
    'large objects are closed');
select is_empty($$select m.roleid::regrole from pg_auth_members m where m.member in ('edurag_app'::regrole, 'edurag_worker'::regrole)$$,
    'the app and the worker are members of nothing');
select is_empty($$select rolname from pg_roles where rolname like 'edurag%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)$$,
    'no role of ours is more than it should be');
select is_empty($$select c.conrelid::regclass, c.conname from pg_constraint c where c.contype = 'f' and c.connamespace in ('public'::regnamespace, 'auth'::regnamespace)
        and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1])
        and c.conname not in ('rag_embeddings_model_fkey') and c.confrelid not in ('public.embedding_models'::regclass, 'public.courses'::regclass)$$,
    'what is removed by cascade is found by an index');
select * from finish();
rollback;
