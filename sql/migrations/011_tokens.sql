-- 011_tokens.sql - the token is looked up by its digest, and what a search writes asks for it once.
--
-- Each policy of a statement asks who is there, and took the signature, the claims and two rows apart each time:
-- eight times in a search, half of what PostgreSQL did for it. A token is a text that this database gave out, so
-- the policies need not read it: its SHA-256 either stands at a live session or it does not. Nothing is decoded;
-- what was made elsewhere is nobody's, even with a stolen signing key; and the digests give no token away.

alter table auth.sessions
    add column token_sha256 bytea unique check (length(token_sha256) = 32),
    add column epoch int not null default 0,
    add column kid text;
comment on column auth.sessions.token_sha256 is 'of the whole token as it was given out; null: no token opens this session';

create function auth.token_text(s auth.sessions, u public.users, secret bytea) returns text language sql stable
begin atomic
    select t.signed || '.' || auth.hs256(t.signed, secret)
      from (select auth.base64url(convert_to(json_build_object('alg', 'HS256', 'typ', 'JWT', 'kid', (s).kid)::text, 'UTF8')) || '.'
                || auth.base64url(convert_to(json_build_object('sub', (s).user_id, 'role', (u).role, 'sid', (s).session_id,
                   'epoch', (s).epoch, 'iat', floor(extract(epoch from (s).created_at))::bigint,
                   'exp', extract(epoch from (s).expires_at)::bigint, 'kid', (s).kid)::text, 'UTF8')) as signed) t;
end;

-- A new session and its token: {token, expires_at, sid}.
create or replace function auth.session_open(person uuid, address text) returns jsonb language plpgsql volatile as $$
declare
    s auth.sessions;
    u public.users;
    k auth.signing_keys;
    token text;
begin
    select * into strict u from public.users where user_id = person;
    select * into strict k from auth.signing_keys where retired_at is null order by created_at desc limit 1;
    select gen_random_uuid(), person, now(), date_trunc('second', now() + token_ttl), left(session_open.address, 64), u.token_epoch, k.kid
      into s.session_id, s.user_id, s.created_at, s.expires_at, s.address, s.epoch, s.kid from auth.settings;
    token := auth.token_text(s, u, k.secret);
    s.token_sha256 := sha256(convert_to(token, 'UTF8'));
    insert into auth.sessions values (s.*);
    return jsonb_build_object('token', token, 'expires_at', api.utc(s.expires_at), 'sid', s.session_id);
end $$;

-- Tokens that are out there go on: they follow from their rows. (Where the role has changed since, its person
-- logs in again.)
with known as (
    select s.session_id, u.token_epoch, k.kid, k.secret
      from auth.sessions s
      join public.users u using (user_id)
     cross join lateral (select x.kid, x.secret from auth.signing_keys x
                          where x.created_at <= s.created_at order by x.created_at desc limit 1) k
     where s.revoked_at is null and s.expires_at > now()
)
update auth.sessions s set epoch = k.token_epoch, kid = k.kid from known k where s.session_id = k.session_id;
update auth.sessions s set token_sha256 = sha256(convert_to(auth.token_text(s, u, k.secret), 'UTF8'))
  from public.users u, auth.signing_keys k
 where u.user_id = s.user_id and k.kid = s.kid and k.retired_at is null and s.revoked_at is null;

-- A key that is retired or gone takes its tokens with it.
create function auth.keys_ended() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    update auth.sessions set revoked_at = now() where kid = old.kid and revoked_at is null;
    return null;
end $$;
create trigger keys_ended after delete on auth.signing_keys for each row execute function auth.keys_ended();
create trigger keys_retired after update on auth.signing_keys
    for each row when (old.retired_at is null and new.retired_at is not null) execute function auth.keys_ended();

-- Whose token this is the digest of: the one place that says when a session is good. Becomes part of the statement
-- that asks, and costs only what that reads of it: `taught` are the courses the person may change (all for an
-- admin), `joined` those they are enrolled in.
create function auth.live(digest bytea)
returns table (user_id uuid, role text, session_id uuid, expires_at timestamptz, institution_id text, name text,
               taught uuid[], joined uuid[]) language sql stable
begin atomic
    select u.user_id, u.role, s.session_id, s.expires_at, u.institution_id, u.name,
           case u.role when 'admin' then array(select c.course_id from public.courses c)
                       when 'teacher' then array(select c.course_id from public.courses c where c.teacher_id = u.user_id)
                       else '{}' end,
           array(select e.course_id from public.enrolments e where e.user_id = u.user_id)
      from auth.sessions s
      join public.users u on u.user_id = s.user_id and u.token_epoch = s.epoch
     where s.token_sha256 = digest and s.revoked_at is null and s.expires_at > now() and not u.disabled;
end;

-- Who this token is, or all null. Runs with the owner's rights inside definer functions. The functions below that
-- policies ask in every statement spell it out, since a call within a call costs as much as the look.
create or replace function auth.verify(token text) returns auth.person language plpgsql stable as $$
declare
    digest bytea := sha256(convert_to(token, 'UTF8'));
    me auth.person;
begin
    select l.user_id, l.role, l.session_id, l.expires_at, l.institution_id, l.name into me from auth.live(digest) l;
    return me;
end $$;

create or replace function auth.me() returns auth.person language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    digest bytea := sha256(convert_to(current_setting('edurag.token', true), 'UTF8'));
    me auth.person;
begin
    select l.user_id, l.role, l.session_id, l.expires_at, l.institution_id, l.name into me from auth.live(digest) l;
    return me;
end $$;

create or replace function auth.my_courses() returns uuid[] language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    digest bytea := sha256(convert_to(current_setting('edurag.token', true), 'UTF8'));
    mine uuid[];
begin
    select auth.open_course() || case l.role when 'admin' then l.taught else l.joined || l.taught end into mine from auth.live(digest) l;
    return coalesce(mine, '{}');
end $$;

create or replace function auth.my_taught() returns uuid[] language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    digest bytea := sha256(convert_to(current_setting('edurag.token', true), 'UTF8'));
    mine uuid[];
begin
    select case l.role when 'admin' then auth.open_course() || l.taught else l.taught end into mine from auth.live(digest) l;
    return coalesce(mine, '{}');
end $$;

create or replace function auth.my_own() returns uuid[] language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    digest bytea := sha256(convert_to(current_setting('edurag.token', true), 'UTF8'));
    mine uuid[];
begin
    select case l.role when 'admin' then array[auth.open_course(), l.user_id] || l.taught
                       when 'teacher' then l.user_id || l.taught end into mine from auth.live(digest) l;
    return coalesce(mine, '{}');
end $$;

-- ------------------------------------------------------------------ a search

-- Whose documents a search may look into: the courses, separated by commas, and the person.
create function api.search_asker(out courses text, out user_id uuid) language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    digest bytea := sha256(convert_to(current_setting('edurag.token', true), 'UTF8'));
begin
    select array_to_string(auth.open_course() || case l.role when 'admin' then l.taught else l.joined || l.taught end, ','), l.user_id
      into courses, user_id from auth.live(digest) l;
    if user_id is null then
        perform auth.fail('unauthenticated', 'Please log in first.');
    end if;
end $$;

-- As before, and done at once with a text without a digit or an @, as nearly every search is.
create or replace function auth.has_contact(text text) returns boolean language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
declare
    t text;
begin
    if text !~ '[0-9@]' then
        return false; -- each of the patterns below needs one of these
    end if;
    -- ISBNs look like telephone numbers, and are none.
    t := regexp_replace(text, '\mISBN(-1[03])?:?\s*[0-9][0-9 -]{8,15}[0-9Xx]\M', ' ', 'gi');
    return t ~* '[[:alnum:]._%+-]+\s?@\s?[[:alnum:]-]+(\.[[:alnum:]-]+)*\.[[:alpha:]]{2,}'
        -- +49 (0)30 123456, 0049 30 1234567
        or t ~ '(?<![0-9])\+[[:space:]]?[0-9]([ ().\-/]{0,3}[0-9]){6,14}(?![0-9])'
        or t ~ '(?<![0-9.])00[1-9]([ ().\-/]{0,3}[0-9]){7,13}(?![0-9])'
        -- (030) 123 4567, 030/1234567, 0171-123 45 67
        or t ~ '(?<![0-9.])\(0[0-9]{1,5}\)[ \-/]{0,2}[0-9]([ \-/]?[0-9]){3,9}(?![0-9])'
        or t ~ '(?<![0-9.,\-])(?<![0-9] )0[1-9][0-9]{1,3}[ \-/]{1,3}[0-9]([ \-/]?[0-9]){4,8}(?![0-9])'
        or t ~ '(?<![0-9.,\-])01[5-7][0-9]{8,9}(?![0-9])' or t ~ '(?<![0-9.,\-])07[0-9]{9}(?![0-9])'
        -- 415-555-0123, (415) 555 0123, 415.555.0123
        or t ~ '(?<![0-9.\-])(1[ .\-])?(\([0-9]{3}\)[ .\-]?|[0-9]{3}[ .\-])[0-9]{3}[ .\-][0-9]{4}(?![0-9\-])';
end $$;

-- No row comes back where the second lock (no_contact_details) refuses: what led to the fact must not fail for it, and
-- not where it could not be stored either. But who said it themselves is told that the disk is full, and tries again.
create function auth.fact_keep(person uuid, fact text, fact_key text, source text, topic text, course_id uuid, state text)
returns setof public.memory_facts language plpgsql volatile as $$
begin
    return query
        insert into public.memory_facts as f (user_id, fact, fact_key, source, topic, course_id, state)
        values (person, fact_keep.fact, encode(sha256(convert_to(fact_keep.fact_key, 'UTF8')), 'hex'), fact_keep.source, fact_keep.topic,
                fact_keep.course_id, fact_keep.state)
        on conflict on constraint memory_facts_user_id_fact_key_key do update set count = f.count + 1, at = now()
        returning f.*;
exception
    when check_violation then
        return;
    when others then
        if fact_keep.source = 'client' then
            raise;
        end if;
        raise warning 'a fact was not kept: %', sqlstate;
        return;
end $$;

-- Keeps a fact of the caller's; the same again counts up, and that count stays here.
create or replace function api.retain(fact text, fact_key text, source text, topic text, course_id uuid, state text)
returns setof public.memory_facts language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
begin
    return query select * from auth.fact_keep(me.user_id, fact, fact_key, source, topic, course_id, state);
end $$;

-- A search of the caller's into their history, and with `fact` what it tells of them into their memory bank: one
-- call, whose commit the disk has before the reply goes out.
create function api.search_record(query text, results int, course_id uuid, thread_id uuid, fact text default null,
                                  fact_key text default null, topic text default null, state text default null) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need();
    search uuid;
begin
    if thread_id is not null and not exists (select from public.threads t where t.thread_id = search_record.thread_id and t.user_id = me.user_id) then
        perform auth.fail('not_found', 'There is no such thread, or no longer.');
    end if;
    insert into public.search_history (user_id, query, results, course_id, thread_id)
    values (me.user_id, search_record.query, search_record.results, search_record.course_id, search_record.thread_id)
    returning search_id into search;
    if fact is not null then
        perform auth.fact_keep(me.user_id, fact, fact_key, 'search', topic, course_id, state);
    end if;
    return search;
end $$;
grant execute on function api.search_asker(), api.search_record(text, int, uuid, uuid, text, text, text, text) to edurag_app;
