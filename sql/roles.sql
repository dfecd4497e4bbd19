-- roles.sql - the three roles, and the hardening that only an administrator may do. May be run again at any time.
--
-- Who runs it: the embedded cluster at first start, or an administrator (a superuser; on a managed server
-- whoever may create roles: what they may not do is said as a notice), in this order:
--   1. in the database `postgres`: this file (creates the roles);
--   2. create database edurag owner edurag_owner encoding 'UTF8' template template0;
--   3. in `edurag`: this file again (large objects, the schema public);
--   4. as edurag_owner: sql/migrations/ in the order of their names.
-- It sets no passwords: the embedded cluster uses peer authentication with an ident map; elsewhere the
-- administrator gives each role one (alter role ... password ...).
-- One statement a semicolon, and no psql commands, so that any client may send it as it is.
do $$
declare
    r record;
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'edurag_owner') then
        create role edurag_owner login inherit; -- inherit: as the database's owner it owns the schema public
    end if;
    if not exists (select from pg_catalog.pg_roles where rolname = 'edurag_app') then
        create role edurag_app login noinherit;
    end if;
    if not exists (select from pg_catalog.pg_roles where rolname = 'edurag_worker') then
        create role edurag_worker login noinherit;
    end if;
    -- Only where an earlier hand made them more than they should be: even saying NOSUPERUSER takes a superuser.
    for r in select rolname from pg_catalog.pg_roles where rolname in ('edurag_owner', 'edurag_app', 'edurag_worker')
                and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication) loop
        execute pg_catalog.format('alter role %I nosuperuser nobypassrls nocreatedb nocreaterole noreplication', r.rolname);
    end loop;
    -- Nobody may become another of the three.
    for r in select g.rolname as role, m.rolname as member
               from pg_catalog.pg_auth_members a
               join pg_catalog.pg_roles g on g.oid = a.roleid join pg_catalog.pg_roles m on m.oid = a.member
              where m.rolname in ('edurag_app', 'edurag_worker') loop
        execute pg_catalog.format('revoke %I from %I', r.role, r.member);
    end loop;
end $$;
-- Large objects know no row policies, and nothing here uses them.
do $$
declare
    f record;
begin
    for f in select p.oid::pg_catalog.regprocedure as name from pg_catalog.pg_proc p
              where p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
                and (p.proname like 'lo\_%' or p.proname in ('loread', 'lowrite')) loop
        execute pg_catalog.format('revoke execute on function %s from public', f.name);
    end loop;
    revoke create on schema public from public;
exception when insufficient_privilege then
    raise notice 'Large objects and the schema public stay open: a superuser should run this file in this database.';
end $$;
