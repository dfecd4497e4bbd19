-- 006_memory.sql - a person's memory: facts, what is to be sent or erased outside, reflections, who looked.

-- Whether a text still holds an e-mail address or a telephone number: the second lock behind the redaction
-- of server/memory. What matters for study must pass: years, page ranges, CAS numbers, ISBNs, powers of ten.
create function auth.has_contact(text text) returns boolean language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
declare
    -- ISBNs look like telephone numbers, and are none.
    t text := regexp_replace(text, '\mISBN(-1[03])?:?\s*[0-9][0-9 -]{8,15}[0-9Xx]\M', ' ', 'gi');
begin
    return t ~* '[[:alnum:]._%+-]+\s?@\s?[[:alnum:]-]+(\.[[:alnum:]-]+)*\.[[:alpha:]]{2,}'
        -- +49 (0)30 123456, 0049 30 1234567
        or t ~ '(?<![0-9])\+[[:space:]]?[0-9]([ ().\-/]{0,3}[0-9]){6,14}(?![0-9])'
        or t ~ '(?<![0-9.])00[1-9]([ ().\-/]{0,3}[0-9]){7,13}(?![0-9])'
        -- (030) 123 4567, 030/1234567, 0171-123 45 67
        or t ~ '(?<![0-9.])\(0[0-9]{1,5}\)[ \-/]{0,2}[0-9]([ \-/]?[0-9]){3,9}(?![0-9])'
        or t ~ '(?<![0-9.,\-])(?<![0-9] )0[1-9][0-9]{1,3}[ \-/]{1,3}[0-9]([ \-/]?[0-9]){4,8}(?![0-9])'
        or t ~ '(?<![0-9.,\-])01[5-7][0-9]{8,9}(?![0-9])' or t ~ '(?<![0-9.,\-])07[0-9]{9}(?![0-9])'
        -- 415-555-0123, (415) 555 0123, 415.555.0123
        or t ~ '(?<![0-9.\-])(1[ .\-])?(\([0-9]{3}\)[ .\-]?|[0-9]{3}[ .\-])[0-9]{3}[ .\-][0-9]{4}(?![0-9\-])';
end $$;

-- A check is run with the rights of whoever writes the row.
grant execute on function auth.has_contact(text) to edurag_app, edurag_worker;

create table public.memory_facts (
    fact_id uuid primary key default gen_random_uuid(),
    user_id uuid not null default (auth.me()).user_id references public.users on delete cascade,
    fact text not null check (char_length(fact) between 1 and 2000),
    fact_key text not null,        -- the same search ten times is one fact with a count; a digest, for an index holds no long text
    source text not null check (source in ('search', 'ask', 'reading', 'client')),
    topic text,
    course_id uuid references public.courses on delete set null,
    count int not null default 1 check (count > 0),
    first_at timestamptz not null default now(),
    at timestamptz not null default now(),
    -- Outside: local (not to be sent), pending, sent (accepted, not yet completed), synced, failed.
    state text not null default 'local' check (state in ('local', 'pending', 'sent', 'synced', 'failed')),
    operation_id uuid,
    attempts int not null default 0,
    run_after timestamptz not null default now(),
    synced_at timestamptz,
    failed_at timestamptz,
    error_message text,
    constraint no_contact_details check (not auth.has_contact(fact)),
    constraint failure_has_a_sentence check ((state = 'failed') = (failed_at is not null) and
        (failed_at is null or coalesce(btrim(error_message), '') <> '')),
    constraint synced_has_a_time check ((state = 'synced') = (synced_at is not null)),
    unique (user_id, fact_key)
);
create index memory_facts_list on public.memory_facts (user_id, at desc, fact_id desc);
create index memory_facts_next on public.memory_facts (run_after) where state in ('pending', 'sent');

-- What the outside service must forget. No foreign key: a row outlives the facts and the person.
create table public.erasures (
    erasure_id uuid primary key default gen_random_uuid(),
    user_id uuid not null,
    kind text not null check (kind in ('fact', 'all', 'person')),
    fact_id uuid,
    operation_id uuid,   -- of a fact whose sending had not completed
    state text not null default 'pending' check (state in ('pending', 'done', 'failed')),
    attempts int not null default 0,
    run_after timestamptz not null default now(),
    created_at timestamptz not null default now(),
    done_at timestamptz,
    failed_at timestamptz,
    error_message text,
    constraint fact_is_named check ((kind = 'fact') = (fact_id is not null)),
    constraint failure_has_a_sentence check ((state = 'failed') = (failed_at is not null) and
        (failed_at is null or coalesce(btrim(error_message), '') <> '')),
    constraint done_has_a_time check ((state = 'done') = (done_at is not null))
);
create index erasures_next on public.erasures (run_after) where state = 'pending';
create index erasures_user on public.erasures (user_id);

create table public.reflections (
    reflection_id uuid primary key default gen_random_uuid(),
    user_id uuid not null references public.users on delete cascade,
    by_user uuid references public.users on delete set null,
    provider text,
    summary text,
    state text not null default 'pending' check (state in ('pending', 'done', 'failed')),
    attempts int not null default 0,
    created_at timestamptz not null default now(),
    done_at timestamptz,
    failed_at timestamptz,
    error_message text,
    constraint failure_has_a_sentence check ((state = 'failed') = (failed_at is not null) and
        (failed_at is null or coalesce(btrim(error_message), '') <> '')),
    constraint done_has_a_summary check ((state = 'done') = (done_at is not null) and (state <> 'done' or summary is not null))
);
create index reflections_user on public.reflections (user_id, created_at desc);
create index reflections_by on public.reflections (by_user);

-- Who looked at whose memory, as the person it is about reads it.
create table public.memory_access_log (
    access_id uuid primary key default gen_random_uuid(),
    user_id uuid not null references public.users on delete cascade,
    by_user uuid references public.users on delete set null,
    by_name text,       -- null once that person is deleted
    role text not null,
    action text not null,
    at timestamptz not null default now()
);
create index memory_access_log_user on public.memory_access_log (user_id, at desc, access_id desc);
create index memory_access_log_by on public.memory_access_log (by_user);
call auth.protect('public.memory_facts', 'public.erasures', 'public.reflections', 'public.memory_access_log');

-- A person's facts are theirs alone.
create policy own_facts on public.memory_facts to edurag_app
    using (user_id = (select (auth.me()).user_id)) with check (user_id = (select (auth.me()).user_id));
grant select, delete, insert (fact_id, user_id, fact, fact_key, source, topic, course_id, state, at, count),
    update (count, at, topic) on public.memory_facts to edurag_app;
-- Nodes send facts outside, and note how that went.
create policy nodes_read on public.memory_facts for select to edurag_worker using (true);
create policy nodes_note on public.memory_facts for update to edurag_worker using (true) with check (true);
grant select, update (state, operation_id, attempts, run_after, synced_at, failed_at, error_message)
    on public.memory_facts to edurag_worker;
-- A person may see that something of theirs is still to be erased; nodes erase.
create policy own_erasures on public.erasures for select to edurag_app using (user_id = (select (auth.me()).user_id));
create policy nodes_read on public.erasures for select to edurag_worker using (true);
create policy nodes_note on public.erasures for update to edurag_worker using (true) with check (true);
grant select on public.erasures to edurag_app;
grant select, update (state, attempts, run_after, done_at, failed_at, error_message) on public.erasures to edurag_worker;
-- A reflection is seen by the person it is about, and by who asked for it.
create policy own_reflections on public.reflections for select to edurag_app
    using ((select (auth.me()).user_id) in (user_id, by_user));
grant select on public.reflections to edurag_app;
-- The access log is read by the person it is about; functions write it.
create policy own_access_log on public.memory_access_log for select to edurag_app
    using (user_id = (select (auth.me()).user_id));
grant select on public.memory_access_log to edurag_app;

create function auth.facts_pending() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_notify('edurag_memory', 'fact');
    return null;
end $$;
create trigger facts_pending after insert on public.memory_facts
    for each row when (new.state = 'pending') execute function auth.facts_pending();

-- A fact that may be outside leaves an erasure behind; one whose person is gone is covered by theirs.
create function auth.facts_gone() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if old.state <> 'local' and exists (select from public.users u where u.user_id = old.user_id) then
        -- While a node may be sending it (the lease of at most a minute) it must not overtake us.
        insert into public.erasures (user_id, kind, fact_id, operation_id, run_after)
        values (old.user_id, 'fact', old.fact_id, old.operation_id, least(greatest(now(), old.run_after), now() + interval '1 minute'));
    end if;
    return null;
end $$;
create trigger facts_gone after delete on public.memory_facts for each row execute function auth.facts_gone();

create function auth.erasures_pending() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_notify('edurag_memory', 'erasure');
    return null;
end $$;
create trigger erasures_pending after insert on public.erasures for each row execute function auth.erasures_pending();

-- Keeps a fact of the caller's; the same again counts up, and that count stays here. No row comes back where
-- the second lock (no_contact_details) refuses: what led to the fact must not fail for it.
create function api.retain(fact text, fact_key text, source text, topic text, course_id uuid, state text)
returns setof public.memory_facts language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    return query
        insert into public.memory_facts as f (fact, fact_key, source, topic, course_id, state)
        values (retain.fact, encode(sha256(convert_to(retain.fact_key, 'UTF8')), 'hex'), retain.source, retain.topic, retain.course_id, retain.state)
        on conflict on constraint memory_facts_user_id_fact_key_key do update set count = f.count + 1, at = now()
        returning f.*;
exception
    when check_violation then
        return;
    when others then
        raise warning 'a fact was not kept: %', sqlstate;
        return;
end $$;

-- All that is kept on the caller, as one document; that a copy was made stands in their access log.
create function api.memory_export() returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    insert into public.memory_access_log (user_id, by_user, by_name, role, action)
    values (me.user_id, me.user_id, me.name, me.role, 'export');
    return jsonb_build_object(
        'account', (select api.user_json(u) || jsonb_build_object('created_at', api.utc(u.created_at),
            'last_active_at', api.utc(u.last_active_at)) from public.users u where u.user_id = me.user_id),
        'facts', coalesce((select jsonb_agg(jsonb_build_object('fact_id', f.fact_id, 'fact', f.fact, 'source', f.source,
            'topic', f.topic, 'count', f.count, 'first_at', api.utc(f.first_at), 'at', api.utc(f.at)) order by f.at)
            from public.memory_facts f where f.user_id = me.user_id), '[]'),
        'searches', coalesce((select jsonb_agg(jsonb_build_object('search_id', h.search_id, 'thread_id', h.thread_id,
            'query', h.query, 'results', h.results, 'at', api.utc(h.at)) order by h.at)
            from public.search_history h where h.user_id = me.user_id), '[]'),
        'turns', coalesce((select jsonb_agg(jsonb_build_object('search_id', t.search_id, 'thread_id', t.thread_id,
            'query', t.query, 'answer', t.answer, 'citations', t.citations, 'at', api.utc(t.at)) order by t.at)
            from public.turns t where t.user_id = me.user_id), '[]'),
        'opened', coalesce((select jsonb_agg(jsonb_build_object('pdf_id', o.pdf_id, 'page', o.page, 'section', o.section,
            'opens', o.opens, 'first_at', api.utc(o.first_at), 'last_at', api.utc(o.last_at)) order by o.last_at)
            from public.page_opens o where o.user_id = me.user_id), '[]'),
        'reflections', coalesce((select jsonb_agg(jsonb_build_object('summary', r.summary, 'provider', r.provider,
            'at', api.utc(r.created_at)) order by r.created_at)
            from public.reflections r where r.user_id = me.user_id and r.state = 'done'), '[]'),
        'chat', coalesce((select jsonb_agg(jsonb_build_object('message_id', m.message_id, 'room', m.room_id, 'text', m.text,
            'at', api.utc(m.at), 'expires_at', api.utc(m.expires_at)) order by m.at)
            from public.chat_messages m where m.user_id = me.user_id and m.expires_at > now()), '[]'),
        'access_log', coalesce((select jsonb_agg(jsonb_build_object('at', api.utc(l.at), 'by', coalesce(l.by_name, 'somebody who is no longer here'),
            'role', l.role, 'action', l.action) order by l.at)
            from public.memory_access_log l where l.user_id = me.user_id), '[]'));
end $$;

-- Whether anything of this person may have reached an outside service: a fact that was to be sent, or what such
-- a one left behind. Where none was, nothing waits for an erasure that nobody could carry out.
create function auth.may_be_outside(person uuid) returns boolean language sql stable
return exists (select from public.memory_facts f where f.user_id = person and f.state <> 'local')
    or exists (select from public.erasures e where e.user_id = person);

-- {forgotten: {facts, searches, reflections}}: one fact, or (null) everything that was learned.
create function api.forget(fact_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    facts int;
    searches int := 0;
    thoughts int := 0;
    outside boolean := auth.may_be_outside(me.user_id);
begin
    if forget.fact_id is not null then
        delete from public.memory_facts f where f.fact_id = forget.fact_id and f.user_id = me.user_id;
        get diagnostics facts = row_count;
        if facts = 0 then
            perform auth.fail('not_found', 'This fact is not here, or no longer here.');
        end if;
    else
        delete from public.memory_facts f where f.user_id = me.user_id;
        get diagnostics facts = row_count;
        delete from public.search_history h where h.user_id = me.user_id;
        get diagnostics searches = row_count;
        delete from public.threads t where t.user_id = me.user_id;
        delete from public.page_opens o where o.user_id = me.user_id;
        delete from public.reflections r where r.user_id = me.user_id;
        get diagnostics thoughts = row_count;
        -- The whole bank goes, and with it what was waiting to go one by one; but what is on its way there could
        -- arrive behind that, so it is followed by an erasure of its own.
        delete from public.erasures e where e.user_id = me.user_id and e.kind = 'fact' and e.state = 'pending'
           and e.operation_id is null and e.run_after <= now();
        insert into public.erasures (user_id, kind) select me.user_id, 'all' where outside;
    end if;
    return jsonb_build_object('forgotten', jsonb_build_object('facts', facts, 'searches', searches, 'reflections', thoughts));
end $$;

-- Whether the caller may look at this person's memory: themselves, a student of theirs, an admin anyone.
create function auth.may_look(me auth.person, person uuid) returns boolean language sql stable
return (me).user_id = person
    or (me).role = 'admin' and exists (select from public.users u where u.user_id = person)
    or (me).role = 'teacher' and exists (select from public.courses c join public.enrolments e using (course_id)
           join public.users u on u.user_id = e.user_id
          where c.teacher_id = (me).user_id and e.user_id = person and u.role = 'student');

-- Begins a reflection and hands out the rows it is computed from: {reflection_id, name, facts, searches, opens}.
-- On somebody else it stands in that person's access log and in the audit log, in this transaction.
create function api.reflection_begin(user_id uuid default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    person uuid := coalesce(reflection_begin.user_id, me.user_id);
    id uuid;
begin
    if not auth.may_look(me, person) then
        perform auth.fail(case when me.role <> 'student' and person = any (auth.my_people()) then 'forbidden' else 'not_found' end,
                          'There is no such student in your courses.');
    end if;
    if person <> me.user_id then
        insert into public.memory_access_log (user_id, by_user, by_name, role, action)
        values (person, me.user_id, me.name, me.role, 'reflection');
        perform auth.audit(me.user_id, 'memory.reflect', person::text);
    end if;
    insert into public.reflections (user_id, by_user) values (person, me.user_id) returning reflection_id into id;
    return jsonb_build_object('reflection_id', id, 'user_id', person,
        'name', (select u.name from public.users u where u.user_id = person),
        'institution_id', (select u.institution_id from public.users u where u.user_id = person),
        'facts', coalesce((select jsonb_agg(jsonb_build_object('fact', f.fact, 'topic', f.topic, 'source', f.source, 'count', f.count,
            'first_at', api.utc(f.first_at), 'at', api.utc(f.at)) order by f.at desc)
            from (select * from public.memory_facts x where x.user_id = person order by x.at desc limit 1000) f), '[]'),
        'searches', coalesce((select jsonb_agg(jsonb_build_object('query', h.query, 'at', api.utc(h.at)) order by h.at)
            from (select * from public.search_history x where x.user_id = person order by x.at desc limit 5000) h), '[]'),
        'opens', coalesce((select jsonb_agg(jsonb_build_object('section', o.section, 'first_at', api.utc(o.first_at),
            'at', api.utc(o.last_at)) order by o.last_at)
            from (select * from public.page_opens x where x.user_id = person order by x.last_at desc limit 5000) o), '[]'));
end $$;

create function api.reflection_end(reflection_id uuid, provider text, summary text, error_message text default null) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    update public.reflections r set provider = reflection_end.provider, summary = reflection_end.summary, attempts = r.attempts + 1,
           state = case when reflection_end.error_message is null then 'done' else 'failed' end,
           done_at = case when reflection_end.error_message is null then now() end,
           failed_at = case when reflection_end.error_message is not null then now() end,
           error_message = reflection_end.error_message
     where r.reflection_id = reflection_end.reflection_id and r.by_user = me.user_id and r.state = 'pending';
end $$;

-- {items, next_cursor} of the people whose memory the caller may look at, with figures and no content.
create function api.students(query text, most int, cursor text) returns jsonb language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('teacher', 'admin');
    key jsonb := api.cursor_key(students.cursor, 'text');
begin
    return (
        with page as (
            select u.* from public.users u
             where u.role = 'student' and (key is null or lower(u.institution_id) > key ->> 0)
               and (query is null or u.name ilike api.like_pattern(query) or u.institution_id ilike api.like_pattern(query))
               and (me.role = 'admin' or exists (select from public.courses c join public.enrolments e using (course_id)
                                                  where c.teacher_id = me.user_id and e.user_id = u.user_id))
             order by lower(u.institution_id) limit most + 1
        ), numbered as (select page.*, row_number() over (order by lower(institution_id)) as n from page)
        select jsonb_build_object(
            'items', coalesce(jsonb_agg(jsonb_build_object('user_id', n.user_id, 'institution_id', n.institution_id, 'name', n.name,
                'searches', (select count(*) from public.search_history h where h.user_id = n.user_id),
                'facts', (select count(*) from public.memory_facts f where f.user_id = n.user_id),
                'last_active_at', api.utc(n.last_active_at)) order by n.n) filter (where n.n <= most), '[]'),
            'next_cursor', case when count(*) > most
                then api.cursor(jsonb_build_array(max(lower(n.institution_id)) filter (where n.n = most))) end)
          from numbered n);
end $$;
grant execute on function api.retain(text, text, text, text, uuid, text), api.memory_export() to edurag_app;
grant execute on function api.forget(uuid), api.reflection_begin(uuid), api.reflection_end(uuid, text, text, text),
    api.students(text, int, text) to edurag_app;
