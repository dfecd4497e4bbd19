-- 016_privacy.sql - who may put whom where, and what anybody may learn of others.
--
-- NOTIFICATIONS. One more (the others: 001):
--   edurag_enrolled      "user_id course_id": that person was put into that course

-- ------------------------------------------------------------------ membership

alter table public.enrolments
    add column enrolled_by uuid references public.users on delete set null,
    add column assigned boolean not null default false;
comment on column public.enrolments.enrolled_by is 'as the person is told';
comment on column public.enrolments.assigned is 'by an admin: not theirs to leave';
create index enrolments_by on public.enrolments (enrolled_by);

-- School numbers that a teacher tried and that were no student's. A list of a class has a few; who tries number after
-- number is slowed: a hundred are free, two a minute come back, and the wait is an hour at most.
create table auth.enrol_misses (
    user_id uuid primary key references public.users on delete cascade,
    misses float8 not null default 0 check (misses >= 0),
    at timestamptz not null default clock_timestamp()
);
call auth.protect('auth.enrol_misses');

create function auth.enrol_missed(person uuid, count int) returns void language sql volatile
begin atomic
    insert into auth.enrol_misses as x (user_id, misses) values (person, count)
    on conflict on constraint enrol_misses_pkey do update set at = clock_timestamp(),
        misses = least(220, greatest(0, x.misses - extract(epoch from clock_timestamp() - x.at) / 30) + excluded.misses);
end;

create function auth.enrol_wait(person uuid) returns bigint language sql stable
return coalesce((select greatest(0, ceil(((x.misses - 100) * 30 - extract(epoch from clock_timestamp() - x.at)) * 1000))::bigint
                   from auth.enrol_misses x where x.user_id = person and x.at <= clock_timestamp()), 0);

-- RACES. Whatever reads who somebody is, waits for another's lock and then writes, asks again after the wait. Locks are
-- taken in one order: people (by id, for share, so that roles, disabling and erasure wait or are seen), then the
-- course or the room, then the row itself.
create function auth.hold_people(people uuid[]) returns void language plpgsql volatile as $$
begin
    perform from public.users u where u.user_id = any (people) order by u.user_id for share;
end $$;

-- Whether the course is there and the caller's to change; its row is held from here on.
create function auth.hold_course(course uuid) returns void language plpgsql volatile as $$
begin
    perform from public.courses c where c.course_id = course for no key update;
    if not course = any (auth.my_courses()) or course = auth.open_course() then
        perform auth.fail('not_found', 'There is no such course, or no longer.');
    elsif not course = any (auth.my_taught()) then
        perform auth.fail('forbidden', 'Only the teacher of this course may do this.');
    end if;
end $$;

create function auth.enrol_in(me auth.person, course uuid, ids text[], out changed int, out unknown text[])
language plpgsql volatile as $$
declare
    wanted uuid[];
    fresh uuid[];
begin
    perform auth.hold_people(array(select u.user_id from public.users u
                                    where lower(u.institution_id) in (select lower(id) from unnest(ids) id)) || me.user_id);
    me := auth.need('teacher', 'admin');
    perform auth.hold_course(course);
    select coalesce(array_agg(distinct u.user_id) filter (where u.user_id is not null), '{}'),
           coalesce(array_agg(i.id order by i.id) filter (where u.user_id is null), '{}')
      into wanted, unknown
      from (select distinct id from unnest(ids) id) i
      left join public.users u on lower(u.institution_id) = lower(i.id) and u.role = 'student' and not u.disabled;
    with done as (
        insert into public.enrolments (course_id, user_id, enrolled_by, assigned)
        select course, p, me.user_id, me.role = 'admin' from unnest(wanted) p on conflict do nothing returning user_id
    )
    select array_agg(user_id) into fresh from done;
    changed := coalesce(cardinality(fresh), 0);
    update public.enrolments e set assigned = true
     where me.role = 'admin' and e.course_id = course and e.user_id = any (wanted) and not e.assigned;
    insert into public.memory_access_log (user_id, by_user, by_name, role, action)
    select p, me.user_id, me.name, me.role, 'enrolment' from unnest(fresh) p;
    perform pg_notify('edurag_enrolled', p || ' ' || course) from unnest(fresh) p;
    if me.role <> 'admin' and unknown <> '{}' then
        perform auth.enrol_missed(me.user_id, cardinality(unknown));
    end if;
end $$;

-- {changed, unknown}: adds (or removes) students by their school numbers, which a teacher can't look up. Who is no
-- student counts as unknown; so does, where people are taken out, who is not in the course: nothing is learned of others.
create or replace function api.enrol(course_id uuid, institution_ids text[], remove boolean default false) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('teacher', 'admin');
    course uuid := enrol.course_id;
    wait bigint;
    unknown text[];
    changed int;
begin
    if not remove then
        perform pg_advisory_xact_lock(hashtextextended('edurag enrol ' || me.user_id, 0)); -- else many at once find no wait
        wait := auth.enrol_wait(me.user_id);
        if wait > 0 then
            perform auth.fail('rate_limited', 'Too many of the numbers that you tried were no student''s. Please wait '
                || (wait + 59999) / 60000 || ' min and check your list.', jsonb_build_object('retry_after_ms', wait));
        end if;
        select x.changed, x.unknown into changed, unknown from auth.enrol_in(me, course, institution_ids) x;
    else
        perform auth.hold_people(array[me.user_id]);
        me := auth.need('teacher', 'admin');
        perform auth.hold_course(course);
        unknown := coalesce(array(select distinct id from unnest(institution_ids) id where not exists (
            select from public.enrolments e join public.users u using (user_id)
             where e.course_id = course and lower(u.institution_id) = lower(id)) order by id), '{}');
        delete from public.enrolments e using public.users u where e.course_id = course and u.user_id = e.user_id
           and lower(u.institution_id) in (select lower(id) from unnest(institution_ids) id);
        get diagnostics changed = row_count;
    end if;
    perform auth.audit(me.user_id, case when remove then 'courses.unenrol' else 'courses.enrol' end, course::text,
                       jsonb_build_object('changed', changed, 'unknown', cardinality(unknown)));
    return jsonb_build_object('changed', changed, 'unknown', to_jsonb(unknown));
end $$;

create function api.leave(course_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    assigned boolean;
begin
    perform auth.hold_people(array[me.user_id]);
    perform from public.courses c where c.course_id = leave.course_id for no key update;
    me := auth.need();
    select e.assigned into assigned from public.enrolments e where e.course_id = leave.course_id and e.user_id = me.user_id;
    if assigned is null then
        perform auth.fail('not_found', 'You are not in this course, or no longer.');
    elsif assigned then
        perform auth.fail('forbidden', 'An admin put you into this course. Ask your school to take you out.');
    end if;
    delete from public.enrolments e where e.course_id = leave.course_id and e.user_id = me.user_id;
    perform auth.audit(me.user_id, 'courses.leave', leave.course_id::text);
    return '{}';
end $$;
grant execute on function api.leave(uuid) to edurag_app;

-- {course_id, enrolled_by}: what a person who has been put into a course is told; no row where that is over already.
create function worker.enrolment(person uuid, course uuid) returns jsonb language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select jsonb_build_object('course_id', e.course_id, 'enrolled_by', coalesce(b.name, 'somebody who is no longer here'))
      from public.enrolments e left join public.users b on b.user_id = e.enrolled_by
     where e.course_id = course and e.user_id = person;
end;
grant execute on function worker.enrolment(uuid, uuid) to edurag_worker;

-- As in 007; but nobody silences an admin, whenever they became one.
create or replace function api.chat_mute(room uuid, user_id uuid, seconds bigint) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    place uuid := coalesce(chat_mute.room, auth.open_course());
    person uuid := chat_mute.user_id;
begin
    perform auth.hold_people(array[me.user_id, person]);
    perform from public.chat_rooms r where r.room_id = place for key share;
    me := auth.need();
    if not place = any (auth.my_courses()) then
        perform auth.fail('not_found', 'There is no such room, or it is not one of yours.');
    elsif not place = any (auth.my_taught()) then
        perform auth.fail('forbidden', 'Only the teacher of this course may do this.');
    elsif not exists (select from public.users u where u.user_id = person and (place = auth.open_course()
              or exists (select from public.enrolments e where e.course_id = place and e.user_id = person)
              or exists (select from public.chat_messages c where c.room_id = place and c.user_id = person and c.expires_at > now()))) then
        perform auth.fail('not_found', 'There is no such person in this room.');
    elsif seconds > 0 and exists (select from public.users u where u.user_id = person and u.role = 'admin') then
        perform auth.fail('forbidden', 'An admin cannot be muted.');
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

create function auth.admins_speak() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    delete from public.mutes where user_id = new.user_id;
    return null;
end $$;
create trigger admins_speak after update of role on public.users
    for each row when (new.role = 'admin' and old.role <> 'admin') execute function auth.admins_speak();

-- ------------------------------------------------------------------ what a teacher learns

-- What others were told used to hold the person's own words.
delete from public.reflections where by_user is distinct from user_id;

-- As in 006: begins a reflection. On oneself it hands out the rows that it is computed from. On somebody else it hands
-- out none: a node reads them (worker.reflection_rows) and gives back nothing of the person's wording; and it stands in
-- that person's access log and in the audit log, in this transaction.
create or replace function api.reflection_begin(user_id uuid default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    person uuid := coalesce(reflection_begin.user_id, me.user_id);
    id uuid;
    known jsonb;
begin
    perform auth.hold_people(array[me.user_id, person]);
    me := auth.need();
    if not auth.may_look(me, person) then
        perform auth.fail(case when me.role <> 'student' and person = any (auth.my_people()) then 'forbidden' else 'not_found' end,
                          'There is no such student in your courses.');
    end if;
    insert into public.reflections (user_id, by_user) values (person, me.user_id) returning reflection_id into id;
    known := jsonb_build_object('reflection_id', id, 'user_id', person,
        'name', (select u.name from public.users u where u.user_id = person),
        'institution_id', (select u.institution_id from public.users u where u.user_id = person));
    if person <> me.user_id then
        insert into public.memory_access_log (user_id, by_user, by_name, role, action)
        values (person, me.user_id, me.name, me.role, 'reflection');
        perform auth.audit(me.user_id, 'memory.reflect', person::text);
        return known;
    end if;
    return known || jsonb_build_object(
        'facts', coalesce((select jsonb_agg(jsonb_build_object('fact', f.fact, 'topic', f.topic, 'source', f.source, 'count', f.count,
            'first_at', api.utc(f.first_at), 'at', api.utc(f.at)) order by f.at desc)
            from (select * from public.memory_facts x where x.user_id = person order by x.at desc limit 1000) f), '[]'),
        'searches', coalesce((select jsonb_agg(jsonb_build_object('query', h.query, 'at', api.utc(h.at)) order by h.at)
            from (select * from public.search_history x where x.user_id = person order by x.at desc limit 5000) h), '[]'),
        'opens', coalesce((select jsonb_agg(jsonb_build_object('section', o.section, 'first_at', api.utc(o.first_at),
            'at', api.utc(o.last_at)) order by o.last_at)
            from (select * from public.page_opens x where x.user_id = person order by x.last_at desc limit 5000) o), '[]'));
end $$;

-- The courses that somebody may look at a person in: a teacher's own that the person is in; null: an admin, all there is.
create function auth.looked_at_in(looker uuid, person uuid) returns uuid[] language sql stable
return (select case when u.role <> 'admin' then array(
            select c.course_id from public.courses c join public.enrolments e on e.course_id = c.course_id and e.user_id = person
             where c.teacher_id = looker and u.role = 'teacher') end
          from public.users u where u.user_id = looker);

-- What a reflection on somebody else is computed from, while it is being written: searches in those courses, pages of
-- their documents, and the courses whose documents name the topics (the open library's do, too).
create function worker.reflection_rows(reflection_id uuid) returns jsonb language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    r public.reflections;
    scope uuid[];
begin
    select * into r from public.reflections x
     where x.reflection_id = reflection_rows.reflection_id and x.state = 'pending' and x.by_user <> x.user_id;
    if r.reflection_id is null then
        return null;
    end if;
    scope := auth.looked_at_in(r.by_user, r.user_id);
    return jsonb_build_object(
        'courses', (auth.open_course() || coalesce(scope, array(select c.course_id from public.courses c)))::text,
        'searches', coalesce((select jsonb_agg(jsonb_build_object('query', h.query, 'at', api.utc(h.at)) order by h.at)
            from (select * from public.search_history x where x.user_id = r.user_id and (scope is null or x.course_id = any (scope))
                   order by x.at desc limit 5000) h), '[]'),
        'opens', coalesce((select jsonb_agg(jsonb_build_object('at', api.utc(o.last_at)) order by o.last_at)
            from (select x.last_at from public.page_opens x join public.pdfs p using (pdf_id)
                   where x.user_id = r.user_id and (scope is null or p.course_id = any (scope))
                   order by x.last_at desc limit 5000) o), '[]'));
end $$;
grant execute on function worker.reflection_rows(uuid) to edurag_worker;

-- As in 006; a teacher counts what belongs to their courses alone.
create or replace function api.students(query text, most int, cursor text) returns jsonb language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('teacher', 'admin');
    key jsonb := api.cursor_key(students.cursor, 'text');
begin
    return (
        with page as (
            select u.*, auth.looked_at_in(me.user_id, u.user_id) as scope from public.users u
             where u.role = 'student' and (key is null or lower(u.institution_id) > key ->> 0)
               and (query is null or u.name ilike api.like_pattern(query) or u.institution_id ilike api.like_pattern(query))
               and (me.role = 'admin' or exists (select from public.courses c join public.enrolments e using (course_id)
                                                  where c.teacher_id = me.user_id and e.user_id = u.user_id))
             order by lower(u.institution_id) limit most + 1
        ), numbered as (select page.*, row_number() over (order by lower(institution_id)) as n from page)
        select jsonb_build_object(
            'items', coalesce(jsonb_agg(jsonb_build_object('user_id', n.user_id, 'institution_id', n.institution_id, 'name', n.name,
                'searches', (select count(*) from public.search_history h
                              where h.user_id = n.user_id and (n.scope is null or h.course_id = any (n.scope))),
                'facts', (select count(*) from public.memory_facts f
                           where f.user_id = n.user_id and (n.scope is null or f.course_id = any (n.scope))),
                'last_active_at', api.utc(case when n.scope is null then n.last_active_at else greatest(
                    (select max(h.at) from public.search_history h where h.user_id = n.user_id and h.course_id = any (n.scope)),
                    (select max(o.last_at) from public.page_opens o join public.pdfs p using (pdf_id)
                      where o.user_id = n.user_id and p.course_id = any (n.scope))) end)) order by n.n) filter (where n.n <= most), '[]'),
            'next_cursor', case when count(*) > most
                then api.cursor(jsonb_build_array(max(lower(n.institution_id)) filter (where n.n = most))) end)
          from numbered n);
end $$;

-- ------------------------------------------------------------------ what many search

-- WHAT IS PROMISED. A topic has the name of a title or heading of the library (or of a course's documents: then its
-- members alone are counted and told), never words that somebody typed. What is shown is "5, 10, 20 or 50 people, or
-- more", each person once, and nothing else. It changes only when the number of people has changed by `margin` since it
-- was last taken: at least the setting (five), and up to two more, drawn in secret for each topic and each time. So
-- between two changes the searches of any four people, added or taken away, change nothing; what appears stands for five
-- at least; and two who act together learn of a group of three others or more, not who they are nor whether one was
-- among them. (Where a topic first appears, or is taken anew after a week, one person more or fewer may have been the one
-- that decided; the secret draw is what hides whether it was so.)
create table public.trending_counts (
    course_id uuid references public.courses on delete cascade, -- null: the open library
    topic text not null,
    taken int not null default 0 check (taken >= 0),            -- people, when they were last counted in
    margin int not null check (margin > 0),
    at timestamptz not null default now(),
    unique nulls not distinct (course_id, topic)
);
call auth.protect('public.trending_counts'); -- read and written by worker.trending_take alone

delete from public.trending;
alter table public.trending drop constraint trending_pkey, drop constraint trending_searchers_check,
    add column course_id uuid references public.courses on delete cascade,
    add constraint trending_one unique nulls not distinct (course_id, topic),
    add constraint trending_steps check (searchers in (5, 10, 20, 50) and searches = searchers);
-- Whoever reads it learns no more than topics and steps; a course's topics are its members'.
drop policy trending_known on public.trending;
drop policy nodes_keep on public.trending;
create policy trending_known on public.trending for select to edurag_app
    using ((select (auth.me()).user_id) is not null and (course_id is null or course_id = any ((select auth.my_courses())::uuid[])));
revoke all on public.trending from edurag_app, edurag_worker;
grant select (topic, searches, searchers, course_id) on public.trending to edurag_app;
revoke all on public.search_history from edurag_worker; -- nodes count through the function below
drop policy nodes_count on public.search_history;

create function auth.trending_margin(enough int) returns int language sql volatile
return enough + get_byte(crypto.gen_random_bytes(1), 0) % 3;

create function auth.trending_step(people int) returns int language sql immutable
return case when people >= 50 then 50 when people >= 20 then 20 when people >= 10 then 10 else 5 end;

-- Where there are people enough to count: the open library (its course is null), and courses.
create function worker.trending_places(enough int) returns setof uuid language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select null::uuid union all select c.course_id from public.courses c where c.members >= enough
        or exists (select from public.trending_counts k where k.course_id = c.course_id);
end;

-- Who searched what in the last seven days, each wording of a person once: everybody, or the members of a course.
create function worker.trending_searches(course uuid, most int) returns table (query text, user_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select distinct s.query, s.user_id
      from (select h.query, h.user_id from public.search_history h
             where h.at > now() - interval '7 days' and (course is null or (h.course_id is null or h.course_id = course)
                   and exists (select from public.enrolments e where e.course_id = course and e.user_id = h.user_id))
             order by h.at desc limit most) s
     order by 1, 2;
end;

-- Which topics are counted in one place, shown or not.
create function worker.trending_known(course uuid) returns setof text language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select c.topic from public.trending_counts c where c.course_id is not distinct from course;
end;

-- Takes what was counted in one place: topics, and how many people searched each. What the library has no longer is
-- `gone` at once.
create function worker.trending_take(course uuid, enough int, topics text[], people int[], gone text[] default '{}') returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not pg_try_advisory_xact_lock(hashtextextended('edurag trending ' || coalesce(course::text, ''), 0)) then
        return; -- another node is at it
    end if;
    delete from public.trending_counts c where c.course_id is not distinct from course and c.topic = any (gone);
    update public.trending_counts c set taken = 0, margin = auth.trending_margin(enough), at = now()
     where c.course_id is not distinct from course and (c.at < now() - interval '7 days' or c.margin < enough);
    insert into public.trending_counts (course_id, topic, margin)
    select course, t.topic, auth.trending_margin(enough) from unnest(topics, people) t(topic, people) where t.people >= enough
    on conflict do nothing;
    update public.trending_counts c set taken = n.people, margin = auth.trending_margin(enough), at = now()
      from (select k.topic, coalesce(t.people, 0) as people from public.trending_counts k
              left join unnest(topics, people) t(topic, people) using (topic) where k.course_id is not distinct from course) n
     where c.course_id is not distinct from course and c.topic = n.topic and abs(n.people - c.taken) >= c.margin;
    delete from public.trending_counts c where c.course_id is not distinct from course and c.taken = 0
       and not exists (select from unnest(topics, people) t(topic, people) where t.topic = c.topic and t.people >= enough);
    delete from public.trending o where o.course_id is not distinct from course and not exists (
        select from public.trending_counts c where c.course_id is not distinct from course and c.topic = o.topic and c.taken >= enough);
    insert into public.trending as o (course_id, topic, searches, searchers)
    select course, c.topic, auth.trending_step(c.taken), auth.trending_step(c.taken) from public.trending_counts c
     where c.course_id is not distinct from course and c.taken >= enough
    on conflict on constraint trending_one do update set searches = excluded.searches, searchers = excluded.searchers, at = now()
     where o.searchers <> excluded.searchers;
end $$;
grant execute on function worker.trending_places(int), worker.trending_searches(uuid, int),
    worker.trending_known(uuid), worker.trending_take(uuid, int, text[], int[], text[]) to edurag_worker;

-- ------------------------------------------------------------------ what is kept, and for how long

-- Where the tables name a person, and what of it they get to take along: 'named' (a member of the export of its own),
-- 'kept' (its row, under "kept", without bytes, digests, hashes and documents' contents), or why not. A table that a later migration adds is
-- 'kept' by itself; a column that names people without referring to them must be named here (the tests look).
create function auth.export_plan() returns table (tab text, col text, how text) language sql stable
begin atomic
    with known(tab, col, how) as (values
        ('public.memory_facts', 'user_id', 'named'), ('public.search_history', 'user_id', 'named'), ('public.turns', 'user_id', 'named'),
        ('public.page_opens', 'user_id', 'named'), ('public.reflections', 'user_id', 'named'), ('public.chat_messages', 'user_id', 'named'),
        ('public.memory_access_log', 'user_id', 'named'), ('auth.sessions', 'user_id', 'named'), ('public.erasures', 'user_id', 'named'),
        ('public.audit_log', 'actor', 'named'), ('public.audit_log', 'target', 'named'), ('auth.login_failures', 'account', 'named'),
        ('public.reflections', 'by_user', 'about somebody else, who can take it along'),
        ('public.memory_access_log', 'by_user', 'about somebody else, who can take it along'),
        ('public.mutes', 'by_user', 'about somebody else; that it was done stands under audit'),
        ('public.enrolments', 'enrolled_by', 'about somebody else; that it was done stands under audit'))
    select k.tab, k.col, k.how from known k
    union all
    select n.nspname || '.' || r.relname, a.attname::text, 'kept'
      from pg_constraint c join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = r.relnamespace
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and c.confrelid = 'public.users'::regclass
       and not exists (select from known k where k.tab = n.nspname || '.' || r.relname and k.col = a.attname);
end;

create function auth.export_kept(person uuid) returns jsonb language plpgsql stable as $$
declare
    p record;
    rows jsonb;
    kept jsonb := '{}';
begin
    for p in select x.tab, x.col, array(select a.attname::text from pg_attribute a where a.attrelid = x.tab::regclass and a.attnum > 0
                        and (a.atttypid = 'bytea'::regtype or a.attname ~ 'hash|sha256|digest|secret|token|^outline$')) as secrets
               from auth.export_plan() x where x.how = 'kept' order by 1, 2 loop
        execute format('select jsonb_agg(to_jsonb(t) - $2) from %s t where t.%I = $1', p.tab::regclass, p.col) into rows using person, p.secrets;
        kept := kept || jsonb_build_object(p.tab || '.' || p.col, coalesce(rows, '[]'));
    end loop;
    return kept;
end $$;

-- As in 006, and whole: sessions and the addresses they came from, failed logins, what the audit log says, what is still
-- to be erased, and every other row that names the caller.
alter function api.memory_export() rename to memory_export_006;
alter function api.memory_export_006() set schema auth;
revoke all on function auth.memory_export_006() from edurag_app;
create function api.memory_export() returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    return auth.memory_export_006() || jsonb_build_object(
        'sessions', coalesce((select jsonb_agg(jsonb_build_object('session_id', s.session_id, 'created_at', api.utc(s.created_at),
            'expires_at', api.utc(s.expires_at), 'revoked_at', api.utc(s.revoked_at), 'address', s.address) order by s.created_at)
            from auth.sessions s where s.user_id = me.user_id), '[]'),
        'failed_logins', coalesce((select jsonb_agg(jsonb_build_object('address', f.address, 'failures', f.failures, 'at', api.utc(f.last_at)))
            from auth.login_failures f where f.account = auth.account_key(me.institution_id)), '[]'),
        'audit', coalesce((select jsonb_agg(jsonb_build_object('at', api.utc(a.at), 'own', a.actor is not distinct from me.user_id,
            'action', a.action, 'target', case when a.actor = me.user_id then a.target end, 'detail', a.detail) order by a.audit_id)
            from public.audit_log a where a.actor = me.user_id or a.target = me.user_id::text), '[]'),
        'erasures', coalesce((select jsonb_agg(jsonb_build_object('kind', e.kind, 'state', e.state, 'at', api.utc(e.created_at),
            'done_at', api.utc(e.done_at)) order by e.created_at) from public.erasures e where e.user_id = me.user_id), '[]'),
        'kept', auth.export_kept(me.user_id));
end $$;
grant execute on function api.memory_export() to edurag_app;
create index audit_log_target on public.audit_log (target);

-- What has been kept long enough: entries of the audit log, addresses wherever they stand, and what ended logins leave.
-- Any table with an `address` that may be null and a `last_used_at` is swept with them.
create index audit_log_addresses on public.audit_log (at) where detail ? 'address';
create function worker.sweep_kept(audit_days int, address_days int) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    old_entries timestamptz := now() - audit_days * interval '1 day';
    old_addresses timestamptz := now() - address_days * interval '1 day';
    tab regclass;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('edurag sweep kept', 0)) then
        return;
    end if;
    perform worker.sweep_sessions();
    delete from public.audit_log where audit_id in (
        select a.audit_id from public.audit_log a where a.at < old_entries for update skip locked);
    update public.audit_log set detail = detail - 'address' where audit_id in (
        select a.audit_id from public.audit_log a where a.at < old_addresses and a.detail ? 'address' for update skip locked);
    update auth.sessions set address = null where session_id in (
        -- A refreshed session is new and its address is not: it is as old as the last login from there.
        select s.session_id from auth.sessions s
         where s.address is not null and s.created_at < now() - interval '1 hour' and not exists (
               select from public.audit_log a where a.actor = s.user_id and a.at >= old_addresses and a.detail ->> 'address' = s.address)
           for update skip locked);
    for tab in select a.attrelid::regclass from pg_attribute a join pg_attribute u on u.attrelid = a.attrelid and u.attname = 'last_used_at'
                 join pg_class c on c.oid = a.attrelid and c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace)
                where a.attname = 'address' and not a.attnotnull loop
        execute format('update %s set address = null where last_used_at < $1 and address is not null', tab) using old_addresses;
    end loop;
    delete from auth.enrol_misses where at < now() - interval '1 day';
    delete from public.erasures e where e.state = 'done' and e.done_at < old_entries
       and not exists (select from public.users u where u.user_id = e.user_id);
end $$;
grant execute on function worker.sweep_kept(int, int) to edurag_worker;

-- Erased words leave the tables' files when these are vacuumed: soon here, not when a fifth of a large table is dead.
alter table public.search_history set (autovacuum_vacuum_scale_factor = 0.01);
alter table public.turns set (autovacuum_vacuum_scale_factor = 0.01);
alter table public.memory_facts set (autovacuum_vacuum_scale_factor = 0.01);
alter table public.reflections set (autovacuum_vacuum_scale_factor = 0.01);
alter table public.chat_messages set (autovacuum_vacuum_scale_factor = 0.01);

-- As in 003; what somebody else holds is swept the next time, so that nobody waits in a circle.
create or replace function worker.sweep_sessions() returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    delete from auth.sessions where session_id in (
        select s.session_id from auth.sessions s
         where s.expires_at < now() - interval '1 day' or s.revoked_at < now() - interval '1 day' for update skip locked);
    delete from auth.login_failures where (account, address) in (
        select f.account, f.address from auth.login_failures f where f.last_at < now() - interval '1 day' for update skip locked);
end $$;

-- ------------------------------------------------------------------ after a wait

-- As in 012; and whoever had to wait for the room's row is asked again who they are and whether they are still in it.
-- (Who had not: what was asked is no older than it is in any call, and asking costs others who wait a tenth of a ms.)
create or replace function api.chat_send(room uuid, text text, client_id text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    place uuid := coalesce(chat_send.room, auth.open_course());
    silent timestamptz;
    number bigint;
    life interval;
    said jsonb;
    asked timestamptz;
begin
    if place <> auth.open_course() and not auth.in_room(me, place) then
        perform auth.fail('not_found', 'There is no such room, or it is not one of yours.');
    end if;
    asked := clock_timestamp();
    update public.chat_rooms r set last_seq = r.last_seq + 1 where r.room_id = place
    returning r.last_seq, coalesce(r.ttl_seconds * interval '1 second', (select s.chat_ttl from auth.settings s)) into number, life;
    if number is null or clock_timestamp() > asked + interval '2 milliseconds' then
        me := auth.need();
        if number is null or place <> auth.open_course() and not auth.in_room(me, place) then
            perform auth.fail('not_found', 'There is no such room, or it is not one of yours.');
        end if;
    end if;
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

-- As in 007; the line is held, and then the caller is asked for again.
create or replace function api.chat_delete(message_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    m public.chat_messages;
begin
    perform auth.hold_people(array[me.user_id]);
    select * into m from public.chat_messages x where x.message_id = chat_delete.message_id and x.expires_at > now() for update;
    me := auth.need();
    if m.message_id is null or not m.room_id = any (auth.my_courses()) then
        perform auth.fail('not_found', 'This message is not here, or no longer here.');
    elsif not m.room_id = any (auth.my_taught()) then
        perform auth.fail('forbidden', 'Only the teacher of this course may do this.');
    end if;
    delete from public.chat_messages x where x.message_id = m.message_id;
    perform auth.audit(me.user_id, 'chat.delete', m.user_id::text, jsonb_build_object('room', m.room_id));
    return '{}';
end $$;

-- As in 006; whether anything may be outside is asked before and behind the wait for what is being sent.
create or replace function api.forget(fact_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    facts int;
    searches int := 0;
    thoughts int := 0;
    outside boolean;
begin
    perform auth.hold_people(array[me.user_id]);
    me := auth.need();
    outside := auth.may_be_outside(me.user_id);
    if forget.fact_id is not null then
        delete from public.memory_facts f where f.fact_id = forget.fact_id and f.user_id = me.user_id;
        get diagnostics facts = row_count;
        if facts = 0 then
            perform auth.fail('not_found', 'This fact is not here, or no longer here.');
        end if;
    else
        delete from public.memory_facts f where f.user_id = me.user_id;
        get diagnostics facts = row_count;
        outside := outside or auth.may_be_outside(me.user_id);
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
