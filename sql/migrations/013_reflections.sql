-- 013_reflections.sql - a reflection whose server died ends too: a lease, after which a node says that it failed.

alter table public.reflections add column lease_until timestamptz default now() + interval '10 minutes';
update public.reflections set lease_until = case when state = 'pending' then now() end;
alter table public.reflections add constraint working_has_a_lease check ((state = 'pending') = (lease_until is not null));
create index reflections_lapsed on public.reflections (lease_until) where state = 'pending';

create or replace function api.reflection_end(reflection_id uuid, provider text, summary text, error_message text default null)
returns void language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    update public.reflections r set provider = reflection_end.provider, summary = reflection_end.summary, attempts = r.attempts + 1,
           lease_until = null, state = case when reflection_end.error_message is null then 'done' else 'failed' end,
           done_at = case when reflection_end.error_message is null then now() end,
           failed_at = case when reflection_end.error_message is not null then now() end,
           error_message = reflection_end.error_message
     where r.reflection_id = reflection_end.reflection_id and r.by_user = me.user_id and r.state = 'pending';
end $$;

-- Reflections whose writer must be dead; how many. Nobody waits for them any more, so they are not begun again.
create function worker.sweep_reflections() returns int language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    n int;
begin
    update public.reflections r set state = 'failed', failed_at = now(), attempts = r.attempts + 1, lease_until = null,
           error_message = 'The server was interrupted while it wrote this. Please ask again.'
     where r.state = 'pending' and r.lease_until < now();
    get diagnostics n = row_count;
    return n;
end $$;
grant execute on function worker.sweep_reflections() to edurag_worker;
