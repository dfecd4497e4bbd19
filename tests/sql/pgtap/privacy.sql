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
-- A look at somebody: within the teacher's own courses, and words for the node alone.
insert into search_history (user_id, course_id, query) values (t.user_id('s2'), t.id('art'), 'pigments'), (t.user_id('s2'), null, 'lonely at night');
insert into page_opens (user_id, pdf_id, page) values (t.user_id('s2'), t.id('artbook'), 1);
create temp table looked as select t.value('t2', 'select api.reflection_begin(t.user_id(''s2'')) ->> ''reflection_id''')::uuid as id
    union all select t.value('a1', 'select api.reflection_begin(t.user_id(''s2'')) ->> ''reflection_id''')::uuid;
create function pg_temp.rows_of(who text, member text) returns jsonb language sql return (select t.worker(format('select worker.reflection_rows(%L)', r.reflection_id))::jsonb -> member
    from reflections r join looked l on l.id = r.reflection_id where r.by_user = t.user_id(who));
select is(pg_temp.rows_of('t2', 'searches') #>> '{0,query}', 'pigments', 'the teacher''s covers the search in the course');
select is(jsonb_array_length(pg_temp.rows_of('t2', 'searches')), 1, 'and no other');
select is(jsonb_array_length(pg_temp.rows_of('t2', 'opens')), 1, 'pages of its documents, and no others');
select is(pg_temp.rows_of('t2', 'courses') #>> '{}', array[auth.open_course(), t.id('art')]::text, 'named by what they can read');
select is(jsonb_array_length(pg_temp.rows_of('a1', 'searches')), 3, 'an admin''s covers everything');
select is(t.value('t2', format('select worker.reflection_rows(%L)', id)), '42501', 'which no person can read') from looked limit 1;
select is(jsonb_path_query_first(t.value('t2', 'select api.students(null, 9, null)')::jsonb, '$.items[*] ? (@.institution_id == "s2")') - '{user_id,last_active_at,name}'::text[],
    '{"institution_id": "s2", "searches": 1, "facts": 0}', 'a teacher counts what belongs to their courses');
delete from enrolments where course_id = t.id('art') and user_id = t.user_id('s2');
select is(pg_temp.rows_of('t2', 'searches'), '[]', 'who has left meanwhile is seen no longer');
select is(t.value('t2', 'select api.reflection_begin(t.user_id(''s2''))'), 'ER404', 'nor again');
-- What many search: the differencing attack. With and without one person (or four), what everybody is shown is the same.
delete from trending;
create function pg_temp.shown(people int, topic text default 'Enzymes') returns text language plpgsql as $$
begin
    perform t.worker(format('select worker.trending_take(null, 5, %L, %L)', array[topic], array[people]));
    return (select string_agg(x.topic || ' ' || x.searchers || ' ' || x.searches, ',') from public.trending x where x.course_id is null);
end $$;
select is(pg_temp.shown(n), null, n || ' people are no topic') from generate_series(0, 4) n;
select is(pg_temp.shown(2), null, 'two who act together');
select is(pg_temp.shown(3), null, 'do not see a third');
select is(pg_temp.shown(7), 'Enzymes 5 5', 'seven are "five or more"');
select is(pg_temp.shown(n), 'Enzymes 5 5', 'which ' || n || ' leave as it is') from unnest(array[8, 6, 11, 3, 7, 9, 10]) n;
select is(pg_temp.shown(14), 'Enzymes 10 10', 'a group more is a step more');
select is(pg_temp.shown(n), 'Enzymes 10 10', 'which ' || n || ' leave as it is') from unnest(array[13, 15, 18, 10]) n;
select is(pg_temp.shown(7), 'Enzymes 5 5', 'and a group fewer one less');
select is(pg_temp.shown(0), null, 'until it goes');
create function pg_temp.same_without_one() returns text language plpgsql as $$
declare
    told text;
    other text;
begin
    for people in 7 .. 60 loop
        delete from public.trending_counts;
        told := pg_temp.shown(people);
        foreach other in array array[pg_temp.shown(people - 1), pg_temp.shown(people + 1), pg_temp.shown(people - 4), pg_temp.shown(people + 4)] loop
            if other is distinct from told then
                return people || ': ' || told || ' became ' || coalesce(other, 'nothing');
            end if;
        end loop;
    end loop;
    return null;
end $$;
select is(pg_temp.same_without_one(), null, 'from any count, one or four people more or fewer show nothing');
select is(pg_temp.shown(9), 'Enzymes 5 5', 'a topic of a document');
select is(t.worker('select string_agg(k, '','') from worker.trending_known(null) k'), 'Enzymes', 'is known to the node that counts');
select is(t.worker('select worker.trending_take(null, 5, ''{Pigments}'', ''{9}'', ''{Enzymes}'')'), '', 'and when the document is gone');
select is((select string_agg(topic, ',') from trending), 'Pigments', 'the topic is, at once');
delete from trending_counts;
select is(pg_temp.shown(7), 'Enzymes 5 5', 'as before');
update trending_counts set taken = 7, margin = 7;
select is(pg_temp.shown(4), 'Enzymes 5 5', 'those of last week');
update trending_counts set at = at - interval '8 days';
select is(pg_temp.shown(4), null, 'are counted anew after it');
select is((select count(distinct auth.trending_margin(5)) from generate_series(1, 200)), 3::bigint, 'how many it takes is drawn');
select is((select min(auth.trending_margin(5)) from generate_series(1, 200)), 5, 'and five at least');
select is(t.worker(format('select worker.trending_take(%L, 5, ''{Pigments}'', ''{9}'')', t.id('art'))), '', 'in a course');
select is(t.value('t2', 'select string_agg(topic, '','') from public.trending'), 'Pigments', 'its members are told');
select is(t.value('t1', 'select string_agg(topic, '','') from public.trending'), null, 'and nobody else');
select is(t.value('t2', 'select at::text from public.trending'), '42501', 'not when it changed');
select throws_ok($$insert into trending (topic, searches, searchers) values ('exact', 7, 7)$$, '23514', null, 'exact numbers cannot stand there');
insert into search_history (user_id, course_id, query) values (t.user_id('s1'), null, 'at home'), (t.user_id('s1'), t.id('bio'), 'in biology');
select is((select count(*) from worker.trending_searches(t.id('bio'), 100) where query in ('in biology', 'at home') and user_id = t.user_id('s1')), 2::bigint, 'a course counts its members');
select is((select count(*) from worker.trending_searches(t.id('art'), 100) where query = 'in biology'), 0::bigint, 'not what they search in another');
delete from enrolments where course_id = t.id('bio') and user_id = t.user_id('s1');
select is((select count(*) from worker.trending_searches(t.id('bio'), 100) where user_id = t.user_id('s1')), 0::bigint, 'nor who is none');
select is(t.value('s1', 'select worker.trending_searches(null, 9)'), '42501', 'a node counts, and nobody else');
select is(t.worker('select count(*) from public.search_history'), '42501', 'which reads no history');
select * from finish();
rollback;
