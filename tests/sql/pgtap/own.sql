-- own.sql - what a person may write about themselves can be written, as the app and with the defaults of the tables.
begin;
select no_plan();
select is(t.rows('s1', s.sql), s.result, s.sql) from (values
    (1, 'insert into public.threads (course_id) select null::uuid returning thread_id', '1'),
    (2, 'insert into public.search_history (query, results, thread_id) select ''osmosis'', 2, thread_id from public.threads limit 1 returning search_id', '1'),
    (3, 'insert into public.search_history (query, course_id) values (''osmosis'', t.id(''bio'')) returning search_id', '1'),
    (4, 'insert into public.turns (search_id, thread_id, query, answer) select search_id, thread_id, query, ''It is.'' from public.search_history where query = ''osmosis'' and thread_id is not null', '1'),
    (5, 'update public.search_history set results = 7 where query = ''osmosis''', '2'),
    (6, 'insert into public.page_opens (pdf_id, page, section) values (t.id(''biobook''), 1, ''I'')', '1'),
    (7, 'insert into public.page_opens (pdf_id, page, section) values (t.id(''artbook''), 1, ''I'')', '42501'),
    (8, 'insert into public.search_history (query) values ('''')', '23514'),
    (9, 'insert into public.turns (search_id, thread_id, query, answer) select search_id, t.thread_of(''s2''), query, '''' from public.search_history where query = ''osmosis'' and thread_id is null', '42501'),
    (10, 'update public.users set avatar = ''ok'', plain = true where user_id = (select (auth.me()).user_id)', '1'),
    (11, 'update public.users set name = ''Else''', '42501'),
    (12, 'delete from public.search_history', '3'),
    (13, 'delete from public.threads', '2')) s(n, sql, result) order by s.n;
select is((select count(*) from turns where user_id = t.user_id('s1')), 0::bigint, 'answers go with their searches');
select is(t.rows('s1', s.sql), s.result, 'by nobody else: ' || s.sql) from (values
    ('select from public.turns where user_id = t.user_id(''s2'')', '0'),
    ('select from public.search_history where user_id = t.user_id(''s2'')', '0')) s(sql, result);
select is((select count(*) from turns where user_id = t.user_id('s2')), 1::bigint, 'another''s stay');

-- A teacher's course, from making it to removing it.
select is(t.rows('t1', s.sql), s.result, s.sql) from (values
    (1, 'insert into public.courses (code, title, teacher_id) values (''CHE'', ''Chemistry'', (select (auth.me()).user_id)) returning course_id', '1'),
    (2, 'insert into public.courses (code, title, teacher_id) values (''che'', ''Chemistry'', (select (auth.me()).user_id))', '23505'),
    (3, 'update public.chat_rooms set ttl_seconds = 60 where room_id = (select course_id from public.courses where code = ''CHE'')', '1'),
    (4, 'update public.chat_rooms set ttl_seconds = 0 where room_id = (select course_id from public.courses where code = ''CHE'')', '23514'),
    (5, 'update public.courses set teacher_id = t.user_id(''t2'')', '42501'),
    (6, 'delete from public.courses where code = ''CHE''', '1')) s(n, sql, result) order by s.n;
select is(t.value('t1', $$select api.enrol(t.id('bio'), '{S2,nobody}')$$)::jsonb, '{"changed": 1, "unknown": ["nobody"]}', 'enrolled by school numbers');
select is((select members from courses where course_id = t.id('bio')), 2, 'and counted');
select is(t.value('s2', 'select count(*) from public.pdfs'), '3', 'who sees the course''s documents at once');
select is(t.value('t1', $$select api.enrol(t.id('bio'), '{s2}', true) ->> 'changed'$$), '1', 'taken out again');
select is(t.value('s2', 'select count(*) from public.pdfs'), '2', 'and sees them no longer');
select is((select string_agg(action, ' ' order by audit_id) from audit_log where actor = t.user_id('t1') and action like 'courses.%'),
    'courses.create courses.delete courses.enrol courses.unenrol', 'all in the audit log');

-- Cursors come back as they went out, and others are refused.
select is(api.cursor_key(api.cursor('["a", "b/+?"]'), 'text,text'), '["a", "b/+?"]', 'a cursor');
select throws_ok(format('select api.cursor_key(%L, %L)', c, k), 'ER422', null, 'no cursor: ' || c)
  from (values ('x', 'text'), ('', 'text'), ('%%%', 'text'), (api.cursor('{"a":1}'), 'text'), (api.cursor('["a"]'), 'text,text'), (api.cursor('["a"]'), 'uuid'),
        (api.cursor('[null]'), 'text'), (api.cursor('["x"]'), 'timestamptz'), (api.cursor('["9x"]'), 'bigint')) v(c, k);
select is(api.cursor_key(null, 'text'), null, 'none is none');
select is(api.utc('2026-01-02 03:04:05.678+02'), '2026-01-02T01:04:05.678Z', 'times are in UTC');
select ok('50%_a\b' ilike api.like_pattern('%_A\') and not '50 xa b' ilike api.like_pattern('%_'), 'wildcards are plain characters');
select * from finish();
rollback;
