-- kept.sql - what is kept on a person can be taken along, all of it, and is not kept for ever.
begin;
select no_plan();
insert into erasures (user_id, kind) values (t.user_id('s1'), 'all');
update mutes set by_user = t.user_id('t1');
insert into auth.enrol_misses (user_id, misses) values (t.user_id('t1'), 3);
create temp table out as select who, t.value(who, 'select api.memory_export()')::jsonb as x from t.who where who in ('s1', 't1');

-- Every column that refers to a person, from the catalogue, and every other that names one without referring.
create temp view refers as
select n.nspname || '.' || r.relname as tab, a.attname::text as col from pg_constraint c join pg_class r on r.oid = c.conrelid
  join pg_namespace n on n.oid = r.relnamespace join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
 where c.contype = 'f' and c.confrelid = 'public.users'::regclass
union
select n.nspname || '.' || r.relname, a.attname::text from pg_class r join pg_namespace n on n.oid = r.relnamespace join pg_attribute a on a.attrelid = r.oid
 where n.nspname in ('public', 'auth') and r.relkind = 'r' and a.attnum > 0 and not a.attisdropped
   and a.attname ~ '^(user_id|person|actor|account|target|owner|institution_id|.*_by|by_user|.*(teacher|uploader|student|asker|author)_id)$'
   and (n.nspname || '.' || r.relname, a.attname) <> all (values ('public.users', 'user_id'), ('public.users', 'institution_id'));
select is_empty($$select r.tab, r.col from refers r left join auth.export_plan() p using (tab, col) where coalesce(p.how, '') = ''$$,
    'every column that names a person is exported, or says in auth.export_plan() why not');
select is_empty($$select p.tab, p.col from auth.export_plan() p left join refers r using (tab, col) where r.tab is null$$, 'and what the plan names is there');
select is_empty($$select tab, col from auth.export_plan() group by tab, col having count(*) > 1$$, 'once');
select is_empty($$select p.tab, p.col, o.who from auth.export_plan() p, out o where p.how = 'kept' and jsonb_typeof(o.x -> 'kept' -> (p.tab || '.' || p.col)) is distinct from 'array'$$,
    'what is kept has its place');
select is(jsonb_array_length(o.x -> 'kept' -> v.place), v.n, v.who || ': ' || v.place) from (values ('s1', 'public.enrolments.user_id', 1), ('s1', 'public.threads.user_id', 1),
    ('s1', 'public.mutes.user_id', 1), ('s1', 'public.presence.user_id', 1), ('s1', 'auth.credentials.user_id', 1), ('t1', 'public.courses.teacher_id', 1),
    ('t1', 'public.uploads.uploader_id', 1), ('t1', 'public.pdfs.uploaded_by', 3), ('t1', 'auth.enrol_misses.user_id', 1)) v(who, place, n) join out o using (who);
select cmp_ok(jsonb_array_length(o.x -> v.member), '>', 0, v.who || ': ' || v.member) from (values ('s1', 'facts'), ('s1', 'searches'), ('s1', 'turns'), ('s1', 'opened'), ('s1', 'chat'),
    ('s1', 'access_log'), ('s1', 'sessions'), ('s1', 'failed_logins'), ('s1', 'audit'), ('s1', 'erasures'), ('t1', 'audit')) v(who, member) join out o using (who);
select is((select x #>> '{sessions,0,address}' from out where who = 's1'), 'test', 'sessions say where from');
select is((select x #>> '{failed_logins,0,address}' from out where who = 's1'), 'test', 'failed logins too');
select is((select string_agg(who, ',') from out where x::text ~ '[$]2[ab][$]' or x::text like '%' || (select encode(token_sha256, 'hex') from auth.sessions limit 1) || '%'), null,
    'no hash of a password, no digest of a token');
select is((select count(*) from out where who = 's1' and x::text like '%' || t.user_id('s2') || '%'), 0::bigint, 'nothing of another student');
-- A table that somebody adds.
create table public.added (owner uuid references public.users, note text, secret_hash text);
insert into public.added values (t.user_id('s1'), 'mine', 'x'), (t.user_id('s2'), 'not mine', 'x');
alter table public.added owner to edurag_owner;
select is(t.value('s1', 'select api.memory_export() #> ''{kept,public.added.owner}'''), format('[{"note": "mine", "owner": "%s"}]', t.user_id('s1')), 'a new table is taken along by itself');
drop table public.added;

-- For how long.
create table auth.added (address text, last_used_at timestamptz);
insert into auth.added values ('10.0.0.1', now() - interval '31 days'), ('10.0.0.2', now() - interval '29 days');
alter table auth.added owner to edurag_owner;
insert into audit_log (at, action, detail) values (now() - interval '366 days', 'auth.old', '{}'), (now() - interval '364 days', 'auth.young', '{"address": "10.0.0.1", "x": 1}'),
    (now() - interval '29 days', 'auth.fresh', '{"address": "10.0.0.1"}');
insert into audit_log (at, actor, action, detail) values (now() - interval '28 days', t.user_id('s2'), 'auth.login', '{"address": "10.0.0.2"}'),
    (now() - interval '31 days', t.user_id('s1'), 'auth.login', '{"address": "10.0.0.5"}'); -- refreshed ever since
insert into auth.sessions (user_id, created_at, expires_at, address) values (t.user_id('s1'), now() - interval '31 days', now() + interval '1 day', '10.0.0.1'),
    (t.user_id('s2'), now() - interval '28 days', now() + interval '1 day', '10.0.0.2'), (t.user_id('s1'), now() - interval '2 hours', now() + interval '1 day', '10.0.0.5'), (t.user_id('s2'), now() - interval '9 days', now() - interval '2 days', '10.0.0.3');
insert into auth.login_failures (account, address, last_at) values ('x', '10.0.0.4', now() - interval '2 days');
select is(t.worker('select worker.sweep_kept(365, 30)'), '', 'a node sweeps');
select is((select string_agg(action || detail, ' ' order by at) from audit_log where action in ('auth.old', 'auth.young', 'auth.fresh')), 'auth.young{"x": 1} auth.fresh{"address": "10.0.0.1"}',
    'the audit log goes back a year, its addresses a month');
select is((select string_agg(coalesce(address, '-'), ' ' order by created_at) from auth.sessions where address is distinct from 'test' and created_at < now()), '- 10.0.0.2 -', 'those of sessions too, however often they were refreshed');
select is((select string_agg(coalesce(address, '-'), ' ' order by last_used_at) from auth.added), '- 10.0.0.2', 'and of whatever else notes them with a time');
select is((select count(*) from auth.login_failures where address = '10.0.0.4'), 0::bigint, 'failures are forgotten in a day');
drop table auth.added;
select set_eq($$select r.relname::text from pg_class r join pg_attribute a on a.attrelid = r.oid join pg_namespace n on n.oid = r.relnamespace
    where n.nspname in ('public', 'auth') and r.relkind = 'r' and a.attname = 'address' and not a.attisdropped
      and not exists (select from pg_attribute u where u.attrelid = r.oid and u.attname = 'last_used_at' and not a.attnotnull)$$,
    array['sessions', 'login_failures'], 'worker.sweep_kept knows every table that holds addresses');
select is(t.value('a1', 'select worker.sweep_kept(1, 1)'), '42501', 'nobody else sweeps');
select * from finish();
rollback;
