-- 015_proof.sql - a proof holds for what is written: whoever checks a secret or a role, waits and then acts, looks again;
-- a neighbour's wrong passwords are not mine; and names are what they look like.
--
-- A password takes a tenth of a second to check, and a row's lock may take longer. What was true before the wait (the
-- hash, the epoch, that nobody is disabled, that the caller is an admin) may be over after it, so each function here
-- takes the locks first and then asks again. Their order, everywhere: the lock on who is an admin (only where one may
-- be lost), then people by their ids, then sessions and keys.

-- The person's row, held until the end of the transaction, as it is after the wait; all null where there is none.
create function auth.hold_person(person uuid) returns public.users language plpgsql volatile as $$
declare
    u public.users;
begin
    select * into u from public.users x where x.user_id = person for no key update;
    return u;
end $$;

-- The caller after the wait: their row is held, and their token is still good.
create function auth.hold_me() returns auth.person language plpgsql volatile as $$
declare
    me auth.person := auth.need();
begin
    perform auth.hold_person(me.user_id);
    return auth.need();
end $$;

-- An admin and whom they are about to change, in one order for all; `me` null is the command line. The admin is only
-- shared, so that many accounts may be changed at once. The person as they are after the wait.
create function auth.hold_for_admin(me auth.person, person uuid, erase boolean default false) returns public.users
language plpgsql volatile as $$
declare
    u public.users;
    id uuid;
begin
    foreach id in array array[least(me.user_id, person), greatest(me.user_id, person)] loop
        if id = person and erase then
            select * into u from public.users x where x.user_id = id for update;
        elsif id = person then
            u := auth.hold_person(id);
        elsif id is not null then
            perform from public.users x where x.user_id = id for share;
        end if;
    end loop;
    if me.user_id is not null then
        perform auth.need('admin');
    end if;
    if u.user_id is null then
        perform auth.fail('not_found', 'There is no such person, or no longer.');
    end if;
    return u;
end $$;

-- ------------------------------------------------------------------ passwords

create function auth.password_hash(password text) returns text language sql volatile
begin atomic
    select crypto.crypt(password, crypto.gen_salt('bf', bcrypt_cost)) from auth.settings;
end;

create function auth.password_keep(person uuid, hash text) returns void language sql volatile
begin atomic
    insert into auth.credentials (user_id, password_hash) values (person, hash)
    on conflict (user_id) do update set password_hash = excluded.password_hash, changed_at = now();
end;

-- Whether it is this person's password: `proven` is the hash that it fits, null where it fits none, and `renewed` what
-- should stand in its place where that is of an older cost. Nothing is written: by now the hash may be another, and
-- auth.password_holds tells. Takes the same time whoever it is, known or not, whatever the cost of their hash: work is
-- doubled up to the highest cost in use (2^c + 2^c + ... + 2^(top-1) = 2^top).
create function auth.password_proof(person uuid, password text, out proven text, out renewed text) language plpgsql volatile as $$
declare
    top int;
    mine int;
    hash text;
begin
    select greatest(s.bcrypt_cost, (select max(c.cost) from auth.credentials c)) into top from auth.settings s;
    select c.password_hash, c.cost into hash, mine from auth.credentials c where c.user_id = person;
    if hash is null then
        perform crypto.crypt(password, crypto.gen_salt('bf', top));
    elsif crypto.crypt(password, hash) = hash and octet_length(password) <= 72 then
        proven := hash;
        if mine < (select bcrypt_cost from auth.settings) then
            renewed := auth.password_hash(password);
        end if;
    else
        for c in mine .. top - 1 loop
            perform crypto.crypt(password, crypto.gen_salt('bf', c));
        end loop;
    end if;
end $$;

-- Whether what was proven still is, once the person is held. Another login of theirs may have renewed the hash.
create function auth.password_holds(person uuid, password text, proven text) returns boolean language plpgsql volatile as $$
declare
    hash text;
begin
    select c.password_hash into hash from auth.credentials c where c.user_id = person;
    return coalesce(hash = proven or proven is not null and crypto.crypt(password, hash) = hash, false);
end $$;

-- ------------------------------------------------------------------ devices

-- Where a person has logged in before: a random text that their client keeps, of which only the hash is here. It proves
-- nothing and opens nothing. It is only counted apart: other people's wrong passwords, which in a lab come from the same
-- address, do not make its owner wait; its own do. A text that is somebody else's is worth nothing.
create table auth.devices (
    device_id uuid primary key default gen_random_uuid(),
    user_id uuid not null references public.users on delete cascade,
    device_sha256 bytea not null check (length(device_sha256) = 32),
    name text not null default '' check (char_length(name) <= 64 and name !~ '[[:cntrl:]]'),
    address text,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    unique (user_id, device_sha256)
);
call auth.protect('auth.devices');

create function auth.device_hash(device text) returns bytea language sql immutable strict
return pg_catalog.sha256(pg_catalog.convert_to(device, 'UTF8'));

create function auth.device_of(person uuid, device text) returns uuid language sql stable
begin atomic
    select d.device_id from auth.devices d where d.user_id = person and d.device_sha256 = auth.device_hash(device);
end;

-- The text that the client keeps: `device` where it is this person's, else a new one, so that nobody chooses theirs. Twenty
-- are kept; those that never came back, as of a client that keeps nothing, go first.
create function auth.device_used(person uuid, device text, name text, address text) returns text language plpgsql volatile as $$
declare
    fresh text;
begin
    update auth.devices d set last_used_at = now(), address = left(device_used.address, 64),
           name = coalesce(left(device_used.name, 64), d.name)
     where d.user_id = person and d.device_sha256 = auth.device_hash(device);
    if found then
        return device;
    end if;
    fresh := auth.base64url(crypto.gen_random_bytes(32));
    delete from auth.devices d where d.device_id in (
        select x.device_id from auth.devices x where x.user_id = person
         order by x.last_used_at > x.created_at desc, x.last_used_at desc, x.device_id offset 19);
    insert into auth.devices (user_id, device_sha256, name, address)
    values (person, auth.device_hash(fresh), coalesce(left(device_used.name, 64), ''), left(device_used.address, 64));
    return fresh;
end $$;

create function api.devices() returns jsonb language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    return jsonb_build_object('items', coalesce((select jsonb_agg(jsonb_build_object('device_id', d.device_id, 'name', d.name,
        'last_used_at', api.utc(d.last_used_at), 'address', d.address) order by d.last_used_at desc, d.device_id)
        from auth.devices d where d.user_id = me.user_id), '[]'));
end $$;

create function api.forget_device(device_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.hold_me();
begin
    delete from auth.devices d where d.user_id = me.user_id and d.device_id = forget_device.device_id;
    if not found then
        perform auth.fail('not_found', 'There is no such device of yours, or no longer.');
    end if;
    perform auth.audit(me.user_id, 'auth.forget_device');
    return '{}';
end $$;
grant execute on function api.devices(), api.forget_device(uuid) to edurag_app;

-- ------------------------------------------------------------------ in and out

-- As in 011; but a key that is being retired signs nothing more: its turning waits for this session or is seen.
create or replace function auth.session_open(person uuid, address text) returns jsonb language plpgsql volatile as $$
declare
    s auth.sessions;
    u public.users;
    k auth.signing_keys;
    token text;
begin
    select * into strict u from public.users where user_id = person;
    for try in 1 .. 3 loop -- one that is retired while we wait is no row at all
        select * into k from auth.signing_keys where retired_at is null order by created_at desc limit 1 for share;
        exit when found;
    end loop;
    if k.kid is null then
        perform auth.fail('busy', 'The keys are being changed. Please try again.', '{"retry_after_ms": 1000}');
    end if;
    select gen_random_uuid(), person, now(), date_trunc('second', now() + token_ttl), left(session_open.address, 64), u.token_epoch, k.kid
      into s.session_id, s.user_id, s.created_at, s.expires_at, s.address, s.epoch, s.kid from auth.settings;
    token := auth.token_text(s, u, k.secret);
    s.token_sha256 := sha256(convert_to(token, 'UTF8'));
    insert into auth.sessions (session_id, user_id, created_at, expires_at, address, token_sha256, epoch, kid)
    values (s.session_id, s.user_id, s.created_at, s.expires_at, s.address, s.token_sha256, s.epoch, s.kid);
    return jsonb_build_object('token', token, 'expires_at', api.utc(s.expires_at), 'sid', s.session_id);
end $$;

-- {token, expires_at, sid, user, device} or {error}, as in 003. Failures are counted by account and device, where the
-- account knows it, else by account and address. Who was locked out, or whose logins were ended, while the password was
-- being checked, is not in.
drop function api.login(text, text, text);
create function api.login(institution_id text, password text, address text default null, device text default null,
                          device_name text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    source text := coalesce(left(address, 64), '');
    place text := source;
    who bytea := auth.account_key(login.institution_id);
    wait bigint;
    seen public.users;
    u public.users;
    p record;
    good boolean;
begin
    select * into seen from public.users x where lower(x.institution_id) = lower(login.institution_id);
    place := coalesce('device ' || auth.device_of(seen.user_id, device), source);
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
    p := auth.password_proof(seen.user_id, login.password);
    if p.proven is not null and not seen.disabled then
        u := auth.hold_person(seen.user_id);
        good := not u.disabled and auth.password_holds(u.user_id, login.password, p.proven);
        if good and u.token_epoch <> seen.token_epoch then
            return auth.refusal('unauthenticated', 'Your logins were ended while this one was being checked. Please log in again.');
        end if;
    end if;
    if good is not true then
        perform auth.login_failed(who, place);
        perform auth.audit(null, 'auth.login_failed', seen.user_id::text, jsonb_build_object('address', source));
        return auth.refusal('unauthenticated', 'The school number or the password is wrong.');
    end if;
    if p.renewed is not null then
        perform auth.password_keep(u.user_id, p.renewed);
    end if;
    delete from auth.login_failures f where f.account = who and f.address = place;
    update public.users set last_active_at = now() where user_id = u.user_id;
    perform auth.audit(u.user_id, 'auth.login', null, jsonb_build_object('address', source));
    return auth.session_open(u.user_id, source) || jsonb_build_object('user', api.user_json(u),
        'device', auth.device_used(u.user_id, device, device_name, source));
end $$;
grant execute on function api.login(text, text, text, text, text) to edurag_app;

-- As in 003; a token that ends meanwhile is nobody's.
create or replace function api.resume(token text) returns jsonb language plpgsql volatile security definer
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
        update public.users set last_active_at = now() where user_id = me.user_id returning * into u;
        me := auth.verify(token);
    end if;
    if me.user_id is null or u.user_id is null then
        return null;
    end if;
    return jsonb_build_object('user', api.user_json(u), 'sid', me.session_id, 'expires_at', api.utc(me.expires_at));
end $$;

create or replace function api.refresh() returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.hold_me();
    place text;
begin
    update auth.sessions set revoked_at = now() where session_id = me.session_id and revoked_at is null
    returning address into place;
    if not found then -- another refresh of the same token won
        perform auth.fail('unauthenticated', 'Please log in first.');
    end if;
    return auth.session_open(me.user_id, place);
end $$;

create or replace function api.logout(everywhere boolean default false) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.hold_me();
begin
    if everywhere then
        perform auth.sessions_end(me.user_id);
    else
        update auth.sessions set revoked_at = now() where session_id = me.session_id;
    end if;
    perform auth.audit(me.user_id, 'auth.logout', null, jsonb_build_object('everywhere', coalesce(everywhere, false)));
    return '{}';
end $$;

-- {token, expires_at, sid} or {error}: a wrong old password counts like a failed login.
create or replace function api.change_password(old_password text, new_password text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    who bytea := auth.account_key(me.institution_id);
    wait bigint := auth.login_wait(who, 'change');
    p record;
    hash text;
begin
    perform auth.password_check(new_password, 'new_password');
    if wait > 0 then
        return auth.wait_refusal(wait);
    end if;
    p := auth.password_proof(me.user_id, old_password);
    if p.proven is not null then
        hash := auth.password_hash(new_password);
    end if;
    me := auth.hold_me();
    if p.proven is null or not auth.password_holds(me.user_id, old_password, p.proven) then
        perform auth.login_failed(who, 'change');
        perform auth.audit(me.user_id, 'auth.change_failed');
        return auth.refusal('invalid_params', 'old_password is not your password.', '{"field": "old_password"}');
    end if;
    delete from auth.login_failures f where f.account = who and f.address = 'change';
    perform auth.password_keep(me.user_id, hash);
    -- One by one, so that the caller's own socket, which has the new token by then, is not ended.
    update auth.sessions set revoked_at = now() where user_id = me.user_id and revoked_at is null;
    update public.users set token_epoch = token_epoch + 1 where user_id = me.user_id;
    perform auth.audit(me.user_id, 'auth.change_password');
    return auth.session_open(me.user_id, null);
end $$;

-- ------------------------------------------------------------------ what an admin does

-- As in 003. Who is an admin no longer when a list is done, undoes it with its last statement (api.audit), which is
-- where the admin is held: a thousand accounts take minutes.
create or replace function api.audit(action text, target text default null, detail jsonb default '{}') returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    if audit.action is distinct from 'users.import' then
        perform auth.fail('forbidden', 'This is not an action that is noted by hand.');
    elsif audit.target is not null or audit.detail is null or octet_length(audit.detail::text) > 1000 then
        perform auth.fail('invalid_params', 'An entry of this action has no target, and a short detail.');
    end if;
    perform from public.users u where u.user_id = me.user_id for share;
    me := auth.need('admin');
    perform auth.audit(me.user_id, audit.action, audit.target, audit.detail);
end $$;

-- A school must not lock itself out: before the people are held, and then auth.keep_an_admin (003) asks.
create function auth.hold_admins() returns void language sql volatile
begin atomic
    select pg_advisory_xact_lock(hashtextextended('edurag admins', 0));
end;

drop function auth.user_reset(uuid, uuid);
create function auth.user_reset(me auth.person, person uuid) returns text language plpgsql volatile as $$
declare
    password text := auth.password_new();
    hash text := auth.password_hash(password);
    u public.users;
begin
    u := auth.hold_for_admin(me, person);
    perform auth.password_keep(person, hash);
    perform auth.sessions_end(person);
    delete from auth.login_failures f where f.account = auth.account_key(u.institution_id);
    perform auth.audit(me.user_id, 'users.reset_password', person::text);
    return password;
end $$;

create or replace function api.user_reset_password(user_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
begin
    return jsonb_build_object('password', auth.user_reset(me, user_reset_password.user_id));
end $$;

create or replace function api.user_delete(user_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
    person uuid := user_delete.user_id;
    u public.users;
begin
    perform auth.hold_admins();
    u := auth.hold_for_admin(me, person, true);
    perform auth.keep_an_admin(person);
    insert into public.erasures (user_id, kind) select person, 'person' where auth.may_be_outside(person);
    update public.memory_access_log l set by_name = null where l.by_user = person;
    update public.audit_log a set detail = '{}' where a.actor = person or a.target = person::text;
    delete from auth.login_failures f where f.account = auth.account_key(u.institution_id);
    delete from public.users x where x.user_id = person;
    perform auth.audit(me.user_id, 'users.delete', person::text);
    return '{}';
end $$;

-- What asked and wrote in one.
drop function auth.password_matches(uuid, text);
create or replace function auth.password_set(person uuid, password text) returns void language sql volatile
begin atomic
    select auth.password_keep(person, auth.password_hash(password));
end;

-- A session whose person has ended all of theirs is not good, whether or not its row is there still.
create or replace function worker.sessions_alive(sids uuid[]) returns setof uuid language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select s.session_id from auth.sessions s join public.users u on u.user_id = s.user_id and u.token_epoch = s.epoch
     where s.session_id = any (sids) and s.revoked_at is null and s.expires_at > now() and not u.disabled;
end;

-- ------------------------------------------------------------------ names that are what they look like

-- Characters that can't be seen, that turn text around, or that each font draws as it likes.
create function auth.text_check(text text, field text) returns void language plpgsql immutable as $$
begin
    if text ~ ('[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e'
               '\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff'
               '\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff'
               '\U000f0000-\U0010ffff]')
       or field = 'institution_id' and text ~ '[\u0080-\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]' then
        perform auth.fail('invalid_params', field || ' holds a character that can''t be seen or shown. Please type it again.',
                          jsonb_build_object('field', field));
    end if;
end $$;

-- As ICU's spoof checker sees a text: two that look alike have one skeleton. The caller computes it; here only for ASCII.
create function auth.skeleton(text text) returns text language sql immutable
return case when text ~ '^[ -~]*$' then pg_catalog.replace(pg_catalog.replace(pg_catalog.translate(text, '01I|`', 'Olll'''), '"', ''''''), 'm', 'rn') end;

-- Of the number in small letters, since those are one. Two numbers never look alike; two names may be the same, but not
-- look the same and be written differently, unless it is plain letters that do (Corney, Comey).
alter table public.users add column id_skeleton text, add column name_skeleton text;
with seen as (
    select u.user_id, auth.skeleton(lower(u.institution_id)) as looks,
           row_number() over (partition by auth.skeleton(lower(u.institution_id)) order by u.created_at, u.user_id) as n from public.users u
)
update public.users u set name_skeleton = auth.skeleton(u.name), id_skeleton = case when s.n = 1 then s.looks end -- twins that are here stay
  from seen s where s.user_id = u.user_id;
create unique index users_id_skeleton on public.users (id_skeleton);
create index users_name_skeleton on public.users (name_skeleton);

create function auth.users_plain() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform auth.text_check(new.institution_id, 'institution_id');
    perform auth.text_check(new.name, 'name');
    if exists (select from public.users u where u.id_skeleton = new.id_skeleton and u.user_id <> new.user_id
                  and lower(u.institution_id) <> lower(new.institution_id)) then
        perform auth.fail('invalid_params', 'This school number looks like another one that is there already.', '{"field": "institution_id"}');
    elsif exists (select from public.users u where u.name_skeleton = new.name_skeleton and u.user_id <> new.user_id
                     and lower(u.name) <> lower(new.name) and (u.name || new.name) ~ '[^ -~]') then
        perform auth.fail('invalid_params', 'This name looks like that of somebody else, but is written with other letters.', '{"field": "name"}');
    end if;
    return new;
end $$;
create trigger users_plain before insert on public.users for each row execute function auth.users_plain();
create trigger users_renamed before update on public.users for each row
    when (old.name <> new.name or old.institution_id <> new.institution_id) execute function auth.users_plain();

create or replace function auth.user_check(institution_id text, name text, role text) returns void language plpgsql volatile as $$
begin
    if user_check.institution_id is null or user_check.institution_id !~ '^[^[:space:][:cntrl:]]{1,64}$' then
        perform auth.fail('invalid_params', 'institution_id must be 1 to 64 characters without blanks.', '{"field": "institution_id"}');
    elsif user_check.name is null or btrim(user_check.name) = '' or char_length(user_check.name) > 200 or user_check.name ~ '[[:cntrl:]]' then
        perform auth.fail('invalid_params', 'name must be 1 to 200 plain characters.', '{"field": "name"}');
    elsif user_check.role is null or user_check.role not in ('student', 'teacher', 'admin') then
        perform auth.fail('invalid_params', 'role must be student, teacher or admin.', '{"field": "role"}');
    end if;
    perform auth.text_check(user_check.institution_id, 'institution_id');
    perform auth.text_check(user_check.name, 'name');
end $$;

-- As in 003, with the skeletons of number and name.
drop function auth.user_add(uuid, text, text, text, text);
create function auth.user_add(actor uuid, institution_id text, name text, role text, password text, id_skeleton text default null,
                              name_skeleton text default null) returns jsonb language plpgsql volatile as $$
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
    if not exists (select from public.users x where lower(x.institution_id) = lower(user_add.institution_id)) then
        insert into public.users (institution_id, name, role, id_skeleton, name_skeleton)
        values (user_add.institution_id, btrim(user_add.name), user_add.role,
                coalesce(user_add.id_skeleton, auth.skeleton(lower(user_add.institution_id))),
                coalesce(btrim(user_add.name_skeleton), auth.skeleton(btrim(user_add.name))))
        on conflict do nothing returning * into u;
    end if;
    if u.user_id is null then
        perform auth.fail('conflict', 'There is an account with this school number already.', jsonb_build_object('existing',
            (select x.user_id from public.users x where lower(x.institution_id) = lower(user_add.institution_id))));
    end if;
    perform auth.password_set(u.user_id, coalesce(password, generated));
    perform auth.audit(actor, 'users.create', u.user_id::text, jsonb_build_object('role', u.role));
    return jsonb_build_object('user', api.user_json(u), 'password', coalesce(generated, password));
end $$;

drop function api.user_create(text, text, text, text);
create function api.user_create(institution_id text, name text, role text, password text default null, id_skeleton text default null,
                                name_skeleton text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
    made jsonb := auth.user_add(me.user_id, user_create.institution_id, user_create.name, user_create.role, user_create.password,
                                user_create.id_skeleton, user_create.name_skeleton);
begin
    perform from public.users u where u.user_id = me.user_id for share;
    perform auth.need('admin');
    return made;
end $$;
grant execute on function api.user_create(text, text, text, text, text, text) to edurag_app;

-- As in 003; each with their skeletons.
create or replace function api.users_import(people jsonb) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
    created jsonb := '[]';
    errors jsonb := '[]';
    skipped int := 0;
    p record;
begin
    for p in
        select x.* from jsonb_to_recordset(people) as x(line int, institution_id text, name text, role text, id_skeleton text, name_skeleton text)
         order by x.line
    loop
        begin
            created := created || jsonb_build_object('institution_id', p.institution_id, 'password',
                auth.user_add(me.user_id, p.institution_id, p.name, p.role, null, p.id_skeleton, p.name_skeleton) -> 'password');
        exception
            when sqlstate 'ER409' then
                skipped := skipped + 1;
            when sqlstate 'ER422' then
                errors := errors || jsonb_build_object('line', p.line, 'message', sqlerrm);
        end;
    end loop;
    return jsonb_build_object('created', created, 'skipped', skipped, 'errors', errors);
end $$;

drop function auth.user_change(uuid, uuid, text, text, boolean);
create function auth.user_change(me auth.person, person uuid, name text, role text, disabled boolean, name_skeleton text default null)
returns jsonb language plpgsql volatile as $$
declare
    u public.users;
    fresh text := btrim(user_change.name);
begin
    if fresh is not null and (fresh = '' or char_length(fresh) > 200 or fresh ~ '[[:cntrl:]]') then
        perform auth.fail('invalid_params', 'name must be 1 to 200 plain characters.', '{"field": "name"}');
    end if;
    if user_change.role <> 'admin' or user_change.disabled then
        perform auth.hold_admins();
    end if;
    perform auth.hold_for_admin(me, person);
    if user_change.role <> 'admin' or user_change.disabled then
        perform auth.keep_an_admin(person);
    end if;
    update public.users x set name = coalesce(fresh, x.name), role = coalesce(user_change.role, x.role),
           disabled = coalesce(user_change.disabled, x.disabled),
           name_skeleton = case when fresh is null then x.name_skeleton else coalesce(btrim(user_change.name_skeleton), auth.skeleton(fresh)) end
     where x.user_id = person returning * into u;
    if user_change.disabled then
        perform auth.sessions_end(person);
    end if;
    perform auth.audit(me.user_id, 'users.update', person::text, jsonb_build_object(
        'name', user_change.name is not null, 'role', user_change.role, 'disabled', user_change.disabled));
    return api.user_json(u);
end $$;

drop function api.user_update(uuid, text, text, boolean);
create function api.user_update(user_id uuid, name text default null, role text default null, disabled boolean default null,
                                name_skeleton text default null)
returns jsonb language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
begin
    return auth.user_change(me, user_update.user_id, user_update.name, user_update.role, user_update.disabled, user_update.name_skeleton);
end $$;
grant execute on function api.user_update(uuid, text, text, boolean, text) to edurag_app;
