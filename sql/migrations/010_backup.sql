-- 010_backup.sql - what a backup does not hold: the rights on the database itself.

-- A dump leaves them out, since the database may have another name where it is restored. Owner only.
create procedure auth.close_database() language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
    execute pg_catalog.format('revoke all on database %I from public', pg_catalog.current_database());
    execute pg_catalog.format('grant connect on database %I to edurag_app, edurag_worker', pg_catalog.current_database());
end $$;
