-- 012_chat.sql - one line a client_id and room, lines that are gone known for a while, a send that asks less.

-- Two rooms are two conversations: a script that numbers its lines from one in each loses none.
alter table public.chat_messages drop constraint chat_messages_user_id_client_id_key,
    add constraint chat_messages_once unique (user_id, room_id, client_id);

-- Which lines have gone, ids only: for nodes that could not hear it, and members who were away. A line taken
-- back before its time is known until it would have expired, expired ones for an hour after the sweep.
create table public.chat_gone (
    gone_id bigint generated always as identity primary key,
    room_id uuid not null,      -- no reference: lines that go with their room are told as well
    seq bigint,                 -- of a line taken back; null: these have expired
    message_ids uuid[] not null check (cardinality(message_ids) between 1 and 100),
    gone_at timestamptz not null default clock_timestamp(),
    forget_at timestamptz not null
);
create index chat_gone_at on public.chat_gone (gone_at, gone_id);
create index chat_gone_room on public.chat_gone (room_id, seq) where seq is not null;
create index chat_gone_end on public.chat_gone (forget_at);
call auth.protect('public.chat_gone');
-- Nodes tell their members; a person is told by api.chat_join, and reads nothing here.
create policy nodes_read on public.chat_gone for select to edurag_worker using (true);
grant select on public.chat_gone to edurag_worker;

create or replace function auth.lines_gone() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if old.expires_at > now() then
        insert into public.chat_gone (room_id, seq, message_ids, forget_at)
        values (old.room_id, old.seq, array[old.message_id], old.expires_at);
        perform pg_notify('edurag_chat_deleted', old.room_id || ' ' || old.message_id);
    end if;
    return null;
end $$;

-- Whether `me` is in that room: auth.my_courses() for one course, by somebody whose token has been read.
create function auth.in_room(me auth.person, room uuid) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
    return room = auth.open_course()
        or me.role = 'admin' and exists (select from public.courses c where c.course_id = room)
        or exists (select from public.enrolments e where e.course_id = room and e.user_id = me.user_id)
        or me.role = 'teacher' and exists (select from public.courses c where c.course_id = room and c.teacher_id = me.user_id);
end $$;

-- As in 007, with the token read once and as few statements as there can be while others wait for the room's
-- row. A mute is looked up behind that row's lock: what was decided before counts.
create or replace function api.chat_send(room uuid, text text, client_id text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    place uuid := coalesce(chat_send.room, auth.open_course());
    silent timestamptz;
    number bigint;
    life interval;
    said jsonb;
begin
    if place <> auth.open_course() and not auth.in_room(me, place) then
        perform auth.fail('not_found', 'There is no such room, or it is not one of yours.');
    end if;
    update public.chat_rooms r set last_seq = r.last_seq + 1 where r.room_id = place
    returning r.last_seq, coalesce(r.ttl_seconds * interval '1 second', (select s.chat_ttl from auth.settings s)) into number, life;
    insert into public.chat_messages as m (room_id, seq, user_id, client_id, text, expires_at)
    select place, number, me.user_id, chat_send.client_id, chat_send.text, clock_timestamp() + life
     where not exists (select from public.mutes x where x.room_id = place and x.user_id = me.user_id and x.until > clock_timestamp())
    on conflict on constraint chat_messages_once do nothing
    returning jsonb_build_object('message_id', m.message_id, 'seq', m.seq, 'at', api.utc(m.at)) into said;
    if said is not null then
        perform pg_notify('edurag_chat', place || ' ' || number);
        return said;
    end if;
    select x.until into silent from public.mutes x
     where x.room_id = place and x.user_id = me.user_id and x.until > clock_timestamp();
    if silent is not null then
        perform auth.fail('forbidden', 'You have been muted in this room for a while.', jsonb_build_object('until', api.utc(silent)));
    end if;
    select jsonb_build_object('message_id', x.message_id, 'seq', x.seq, 'at', api.utc(x.at)) into said
      from public.chat_messages x where x.user_id = me.user_id and x.room_id = place and x.client_id = chat_send.client_id;
    if said is null then -- the mute has just ended
        perform auth.fail('busy', 'Please send this again.', '{"retry_after_ms": 100}');
    end if;
    update public.chat_rooms r set last_seq = r.last_seq - 1 where r.room_id = place;
    return said;
end $$;

-- As in 007; `gone` are the lines up to `after_seq` that were taken back, for a member who may still show them.
drop function api.chat_join(uuid, bigint, int);
create function api.chat_join(room uuid, after_seq bigint, most int, out result jsonb, out last_seq bigint, out more boolean, out gone text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    place uuid := coalesce(chat_join.room, auth.open_course());
    lines jsonb;
begin
    if not auth.in_room(me, place) then
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
    if after_seq > 0 then
        select string_agg(g.message_ids[1]::text, ' ') into gone
          from (select x.message_ids from public.chat_gone x
                 where x.room_id = place and x.seq <= after_seq and x.forget_at > now() order by x.seq desc limit most) g;
    end if;
    result := jsonb_build_object('room', place, 'ttl_seconds', api.chat_ttl(place), 'messages', lines, 'more', more, 'online',
        (select count(distinct x.user_id) from (select p.user_id from public.presence p where p.room_id = place
                                                union all select me.user_id) x));
end $$;
grant execute on function api.chat_join(uuid, bigint, int) to edurag_app;

-- As in 007, at most `most` lines at once, so that a long outage can't make it run into its time limit.
create function worker.sweep_chat(most int) returns int language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    n int;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('edurag sweep chat', 0)) then
        return -1;
    end if;
    with due as (
        select m.message_id from public.chat_messages m where m.expires_at <= now() order by m.expires_at limit most
    ), swept as (
        delete from public.chat_messages m using due d where m.message_id = d.message_id returning m.room_id, m.message_id, m.seq
    ), batches as (
        select s.room_id, s.message_id, (row_number() over (partition by s.room_id order by s.seq) - 1) / 100 as batch from swept s
    ), kept as (
        insert into public.chat_gone (room_id, message_ids, forget_at)
        select b.room_id, array_agg(b.message_id), clock_timestamp() + interval '1 hour' from batches b group by b.room_id, b.batch
        returning room_id, message_ids
    ), told as (
        select pg_notify('edurag_chat_expired', k.room_id || ' ' || array_to_string(k.message_ids, ' ')), cardinality(k.message_ids) as ids from kept k
    )
    select coalesce(sum(t.ids), 0) into n from told t;
    delete from public.chat_gone where forget_at <= now();
    delete from public.mutes where until <= now();
    return n;
end $$;
create or replace function worker.sweep_chat() returns int language sql volatile security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select worker.sweep_chat(20000);
end;

grant execute on function worker.sweep_chat(int) to edurag_worker;
