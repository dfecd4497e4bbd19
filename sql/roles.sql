-- roles.sql - the three roles and what only a superuser may harden. May be run again at any time.
--
-- Who runs it: the embedded cluster at first start, or an administrator, as a superuser, in this order:
--   1. in the database `postgres`: this file (creates the roles);
--   2. create database edurag owner edurag_owner encoding 'UTF8' template template0;
--   3. in `edurag`: this file again (large objects, the schema public);
--   4. as edurag_owner: sql/migrations/ in the order of their names.
-- It sets no passwords: the embedded cluster uses peer authentication with an ident map; elsewhere the
-- administrator gives each role one (alter role ... password ...).
-- One statement a semicolon, and no psql commands, so that any client may send it as it is.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'edurag_owner') then
        create role edurag_owner login;
    end if;
    if not exists (select from pg_catalog.pg_roles where rolname = 'edurag_app') then
        create role edurag_app login noinherit;
    end if;
    if not exists (select from pg_catalog.pg_roles where rolname = 'edurag_worker') then
        create role edurag_worker login noinherit;
    end if;
end $$;
alter role edurag_owner inherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role edurag_app noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role edurag_worker noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
-- Nobody may become another of the three, whatever an earlier hand granted.
do $$
declare
    r record;
begin
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
end $$;
revoke create on schema public from public;
