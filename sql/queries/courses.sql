-- courses.sql - courses and who is in them.
-- name: courses_list
with page as (
    select c.course_id, c.code, c.title, c.members, t.name as teacher,
           (select count(*) from public.pdfs p where p.course_id = c.course_id) as documents,
           row_number() over (order by lower(c.code), c.course_id) as n
      from (select api.cursor_key(:cursor, 'text,uuid') as key) k, public.courses c
      left join public.users t on t.user_id = c.teacher_id
     where k.key is null or (lower(c.code), c.course_id) > (k.key ->> 0, (k.key ->> 1)::uuid)
     order by lower(c.code), c.course_id limit :limit::int + 1
)
select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('course_id', p.course_id, 'code', p.code, 'title', p.title, 'teacher', p.teacher,
        'members', p.members, 'documents', p.documents) order by p.n) filter (where p.n <= :limit::int), '[]'),
    'next_cursor', case when count(*) > :limit::int
        then (select api.cursor(jsonb_build_array(lower(l.code), l.course_id)) from page l where l.n = :limit::int) end)
  from page p

-- name: courses_members
with page as (
    select u.*, row_number() over (order by lower(u.institution_id)) as n
      from (select api.cursor_key(:cursor, 'text') as key) k, public.enrolments e join public.users u using (user_id)
     where e.course_id = :course_id::uuid and e.course_id = any ((select auth.my_taught())::uuid[])
       and (k.key is null or lower(u.institution_id) > k.key ->> 0)
     order by lower(u.institution_id) limit :limit::int + 1
)
select case
    when :course_id::uuid = any ((select auth.my_taught())::uuid[]) and :course_id::uuid <> auth.open_course() then (
        select jsonb_build_object(
            'items', coalesce(jsonb_agg(jsonb_build_object('user_id', p.user_id, 'institution_id', p.institution_id,
                'name', p.name, 'role', p.role, 'avatar', p.avatar, 'plain', p.plain) order by p.n)
                filter (where p.n <= :limit::int), '[]'),
            'next_cursor', case when count(*) > :limit::int
                then api.cursor(jsonb_build_array(max(lower(p.institution_id)) filter (where p.n = :limit::int))) end)
          from page p)
    when exists (select from public.courses c where c.course_id = :course_id::uuid) then
        api.refuse('forbidden', 'Only the teacher of this course may do this.')
    else api.refuse('not_found', 'There is no such course, or no longer.') end

-- name: courses_create
with done as (
    insert into public.courses (code, title, teacher_id) values (:code, :title, (select (auth.me()).user_id))
    on conflict do nothing returning course_id, code, title
)
select coalesce(
    (select jsonb_build_object('course_id', d.course_id, 'code', d.code, 'title', d.title, 'teacher', (auth.me()).name,
                               'members', 0, 'documents', 0) from done d),
    api.refuse('conflict', 'You have a course of this code already.', jsonb_build_object('existing', (
        select c.course_id from public.courses c
         where lower(c.code) = lower(:code) and c.teacher_id = (select (auth.me()).user_id)))))

-- name: courses_update
with seen as (
    select from public.courses c where c.course_id = :course_id::uuid
), done as (
    update public.courses c set code = coalesce(:code, c.code), title = coalesce(:title, c.title)
     where c.course_id = :course_id::uuid returning c.*
), room as (
    update public.chat_rooms r set ttl_seconds = :chat_ttl_seconds::int
     where r.room_id = :course_id::uuid and r.course_id is not null and :chat_ttl_seconds::int is not null
)
select coalesce(
    (select jsonb_build_object('course_id', d.course_id, 'code', d.code, 'title', d.title,
         'teacher', (select t.name from public.users t where t.user_id = d.teacher_id), 'members', d.members,
         'documents', (select count(*) from public.pdfs p where p.course_id = d.course_id)) from done d),
    case when exists (select from seen) then api.refuse('forbidden', 'Only the teacher of this course may do this.')
         else api.refuse('not_found', 'There is no such course, or no longer.') end)

-- name: courses_delete
with seen as (
    select from public.courses c where c.course_id = :course_id::uuid
), done as (
    delete from public.courses c where c.course_id = :course_id::uuid returning '{}'::jsonb as nothing
)
select coalesce((select nothing from done),
    case when exists (select from seen) then api.refuse('forbidden', 'Only the teacher of this course may do this.')
         else api.refuse('not_found', 'There is no such course, or no longer.') end)

-- institution_ids as a JSON array
-- name: courses_enrol
select api.enrol(:course_id::uuid, array(select x from jsonb_array_elements_text(:institution_ids::jsonb) x), false)

-- name: courses_unenrol
select api.enrol(:course_id::uuid, array(select x from jsonb_array_elements_text(:institution_ids::jsonb) x), true)

-- name: courses_leave
select api.leave(:course_id::uuid)

-- The worker's: what who was put into a course is told.
-- name: courses_enrolment
select worker.enrolment(:user_id::uuid, :course_id::uuid)::text
