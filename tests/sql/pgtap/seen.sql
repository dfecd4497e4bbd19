-- seen.sql - for every table: who sees how many rows, and that bad tokens see nothing.
begin;
select no_plan();

-- A dash: no right to read it at all.
create temp table expected (tab text, nobody text, s1 text, s2 text, t1 text, t2 text, a1 text, worker text);
insert into expected values
    --                            nobody s1   s2   t1   t2   a1   worker
    ('public.users',             '0', '2', '2', '2', '2', '6', '6'),
    ('public.courses',           '0', '1', '1', '1', '1', '2', '2'),
    ('public.enrolments',        '0', '1', '1', '1', '1', '2', '2'),
    ('public.audit_log',         '0', '0', '0', '0', '0', '+', '-'),
    ('public.schema_migrations', '0', '0', '0', '0', '0', '0', '0'),
    ('public.uploads',           '0', '0', '0', '1', '0', '0', '-'),
    ('public.quotas',            '0', '0', '0', '1', '0', '1', '-'),
    ('public.pdf_files',         '-', '-', '-', '-', '-', '-', '5'),
    ('public.pdf_file_pieces',   '-', '-', '-', '-', '-', '-', '4'),
    ('public.pdfs',              '0', '2', '2', '3', '2', '4', '4'),
    ('public.pdf_pages',         '0', '2', '2', '2', '2', '3', '3'),
    ('public.pdf_chunks',        '0', '4', '4', '4', '4', '6', '6'),
    ('public.rag_embeddings',    '0', '4', '4', '4', '4', '6', '6'),
    ('public.embedding_cache',   '-', '-', '-', '-', '-', '-', '12'),
    ('public.index_jobs',        '0', '0', '0', '3', '1', '4', '4'),
    ('public.threads',           '0', '1', '1', '0', '0', '0', '-'),
    ('public.search_history',    '0', '1', '1', '0', '0', '0', '-'),
    ('public.turns',             '0', '1', '1', '0', '0', '0', '-'),
    ('public.page_opens',        '0', '1', '1', '0', '0', '0', '-'),
    ('public.trending',          '0', '1', '1', '1', '1', '1', '-'),
    ('public.trending_counts',   '-', '-', '-', '-', '-', '-', '-'),
    ('public.memory_facts',      '0', '1', '1', '0', '0', '0', '2'),
    ('public.erasures',          '0', '1', '0', '0', '0', '0', '1'),
    ('public.reflections',       '0', '2', '1', '1', '0', '0', '-'),
    ('public.memory_access_log', '0', '1', '0', '0', '0', '0', '-'),
    ('public.chat_rooms',        '0', '2', '2', '2', '2', '3', '3'),
    ('public.chat_messages',     '0', '3', '2', '3', '2', '3', '3'),
    ('public.chat_gone',         '-', '-', '-', '-', '-', '-', '0'),
    ('public.mutes',             '0', '1', '0', '1', '0', '1', '1'),
    ('public.nodes',             '-', '-', '-', '-', '-', '-', '1'),
    ('public.presence',          '0', '1', '0', '1', '0', '1', '1'),
    ('public.embedding_models',  '0', '2', '2', '2', '2', '2', '2'),
    ('auth.settings',            '-', '-', '-', '-', '-', '-', '-'),
    ('auth.credentials',         '-', '-', '-', '-', '-', '-', '-'),
    ('auth.sessions',            '-', '-', '-', '-', '-', '-', '-'),
    ('auth.signing_keys',        '-', '-', '-', '-', '-', '-', '-'),
    ('auth.login_failures',      '-', '-', '-', '-', '-', '-', '-'),
    ('auth.devices',             '-', '-', '-', '-', '-', '-', '-'),
    ('auth.enrol_misses',        '-', '-', '-', '-', '-', '-', '-'),
    ('auth.words',               '-', '-', '-', '-', '-', '-', '-');
create temp view tables as
select n.nspname || '.' || c.relname as tab from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname in ('public', 'auth') and c.relkind = 'r';
select is_empty('select tab from tables except select tab from expected', 'every table is in this list');

-- Counting one column keeps tables readable of which only some columns are granted.
create function pg_temp.count_of(tab text) returns text language sql
return 'select count(' || case when tab = 'public.embedding_models' then 'model' when tab = 'public.trending' then 'topic' else '*' end || ') from ' || tab;
create function pg_temp.told(value text) returns text language sql return case value when '42501' then '-' else value end;

select is(pg_temp.told(t.attempt('edurag_app', case p.who when 'nobody' then '' else t.token(p.who) end, pg_temp.count_of(e.tab))), p.n,
          e.tab || ': ' || p.who || ' sees ' || p.n)
  from expected e, lateral (values ('nobody', e.nobody), ('s1', e.s1), ('s2', e.s2), ('t1', e.t1), ('t2', e.t2), ('a1', e.a1)) as p(who, n)
 where p.n <> '+';
select cmp_ok(t.value('a1', 'select count(*) from public.audit_log')::int, '>', 5, 'public.audit_log: an admin reads it');
select is(pg_temp.told(t.attempt('edurag_worker', null, pg_temp.count_of(e.tab))), e.worker, e.tab || ': a node sees ' || e.worker) from expected e;
select is(pg_temp.told(t.attempt('edurag_worker', t.token('a1'), pg_temp.count_of(e.tab))), e.worker, e.tab || ': a token gives a node nothing more') from expected e;

-- A token that nobody should be able to use sees what nobody sees, in every table at once.
select is((select string_agg(e.tab, ', ') from expected e
            where t.attempt('edurag_app', b.token, pg_temp.count_of(e.tab)) not in ('0', '42501')), null, 'sees nothing: ' || b.kind)
  from t.bad b;
select is(t.attempt('edurag_app', b.token, 'select (auth.me()).user_id'), null, 'is nobody: ' || b.kind) from t.bad b;
select is(t.value('s1', 'select (auth.me()).user_id'), t.user_id('s1')::text, 'a good token is its person');

-- Changing what is not yours changes nothing, whatever the statement.
select is(pg_temp.told(t.rows(w.who, s.sql)), s.result, w.who || ': ' || s.sql)
  from (values ('s1'), ('t2')) w(who), (values
    ('update public.users set avatar = ''x'' where user_id <> (select (auth.me()).user_id)', '0'),
    ('update public.users set role = ''admin''', '-'),
    ('update public.users set disabled = false', '-'),
    ('delete from public.users', '-'),
    ('update public.courses set title = ''x'' where code = ''BIO''', '0'),
    ('delete from public.courses where code = ''BIO''', '0'),
    ('insert into public.courses (code, title, teacher_id) values (''X'', ''x'', t.user_id(''t1''))', '-'),
    ('insert into public.enrolments values (t.id(''bio''), (select (auth.me()).user_id))', '-'),
    ('update public.pdfs set title = ''x'' where uploaded_by = t.user_id(''t1'')', '0'),
    ('update public.pdfs set indexed_at = now()', '-'),
    ('delete from public.pdfs where pdf_id = t.id(''open'')', '0'),
    ('delete from public.pdf_chunks', '-'),
    ('insert into public.search_history (user_id, query) values (t.user_id(''s2''), ''x'')', '-'),
    ('update public.search_history set results = 0 where user_id = t.user_id(''s2'')', '0'),
    ('delete from public.memory_facts where user_id = t.user_id(''s2'')', '0'),
    ('insert into public.memory_facts (user_id, fact, fact_key, source) values (t.user_id(''s2''), ''x'', ''x'', ''client'')', '-'),
    ('insert into public.page_opens (pdf_id, page) values (t.id(''broken''), 1)', '-'),
    ('delete from public.memory_access_log', '-'),
    ('delete from public.audit_log', '-'),
    ('insert into public.chat_messages (room_id, seq, user_id, text, expires_at) values (auth.open_course(), 99, (select (auth.me()).user_id), ''x'', now())', '-'),
    ('update public.chat_rooms set ttl_seconds = 5 where course_id = t.id(''bio'')', '0'),
    ('delete from public.chat_messages', '-')
  ) s(sql, result);
select is(t.rows('s1', 'update public.users set avatar = ''ab'' where user_id = (select (auth.me()).user_id)'), '1', 'one''s own avatar may change');
select is(t.rows('t1', 'update public.courses set title = ''Biology 1'' where code = ''BIO'''), '1', 'a teacher renames their course');
select is(t.rows('t1', 'update public.pdfs set title = ''New'' where pdf_id = t.id(''open'')'), '1', 'and their document');
select is(t.rows('t1', 'update public.pdfs set course_id = t.id(''art'') where pdf_id = t.id(''open'')'), 'ER404', 'not into a course that they do not know');
select is(t.rows('t1', 'update public.pdfs set course_id = t.id(''bio'') where pdf_id = t.id(''open'')'), '1', 'but into their own');
select is(t.rows('a1', 'delete from public.pdfs where pdf_id = t.id(''artbook'')'), '1', 'an admin removes any document');
select is((select string_agg(action, ' ' order by audit_id) from audit_log where action like 'library.%' and action <> 'library.upload'), 'library.move library.delete',
    'both are in the audit log');
select * from finish();
rollback;
