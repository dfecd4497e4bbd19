-- school.sql - a small school for the tests: two courses, two students, two teachers, an admin, and at least
-- one row of everything that can be seen. Schema `t`: who, tokens, and trying things as somebody.
create schema t;
grant usage on schema t to public;
alter default privileges in schema t grant select on tables to public;
create table t.who (who text primary key, user_id uuid, token text);
create table t.ids (name text primary key, id uuid);

insert into t.who (who, user_id)
select w, (auth.user_add(null, w, 'Name of ' || w, r, 'password-' || w) #>> '{user,user_id}')::uuid
  from (values ('s1', 'student'), ('s2', 'student'), ('t1', 'teacher'), ('t2', 'teacher'), ('a1', 'admin'), ('gone', 'student'))
       as v(w, r);
update t.who set token = api.login(who, 'password-' || who, 'test') ->> 'token';

create view t.all_uploads as select upload_id from public.uploads;
grant select on t.all_uploads to public;
create function t.user_id(who text) returns uuid language sql return (select user_id from t.who w where w.who = user_id.who);
create function t.token(who text) returns text language sql return (select token from t.who w where w.who = token.who);
create function t.id(name text) returns uuid language sql return (select id from t.ids i where i.name = id.name);

create function t.thread_of(who text) returns uuid language sql security definer return (select thread_id from public.threads where user_id = t.user_id(who) limit 1);

-- What `sql` gives as that role with that token: its first value, or how many rows it touched, or its SQLSTATE.
create function t.attempt(role text, token text, sql text, counting boolean default false) returns text language plpgsql as $$
declare
    value text;
    n bigint;
begin
    perform set_config('edurag.token', coalesce(token, ''), true);
    perform set_config('role', role, true);
    begin
        if counting then
            execute sql;
            get diagnostics n = row_count;
            value := n::text;
        else
            execute sql into value;
        end if;
    exception when others then
        value := sqlstate;
    end;
    perform set_config('role', 'none', true);
    perform set_config('edurag.token', '', true);
    return value;
end $$;
create function t.value(who text, sql text) returns text language sql volatile
begin atomic select t.attempt('edurag_app', t.token(who), sql); end;
create function t.rows(who text, sql text) returns text language sql volatile
begin atomic select t.attempt('edurag_app', t.token(who), sql, true); end;
create function t.worker(sql text) returns text language sql volatile
begin atomic select t.attempt('edurag_worker', null, sql); end;

-- Courses: bio is t1's with s1 in it, art is t2's with s2.
with c as (insert into public.courses (code, title, teacher_id)
           values ('BIO', 'Biology', t.user_id('t1')), ('ART', 'Art', t.user_id('t2')) returning code, course_id)
insert into t.ids select lower(code), course_id from c;
insert into public.enrolments (course_id, user_id) values (t.id('bio'), t.user_id('s1')), (t.id('art'), t.user_id('s2'));

insert into public.quotas (user_id, bytes) values (t.user_id('t1'), 5000000000);

-- Documents: one indexed in each course and in the open library, one of t1's in the open library that failed.
insert into public.embedding_models (model, provider, dim, state) values ('m2', 'builtin', 2, 'current'), ('m3', 'builtin', 3, 'ready');
create function t.document(name text, course uuid, owner text) returns uuid language plpgsql as $$
declare
    upload uuid;
    done jsonb;
    bytes bytea := convert_to('%PDF-1.4 ' || name, 'UTF8');
begin
    perform set_config('edurag.token', t.token(owner), true);
    upload := api.upload_begin(name || '.pdf', length(bytes), encode(sha256(bytes), 'hex'), null, course) ->> 'upload_id';
    perform api.upload_chunk(upload, 0, bytes);
    done := api.upload_commit(upload, encode(sha256(bytes), 'hex'));
    perform set_config('edurag.token', '', true);
    insert into t.ids values (name, (done ->> 'pdf_id')::uuid), (name || ' job', (done ->> 'job_id')::uuid);
    return done ->> 'pdf_id';
end $$;
create function t.index(name text, model text default 'm2') returns boolean language plpgsql as $$
declare
    j public.index_jobs;
begin
    insert into public.embedding_cache (model, text_sha256, vector)
    select m.model, sha256(convert_to(x, 'UTF8')), array_fill(0.5::real, array[m.dim])
      from unnest(array[name || ' one', name || ' two']) x, public.embedding_models m on conflict do nothing;
    select * into j from worker.claim_job('node', 60);
    return worker.store_document(j.job_id, j.lease, model, 'x1', null,
        jsonb_build_array(jsonb_build_object('page', 1, 'label', 'i', 'status', 'ok', 'text', name || ' one ' || name || ' two')),
        jsonb_build_array(
            jsonb_build_object('first_page', 1, 'last_page', 1, 'start_offset', 0, 'end_offset', 5, 'text', name || ' one'),
            jsonb_build_object('first_page', 1, 'last_page', 1, 'start_offset', 6, 'end_offset', 9, 'text', name || ' two')),
        '[]');
end $$;
do $$ begin
    perform t.document('open', null, 't1'); perform t.index('open');
    perform t.document('biobook', t.id('bio'), 't1'); perform t.index('biobook');
    perform t.document('artbook', t.id('art'), 't2'); perform t.index('artbook');
    perform t.document('broken', null, 't1');
    perform worker.fail_job(j.job_id, j.lease, 'This PDF is password-protected.', true) from worker.claim_job('node', 60) j;
end $$;

-- What is kept on s1 and s2, who talked, who looked.
do $$
declare
    s text;
    search uuid;
begin
    foreach s in array array['s1', 's2'] loop
        perform set_config('edurag.token', t.token(s), true);
        with h as (insert into public.threads default values returning thread_id)
        insert into public.search_history (thread_id, query, results) select thread_id, 'enzymes', 3 from h returning search_id into search;
        insert into public.turns (search_id, thread_id, query, answer) select search_id, thread_id, query, 'because' from public.search_history where search_id = search;
        insert into public.page_opens (pdf_id, page, section) values (t.id('open'), 1, 'One');
        insert into public.memory_facts (fact, fact_key, source, state) values ('student searched for enzymes', 'enzymes', 'search', 'pending');
        perform api.chat_send(null, 'hello from ' || s);
        perform api.reflection_begin();
    end loop;
    perform set_config('edurag.token', t.token('s1'), true);
    perform api.chat_send(t.id('bio'), 'hello biology');
    perform set_config('edurag.token', t.token('t1'), true);
    perform api.chat_mute(t.id('bio'), t.user_id('s1'), 600);
    perform api.reflection_begin(t.user_id('s1'));
    perform api.upload_begin('half.pdf', 100, repeat('a', 64));
    perform set_config('edurag.token', '', true);
    insert into t.ids select 'line', message_id from public.chat_messages where text = 'hello from s1';
    insert into t.ids select 'bio line', message_id from public.chat_messages where text = 'hello biology';
    insert into t.ids select 's1 fact', fact_id from public.memory_facts where user_id = t.user_id('s1');
    insert into public.erasures (user_id, kind) values (t.user_id('s1'), 'all');
    insert into public.trending (topic, searches, searchers) values ('enzymes', 5, 5);
    insert into public.nodes (node) values ('node');
    insert into public.presence (node, room_id, user_id) values ('node', t.id('bio'), t.user_id('s1'));
    perform api.login('s1', 'wrong', 'test');
end $$;

-- Tokens that must be nobody's, each made with everything that somebody could know or steal.
create function t.sign(header jsonb, claims jsonb, secret bytea) returns text language sql volatile
begin atomic
    select s.signed || '.' || auth.hs256(s.signed, secret)
      from (select auth.base64url(convert_to(header::json::text, 'UTF8')) || '.' || auth.base64url(convert_to(claims::json::text, 'UTF8')) as signed) s;
end;
create function t.claims(token text) returns jsonb language sql
return convert_from(auth.base64url_decode(split_part(token, '.', 2)), 'UTF8')::jsonb;
create table t.bad (kind text primary key, token text not null);
insert into t.bad
select 'empty', '' union all
select 'garbage', 'x.y.z' union all
select 'right shape, bad base64', 'eyJ_____' || repeat('A', 40) || '.eyJ' || repeat('-', 80) || '.' || repeat('_', 43) union all
select 'not UTF-8 inside', 'eyJ_.eyJ' || auth.base64url('\xfffefd') || '.' || repeat('A', 43) union all
select 'forged key', t.sign('{"alg":"HS256","typ":"JWT"}', t.claims(t.token('a1')), 'a secret that an outsider made up') union all
select 'alg none', auth.base64url('{"alg":"none","typ":"JWT"}') || '.' || split_part(t.token('a1'), '.', 2) || '.' || repeat('A', 43) union all
select 'alg none, no signature', auth.base64url('{"alg":"none"}') || '.' || split_part(t.token('a1'), '.', 2) || '.' union all
select 'spliced', split_part(t.token('s1'), '.', 1) || '.' || split_part(t.token('a1'), '.', 2) || '.' || split_part(t.token('s1'), '.', 3) union all
select 'two tokens', t.token('s1') || '.' || t.token('a1') union all
select 'trailing', t.token('a1') || 'A' union all
select 'line end', t.token('a1') || E'\n' union all
select 'expired claim', (select t.sign('{"alg":"HS256"}', t.claims(t.token('a1')) || '{"exp":1000}', secret) from auth.signing_keys) union all
select 'of another epoch', (select t.sign('{"alg":"HS256"}', t.claims(t.token('a1')) || '{"epoch":7}', secret) from auth.signing_keys) union all
select 'session of another', (select t.sign('{"alg":"HS256"}', t.claims(t.token('s1')) || jsonb_build_object('sub', t.user_id('a1')), secret) from auth.signing_keys) union all
select 'signed here, never given out', (select t.sign('{"alg":"HS256","typ":"JWT"}', t.claims(t.token('a1')) || '{"iat":1}', secret) from auth.signing_keys) union all
select 'unknown session', (select t.sign('{"alg":"HS256"}', t.claims(t.token('a1')) || jsonb_build_object('sid', gen_random_uuid()), secret) from auth.signing_keys);
do $$
declare
    k text;
begin
    insert into t.bad select kind, api.login('a1', 'password-a1', 'test') ->> 'token'
      from unnest(array['expired session', 'revoked session', 'logged out']) kind;
    insert into t.bad select 'logged out everywhere', api.login('t2', 'password-t2', 'test') ->> 'token';
    insert into t.bad values ('of a disabled person', t.token('gone'));
    update auth.sessions set expires_at = now() - interval '1 second'
     where session_id = (select (t.claims(token) ->> 'sid')::uuid from t.bad where kind = 'expired session');
    update auth.sessions set revoked_at = now()
     where session_id = (select (t.claims(token) ->> 'sid')::uuid from t.bad where kind = 'revoked session');
    foreach k in array array['logged out', 'logged out everywhere'] loop
        perform set_config('edurag.token', (select token from t.bad where kind = k), true);
        perform api.logout(k like '%everywhere');
    end loop;
    perform set_config('edurag.token', '', true);
    update public.users set disabled = true where user_id = t.user_id('gone');
    update t.who set token = api.login(who, 'password-' || who, 'test') ->> 'token' where who = 't2';
end $$;
