-- 016_presence.sql - a dead node is noticed sooner.

-- As in 014, after six seconds: with the seconds in which the others notice and tell their members, presence is
-- right within ten.
create or replace function worker.node_beat(node text, version text) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    insert into public.nodes as x (node, version) values (node_beat.node, node_beat.version)
    on conflict on constraint nodes_pkey do update set seen_at = clock_timestamp(), version = excluded.version;
    delete from public.nodes x
     where (x.seen_at < clock_timestamp() - interval '6 seconds' or x.seen_at > clock_timestamp() + interval '6 seconds')
       and x.node <> node_beat.node;
end $$;
