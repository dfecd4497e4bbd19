-- 001_identity.sql - schemas, roles' rights, errors, people, sessions, and the token that policies read.
--
-- Schemas: `public` holds the data; `auth` what nobody but the owner reads, and the functions that
-- policies ask; `api` what a person may call; `worker` what a node may call; `crypto` pgcrypto.
--
-- ERRORS. Functions raise SQLSTATEs of the class ER; server/store/tx.c maps them in one place. MESSAGE is
-- the sentence for the person, word for word. DETAIL is a JSON object: the further members of error.data
-- (struct err): {"field":..., "existing":..., "until":..., "retry_after_ms":..., "limit":...}.
--   ER401 unauthenticated   ER403 forbidden      ER404 not_found   ER409 conflict      ER413 too_large
--   ER422 invalid_params    ER429 rate_limited   ER503 busy
-- PostgreSQL's own, without a sentence of ours: 42501 forbidden; 23505 conflict; 22P02, 22023, 22007, 22008
-- and 23514 invalid_params (no field); 40001, 40P01, 53xxx, 57P0x and 08xxx busy; all others internal.
-- What must be kept although it failed (a wrong password counts) is returned, not raised:
-- {"error": {"reason": "rate_limited", "message": ..., "retry_after_ms": 2000}}; the caller commits.
--
-- NOTIFICATIONS. Ids only, separated by blanks; a hint, which anybody with a connection can forge: the
-- hearer reads the row as the worker, and ignores what it does not find.
--   edurag_session       "sid UUID" (one token has ended) or "user UUID" (all of that person's have)
--   edurag_user          user_id: role, name, avatar, disabled or courses have changed, or the person is gone
--   edurag_index         pdf_id: what search may show of it has changed (or it is gone)
--   edurag_job           job_id: progress or an end
--   edurag_model         name of an embedding model whose state or parameters have changed
--   edurag_chat          "room seq": a line was said
--   edurag_chat_deleted  "room message_id"
--   edurag_chat_expired  "room message_id message_id ...": at most 100 ids
--   edurag_presence      room
--   edurag_mute          "room user_id"
--   edurag_memory        "fact" or "erasure": there is something to send outside

create schema auth;
create schema api;
create schema worker;
create schema crypto;
comment on schema auth is 'keys, sessions, passwords; and the functions that policies ask';
comment on schema api is 'what a person may call';
comment on schema worker is 'what a node may call';

do $$
begin
    execute pg_catalog.format('revoke all on database %I from public', pg_catalog.current_database());
    execute pg_catalog.format('grant connect on database %I to edurag_app, edurag_worker', pg_catalog.current_database());
    begin
        revoke create on schema public from public;
    exception when insufficient_privilege then
        raise notice 'The schema public is not ours: an administrator should revoke CREATE on it from public.';
    end;
    if exists (select from pg_catalog.pg_extension where extname = 'pgcrypto') then
        alter extension pgcrypto set schema crypto;
    else
        create extension pgcrypto schema crypto;
    end if;
end $$;
revoke all on schema auth, api, worker, crypto from public;
alter default privileges revoke execute on functions from public;
alter default privileges revoke usage on types from public;
grant usage on schema public, auth, api to edurag_app, edurag_worker;
grant usage on schema worker to edurag_worker;

-- The migration's own helper: row security enabled and forced, and the owner's one policy.
create procedure auth.protect(variadic tables regclass[]) language plpgsql as $$
declare
    t regclass;
begin
    foreach t in array tables loop
        execute pg_catalog.format('alter table %s enable row level security', t);
        execute pg_catalog.format('alter table %s force row level security', t);
        execute pg_catalog.format('create policy owner_all on %s to edurag_owner using (true) with check (true)', t);
        execute pg_catalog.format('comment on policy owner_all on %s is %L', t,
            'The owner (migrations, definer functions, backup) reads and writes every row.');
    end loop;
end $$;

create table if not exists public.schema_migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
);
call auth.protect('public.schema_migrations');
-- Whether a node fits the database is no secret.
create policy everybody_reads on public.schema_migrations for select to edurag_app, edurag_worker using (true);
grant select on public.schema_migrations to edurag_app, edurag_worker;

-- ------------------------------------------------------------------ errors

-- Stops the statement with one of our SQLSTATEs. Volatile, else planning would already raise it.
create function auth.fail(reason text, message text, data jsonb default '{}') returns void
language plpgsql volatile as $$
declare
    state text := case reason
        when 'unauthenticated' then 'ER401' when 'forbidden' then 'ER403' when 'not_found' then 'ER404'
        when 'conflict' then 'ER409' when 'too_large' then 'ER413' when 'invalid_params' then 'ER422'
        when 'rate_limited' then 'ER429' when 'busy' then 'ER503' end;
begin
    if state is null then
        raise exception 'unknown reason %', reason;
    end if;
    raise exception using errcode = state, message = message, detail = coalesce(data, '{}')::text;
end $$;

-- For queries: `coalesce((select ... from done), api.refuse('not_found'))`.
create function api.refuse(reason text, message text default null, data jsonb default '{}') returns jsonb
language plpgsql volatile as $$
begin
    perform auth.fail(reason, coalesce(message, case reason
        when 'not_found' then 'This is not here, or no longer here.'
        when 'forbidden' then 'You are not allowed to do this.'
        when 'conflict' then 'This exists already, or is not in a state that allows it.'
        when 'unauthenticated' then 'Please log in first.'
        else 'Something in the request is missing or not as it should be.' end), data);
    return null;
end $$;
grant execute on function auth.fail(text, text, jsonb), api.refuse(text, text, jsonb) to edurag_app, edurag_worker;

-- An error that must not undo what the statement wrote.
create function auth.refusal(reason text, message text, data jsonb default '{}') returns jsonb
language sql immutable
return pg_catalog.jsonb_build_object('error', pg_catalog.jsonb_build_object('reason', reason, 'message', message) || data);

-- ------------------------------------------------------------------ small tools of every query

-- RFC 3339 in UTC, whatever the connection's time zone.
create function api.utc(at timestamptz) returns text language sql stable strict parallel safe
return pg_catalog.to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

create function auth.base64url(bytes bytea) returns text language sql immutable strict parallel safe
return pg_catalog.translate(pg_catalog.encode(bytes, 'base64'), E'+/=\n', '-_');

create function auth.base64url_decode(text text) returns bytea language sql immutable strict parallel safe
return pg_catalog.decode(pg_catalog.translate(text, '-_', '+/') || pg_catalog.repeat('=', -pg_catalog.length(text) & 3), 'base64');

-- A list's cursor: the sort key of the last row, opaque. `items` has one row more than was asked for;
-- queries write  'next_cursor', case when count > limit then api.cursor(jsonb_build_array(...)) end.
create function api.cursor(key jsonb) returns text language sql immutable strict parallel safe
return auth.base64url(pg_catalog.convert_to(key::text, 'UTF8'));

-- The key back, null for none. `types` names what each element must be readable as: 'timestamptz,uuid'.
create function api.cursor_key(cursor text, types text) returns jsonb language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
    key jsonb;
    kinds text[] := string_to_array(types, ',');
    value text;
begin
    if cursor is null then
        return null;
    end if;
    begin
        key := convert_from(auth.base64url_decode(cursor), 'UTF8')::jsonb;
        if jsonb_typeof(key) <> 'array' or jsonb_array_length(key) <> cardinality(kinds) then
            raise data_exception;
        end if;
        for i in 1 .. cardinality(kinds) loop
            value := key ->> (i - 1);
            if value is null then
                raise data_exception;
            end if;
            case kinds[i]
                when 'text' then null;
                when 'uuid' then perform value::uuid;
                when 'bigint' then perform value::bigint;
                when 'float8' then perform value::float8;
                when 'timestamptz' then perform value::timestamptz;
            end case;
        end loop;
    exception when others then
        perform auth.fail('invalid_params', 'cursor is not one that this server gave out.', '{"field": "cursor"}');
    end;
    return key;
end $$;
-- LIKE's wildcards in what a person typed are plain characters.
create function api.like_pattern(query text) returns text language sql immutable parallel safe
return '%' || pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(query, '\', '\\'), '%', '\%'), '_', '\_') || '%';
grant execute on function api.utc(timestamptz), auth.base64url(bytea), auth.base64url_decode(text), api.cursor(jsonb),
    api.cursor_key(text, text), api.like_pattern(text) to edurag_app, edurag_worker;

-- ------------------------------------------------------------------ settings that the database itself obeys

create table auth.settings (
    one boolean primary key default true check (one),
    bcrypt_cost int not null default 12 check (bcrypt_cost between 4 and 16),
    token_ttl interval not null default '12 hours' check (token_ttl between '1 second' and '400 days'),
    chat_ttl interval not null default '1 hour' check (chat_ttl between '1 second' and '400 days'),
    login_free int not null default 5,
    upload_bytes bigint not null default 209715200 check (upload_bytes > 0)
);
insert into auth.settings default values;
call auth.protect('auth.settings');

-- Owner only; each value may be left out: {"bcrypt_cost":12,"token_ttl":43200,"chat_ttl":3600,"upload_bytes":...}.
create function auth.configure(settings jsonb) returns void language sql volatile
begin atomic
    update auth.settings s set
        bcrypt_cost = coalesce((settings ->> 'bcrypt_cost')::int, s.bcrypt_cost),
        token_ttl = coalesce((settings ->> 'token_ttl')::int * interval '1 second', s.token_ttl),
        chat_ttl = coalesce((settings ->> 'chat_ttl')::int * interval '1 second', s.chat_ttl),
        upload_bytes = coalesce((settings ->> 'upload_bytes')::bigint, s.upload_bytes);
end;

-- ------------------------------------------------------------------ people

create table public.users (
    user_id uuid primary key default gen_random_uuid(),
    institution_id text not null check (institution_id ~ '^[^[:space:][:cntrl:]]{1,64}$'),
    name text not null check (char_length(name) between 1 and 200 and name !~ '[[:cntrl:]]'),
    role text not null check (role in ('student', 'teacher', 'admin')),
    avatar text not null default '' check (char_length(avatar) <= 16 and avatar !~ '[[:cntrl:]]'),
    plain boolean not null default false,
    disabled boolean not null default false,
    token_epoch int not null default 0,
    created_at timestamptz not null default now(),
    last_active_at timestamptz
);
create unique index users_institution_id on public.users (lower(institution_id));
create index users_role on public.users (role) where not disabled;

-- Apart from users, so that no grant on a person's row can ever show a hash.
create table auth.credentials (
    user_id uuid primary key references public.users on delete cascade,
    password_hash text not null check (password_hash ~ '^\$2[ab]\$'),
    cost int generated always as (substr(password_hash, 5, 2)::int) stored,
    changed_at timestamptz not null default now()
);
create index credentials_cost on auth.credentials (cost);

create table auth.sessions (
    session_id uuid primary key default gen_random_uuid(),
    user_id uuid not null references public.users on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    address text
);
create index sessions_user on auth.sessions (user_id) where revoked_at is null;
create index sessions_expiry on auth.sessions (expires_at);

-- Two at most may be live: the newest signs, both verify.
create table auth.signing_keys (
    kid text primary key default encode(crypto.gen_random_bytes(6), 'hex'),
    secret bytea not null default crypto.gen_random_bytes(32) check (length(secret) >= 32),
    created_at timestamptz not null default clock_timestamp(),
    retired_at timestamptz
);
insert into auth.signing_keys default values;

-- Wrong passwords by account and address together; the account only as a hash, since people type
-- passwords into the wrong field.
create table auth.login_failures (
    account bytea not null,
    address text not null,
    failures int not null default 1,
    last_at timestamptz not null default now(),
    primary key (account, address)
);
create index login_failures_last on auth.login_failures (last_at);
call auth.protect('public.users', 'auth.credentials', 'auth.sessions', 'auth.signing_keys', 'auth.login_failures');

-- A new key signs from now on; the one before it still verifies, older ones are gone. Returns the kid.
create function auth.key_rotate() returns text language plpgsql volatile
set search_path = pg_catalog, pg_temp as $$
declare
    new_kid text;
begin
    lock table auth.signing_keys in share row exclusive mode;
    insert into auth.signing_keys default values returning kid into new_kid;
    update auth.signing_keys set retired_at = now()
     where retired_at is null
       and kid not in (select kid from auth.signing_keys where retired_at is null order by created_at desc limit 2);
    delete from auth.signing_keys where retired_at < now() - interval '400 days';
    return new_kid;
end $$;

-- ------------------------------------------------------------------ the token

create type auth.person as (
    user_id uuid, role text, session_id uuid, expires_at timestamptz, institution_id text, name text);
grant usage on type auth.person to edurag_app, edurag_worker;

create function auth.hs256(text text, secret bytea) returns text language sql stable
return auth.base64url(crypto.hmac(pg_catalog.convert_to(text, 'UTF8'), secret, 'sha256'));

-- Who this token is, or all null. Shape first (garbage is nobody, not an error), then the signature over
-- the raw text with each live key, and only then is anything decoded. Runs with the owner's rights inside
-- definer functions; once or twice in every statement, so its calls are spelled out rather than nested.
create function auth.verify(token text) returns auth.person language plpgsql stable as $$
declare
    part text;
    claims jsonb;
    sid uuid;
    me auth.person;
begin
    if token is null or length(token) > 2000
       or token not like 'eyJ%.eyJ%.___________________________________________' then
        return me;
    end if;
    -- Hashes are compared first, so that the time of a comparison says nothing about the right signature.
    -- (hashtextextended, since sha256() costs as much as the HMAC itself.)
    perform from (select translate(encode(crypto.hmac(convert_to(left(token, -44), 'UTF8'), k.secret, 'sha256'), 'base64'),
                                   '+/=', '-_') as signature
                    from auth.signing_keys k where k.retired_at is null offset 0) k
      where hashtextextended(k.signature, 0) = hashtextextended(right(token, 43), 0) and k.signature = right(token, 43);
    if not found then
        return me;
    end if;
    part := split_part(token, '.', 2);
    claims := convert_from(decode(replace(replace(part, '-', '+'), '_', '/') || repeat('=', -length(part) & 3), 'base64'), 'UTF8');
    sid := claims ->> 'sid';
    select u.user_id, u.role, s.session_id, s.expires_at, u.institution_id, u.name into me
      from auth.sessions s join public.users u on u.user_id = s.user_id
     where s.session_id = sid and s.user_id = (claims ->> 'sub')::uuid
       and s.revoked_at is null and s.expires_at > now() and to_timestamp((claims ->> 'exp')::float8) > now()
       and not u.disabled and u.token_epoch = (claims ->> 'epoch')::int;
    return me;
end $$;

-- Who is asking. Policies write  user_id = (select (auth.me()).user_id) : once per statement, not per row.
create function auth.me() returns auth.person language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
    return auth.verify(current_setting('edurag.token', true));
end $$;
grant execute on function auth.me() to edurag_app;

-- The caller, who must be logged in and (where roles are given) one of them.
create function auth.need(variadic roles text[] default '{}') returns auth.person language plpgsql stable as $$
declare
    me auth.person := auth.verify(current_setting('edurag.token', true));
begin
    if me.user_id is null then
        perform auth.fail('unauthenticated', 'Please log in first.');
    end if;
    if cardinality(roles) > 0 and not me.role = any (roles) then
        perform auth.fail('forbidden', 'You are not allowed to do this.');
    end if;
    return me;
end $$;

-- A new session and its token: {token, expires_at, sid}.
create function auth.session_open(person uuid, address text) returns jsonb language plpgsql volatile as $$
declare
    s auth.sessions;
    u public.users;
    k auth.signing_keys;
    signed text;
begin
    select * into strict u from public.users where user_id = person;
    select * into strict k from auth.signing_keys where retired_at is null order by created_at desc limit 1;
    insert into auth.sessions (user_id, expires_at, address)
    select person, date_trunc('second', now() + token_ttl), left(session_open.address, 64) from auth.settings
    returning * into s;
    signed := auth.base64url(convert_to(json_build_object('alg', 'HS256', 'typ', 'JWT', 'kid', k.kid)::text, 'UTF8'))
        || '.' || auth.base64url(convert_to(json_build_object('sub', u.user_id, 'role', u.role, 'sid', s.session_id,
            'epoch', u.token_epoch, 'iat', floor(extract(epoch from now()))::bigint,
            'exp', extract(epoch from s.expires_at)::bigint, 'kid', k.kid)::text, 'UTF8'));
    return jsonb_build_object('token', signed || '.' || auth.hs256(signed, k.secret),
                              'expires_at', api.utc(s.expires_at), 'sid', s.session_id);
end $$;

-- What protocol.md calls `user`.
create function api.user_json(u public.users) returns jsonb language sql stable
return pg_catalog.jsonb_build_object('user_id', (u).user_id, 'institution_id', (u).institution_id, 'name', (u).name,
                                     'role', (u).role, 'avatar', (u).avatar, 'plain', (u).plain);
grant execute on function api.user_json(public.users) to edurag_app, edurag_worker;
grant usage on type public.users to edurag_app, edurag_worker;

-- Nodes hear of every change that a connected person or a chat line would show.
create function auth.users_changed() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        perform pg_notify('edurag_session', 'user ' || old.user_id);
        perform pg_notify('edurag_user', old.user_id::text);
    elsif (old.name, old.role, old.avatar, old.disabled) is distinct from (new.name, new.role, new.avatar, new.disabled) then
        perform pg_notify('edurag_user', new.user_id::text);
    end if;
    return null;
end $$;
create trigger users_changed after update or delete on public.users
    for each row execute function auth.users_changed();

create function auth.sessions_ended() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if old.revoked_at is null and new.revoked_at is not null then
        perform pg_notify('edurag_session', 'sid ' || new.session_id);
    end if;
    return null;
end $$;
create trigger sessions_ended after update on auth.sessions for each row execute function auth.sessions_ended();
