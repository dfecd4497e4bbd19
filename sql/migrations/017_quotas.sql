-- 017_quotas.sql - how much of the library's disk one person may take, and a digest that no backend gathers a file for.
--
-- QUOTAS. What a person has stored and what they have begun to send count together; `auth.settings` has everybody's limit,
-- public.quotas that of single people. Two uploads that begin at once wait for each other, so that both are counted.
--
-- DIGEST. upload_commit joined all pieces of a file in one value: 440 MB of memory for 200 MB. The node reads them one by
-- one (api.upload_piece), and says what their SHA-256 is; the indexer, which reads them again, compares once more before
-- anything of the file can be searched.

alter table auth.settings
    add column person_bytes bigint not null default 5368709120 check (person_bytes > 0),
    add column unfinished_bytes bigint not null default 419430400 check (unfinished_bytes > 0);

create or replace function auth.configure(settings jsonb) returns void language sql volatile
begin atomic
    update auth.settings s set
        bcrypt_cost = coalesce((settings ->> 'bcrypt_cost')::int, s.bcrypt_cost),
        token_ttl = coalesce((settings ->> 'token_ttl')::int * interval '1 second', s.token_ttl),
        chat_ttl = coalesce((settings ->> 'chat_ttl')::int * interval '1 second', s.chat_ttl),
        upload_bytes = coalesce((settings ->> 'upload_bytes')::bigint, s.upload_bytes),
        person_bytes = coalesce((settings ->> 'person_bytes')::bigint, s.person_bytes),
        unfinished_bytes = coalesce((settings ->> 'unfinished_bytes')::bigint, s.unfinished_bytes);
end;

create table public.quotas (
    user_id uuid primary key references public.users on delete cascade,
    bytes bigint not null check (bytes >= 0),
    at timestamptz not null default now()
);
call auth.protect('public.quotas');
-- One's own, and an admin everybody's. Functions write it.
create policy own_quota on public.quotas for select to edurag_app
    using (user_id = (select (auth.me()).user_id) or (select (auth.me()).role) = 'admin');
grant select on public.quotas to edurag_app;

create type auth.share as (stored bigint, unfinished bigint, most bigint);

create function auth.share_of(person uuid) returns auth.share language sql stable
return (select row(
    coalesce((select sum(p.size) from public.pdfs p where p.uploaded_by = person), 0),
    coalesce((select sum(u.size) from public.uploads u where u.uploader_id = person), 0),
    coalesce((select q.bytes from public.quotas q where q.user_id = person), s.person_bytes))::auth.share
    from auth.settings s);

create function auth.megabytes(bytes bigint) returns text language sql immutable
return (greatest(bytes, 0) / 1000000)::text || ' MB';

-- Whether so much more may begin. Under the person's lock.
create function auth.need_share(person uuid, more bigint) returns void language plpgsql volatile as $$
declare
    share auth.share;
    unfinished_most bigint;
    free bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended(person::text, 12));
    share := auth.share_of(person);
    select s.unfinished_bytes into unfinished_most from auth.settings s;
    free := share.most - share.stored - share.unfinished;
    if more > free then
        perform auth.fail('too_large', format('Your share of the library''s disk has %s left, and this file needs %s. Delete what is '
            'no longer needed, or ask an administrator for more.', auth.megabytes(free), auth.megabytes(more)),
            jsonb_build_object('limit', greatest(free, 0)));
    elsif share.unfinished > 0 and share.unfinished + more > unfinished_most then
        perform auth.fail('too_large', format('%s of files that you began to send are not complete yet. Finish them, or give them up, '
            'before you begin another.', auth.megabytes(share.unfinished)),
            jsonb_build_object('limit', greatest(unfinished_most - share.unfinished, 0)));
    end if;
end $$;

-- {stored, unfinished, limit, free}
create function api.quota() returns jsonb language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('teacher', 'admin');
    share auth.share := auth.share_of(me.user_id);
begin
    return jsonb_build_object('stored', share.stored, 'unfinished', share.unfinished, 'limit', share.most,
                              'free', greatest(share.most - share.stored - share.unfinished, 0));
end $$;

create function api.quota_set(person uuid, bytes bigint) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('admin');
begin
    perform from public.users u where u.user_id = quota_set.person for share;
    if not found then
        perform auth.fail('not_found', 'There is no such person, or no longer.');
    end if;
    insert into public.quotas as q (user_id, bytes) values (quota_set.person, quota_set.bytes)
    on conflict (user_id) do update set bytes = excluded.bytes, at = now();
    perform auth.audit(me.user_id, 'users.quota', quota_set.person::text, jsonb_build_object('bytes', quota_set.bytes));
    return '{}';
end $$;

-- As in 004, with the person's share asked for where a new one begins.
create or replace function api.upload_begin(filename text, size bigint, sha256 text, title text default null, course_id uuid default null)
returns jsonb language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('teacher', 'admin');
    course uuid := upload_begin.course_id;
    most bigint;
    old_pdf uuid;
    u public.uploads;
begin
    perform auth.need_course(course);
    select s.upload_bytes into most from auth.settings s;
    if upload_begin.size > most then
        perform auth.fail('too_large', 'That file is larger than this school accepts.', jsonb_build_object('limit', most));
    elsif upload_begin.size < 1 then
        perform auth.fail('invalid_params', 'size must be at least 1.', '{"field": "size"}');
    elsif upload_begin.sha256 !~ '^[0-9a-f]{64}$' then
        perform auth.fail('invalid_params', 'sha256 must be 64 hexadecimal digits in lower case.', '{"field": "sha256"}');
    elsif char_length(upload_begin.filename) not between 1 and 255 or upload_begin.filename ~ '[[:cntrl:]/]' then
        perform auth.fail('invalid_params', 'filename must be a plain name of 1 to 255 characters.', '{"field": "filename"}');
    elsif char_length(upload_begin.title) not between 1 and 300 or upload_begin.title ~ '[[:cntrl:]]' then
        perform auth.fail('invalid_params', 'title must be 1 to 300 plain characters.', '{"field": "title"}');
    end if;
    -- Two windows of one teacher begin the same file: one row, and no file without one.
    perform pg_advisory_xact_lock(hashtextextended(upload_begin.sha256 || coalesce(course, auth.open_course()), 11));
    select p.pdf_id into old_pdf from public.pdfs p
     where coalesce(p.course_id, '00000000-0000-0000-0000-000000000000') = coalesce(course, auth.open_course())
       and p.sha256 = upload_begin.sha256 and (p.failed_at is null or p.uploaded_by = me.user_id)
     order by p.failed_at nulls first limit 1;
    if old_pdf is not null then
        perform auth.fail('conflict', 'This file is in the library already.', jsonb_build_object('existing', old_pdf));
    end if;
    select * into u from public.uploads x
     where x.uploader_id = me.user_id and x.sha256 = upload_begin.sha256 and x.size = upload_begin.size
       and x.course_id is not distinct from course;
    if u.upload_id is null then
        perform auth.need_share(me.user_id, upload_begin.size);
        with f as (insert into public.pdf_files default values returning file_id)
        insert into public.uploads (file_id, uploader_id, course_id, filename, title, size, sha256)
        select file_id, me.user_id, course, upload_begin.filename, upload_begin.title, upload_begin.size, upload_begin.sha256
          from f returning * into u;
    else
        update public.uploads x set filename = upload_begin.filename, title = coalesce(upload_begin.title, x.title),
               updated_at = now() where x.upload_id = u.upload_id;
    end if;
    return jsonb_build_object('upload_id', u.upload_id, 'offset', u.received);
end $$;

-- The bytes of one's own upload from `start` on, as they came; null behind the last.
create function api.upload_piece(upload_id uuid, start bigint) returns bytea language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('teacher', 'admin');
begin
    return (select p.data from public.uploads u join public.pdf_file_pieces p using (file_id)
             where u.upload_id = upload_piece.upload_id and u.uploader_id = me.user_id and p.start = upload_piece.start);
end $$;

drop function api.upload_commit(uuid);
-- `digest` is what the node that read all pieces found, in hexadecimal.
create function api.upload_commit(upload_id uuid, digest text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    u public.uploads := auth.need_upload(upload_commit.upload_id);
    pdf uuid;
    job uuid;
begin
    perform auth.need_course(u.course_id);
    if u.received <> u.size then
        perform auth.fail('conflict', format('Only %s of %s bytes have arrived.', u.received, u.size));
    elsif not exists (select from public.pdf_file_pieces p where p.file_id = u.file_id and p.start = 0
                         and position('\x255044462d'::bytea in substr(p.data, 1, 1024)) > 0) then
        delete from public.uploads x where x.upload_id = u.upload_id;
        return auth.refusal('invalid_params', 'This file is not a PDF.', '{"field": "upload_id"}');
    elsif upload_commit.digest is distinct from u.sha256 then
        delete from public.uploads x where x.upload_id = u.upload_id;
        return auth.refusal('invalid_params', 'What arrived is not the file that was announced. Please send it again.',
                            '{"field": "sha256"}');
    end if;
    insert into public.pdfs (file_id, course_id, uploaded_by, title, filename, size, sha256)
    values (u.file_id, u.course_id, u.uploader_id, coalesce(u.title,
                nullif(btrim(translate(regexp_replace(u.filename, '\.pdf$', '', 'i'), '_', ' ')), ''), u.filename),
            u.filename, u.size, u.sha256)
    on conflict do nothing returning pdf_id into pdf;
    if pdf is null then
        perform auth.fail('conflict', 'This file is in the library already.', jsonb_build_object('existing', (
            select p.pdf_id from public.pdfs p where p.sha256 = u.sha256 and p.course_id is not distinct from u.course_id
               and p.failed_at is null)));
    end if;
    insert into public.index_jobs (pdf_id, uploaded_by) values (pdf, u.uploader_id) returning job_id into job;
    delete from public.uploads x where x.upload_id = u.upload_id;
    perform auth.audit(u.uploader_id, 'library.upload', pdf::text);
    return jsonb_build_object('pdf_id', pdf, 'job_id', job, 'status', 'accepted');
end $$;
grant execute on function api.quota(), api.quota_set(uuid, bigint), api.upload_piece(uuid, bigint), api.upload_commit(uuid, text) to edurag_app;
