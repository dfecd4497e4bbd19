-- 007_chat.sql - rooms, lines that expire, mutes, and who is here on which node.

create table public.chat_rooms (
    room_id uuid primary key,
    course_id uuid unique references public.courses on delete cascade,
    last_seq bigint not null default 0,     -- this row's lock is the order of the room's lines
    ttl_seconds int check (ttl_seconds between 1 and 34560000), -- null: EDURAG_CHAT_TTL
    check ((course_id is null and room_id = '00000000-0000-0000-0000-000000000000') or room_id = course_id)
);
insert into public.chat_rooms (room_id) values (auth.open_course()); -- the common room

create table public.chat_messages (
    message_id uuid primary key default gen_random_uuid(),
    room_id uuid not null references public.chat_rooms on delete cascade,
    seq bigint not null,
    user_id uuid not null references public.users on delete cascade,
    client_id text check (char_length(client_id) between 1 and 100),
    text text not null check (char_length(text) between 1 and 2000),
    at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    unique (room_id, seq),
    unique (user_id, client_id)
);
create index chat_messages_expiry on public.chat_messages (expires_at);

create table public.mutes (
    room_id uuid not null references public.chat_rooms on delete cascade,
    user_id uuid not null references public.users on delete cascade,
    until timestamptz not null,
    by_user uuid references public.users on delete set null,
    at timestamptz not null default now(),
    primary key (room_id, user_id)
);
create index mutes_user on public.mutes (user_id);
create index mutes_by on public.mutes (by_user);

-- A node writes itself here every few seconds; one that is silent is gone, and its people with it.
create table public.nodes (
    node text primary key check (char_length(node) between 1 and 100),
    version text not null default '',
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default clock_timestamp()
);
create table public.presence (
    node text not null references public.nodes on delete cascade,
    room_id uuid not null references public.chat_rooms on delete cascade,
    user_id uuid not null references public.users on delete cascade,
    primary key (node, room_id, user_id)
);
create index presence_room on public.presence (room_id);
create index presence_user on public.presence (user_id);
call auth.protect('public.chat_rooms', 'public.chat_messages', 'public.mutes', 'public.nodes', 'public.presence');

-- A room is known to those who are in its course; the common one to everybody logged in.
create policy rooms_known on public.chat_rooms for select to edurag_app
    using (room_id = any ((select auth.my_courses())::uuid[]));
-- Who teaches a course sets how long its room keeps lines.
create policy rooms_changed on public.chat_rooms for update to edurag_app
    using (room_id = any ((select auth.my_taught())::uuid[]));
create policy nodes_read on public.chat_rooms for select to edurag_worker using (true);
grant select, update (ttl_seconds) on public.chat_rooms to edurag_app;
grant select on public.chat_rooms to edurag_worker;
-- Lines are read by the room's members until they expire, swept or not.
create policy lines_read on public.chat_messages for select to edurag_app
    using (room_id = any ((select auth.my_courses())::uuid[]) and expires_at > now());
-- Nodes read each line once for all their members, and sweep.
create policy nodes_read on public.chat_messages for select to edurag_worker using (true);
grant select on public.chat_messages to edurag_app, edurag_worker;
-- A muted person may know it, and who teaches the room.
create policy mutes_known on public.mutes for select to edurag_app
    using (user_id = (select (auth.me()).user_id) or room_id = any ((select auth.my_taught())::uuid[]));
create policy nodes_read on public.mutes for select to edurag_worker using (true);
grant select on public.mutes to edurag_app, edurag_worker;
-- Nodes write who is here; members of a room see who is in it.
create policy nodes_keep on public.nodes to edurag_worker using (true) with check (true);
create policy nodes_keep on public.presence to edurag_worker using (true) with check (true);
create policy presence_seen on public.presence for select to edurag_app
    using (room_id = any ((select auth.my_courses())::uuid[]));
grant select, insert, update, delete on public.nodes, public.presence to edurag_worker;
grant select on public.presence to edurag_app;

create function auth.courses_room() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    insert into public.chat_rooms (room_id, course_id) values (new.course_id, new.course_id);
    return null;
end $$;
create trigger courses_room after insert on public.courses for each row execute function auth.courses_room();

-- A line that goes before its time (deleted, or its author is) is taken off every screen.
create function auth.lines_gone() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if old.expires_at > now() then
        perform pg_notify('edurag_chat_deleted', old.room_id || ' ' || old.message_id);
    end if;
    return null;
end $$;
create trigger lines_gone after delete on public.chat_messages for each row execute function auth.lines_gone();

create function auth.presence_changed() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_notify('edurag_presence', case when tg_op = 'DELETE' then old.room_id else new.room_id end::text);
    return null;
end $$;
create trigger presence_changed after insert or delete on public.presence
    for each row execute function auth.presence_changed();

-- {message_id, seq, at}. The room's row is locked until the commit, so seq and commits have one order; the
-- same client_id of one person twice is one line. `text` has been cleaned by the server.
create function api.chat_send(room uuid, text text, client_id text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    place uuid := coalesce(chat_send.room, auth.open_course());
    m public.chat_messages;
    silent timestamptz;
    number bigint;
    life interval;
begin
    if not place = any (auth.my_courses()) then
        perform auth.fail('not_found', 'There is no such room, or it is not one of yours.');
    end if;
    select x.until into silent from public.mutes x where x.room_id = place and x.user_id = me.user_id and x.until > now();
    if silent is not null then
        perform auth.fail('forbidden', 'You have been muted in this room for a while.', jsonb_build_object('until', api.utc(silent)));
    end if;
    update public.chat_rooms r set last_seq = r.last_seq + 1 where r.room_id = place
    returning r.last_seq, coalesce(r.ttl_seconds * interval '1 second', (select s.chat_ttl from auth.settings s)) into number, life;
    if chat_send.client_id is not null then
        select * into m from public.chat_messages x where x.user_id = me.user_id and x.client_id = chat_send.client_id;
        if m.message_id is not null then
            update public.chat_rooms r set last_seq = r.last_seq - 1 where r.room_id = place;
            return jsonb_build_object('message_id', m.message_id, 'seq', m.seq, 'at', api.utc(m.at));
        end if;
    end if;
    insert into public.chat_messages (room_id, seq, user_id, client_id, text, expires_at)
    values (place, number, me.user_id, chat_send.client_id, chat_send.text, clock_timestamp() + life) returning * into m;
    perform pg_notify('edurag_chat', place || ' ' || number);
    return jsonb_build_object('message_id', m.message_id, 'seq', m.seq, 'at', api.utc(m.at));
end $$;

create function api.chat_delete(message_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    m public.chat_messages;
begin
    select * into m from public.chat_messages x where x.message_id = chat_delete.message_id and x.expires_at > now();
    if m.message_id is null or not m.room_id = any (auth.my_courses()) then
        perform auth.fail('not_found', 'This message is not here, or no longer here.');
    elsif not m.room_id = any (auth.my_taught()) then
        perform auth.fail('forbidden', 'Only the teacher of this course may do this.');
    end if;
    delete from public.chat_messages x where x.message_id = m.message_id;
    perform auth.audit(me.user_id, 'chat.delete', m.user_id::text, jsonb_build_object('room', m.room_id));
    return '{}';
end $$;

-- Silences a person in a room for `seconds`; 0 lets them speak again.
create function api.chat_mute(room uuid, user_id uuid, seconds bigint) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    place uuid := coalesce(chat_mute.room, auth.open_course());
    person uuid := chat_mute.user_id;
begin
    if not place = any (auth.my_courses()) then
        perform auth.fail('not_found', 'There is no such room, or it is not one of yours.');
    elsif not place = any (auth.my_taught()) then
        perform auth.fail('forbidden', 'Only the teacher of this course may do this.');
    elsif not exists (select from public.users u where u.user_id = person and (place = auth.open_course()
              or exists (select from public.enrolments e where e.course_id = place and e.user_id = person)
              or exists (select from public.chat_messages c where c.room_id = place and c.user_id = person and c.expires_at > now()))) then
        perform auth.fail('not_found', 'There is no such person in this room.');
    end if;
    if seconds <= 0 then
        delete from public.mutes x where x.room_id = place and x.user_id = person;
    else
        insert into public.mutes (room_id, user_id, until, by_user)
        values (place, person, now() + least(seconds, 34560000) * interval '1 second', me.user_id)
        on conflict on constraint mutes_pkey do update set until = excluded.until, by_user = excluded.by_user, at = now();
    end if;
    perform pg_notify('edurag_mute', place || ' ' || person);
    perform auth.audit(me.user_id, 'chat.mute', person::text, jsonb_build_object('room', place, 'seconds', seconds));
    return '{}';
end $$;
grant execute on function api.chat_send(uuid, text, text), api.chat_delete(uuid), api.chat_mute(uuid, uuid, bigint) to edurag_app;

-- How long lines live in a room, as join tells it.
create function api.chat_ttl(room uuid) returns int language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(r.ttl_seconds, extract(epoch from s.chat_ttl)::int) from public.chat_rooms r, auth.settings s where r.room_id = room;
end;
grant execute on function api.chat_ttl(uuid) to edurag_app, edurag_worker;

-- A line as chat.message and chat.join show it.
create function auth.line_json(m public.chat_messages, u public.users) returns jsonb language sql stable
return pg_catalog.jsonb_build_object('message_id', (m).message_id, 'seq', (m).seq, 'room', (m).room_id, 'user_id', (u).user_id,
    'name', (u).name, 'role', (u).role, 'avatar', (u).avatar, 'text', (m).text, 'at', api.utc((m).at),
    'expires_at', api.utc((m).expires_at));
grant execute on function auth.line_json(public.chat_messages, public.users) to edurag_worker;

-- What a member who joins is shown, and up to which line that reaches: lines behind `after_seq` and not yet
-- expired, oldest first, `most` of them; all from one snapshot. Names of all who spoke, so a definer.
create function api.chat_join(room uuid, after_seq bigint, most int, out result jsonb, out last_seq bigint, out more boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    place uuid := coalesce(chat_join.room, auth.open_course());
    lines jsonb;
begin
    if not place = any (auth.my_courses()) then
        perform auth.fail('not_found', 'There is no such room, or it is not one of yours.');
    end if;
    with page as (
        select m from public.chat_messages m
         where m.room_id = place and m.seq > coalesce(after_seq, 0) and m.expires_at > now()
         order by m.seq limit most + 1
    ), told as (
        select auth.line_json(p.m, u) as line, (p.m).seq as seq, row_number() over (order by (p.m).seq) as n
          from page p join public.users u on u.user_id = (p.m).user_id
    )
    select coalesce(jsonb_agg(t.line order by t.n) filter (where t.n <= most), '[]'), count(*) > most into lines, more from told t;
    select r.last_seq into last_seq from public.chat_rooms r where r.room_id = place;
    result := jsonb_build_object('room', place, 'ttl_seconds', api.chat_ttl(place), 'messages', lines, 'more', more, 'online',
        (select count(distinct x.user_id) from (select p.user_id from public.presence p where p.room_id = place
                                                union all select me.user_id) x));
end $$;
grant execute on function api.chat_join(uuid, bigint, int) to edurag_app;

-- The rooms that a person may be in, separated by blanks: who loses a course leaves its room.
create function worker.rooms_of(person uuid) returns text language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(string_agg(r.room_id::text, ' '), '') from public.chat_rooms r, public.users u
     where u.user_id = person and not u.disabled and (u.role = 'admin' or r.course_id is null
        or exists (select from public.enrolments e where e.course_id = r.course_id and e.user_id = person)
        or u.role = 'teacher' and exists (select from public.courses c where c.course_id = r.course_id and c.teacher_id = person));
end;
grant execute on function worker.rooms_of(uuid) to edurag_worker;

-- Deletes what has expired and tells every node; -1 where another node is at it.
create function worker.sweep_chat() returns int language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    n int;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('edurag sweep chat', 0)) then
        return -1;
    end if;
    with gone as (
        delete from public.chat_messages where expires_at <= now() returning room_id, message_id, seq
    ), batches as (
        select room_id, message_id, (row_number() over (partition by room_id order by seq) - 1) / 100 as batch from gone
    ), told as (
        select pg_notify('edurag_chat_expired', room_id || ' ' || string_agg(message_id::text, ' ')), count(*) as ids
          from batches group by room_id, batch
    )
    select coalesce(sum(ids), 0) into n from told;
    delete from public.mutes where until <= now();
    return n;
end $$;

-- A node says that it is alive, and clears away those that have been silent for eight seconds.
create function worker.node_beat(node text, version text) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    insert into public.nodes as x (node, version) values (node_beat.node, node_beat.version)
    on conflict on constraint nodes_pkey do update set seen_at = clock_timestamp(), version = excluded.version;
    delete from public.nodes x where x.seen_at < clock_timestamp() - interval '8 seconds' and x.node <> node_beat.node;
end $$;
grant execute on function worker.sweep_chat(), worker.node_beat(text, text) to edurag_worker;
