-- What `eduragd doctor` asks the database about its own rights and hardening.

-- a row a check: bad or warn where it is one, what it is about, what was found there, what to do
-- name: owner_doctor
with ours as (
    select p.oid, p.prosecdef, p.proconfig, p.proacl, p.proowner
      from pg_catalog.pg_proc p
     where p.pronamespace in (select n.oid from pg_catalog.pg_namespace n where n.nspname in ('public', 'auth', 'api', 'worker'))
), tables as (
    select c.oid, c.relrowsecurity and c.relforcerowsecurity as guarded
      from pg_catalog.pg_class c
     where c.relkind in ('r', 'p')
       and c.relnamespace in (select n.oid from pg_catalog.pg_namespace n where n.nspname in ('public', 'auth', 'api', 'worker'))
), checks (place, level, subject, found, todo) as (
    values
    (1, 'bad', 'PostgreSQL is version 15 or newer',
     case when current_setting('server_version_num')::int < 150000 then current_setting('server_version') end,
     'Move the database to PostgreSQL 15 or newer.'),
    (2, 'bad', 'the database stores UTF-8',
     case when current_setting('server_encoding') <> 'UTF8' then current_setting('server_encoding') end,
     'Make a database with encoding UTF8 and restore a backup into it.'),
    (3, 'bad', 'the schema is there',
     case when to_regclass('public.schema_migrations') is null or to_regclass('public.users') is null then 'no tables' end,
     'Run eduragd migrate.'),
    (4, 'bad', 'the three roles are there',
     (select string_agg(r.name, ', ') from unnest(array['edurag_owner', 'edurag_app', 'edurag_worker']) r (name)
       where not exists (select from pg_catalog.pg_roles p where p.rolname = r.name)),
     'Have an administrator run what eduragd roles prints.'),
    (5, 'bad', 'no role is a superuser, passes row security by, or makes roles and databases',
     (select string_agg(r.rolname, ', ') from pg_catalog.pg_roles r
       where r.rolname in ('edurag_owner', 'edurag_app', 'edurag_worker')
         and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)),
     'Have an administrator run what eduragd roles prints.'),
    (6, 'bad', 'the logins of nodes are members of no other role',
     (select string_agg(m.rolname || ' of ' || g.rolname, ', ')
        from pg_catalog.pg_auth_members a join pg_catalog.pg_roles g on g.oid = a.roleid
        join pg_catalog.pg_roles m on m.oid = a.member where m.rolname in ('edurag_app', 'edurag_worker')),
     'Have an administrator run what eduragd roles prints.'),
    (7, 'bad', 'row security is enabled and forced on every table',
     (select string_agg(t.oid::regclass::text, ', ' order by t.oid::regclass::text) from tables t where not t.guarded),
     'As edurag_owner: alter table NAME enable row level security; alter table NAME force row level security.'),
    (8, 'bad', 'functions with the owner''s rights fix their search_path',
     (select string_agg(f.oid::regprocedure::text, ', ') from ours f
       where f.prosecdef and coalesce(f.proconfig, '{}') <> array['search_path=pg_catalog, pg_temp']),
     'As edurag_owner: alter function NAME set search_path = pg_catalog, pg_temp.'),
    (9, 'bad', 'functions with the owner''s rights are closed to strangers',
     (select string_agg(f.oid::regprocedure::text, ', ') from ours f
       where f.prosecdef and exists (select from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
                                      where a.grantee = 0)),
     'As edurag_owner: revoke execute on function NAME from public.'),
    (10, 'bad', 'strangers may not connect to the database or make anything in it',
     (select string_agg(lower(a.privilege_type), ', ') from pg_catalog.pg_database d,
             aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
       where d.datname = current_database() and a.grantee = 0),
     'As edurag_owner: call auth.close_database().'),
    (11, 'bad', 'the logins of nodes may make no schemas or temporary tables',
     (select string_agg(r.rolname, ', ') from pg_catalog.pg_roles r
       where r.rolname in ('edurag_app', 'edurag_worker')
         and (has_database_privilege(r.oid, current_database(), 'TEMP')
              or has_database_privilege(r.oid, current_database(), 'CREATE'))),
     'As edurag_owner: call auth.close_database().'),
    (12, 'bad', 'the schema public is closed to the logins of nodes',
     (select string_agg(r.rolname, ', ') from pg_catalog.pg_roles r
       where r.rolname in ('edurag_app', 'edurag_worker') and has_schema_privilege(r.oid, 'public', 'CREATE')),
     'Have an administrator run what eduragd roles prints, in this database.'),
    (13, 'warn', 'large objects, which know no row security, are closed',
     (select 'lo_create' from pg_catalog.pg_roles r
       where r.rolname = 'edurag_app' and has_function_privilege(r.oid, 'pg_catalog.lo_create(oid)', 'EXECUTE')),
     'Have an administrator run what eduragd roles prints, in this database.'),
    (14, 'bad', 'the log keeps no values, which are tokens and passwords',
     case when current_setting('log_parameter_max_length') not in ('0', '0B')
           and (current_setting('log_statement') <> 'none' or current_setting('log_min_duration_statement') <> '-1')
          then 'log_parameter_max_length = ' || current_setting('log_parameter_max_length') || ', and statements are logged' end,
     'Set log_parameter_max_length = 0 in postgresql.conf and reload it.'),
    (15, 'warn', 'the log would keep no values if statements were logged',
     case when current_setting('log_parameter_max_length') not in ('0', '0B')
          then 'log_parameter_max_length = ' || current_setting('log_parameter_max_length') end,
     'Set log_parameter_max_length = 0 in postgresql.conf and reload it.'),
    (16, 'bad', 'the log keeps no values of statements that fail',
     case when current_setting('log_parameter_max_length_on_error') not in ('0', '0B')
          then 'log_parameter_max_length_on_error = ' || current_setting('log_parameter_max_length_on_error') end,
     'Set log_parameter_max_length_on_error = 0 in postgresql.conf and reload it.'),
    (17, 'warn', 'errors in the log quote no rows',
     case when current_setting('log_error_verbosity') <> 'terse'
          then 'log_error_verbosity = ' || current_setting('log_error_verbosity') end,
     'Set log_error_verbosity = terse in postgresql.conf and reload it.'),
    (18, 'bad', 'what is written survives a power cut',
     case when current_setting('fsync') = 'off' or current_setting('full_page_writes') = 'off'
          then 'fsync = ' || current_setting('fsync') || ', full_page_writes = ' || current_setting('full_page_writes') end,
     'Set fsync and full_page_writes to on in postgresql.conf and restart PostgreSQL.')
)
select c.level, c.subject, c.found, c.todo from checks c order by c.place

-- seconds since 1970, by the database's clock
-- name: owner_clock
select extract(epoch from clock_timestamp())::text
