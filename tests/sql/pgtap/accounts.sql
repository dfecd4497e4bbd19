-- accounts.sql - logging in, waiting, tokens that end, keys that turn, and what an admin does.
begin;
select no_plan();
create function pg_temp.login(who text, password text, place text default 'p') returns jsonb language sql volatile
return api.login(who, password, place);
create function pg_temp.reason(answer jsonb) returns text language sql return answer #>> '{error,reason}';

-- In.
select is(pg_temp.login('S1', 'password-s1') #>> '{user,institution_id}', 's1', 'letters of a school number are one, large or small');
select is(pg_temp.login('s1', 'password-s1') ->> 'error', null, 'the right password');
select ok((pg_temp.login('s1', 'password-s1') ->> 'token') ~ '^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{43}$', 'a JWT');
select is((select array_agg(k order by k) from jsonb_object_keys(t.claims(pg_temp.login('s1', 'password-s1') ->> 'token')) k),
    array['epoch', 'exp', 'iat', 'kid', 'role', 'sid', 'sub'], 'its claims');
select is(pg_temp.login('s1', 'x') - 'x', pg_temp.login('nobody', 'x') - 'x', 'a wrong password and a wrong number give the same answer');
select is(pg_temp.login('gone', 'password-gone'), pg_temp.login('nobody', 'x'), 'and so does a disabled person');
select is(pg_temp.reason(pg_temp.login('s1', '')), 'unauthenticated', 'an empty password');
select is(pg_temp.login('s1', 'password-s1') ->> 'error', null, 'a success ends the count');
select isnt((select max(last_active_at) from users where institution_id = 's1'), null, 'and is noted');

-- bcrypt reads 72 bytes; a longer password is not the same password.
select auth.user_add(null, 'long', 'Long', 'student', repeat('p', 72));
select is(pg_temp.login('long', repeat('p', 72)) ->> 'error', null, '72 bytes are a password');
select is(pg_temp.reason(pg_temp.login('long', repeat('p', 73))), 'unauthenticated', '73 are not');
select throws_ok($$select auth.user_add(null, 'n', 'N', 'student', 'seven77')$$, 'ER422', null, 'seven bytes are too few');
select throws_ok($$select auth.user_add(null, 'n', 'N', 'student', repeat('ü', 37))$$, 'ER422', null, '74 bytes are too many');

-- Waiting: five free, then 1 s doubling to 5 min, the same for an unknown number.
create temp table waits as
select who, n, pg_temp.reason(api.login(who, 'wrong', 'q')) as reason from (values ('s2'), ('unknown')) w(who), generate_series(1, 7) n;
select is(array_agg(reason order by n), array['unauthenticated', 'unauthenticated', 'unauthenticated', 'unauthenticated', 'unauthenticated',
    'rate_limited', 'rate_limited'], who || ': five are free') from waits group by who;
select is(pg_temp.reason(api.login('s2', 'password-s2', 'q')), 'rate_limited', 'while it waits even the right password does');
select is(api.login('s2', 'password-s2', 'elsewhere') ->> 'error', null, 'but not from another address');
create function pg_temp.wait_after(failed int) returns bigint language sql volatile
begin atomic
    update auth.login_failures set failures = failed, last_at = clock_timestamp() where address = 'q';
    select (api.login('s2', 'wrong', 'q') #>> '{error,retry_after_ms}')::bigint;
end;
select ok(pg_temp.wait_after(n) between ms - 500 and ms, n || ' failures wait ' || ms || ' ms')
  from (values (5, 1000), (6, 2000), (7, 4000), (9, 16000), (13, 256000), (14, 300000), (4000, 300000)) v(n, ms);
update auth.login_failures set last_at = now() - interval '5 min' where address = 'q';
select is(pg_temp.reason(api.login('s2', 'wrong', 'q')), 'unauthenticated', 'after the wait one more may be tried');
select is(pg_temp.reason(api.login('s2', 'wrong', 'q')), 'rate_limited', 'and then it waits again');
update auth.login_failures set last_at = now() - interval '5 min' where address = 'q';
select is(api.login('s2', 'password-s2', 'q') ->> 'error', null, 'a success');
select is((select count(*) from auth.login_failures where address = 'q' and account = auth.account_key('s2')), 0::bigint, 'ends it');
select is_empty($$select from audit_log where detail::text like '%unknown%' or target = 'unknown'$$, 'what was typed as a number is not kept');
select cmp_ok((select count(*) from audit_log where action = 'auth.login_failed' and target = t.user_id('s2')::text), '>=', 5::bigint, 'failures are in the audit log');

-- Costs: the same work for everybody, and old hashes are renewed.
select auth.configure('{"bcrypt_cost": 6}');
select is((select cost from auth.credentials where user_id = t.user_id('s1')), 4, 'an old hash');
select pg_temp.login('s1', 'password-s1');
select is((select cost from auth.credentials where user_id = t.user_id('s1')), 6, 'is renewed at login');
select auth.configure('{"bcrypt_cost": 10}');
-- The backend's own processor time in hundredths of a second: a busy machine stretches the wall clock.
create function pg_temp.worked() returns int language sql volatile
return (select f[1]::int + f[2]::int from regexp_match(pg_read_file('/proc/self/stat', 0, 1000), '\) (?:\S+ ){11}(\d+) (\d+)') f);
create temp table work (who text, ticks int);
do $$
declare
    before int;
    w text;
begin
    for i in 1..8 loop
        foreach w in array array['a1', 'nobody', 'gone'] loop
            before := pg_temp.worked();
            perform api.login(w, 'wrong', 'time' || i);
            insert into work values (w, pg_temp.worked() - before);
        end loop;
    end loop;
end $$;
select cmp_ok((select max(n) / min(n) from (select sum(ticks)::float8 as n from work group by who) x), '<', 1.5::float8,
    'an old hash, no account and a disabled one take the same work');
select auth.configure('{"bcrypt_cost": 4}');
select auth.password_set(t.user_id('s1'), 'password-s1');

-- Tokens that end.
create function pg_temp.mine(token text, sql text) returns text language sql volatile return t.attempt('edurag_app', token, sql);
create temp table tok as select api.login('s2', 'password-s2', 'p') ->> 'token' as a, api.login('s2', 'password-s2', 'p') ->> 'token' as b;
grant select on tok to public;
create temp table fresh as select pg_temp.mine(a, 'select api.refresh() ->> ''token''') as c from tok;
select is(pg_temp.mine(c, 'select (auth.me()).institution_id'), 's2', 'a refreshed token is good') from fresh;
select is(pg_temp.mine(a, 'select (auth.me()).user_id'), null, 'the old one is dead') from tok;
select is(pg_temp.mine(a, 'select api.refresh()'), 'ER401', 'and can not be refreshed again') from tok;
select is(pg_temp.mine(b, 'select (auth.me()).institution_id'), 's2', 'another session is not touched') from tok;
select is(pg_temp.mine(b, 'select api.change_password(''wrong'', ''new-password'') #>> ''{error,field}'''), 'old_password', 'a wrong old password') from tok;
select is(pg_temp.mine(b, 'select api.change_password(''password-s2'', ''short'')'), 'ER422', 'a short new one') from tok;
update fresh set c = pg_temp.mine((select b from tok), 'select api.change_password(''password-s2'', ''new-password'') ->> ''token''');
select is(pg_temp.mine(c, 'select (auth.me()).institution_id'), 's2', 'the new password''s token is good') from fresh;
select is(pg_temp.mine(b, 'select (auth.me()).user_id'), null, 'all others are dead') from tok;
select is(api.login('s2', 'new-password', 'p') ->> 'error', null, 'and the new password works');
select is(pg_temp.mine(c, 'select api.logout(true)'), '{}', 'logged out everywhere') from fresh;
select is(pg_temp.mine(c, 'select (auth.me()).user_id'), null, 'is dead') from fresh;
select is((select string_agg(s::text, '') from worker.sessions_alive(array[gen_random_uuid()]) s), null, 'nodes may ask which sessions are alive');
update auth.sessions set expires_at = now() - interval '2 days' where user_id = t.user_id('a1');
select lives_ok('select worker.sweep_sessions()', 'the sweep');
select is_empty('select from auth.sessions where user_id = t.user_id(''a1'')', 'takes old sessions');
update t.who set token = api.login('a1', 'password-a1', 'p') ->> 'token' where who = 'a1';

-- Keys: two live at once, the one before the last is gone.
create temp table kept as select api.login('s1', 'password-s1', 'p') ->> 'token' as first, null::text as second;
select isnt(auth.key_rotate(), null, 'a new key');
update kept set second = api.login('s1', 'password-s1', 'p') ->> 'token';
select isnt(t.claims(first) ->> 'kid', t.claims(second) ->> 'kid', 'signs') from kept;
select is(pg_temp.mine(first, 'select (auth.me()).institution_id'), 's1', 'the old key still verifies') from kept;
select isnt(auth.key_rotate(), null, 'a third key');
select is(pg_temp.mine(first, 'select (auth.me()).user_id'), null, 'retires the first') from kept;
select is(pg_temp.mine(second, 'select (auth.me()).institution_id'), 's1', 'and not the second') from kept;
select isnt(revoked_at, null, 'and ends the sessions of the first') from kept, auth.sessions where session_id = (t.claims(first) ->> 'sid')::uuid;
delete from auth.signing_keys where kid = (select t.claims(second) ->> 'kid' from kept);
select is(pg_temp.mine(second, 'select (auth.me()).user_id'), null, 'a key that is taken away takes its tokens along') from kept;
select isnt(auth.key_rotate(), null, 'another key');
select is((select count(*) from auth.signing_keys where retired_at is null), 2::bigint, 'two are live');
update t.who set token = api.login(who, 'password-' || who, 'p') ->> 'token' where who in ('a1', 't1', 's1');

-- Names are what they look like.
create temp table unseen (n int);
insert into unseen select unnest(array[x'00ad', x'200b', x'200d', x'202e', x'2066', x'2069', x'feff', x'e000', x'f8ff', x'180e', x'3164', x'fe0f', x'2028']::bit(16)[])::int;
insert into unseen values (917569), (983040), (1114109);
select is(t.value('a1', format('select api.user_create(%L, ''x'', ''student'')', 'u' || chr(n))), 'ER422', to_hex(n) || ' is not in a number') from unseen;
select is(t.value('a1', format('select api.user_create(''u1'', %L, ''student'')', 'x' || chr(n) || 'y')), 'ER422', to_hex(n) || ' is not in a name') from unseen;
select is(t.value('a1', format('select api.user_update(t.user_id(''s2''), %L)', 'x' || chr(n) || 'y')), 'ER422', to_hex(n) || ' is no new name') from unseen;
select throws_ok(format('insert into users (institution_id, name, role) values (''u1'', %L, ''student'')', 'x' || chr(n)), 'ER422', null, 'not past the functions') from unseen;
select is(t.value('a1', 'select api.user_create(''u' || chr(160) || ''', ''x'', ''student'')'), 'ER422', 'a blank by another name');
select isnt(t.value('a1', format('select api.user_create(%L, %L, ''student'') ->> ''password''', 'л1', n)), 'ER422', n || ' is a name')
  from (values ('Zoë Ångström-O’Neil')) v(n);
select is(t.value('a1', 'select api.user_create(''sl'', ''x'', ''student'')'), 'ER422', 'sl looks like s1');
select is(t.value('a1', 'select api.user_create(''ѕ1'', ''x'', ''student'', null, ''sl'', ''x'')'), 'ER422', 'and so does one in other letters');
select is(t.value('a1', 'select api.user_update(t.user_id(''s2''), ''Nаme of s1'', null, null, ''Narne of sl'')'), 'ER422', 'a name in other letters');
select is(t.value('a1', 'select api.user_update(t.user_id(''s2''), ''Name of s1'') ->> ''name'''), 'Name of s1', 'two may be called the same');
select is(t.value('a1', 'select api.user_update(t.user_id(''s2''), ''Name of sl'') ->> ''name'''), 'Name of sl', 'and plain letters may look alike');

-- Devices: twenty, those that came back stay; the text is nobody else's and is not kept.
create temp table dev as select api.login('s2', 'new-password', 'home', null, 'laptop') ->> 'device' as d;
select is(api.login('s2', 'new-password', 'home', d) ->> 'device', d, 'a device is known again') from dev;
select isnt(api.login('s1', 'password-s1', 'home', d) ->> 'device', d, 'and not as somebody else''s') from dev;
select isnt(api.login('s2', 'new-password', 'home', 'mine') ->> 'device', 'mine', 'nobody chooses one');
select is_empty($$select from auth.devices, dev where devices::text like '%' || d || '%'$$, 'its text is not kept');
update auth.devices set created_at = created_at - interval '1 day' where device_sha256 = (select auth.device_hash(d) from dev);
do $$ begin for i in 1 .. 30 loop perform api.login('s2', 'new-password', 'lab'); end loop; end $$;
select is((select count(*) from auth.devices where user_id = t.user_id('s2')), 20::bigint, 'twenty are kept');
select is(api.login('s2', 'new-password', 'home', d) ->> 'device', d, 'and the one that came back is') from dev;
update t.who set token = api.login('s2', 'new-password', 'p', (select d from dev)) ->> 'token' where who = 's2';
select is((t.value('s2', 'select jsonb_path_query_first(api.devices(), ''$.items[*] ? (@.name == "laptop")'')'))::jsonb - 'device_id' - 'last_used_at', '{"name": "laptop", "address": "p"}', 'it is listed');
select is(t.value('s1', format('select api.forget_device(%L)', device_id)), 'ER404', 'by its owner alone')
  from auth.devices where device_sha256 = (select auth.device_hash(d) from dev);
select is(t.value('s2', format('select api.forget_device(%L)', device_id)), '{}', 'who may forget it')
  from auth.devices where device_sha256 = (select auth.device_hash(d) from dev);
select is(t.value('s2', 'select 1 from auth.devices'), '42501', 'the table is the owner''s');

-- Only what is noted by hand may be, by whom it is for.
select is(t.value('a1', 'select api.audit(''users.import'', null, ''{"created": 1}'')'), '', 'a list that was imported is noted');
select is(t.value('s1', 'select api.audit(''users.import'', null, ''{}'')'), 'ER403', 'by admins');
select is(t.value('a1', 'select api.audit(' || quote_literal(a) || ', null, ''{}'')'), 'ER403', a || ' is no entry of a person')
  from unnest(array['auth.login', 'users.delete', 'made.up', '']) a;
select is(t.value('a1', 'select api.audit(''users.import'', ''somebody'', ''{}'')'), 'ER422', 'without a target');
select is(t.value('a1', 'select api.audit(''users.import'', null, jsonb_build_object(''x'', repeat(''x'', 2000)))'), 'ER422', 'and short');

-- Accounts.
create temp table made as select t.value('a1', 'select api.user_create(''n1'', ''New One'', ''student'')')::jsonb as j;
select ok((j ->> 'password') ~ '^[a-z]+-\d{5}-[a-z]+-[a-z]+$', 'a generated password can be read aloud') from made;
select is(api.login('n1', j ->> 'password', 'p') #>> '{user,name}', 'New One', 'and works') from made;
select cmp_ok((select log(2, (select count(*) from auth.words)::numeric) * 3 + log(2, 90000.0)), '>=', 40.0, 'it has 40 bits');
select is((select count(distinct auth.password_new()) from generate_series(1, 200)), 200::bigint, 'no two are alike');
select is(t.value('a1', 'select api.user_create(''N1'', ''x'', ''student'')'), 'ER409', 'a school number is one person''s');
select is(t.value('a1', 'select api.user_create(''a b'', ''x'', ''student'')'), 'ER422', 'without blanks');
select is(t.value('a1', 'select api.user_create(''n2'', ''x'', ''king'')'), 'ER422', 'roles are three');
create temp table list as select t.value('a1', $q$select api.users_import_check('[
    {"line": 2, "institution_id": "i1", "name": "One", "role": "Student"}, {"line": 3, "institution_id": "N1", "name": "Known", "role": "student"},
    {"line": 4, "institution_id": "I1", "name": "Twice", "role": "student"}, {"line": 5, "institution_id": "i2", "name": " ", "role": "student"},
    {"line": 6, "problem": "Broken."}]')$q$)::jsonb as j;
select is(j -> 'fresh', '[{"line": 2, "institution_id": "i1", "name": "One", "role": "student"}]', 'of a list: who is new') from list;
select is((j ->> 'skipped')::int, 1, 'who is known') from list;
select is(jsonb_path_query_array(j, '$.errors[*].line'), '[4, 5, 6]', 'and which lines are wrong') from list;
select matches(t.value('a1', 'select api.users_import(''' || (j -> 'fresh')::text || ''') #>> ''{created,0,password}'''), '-[0-9]{5}-', 'made')
  from list;
select is(t.value('a1', 'select api.users_import(''' || (j -> 'fresh')::text || ''') - ''errors''')::jsonb, '{"created": [], "skipped": 1}', 'once')
  from list;
select is(t.value('a1', 'select api.user_update(t.user_id(''t2''), ''Dr. T'', null, null) ->> ''name'''), 'Dr. T', 'a new name');
select is(t.value('a1', 'select api.user_update(gen_random_uuid(), ''x'', null, null)'), 'ER404', 'of nobody');
select is(t.value('a1', 'select api.user_update((select (auth.me()).user_id), null, ''student'', null)'), 'ER409', 'the last admin stays');
select is(t.value('a1', 'select api.user_delete((select (auth.me()).user_id))'), 'ER409', 'and is not deleted');
select isnt(t.value('t1', 'select (auth.me()).user_id'), null, 't1 is here');
select is(t.value('a1', 'select api.user_update(t.user_id(''t1''), null, null, true) ->> ''role'''), 'teacher', 'switched off');
select is(t.value('t1', 'select (auth.me()).user_id'), null, 'is out at once');
select is(t.value('a1', 'select api.user_update(t.user_id(''t1''), null, null, false) ->> ''role'''), 'teacher', 'switched on');
select is(t.value('t1', 'select (auth.me()).user_id'), null, 'the old token stays dead');
select is(t.value('a1', 'select api.user_reset_password(t.user_id(''s1'')) ->> ''password''') ~ '-\d{5}-', true, 'a reset password');
select is(t.value('s1', 'select (auth.me()).user_id'), null, 'ends the sessions');

-- Deleting a person: everything on them goes, their documents stay without a name, an erasure outlives them.
select is(t.value('a1', 'select api.user_delete(t.user_id(''t1''))'), '{}', 'a teacher is deleted');
select is((select uploaded_by from pdfs where pdf_id = t.id('open')), null, 'their document stays, without a name');
select is((select by_name from memory_access_log where user_id = t.user_id('s1')), null, 'whoever they looked at no longer reads their name');
create temp table about (tab regclass, n bigint);
select is(t.value('a1', 'select api.user_delete(t.user_id(''s1''))'), '{}', 'a student is deleted');
do $$
declare
    c record;
    n bigint;
begin
    for c in select a.attrelid::regclass as tab, a.attname as col from pg_attribute a join pg_class k on k.oid = a.attrelid
              where k.relkind = 'r' and k.relnamespace in ('public'::regnamespace, 'auth'::regnamespace) and a.atttypid = 'uuid'::regtype loop
        execute format('select count(*) from %s where %I = %L', c.tab, c.col, t.user_id('s1')) into n;
        if n > 0 then insert into about values (c.tab, n); end if;
    end loop;
end $$;
select set_eq('select tab::text from about', array['erasures', 'audit_log'], 'only their erasure and bare ids in the audit log are left');
select is((select string_agg(kind, ',' order by kind) from erasures where user_id = t.user_id('s1') and state = 'pending'), 'all,person', 'the outside is to forget them');
select is_empty($$select from audit_log where (target = t.user_id('s1')::text or actor = t.user_id('s1')) and detail <> '{}'$$, 'the audit log keeps no details');
select * from finish();
rollback;
