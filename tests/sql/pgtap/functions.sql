-- functions.sql - every function that a person may call, called by nobody and with every bad token.
begin;
select no_plan();

create temp view callable as
select p.oid, p.oid::regprocedure::text as name, p.proname, format('select %s(%s)::text', p.oid::regproc,
           coalesce((select string_agg(case
               when a.name = 'message_id' then format('%L::uuid', t.id('line'))
               when a.name = 'pdf_id' then format('%L::uuid', t.id('broken'))
               when a.name = 'fact_id' then format('%L::uuid', t.id('s1 fact'))
               when a.name in ('user_id', 'course_id', 'upload_id', 'reflection_id', 'room') then format('%L::uuid', t.user_id('s1'))
               when a.name in ('institution_id', 'old_password') then quote_literal('s1')
               when a.type = 'text'::regtype then quote_literal('12345678')
               else format('null::%s', a.type::regtype) end, ', ' order by a.n)
              from unnest(p.proargtypes::oid[], p.proargnames) with ordinality as a(type, name, n)
              where a.type is not null), '')) as call -- names go on with the out parameters
  from pg_proc p
 where p.prosecdef and p.pronamespace in ('api'::regnamespace, 'auth'::regnamespace)
   and has_function_privilege('edurag_app', p.oid, 'execute');
-- What these say to nobody is nobody's business but their own.
create temp table open_to_all (name text primary key, answer text);
insert into open_to_all values
    ('auth.me()', null), ('auth.my_courses()', '{}'), ('auth.my_taught()', '{}'), ('auth.my_own()', '{}'), ('auth.my_people()', '{}'),
    ('api.resume(text)', null), ('api.token_end(text)', null), ('api.chat_ttl(uuid)', null);
select cmp_ok((select count(*) from callable), '>=', 30::bigint, 'the functions are found');
select is((select string_agg(c.name, ', ') from callable c left join open_to_all o using (name)
            where c.name not like 'api.login(%'
              and nullif(t.attempt('edurag_app', b.token, c.call), '(,,,,,)') is distinct from case when o.name is null then 'ER401' else o.answer end),
          null, 'every function refuses or says nothing: ' || b.kind)
  from t.bad b;
select is(t.attempt('edurag_app', null, 'select api.resume(' || quote_literal(b.token) || ')'), null, 'resume: ' || b.kind) from t.bad b;

-- Functions of other ranks.
select is(t.value(w.who, f.sql), f.state, w.who || ': ' || f.sql)
  from (values ('s1')) w(who), (values
    ('select api.user_create(''x'', ''X'', ''admin'')', 'ER403'),
    ('select api.user_update((select (auth.me()).user_id), null, ''admin'')', 'ER403'),
    ('select api.users_import_check(''[]'')', 'ER403'),
    ('select api.users_import(''[{"line": 1, "institution_id": "x", "name": "X", "role": "admin"}]'')', 'ER403'),
    ('select api.user_reset_password(t.user_id(''a1''))', 'ER403'),
    ('select api.user_delete(t.user_id(''s2''))', 'ER403'),
    ('select api.enrol(t.id(''art''), ''{s1}'')', 'ER403'),
    ('select api.upload_begin(''x.pdf'', 5, repeat(''b'', 64))', 'ER403'),
    ('select api.retry(t.id(''broken''))', 'ER403'),
    ('select api.students(null, 50, null)', 'ER403'),
    ('select api.stats()', 'ER403'),
    ('select api.reflection_begin(t.user_id(''s2''))', 'ER404'),
    ('select api.reflection_begin(gen_random_uuid())', 'ER404'),
    ('select api.forget((select id from t.ids where name = ''none''))->>''forgotten''', '{"facts": 1, "searches": 1, "reflections": 2}'),
    ('select api.chat_send(t.id(''art''), ''x'')', 'ER404'),
    ('select api.chat_delete(t.id(''line''))', 'ER403'),
    ('select api.chat_delete(t.id(''none''))', 'ER404'),
    ('select api.chat_mute(t.id(''bio''), t.user_id(''s1''), 0)', 'ER403'),
    ('select worker.claim_job(''x'', 5)', '42501'),
    ('select worker.sweep_chat()', '42501'),
    ('select auth.configure(''{}'')', '42501'),
    ('select auth.user_add(null, ''x'', ''X'', ''admin'', null)', '42501'),
    ('select auth.key_rotate()', '42501'),
    ('select auth.audit(null, ''x.y'')', '42501'),
    ('select auth.verify(''x'')', '42501'),
    ('select crypto.crypt(''x'', ''y'')', '42501')) f(sql, state);
select is(t.value('t2', f.sql), f.state, 't2: ' || f.sql) from (values
    ('select api.enrol(t.id(''bio''), ''{s2}'')', 'ER404'),
    ('select api.upload_begin(''x.pdf'', 5, repeat(''b'', 64), null, t.id(''bio''))', 'ER404'),
    ('select api.upload_chunk((select upload_id from t.all_uploads), 0, ''x'')', 'ER404'),
    ('select api.upload_abort((select upload_id from t.all_uploads))', 'ER404'),
    ('select api.retry(t.id(''broken''))', 'ER404'),
    ('select api.retry(t.id(''open''))', 'ER403'),
    ('select api.reflection_begin(t.user_id(''s1''))', 'ER404'),
    ('select api.chat_delete(t.id(''bio line''))', 'ER404'),
    ('select api.chat_delete(t.id(''line''))', 'ER403'),
    ('select api.chat_mute(null, t.user_id(''s1''), 5)', 'ER403'),
    ('select api.students(null, 50, null) #>> ''{items,0,institution_id}''', 's2'),
    ('select jsonb_array_length(api.students(null, 50, null) -> ''items'')', '1')) f(sql, state);
select is(t.value('a1', 'select jsonb_array_length(api.students(null, 2, null) -> ''items'')'), '2', 'an admin counts everybody');
select is(t.value('a1', 'select api.students(null, 50, ''bogus'')'), 'ER422', 'a bad cursor has its error');
select is(t.value('a1', 'select api.stats() #>> ''{users,total}'''), '6', 'figures');
select * from finish();
rollback;
