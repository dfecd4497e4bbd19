-- 003_accounts.sql - logging in and out, passwords, what an admin does with accounts, and the audit log.

create table public.audit_log (
    audit_id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor uuid,            -- no foreign keys: a row outlives the people in it, as bare ids
    action text not null check (action ~ '^[a-z_]+(\.[a-z_]+)+$'),
    target text,
    detail jsonb not null default '{}'
);
create index audit_log_at on public.audit_log (at desc, audit_id desc);
create index audit_log_actor on public.audit_log (actor);
call auth.protect('public.audit_log');
-- Admins read the log; it is written by definer functions alone.
create policy admins_read on public.audit_log for select to edurag_app using ((select (auth.me()).role) = 'admin');
grant select on public.audit_log to edurag_app;

create function auth.audit(actor uuid, action text, target text default null, detail jsonb default '{}') returns void
language sql volatile
begin atomic
    insert into public.audit_log (actor, action, target, detail) values (actor, action, target, jsonb_strip_nulls(detail));
end;

-- A line in the audit log in the caller's own name.
create function api.audit(action text, target text default null, detail jsonb default '{}') returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    perform auth.audit(me.user_id, audit.action, audit.target, audit.detail);
end $$;
grant execute on function api.audit(text, text, jsonb) to edurag_app;

-- ------------------------------------------------------------------ passwords

create table auth.words (n int primary key, word text not null unique check (word ~ '^[a-z]{3,7}$'));
insert into auth.words select n - 1, word from unnest(string_to_array(
    'acorn amber anchor apple april apron arrow aspen atlas attic autumn bacon badge bagel baker bamboo '
    'banjo barley basil basin basket beach beacon beaver bench berry birch biscuit blanket blossom bottle branch '
    'bread breeze bridge bronze brook bubble bucket butter button cabin cactus camel candle canoe canvas canyon '
    'carbon cargo carpet carrot castle cedar cellar chalk cherry chess chimney cider circus citrus clover cobalt '
    'cocoa comet compass copper coral cotton cradle crane crater crayon cricket crystal daisy dancer dawn delta '
    'denim desert diamond dolphin donkey dragon drum eagle easel echo elbow ember emerald engine fabric falcon '
    'feather fern ferry fiddle field finch fjord flame flint flute forest fossil fountain fox galaxy garden '
    'garlic ginger glacier globe goose granite grape gravel guitar hammer harbor harp hazel hedge helmet heron '
    'hickory honey horizon hotel iceberg igloo indigo island ivory jacket jasmine jelly jigsaw jungle kayak kettle '
    'kitten kiwi ladder lagoon lantern laurel lemon lentil library lilac linen lion lobster lotus magnet mango '
    'maple marble market meadow melon mill mint mirror mitten moss mountain muffin museum mustard nectar needle '
    'nickel noodle nutmeg oasis oat ocean olive onion opal orange orbit orchid otter oyster paddle palm '
    'panda paper parrot pasta peach peanut pebble pelican pencil pepper piano pigeon pillow pine planet plum '
    'pocket pony poplar poppy potato prairie prism pumpkin puzzle quartz quilt rabbit radish rain raven ribbon '
    'river robin rocket saddle salmon sandal satin scarf shell silver sparrow spruce summit tulip velvet walnut', ' '))
    with ordinality as w(word, n) where length(word) between 3 and 7;
call auth.protect('auth.words');

-- Readable, and at least 40 bits: three of the words and a number of five digits, drawn without bias.
create function auth.password_new() returns text language plpgsql volatile as $$
declare
    words int;
    part text[] := '{}';
    draw bigint;
    size bigint;
begin
    select count(*) into words from auth.words;
    foreach size in array array[words, 90000, words, words] loop
        loop
            draw := ('x' || encode('\x00000000'::bytea || crypto.gen_random_bytes(4), 'hex'))::bit(64)::bigint;
            exit when draw < 4294967296 - 4294967296 % size;
        end loop;
        if size = words then
            part := part || (select w.word from auth.words w order by w.n offset draw % size limit 1);
        else
            part := part || (10000 + draw % size)::text;
        end if;
    end loop;
    return array_to_string(part, '-');
end $$;

create function auth.password_check(password text, field text) returns void language plpgsql immutable as $$
begin
    if password is null or octet_length(password) not between 8 and 72 then
        perform auth.fail('invalid_params', field || ' must have 8 to 72 bytes.', jsonb_build_object('field', field));
    end if;
end $$;

create function auth.password_set(person uuid, password text) returns void language sql volatile
begin atomic
    insert into auth.credentials (user_id, password_hash)
    select person, crypto.crypt(password, crypto.gen_salt('bf', bcrypt_cost)) from auth.settings
    on conflict (user_id) do update set password_hash = excluded.password_hash, changed_at = now();
end;

-- True where it is this person's password. Takes the same time whoever it is, known or not, whatever the
-- cost of their hash: work is doubled up to the highest cost in use (2^c + 2^c + ... + 2^(top-1) = 2^top).
create function auth.password_matches(person uuid, password text) returns boolean language plpgsql volatile as $$
declare
    top int;
    mine int;
    hash text;
    ok boolean := false;
begin
    select greatest(s.bcrypt_cost, (select max(c.cost) from auth.credentials c)) into top from auth.settings s;
    select c.password_hash, c.cost into hash, mine from auth.credentials c where c.user_id = person;
    if hash is null then
        perform crypto.crypt(password, crypto.gen_salt('bf', top));
        return false;
    end if;
    ok := crypto.crypt(password, hash) = hash and octet_length(password) <= 72;
    if not ok then
        for c in mine .. top - 1 loop
            perform crypto.crypt(password, crypto.gen_salt('bf', c));
        end loop;
    elsif mine < (select bcrypt_cost from auth.settings) then
        perform auth.password_set(person, password);
    end if;
    return ok;
end $$;

-- How long this account must wait at this address, in milliseconds: nothing for the first five failures,
-- then 1 s doubling to 5 min since the last one.
create function auth.login_wait(account bytea, address text) returns bigint language sql stable
begin atomic
    select greatest(0, ceil(extract(epoch from f.last_at + least(300, 2 ^ least(f.failures - s.login_free, 20)) * interval '1 second'
                                               - clock_timestamp()) * 1000))::bigint
      from auth.login_failures f, auth.settings s
     where f.account = login_wait.account and f.address = login_wait.address and f.failures >= s.login_free;
end;

create function auth.login_failed(account bytea, address text) returns void language sql volatile
begin atomic
    insert into auth.login_failures (account, address, last_at) values (account, address, clock_timestamp())
    on conflict on constraint login_failures_pkey
        do update set failures = auth.login_failures.failures + 1, last_at = clock_timestamp();
end;

create function auth.account_key(institution_id text) returns bytea language sql immutable
return pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.lower(institution_id), 'UTF8'));

create function auth.wait_refusal(wait bigint) returns jsonb language sql immutable
return auth.refusal('rate_limited', 'That was wrong too often. Please wait '
    || (wait + 999) / 1000 || case when (wait + 999) / 1000 = 1 then ' second' else ' seconds' end
    || ' and try again.', pg_catalog.jsonb_build_object('retry_after_ms', wait));

-- ------------------------------------------------------------------ in and out

-- {token, expires_at, sid, user}, or {error}; returned and not raised, since a failure is remembered.
create function api.login(institution_id text, password text, address text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    place text := coalesce(left(address, 64), '');
    who bytea := auth.account_key(login.institution_id);
    wait bigint;
    u public.users;
    good boolean;
begin
    wait := auth.login_wait(who, place);
    if wait > 0 then
        return auth.wait_refusal(wait);
    end if;
    -- Past the free ones, one attempt at a time: many at once would each find the wait over.
    if exists (select from auth.login_failures f, auth.settings s where f.account = who and f.address = place
                  and f.failures >= s.login_free)
       and not pg_try_advisory_xact_lock(hashtextextended(encode(who, 'hex') || place, 7)) then
        return auth.wait_refusal(1000);
    end if;
    select * into u from public.users x where lower(x.institution_id) = lower(login.institution_id);
    good := auth.password_matches(u.user_id, login.password) and not u.disabled;
    if good is not true then
        perform auth.login_failed(who, place);
        perform auth.audit(null, 'auth.login_failed', u.user_id::text, jsonb_build_object('address', place));
        return auth.refusal('unauthenticated', 'The school number or the password is wrong.');
    end if;
    delete from auth.login_failures f where f.account = who and f.address = place;
    update public.users set last_active_at = now() where user_id = u.user_id;
    perform auth.audit(u.user_id, 'auth.login', null, jsonb_build_object('address', place));
    return auth.session_open(u.user_id, place) || jsonb_build_object('user', api.user_json(u));
end $$;

-- Whose token this is: {user, sid, expires_at}, or null. For the handshake, auth.resume, and sessions that
-- read themselves again.
create function api.resume(token text) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.verify(token);
    u public.users;
begin
    if me.user_id is null then
        return null;
    end if;
    select * into u from public.users where user_id = me.user_id;
    if u.last_active_at is null or u.last_active_at < now() - interval '1 minute' then
        update public.users set last_active_at = now() where user_id = me.user_id;
    end if;
    return jsonb_build_object('user', api.user_json(u), 'sid', me.session_id, 'expires_at', api.utc(me.expires_at));
end $$;

-- Why resume said no, for whoever holds the token: expired, revoked or disabled; null for a bad one.
create function api.token_end(token text) returns text language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    claims jsonb;
    disabled boolean;
begin
    if token is null or length(token) > 2000
       or token not like 'eyJ%.eyJ%.___________________________________________'
       or not exists (select from auth.signing_keys k where k.retired_at is null
                         and auth.hs256(left(token, -44), k.secret) = right(token, 43)) then
        return null;
    end if;
    claims := convert_from(decode(rpad(translate(split_part(token, '.', 2), '-_', '+/'),
        (length(split_part(token, '.', 2)) + 3) / 4 * 4, '='), 'base64'), 'UTF8');
    select u.disabled into disabled from public.users u where u.user_id = (claims ->> 'sub')::uuid;
    return case when disabled then 'disabled'
                when to_timestamp((claims ->> 'exp')::float8) <= now() then 'expired' else 'revoked' end;
end $$;

create function api.whoami() returns jsonb language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    return (select api.user_json(u) from public.users u where u.user_id = me.user_id);
end $$;

-- A new token for the old one, which is dead from here on: {token, expires_at, sid}.
create function api.refresh() returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    place text;
begin
    update auth.sessions set revoked_at = now() where session_id = me.session_id and revoked_at is null
    returning address into place;
    if not found then -- another refresh of the same token won
        perform auth.fail('unauthenticated', 'Please log in first.');
    end if;
    return auth.session_open(me.user_id, place);
end $$;

create function api.logout(everywhere boolean default false) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    if everywhere then
        perform auth.sessions_end(me.user_id);
    else
        update auth.sessions set revoked_at = now() where session_id = me.session_id;
    end if;
    perform auth.audit(me.user_id, 'auth.logout', null, jsonb_build_object('everywhere', coalesce(everywhere, false)));
    return '{}';
end $$;

-- Every token of a person is dead, on every node.
create function auth.sessions_end(person uuid) returns void language plpgsql volatile as $$
begin
    update public.users set token_epoch = token_epoch + 1 where user_id = person;
    delete from auth.sessions where user_id = person;
    perform pg_notify('edurag_session', 'user ' || person);
end $$;

-- {token, expires_at, sid} or {error}: a wrong old password counts like a failed login.
create function api.change_password(old_password text, new_password text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    who bytea := auth.account_key(me.institution_id);
    wait bigint := auth.login_wait(who, 'change');
begin
    perform auth.password_check(new_password, 'new_password');
    if wait > 0 then
        return auth.wait_refusal(wait);
    end if;
    if not auth.password_matches(me.user_id, old_password) then
        perform auth.login_failed(who, 'change');
        perform auth.audit(me.user_id, 'auth.change_failed');
        return auth.refusal('invalid_params', 'old_password is not your password.', '{"field": "old_password"}');
    end if;
    delete from auth.login_failures f where f.account = who and f.address = 'change';
    perform auth.password_set(me.user_id, new_password);
    -- One by one, so that the caller's own socket, which has the new token by then, is not ended.
    update auth.sessions set revoked_at = now() where user_id = me.user_id and revoked_at is null;
    update public.users set token_epoch = token_epoch + 1 where user_id = me.user_id;
    perform auth.audit(me.user_id, 'auth.change_password');
    return auth.session_open(me.user_id, null);
end $$;
grant execute on function api.login(text, text, text), api.resume(text), api.token_end(text), api.whoami(), api.refresh(), api.logout(boolean),
    api.change_password(text, text) to edurag_app;

-- ------------------------------------------------------------------ accounts

create function auth.user_check(institution_id text, name text, role text) returns void language plpgsql volatile as $$
begin
    if user_check.institution_id is null or user_check.institution_id !~ '^[^[:space:][:cntrl:]]{1,64}$' then
        perform auth.fail('invalid_params', 'institution_id must be 1 to 64 characters without blanks.', '{"field": "institution_id"}');
    elsif user_check.name is null or btrim(user_check.name) = '' or char_length(user_check.name) > 200 or user_check.name ~ '[[:cntrl:]]' then
        perform auth.fail('invalid_params', 'name must be 1 to 200 plain characters.', '{"field": "name"}');
    elsif user_check.role is null or user_check.role not in ('student', 'teacher', 'admin') then
        perform auth.fail('invalid_params', 'role must be student, teacher or admin.', '{"field": "role"}');
    end if;
end $$;

-- {user, password}; also for the command line, where `actor` is null. The password is null where one was given.
create function auth.user_add(actor uuid, institution_id text, name text, role text, password text) returns jsonb
language plpgsql volatile as $$
#variable_conflict use_column
declare
    u public.users;
    generated text;
begin
    perform auth.user_check(user_add.institution_id, user_add.name, user_add.role);
    if password is null then
        generated := auth.password_new();
    else
        perform auth.password_check(password, 'password');
    end if;
    insert into public.users (institution_id, name, role)
    values (user_add.institution_id, btrim(user_add.name), user_add.role)
    on conflict (lower(institution_id)) do nothing returning * into u;
    if u.user_id is null then
        perform auth.fail('conflict', 'There is an account with this school number already.', jsonb_build_object('existing',
            (select x.user_id from public.users x where lower(x.institution_id) = lower(user_add.institution_id))));
    end if;
    perform auth.password_set(u.user_id, coalesce(password, generated));
    perform auth.audit(actor, 'users.create', u.user_id::text, jsonb_build_object('role', u.role));
    return jsonb_build_object('user', api.user_json(u), 'password', coalesce(generated, password));
end $$;

create function api.user_create(institution_id text, name text, role text, password text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
begin
    return auth.user_add(me.user_id, user_create.institution_id, user_create.name, user_create.role, user_create.password);
end $$;

-- A list of people, [{line, institution_id, name, role}] or {line, problem}, looked through before anything is
-- hashed: {fresh: those to make, skipped: how many are known already, errors: [{line, message}]}.
create function api.users_import_check(people jsonb) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
    fresh jsonb := '[]';
    errors jsonb := '[]';
    skipped int := 0;
    p record;
begin
    for p in
        select x.line, x.problem, x.institution_id, x.name, lower(x.role) as role,
               x.problem is null and row_number() over (partition by x.problem is null, lower(x.institution_id) order by x.line) > 1 as again,
               exists (select from public.users u where lower(u.institution_id) = lower(x.institution_id)) as known
          from jsonb_to_recordset(people) as x(line int, problem text, institution_id text, name text, role text) order by x.line
    loop
        begin
            if p.problem is not null then
                perform auth.fail('invalid_params', p.problem);
            end if;
            perform auth.user_check(p.institution_id, p.name, p.role);
            if p.again then
                perform auth.fail('invalid_params', 'This school number stands further up in the list already.');
            elsif p.known then
                skipped := skipped + 1;
            else
                fresh := fresh || jsonb_build_object('line', p.line, 'institution_id', p.institution_id, 'name', p.name, 'role', p.role);
            end if;
        exception when sqlstate 'ER422' then
            errors := errors || jsonb_build_object('line', p.line, 'message', sqlerrm);
        end;
    end loop;
    return jsonb_build_object('fresh', fresh, 'skipped', skipped, 'errors', errors);
end $$;

-- {created: [{institution_id, password}], skipped, errors}; whoever is here by now is passed over.
create function api.users_import(people jsonb) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
    created jsonb := '[]';
    errors jsonb := '[]';
    skipped int := 0;
    p record;
begin
    for p in
        select x.* from jsonb_to_recordset(people) as x(line int, institution_id text, name text, role text) order by x.line
    loop
        begin
            created := created || jsonb_build_object('institution_id', p.institution_id, 'password',
                auth.user_add(me.user_id, p.institution_id, p.name, p.role, null) -> 'password');
        exception
            when sqlstate 'ER409' then
                skipped := skipped + 1;
            when sqlstate 'ER422' then
                errors := errors || jsonb_build_object('line', p.line, 'message', sqlerrm);
        end;
    end loop;
    return jsonb_build_object('created', created, 'skipped', skipped, 'errors', errors);
end $$;

-- A school must not lock itself out.
create function auth.keep_an_admin(person uuid) returns void language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('edurag admins', 0));
    if not exists (select from public.users where role = 'admin' and not disabled and user_id <> person)
       and exists (select from public.users where role = 'admin' and not disabled and user_id = person) then
        perform auth.fail('conflict', 'This is the last admin. Make somebody else an admin first.');
    end if;
end $$;

create function auth.user_change(actor uuid, person uuid, name text, role text, disabled boolean) returns jsonb
language plpgsql volatile as $$
declare
    u public.users;
begin
    if user_change.name is not null and (btrim(user_change.name) = '' or char_length(user_change.name) > 200 or user_change.name ~ '[[:cntrl:]]') then
        perform auth.fail('invalid_params', 'name must be 1 to 200 plain characters.', '{"field": "name"}');
    end if;
    if user_change.role <> 'admin' or user_change.disabled then
        perform auth.keep_an_admin(person);
    end if;
    update public.users x set name = coalesce(btrim(user_change.name), x.name), role = coalesce(user_change.role, x.role),
           disabled = coalesce(user_change.disabled, x.disabled)
     where x.user_id = person returning * into u;
    if u.user_id is null then
        perform auth.fail('not_found', 'There is no such person, or no longer.');
    end if;
    if user_change.disabled then
        perform auth.sessions_end(person);
    end if;
    perform auth.audit(actor, 'users.update', person::text, jsonb_build_object(
        'name', user_change.name is not null, 'role', user_change.role, 'disabled', user_change.disabled));
    return api.user_json(u);
end $$;

create function api.user_update(user_id uuid, name text default null, role text default null, disabled boolean default null)
returns jsonb language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
begin
    return auth.user_change(me.user_id, user_update.user_id, user_update.name, user_update.role, user_update.disabled);
end $$;

create function auth.user_reset(actor uuid, person uuid) returns text language plpgsql volatile as $$
declare
    password text := auth.password_new();
begin
    perform from public.users where user_id = person for update;
    if not found then
        perform auth.fail('not_found', 'There is no such person, or no longer.');
    end if;
    perform auth.password_set(person, password);
    perform auth.sessions_end(person);
    delete from auth.login_failures f using public.users u
     where u.user_id = person and f.account = auth.account_key(u.institution_id);
    perform auth.audit(actor, 'users.reset_password', person::text);
    return password;
end $$;

create function api.user_reset_password(user_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
begin
    return jsonb_build_object('password', auth.user_reset(me.user_id, user_reset_password.user_id));
end $$;

-- The person and all that is kept on them, by cascade; their documents stay without a name, the audit log
-- keeps bare ids, and where the outside service knows of them a row in erasures outlives them until it has forgotten.
create function api.user_delete(user_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
    person uuid := user_delete.user_id;
    who bytea;
begin
    select auth.account_key(u.institution_id) into who from public.users u where u.user_id = person for update;
    if not found then
        perform auth.fail('not_found', 'There is no such person, or no longer.');
    end if;
    perform auth.keep_an_admin(person);
    insert into public.erasures (user_id, kind) select person, 'person' where auth.may_be_outside(person);
    update public.memory_access_log l set by_name = null where l.by_user = person;
    update public.audit_log a set detail = '{}' where a.actor = person or a.target = person::text;
    delete from auth.login_failures f where f.account = who;
    delete from public.users u where u.user_id = person;
    perform auth.audit(me.user_id, 'users.delete', person::text);
    return '{}';
end $$;
grant execute on function api.user_create(text, text, text, text), api.users_import_check(jsonb), api.users_import(jsonb),
    api.user_update(uuid, text, text, boolean),
    api.user_reset_password(uuid), api.user_delete(uuid) to edurag_app;

-- ------------------------------------------------------------------ enrolment

-- {changed, unknown}: adds (or removes) people by their school numbers, which a teacher can't look up.
create function api.enrol(course_id uuid, institution_ids text[], remove boolean default false) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('teacher', 'admin');
    course uuid := enrol.course_id;
    wanted uuid[];
    unknown text[];
    changed int;
begin
    if not course = any (auth.my_courses()) or course = auth.open_course() then
        perform auth.fail('not_found', 'There is no such course, or no longer.');
    elsif not course = any (auth.my_taught()) then
        perform auth.fail('forbidden', 'Only the teacher of this course may do this.');
    end if;
    select coalesce(array_agg(distinct u.user_id) filter (where u.user_id is not null), '{}'),
           coalesce(array_agg(i.id order by i.id) filter (where u.user_id is null), '{}')
      into wanted, unknown
      from (select distinct id from unnest(institution_ids) id) i
      left join public.users u on lower(u.institution_id) = lower(i.id);
    if remove then
        delete from public.enrolments e where e.course_id = course and e.user_id = any (wanted);
    else
        insert into public.enrolments (course_id, user_id) select course, p from unnest(wanted) p on conflict do nothing;
    end if;
    get diagnostics changed = row_count;
    perform auth.audit(me.user_id, case when remove then 'courses.unenrol' else 'courses.enrol' end, course::text,
                       jsonb_build_object('changed', changed));
    return jsonb_build_object('changed', changed, 'unknown', to_jsonb(unknown));
end $$;
grant execute on function api.enrol(uuid, text[], boolean) to edurag_app;

-- ------------------------------------------------------------------ for nodes

-- Which of these sessions are still good: what a node asks after it has not heard anything for a while.
create function worker.sessions_alive(sids uuid[]) returns setof uuid language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select s.session_id from auth.sessions s join public.users u using (user_id)
     where s.session_id = any (sids) and s.revoked_at is null and s.expires_at > now() and not u.disabled;
end;

-- Old sessions and forgotten failures; safe to run at any time, on any node.
create function worker.sweep_sessions() returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    delete from auth.sessions where expires_at < now() - interval '1 day' or revoked_at < now() - interval '1 day';
    delete from auth.login_failures where last_at < now() - interval '1 day';
end $$;
grant execute on function worker.sessions_alive(uuid[]), worker.sweep_sessions() to edurag_worker;
