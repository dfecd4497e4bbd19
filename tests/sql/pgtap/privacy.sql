-- privacy.sql - what a teacher can do to people, and learn of them.
begin;
select no_plan();

-- Into a course.
select is(t.value('t1', $$select api.enrol(t.id('bio'), '{t2,a1,gone,s2,none}')$$)::jsonb, '{"changed": 1, "unknown": ["a1", "gone", "none", "t2"]}',
    'students alone can be members, and who is none counts as unknown');
select is((select (by_name, role, action)::text from memory_access_log where user_id = t.user_id('s2') and by_user = t.user_id('t1')),
    '("Name of t1",teacher,enrolment)', 'the access log names who did it');
select is(t.worker(format('select worker.enrolment(%L, %L)', t.user_id('s2'), t.id('bio')))::jsonb,
    jsonb_build_object('course_id', t.id('bio'), 'enrolled_by', 'Name of t1'), 'and so does what is told at once');
select is(t.value('t1', $$select api.enrol(t.id('bio'), '{s2}') ->> 'changed'$$), '0', 'once is enough');
select is((select count(*) from memory_access_log where user_id = t.user_id('s2') and by_user = t.user_id('t1')), 1::bigint, 'and noted once');
select is((select detail from audit_log where action = 'courses.enrol' order by audit_id desc limit 1) ->> 'unknown', '0', 'numbers in vain are counted');
select is((select detail from audit_log where action = 'courses.enrol' order by audit_id desc offset 1 limit 1) ->> 'unknown', '4', 'in the audit log');

-- Out of it.
select is(t.value('t1', $$select api.enrol(t.id('bio'), '{t2,a1,none}', true)$$)::jsonb, '{"changed": 0, "unknown": ["a1", "none", "t2"]}',
    'taking out tells nothing of who exists');
select is(t.value('s2', 'select api.leave(t.id(''bio''))'), '{}', 'who was put there leaves');
select is(t.value('s2', 'select api.leave(t.id(''bio''))'), 'ER404', 'once');
select is((select members from courses where course_id = t.id('bio')), 1, 'and is counted no more');
select is(t.value('a1', $$select api.enrol(t.id('bio'), '{s1,s2}') ->> 'changed'$$), '1', 'an admin assigns');
select is(t.value('s2', 'select api.leave(t.id(''bio''))'), 'ER403', 'what is not theirs to leave');
select is(t.value('s1', 'select api.leave(t.id(''bio''))'), 'ER403', 'though a teacher was first');
select is(t.value('t1', $$select api.enrol(t.id('bio'), '{s2}', true) ->> 'changed'$$), '1', 'the teacher takes them out');

-- Numbers in vain.
select is(t.value('t1', format('select jsonb_array_length(api.enrol(%L, %L::text[]) -> ''unknown'')', t.id('bio'), (select array_agg('n' || n) from generate_series(1, 90) n))),
    '90', 'a list with a wrong column goes through');
select is(t.value('t1', format('select jsonb_array_length(api.enrol(%L, %L::text[]) -> ''unknown'')', t.id('bio'), (select array_agg('m' || n) from generate_series(1, 90) n))),
    '90', 'twice');
select is(t.value('t1', $$select api.enrol(t.id('bio'), '{s2}')$$), 'ER429', 'who goes on trying waits');
select is(t.value('t2', $$select api.enrol(t.id('art'), '{s1}') ->> 'changed'$$), '1', 'others do not');
select is(t.value('a1', format('select jsonb_array_length(api.enrol(%L, %L::text[]) -> ''unknown'')', t.id('bio'), (select array_agg('m' || n) from generate_series(1, 900) n))),
    '900', 'an admin knows the numbers anyway');
select is(t.value('a1', $$select api.enrol(t.id('bio'), '{s2}') ->> 'changed'$$), '1', 'and goes on');
select cmp_ok(auth.enrol_wait(t.user_id('t1')), '<=', 3600000::bigint, 'nobody waits for longer than an hour');
update auth.enrol_misses set at = at - interval '61 minutes';
select is(t.value('t1', $$select api.enrol(t.id('bio'), '{s2}') ->> 'changed'$$), '0', 'the wait ends');

-- Silence.
select is(t.value('a1', 'select api.chat_send(t.id(''bio''), ''good morning'') ->> ''seq''') is not null, true, 'an admin speaks in a course');
select is(t.value('t1', 'select api.chat_mute(t.id(''bio''), t.user_id(''a1''), 60)'), 'ER403', 'whose teacher cannot mute them');
select is(t.value('a1', 'select api.chat_mute(null, t.user_id(''a1''), 60)'), 'ER403', 'nor can an admin');
update users set role = 'admin' where user_id = t.user_id('s1');
select is((select count(*) from mutes where user_id = t.user_id('s1')), 0::bigint, 'who becomes an admin speaks again');
select * from finish();
rollback;
