-- 002_courses.sql - courses, who is in them, and the two questions that policies ask about membership.

create table public.courses (
    course_id uuid primary key default gen_random_uuid(),
    code text not null check (char_length(code) between 1 and 40 and code !~ '[[:cntrl:]]'),
    title text not null check (char_length(title) between 1 and 200 and title !~ '[[:cntrl:]]'),
    teacher_id uuid references public.users on delete set null,
    members int not null default 0,
    created_at timestamptz not null default now()
);
-- Per teacher: a code that exists elsewhere is nobody else's business.
create unique index courses_code on public.courses (teacher_id, lower(code));

create table public.enrolments (
    course_id uuid not null references public.courses on delete cascade,
    user_id uuid not null references public.users on delete cascade,
    enrolled_at timestamptz not null default now(),
    primary key (course_id, user_id)
);
create index enrolments_user on public.enrolments (user_id);
call auth.protect('public.courses', 'public.enrolments');

-- The open library and the common chat room are the course of this id: everybody logged in is in it.
create function auth.open_course() returns uuid language sql immutable parallel safe
return '00000000-0000-0000-0000-000000000000'::uuid;
grant execute on function auth.open_course() to edurag_app, edurag_worker;

-- The caller's courses (all of them for an admin) and the open one; empty for nobody.
create function auth.my_courses() returns uuid[] language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.verify(current_setting('edurag.token', true));
    mine uuid[];
begin
    if me.user_id is null then
        return '{}';
    elsif me.role = 'admin' then
        return auth.open_course() || array(select c.course_id from public.courses c);
    end if;
    mine := array(select e.course_id from public.enrolments e where e.user_id = me.user_id);
    if me.role = 'teacher' then
        mine := mine || array(select c.course_id from public.courses c where c.teacher_id = me.user_id);
    end if;
    return auth.open_course() || mine;
end $$;

-- The courses that the caller may change: their own for a teacher, all for an admin (and then the open one).
create function auth.my_taught() returns uuid[] language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.verify(current_setting('edurag.token', true));
begin
    if me.role = 'admin' then
        return auth.open_course() || array(select c.course_id from public.courses c);
    elsif me.role = 'teacher' then
        return array(select c.course_id from public.courses c where c.teacher_id = me.user_id);
    end if;
    return '{}';
end $$;

-- The ids that make a document the caller's own to manage: their person's, and the courses of my_taught().
-- One array for both, since each function in a policy verifies the token again.
create function auth.my_own() returns uuid[] language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.verify(current_setting('edurag.token', true));
begin
    if me.role = 'admin' then
        return array[auth.open_course(), me.user_id] || array(select c.course_id from public.courses c);
    elsif me.role = 'teacher' then
        return me.user_id || array(select c.course_id from public.courses c where c.teacher_id = me.user_id);
    end if;
    return '{}';
end $$;

-- The people whose rows the caller may see: themselves, who teaches them, whom they teach. (An admin sees
-- all by the policy's second half: an array of everybody would be compared with every row.)
create function auth.my_people() returns uuid[] language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.verify(current_setting('edurag.token', true));
begin
    if me.user_id is null then
        return '{}';
    end if;
    return me.user_id || array(
        select c.teacher_id from public.enrolments e join public.courses c using (course_id)
         where e.user_id = me.user_id and c.teacher_id is not null
        union
        select e.user_id from public.courses c join public.enrolments e using (course_id)
         where c.teacher_id = me.user_id and me.role = 'teacher');
end $$;
grant execute on function auth.my_courses(), auth.my_taught(), auth.my_own(), auth.my_people() to edurag_app;

-- A person sees themselves, their teachers and their students; an admin everybody.
create policy people_seen on public.users for select to edurag_app
    using (user_id = (select (auth.me()).user_id) or user_id = any ((select auth.my_people())::uuid[]) or (select (auth.me()).role) = 'admin');
-- A person changes their own row (and of it only what the grant names).
create policy people_change_themselves on public.users for update to edurag_app
    using (user_id = (select (auth.me()).user_id)) with check (user_id = (select (auth.me()).user_id));
-- Nodes show names in chat, and tell whom a job or a session belongs to.
create policy nodes_read on public.users for select to edurag_worker using (true);
grant select, update (avatar, plain) on public.users to edurag_app;
grant select on public.users to edurag_worker;

-- A course is seen by those who are in it. (Its teacher by name too: my_courses() is stable, and does not
-- know a course yet that this very statement makes and returns.)
create policy courses_seen on public.courses for select to edurag_app
    using (course_id = any ((select auth.my_courses())::uuid[]) or teacher_id = (select (auth.me()).user_id));
-- Teachers make courses of their own.
create policy courses_made on public.courses for insert to edurag_app
    with check (exists (select from auth.me() m where m.user_id = teacher_id and m.role in ('teacher', 'admin')));
-- Its teacher, or an admin, changes and removes a course.
create policy courses_changed on public.courses for update to edurag_app
    using (course_id = any ((select auth.my_taught())::uuid[]));
create policy courses_removed on public.courses for delete to edurag_app
    using (course_id = any ((select auth.my_taught())::uuid[]));
create policy nodes_read on public.courses for select to edurag_worker using (true);
grant select, insert (code, title, teacher_id), update (code, title), delete on public.courses to edurag_app;
grant select on public.courses to edurag_worker;

-- A person sees their own enrolments; a course's teacher all of it.
create policy enrolments_seen on public.enrolments for select to edurag_app
    using (user_id = (select (auth.me()).user_id) or course_id = any ((select auth.my_taught())::uuid[]));
create policy nodes_read on public.enrolments for select to edurag_worker using (true);
grant select on public.enrolments to edurag_app, edurag_worker;

-- Keeps the count of members, and tells the nodes whose courses have changed.
create function auth.enrolments_changed() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        update public.courses set members = members + 1 where course_id = new.course_id;
        perform pg_notify('edurag_user', new.user_id::text);
    else
        update public.courses set members = members - 1 where course_id = old.course_id;
        perform pg_notify('edurag_user', old.user_id::text);
    end if;
    return null;
end $$;
create trigger enrolments_changed after insert or delete on public.enrolments
    for each row execute function auth.enrolments_changed();

create function auth.courses_changed() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_notify('edurag_user', p::text)
       from unnest(array[case when tg_op <> 'INSERT' then old.teacher_id end, case when tg_op <> 'DELETE' then new.teacher_id end]) p
      where p is not null;
    if tg_op <> 'UPDATE' then
        perform auth.audit((auth.me()).user_id, case tg_op when 'INSERT' then 'courses.create' else 'courses.delete' end,
                           coalesce(new.course_id, old.course_id)::text);
    end if;
    return null;
end $$;
create trigger courses_made after insert or delete on public.courses for each row execute function auth.courses_changed();
create trigger courses_changed after update of teacher_id on public.courses
    for each row when (old.teacher_id is distinct from new.teacher_id) execute function auth.courses_changed();
