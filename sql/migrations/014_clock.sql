-- 014_clock.sql - times that lie further ahead than they can: the clock was put back, and what they say is not waited for.

-- As in 009. A lease is renewed long before a minute, and no pause is that long.
create or replace function worker.claim_job(node text, seconds int) returns setof public.index_jobs
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    j public.index_jobs;
    dead record;
    ahead timestamptz := now() + greatest(60, 2 * seconds) * interval '1 second';
begin
    for dead in select x.job_id, x.lease from public.index_jobs x
                 where x.state not in ('queued', 'indexed', 'failed') and x.attempt >= 3
                   and (x.lease_until < now() or x.lease_until > ahead) loop
        perform worker.fail_job(dead.job_id, dead.lease, 'Reading this file stopped the server three times. It was set aside.', true);
    end loop;
    select * into j from public.index_jobs x
     where x.state not in ('indexed', 'failed') and x.attempt < 3
       and (x.state = 'queued' and (x.run_after <= now() or x.run_after > ahead)
            or x.lease_until < now() or x.lease_until > ahead)
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

-- As in 003: an account is not shut out for a failure that is still to come.
create or replace function auth.login_wait(account bytea, address text) returns bigint language sql stable
begin atomic
    select greatest(0, ceil(extract(epoch from f.last_at + least(300, 2 ^ least(f.failures - s.login_free, 20)) * interval '1 second'
                                               - clock_timestamp()) * 1000))::bigint
      from auth.login_failures f, auth.settings s
     where f.account = login_wait.account and f.address = login_wait.address and f.failures >= s.login_free
       and f.last_at <= clock_timestamp();
end;

-- As in 007: nobody is alive who will be seen later. And after six seconds instead of eight: with the seconds in which the
-- others notice and tell their members, presence is right within ten.
create or replace function worker.node_beat(node text, version text) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    insert into public.nodes as x (node, version) values (node_beat.node, node_beat.version)
    on conflict on constraint nodes_pkey do update set seen_at = clock_timestamp(), version = excluded.version;
    delete from public.nodes x
     where (x.seen_at < clock_timestamp() - interval '6 seconds' or x.seen_at > clock_timestamp() + interval '6 seconds')
       and x.node <> node_beat.node;
end $$;
