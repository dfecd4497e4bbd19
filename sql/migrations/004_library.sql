-- 004_library.sql - documents from upload to searchable: bytes, pages, passages, vectors, jobs.
--
-- Lock order everywhere: the pdf's row, then its job's. "Indexed" means searchable: chunks and vectors are
-- written by worker.store_document and worker.store_vectors alone, and checked again at commit.

create table public.embedding_models (
    model text primary key check (model ~ '^[A-Za-z0-9._:/@+-]{1,120}$'),
    provider text not null check (provider in ('builtin', 'gemini', 'openai')),
    dim int not null check (dim between 1 and 8192),
    fusion_weight real not null default 0 check (fusion_weight between 0 and 100),
    parameters bytea,               -- of a fitted built-in model, in server/retrieval's own format
    fitted_on int not null default 0, -- passages that it was fitted on
    state text not null default 'ready' check (state in ('fitting', 'ready', 'current', 'retired')),
    created_at timestamptz not null default now()
);
-- New vectors are made with the current one.
create unique index embedding_models_current on public.embedding_models ((true)) where state = 'current';

-- The bytes of a file, in pieces; while it is uploaded and afterwards.
create table public.pdf_files (
    file_id uuid primary key default gen_random_uuid(),
    created_at timestamptz not null default now()
);
create table public.pdf_file_pieces (
    file_id uuid not null references public.pdf_files on delete cascade,
    start bigint not null check (start >= 0),
    data bytea not null check (length(data) between 1 and 1048576),
    primary key (file_id, start)
);
alter table public.pdf_file_pieces alter column data set storage external;

create table public.uploads (
    upload_id uuid primary key default gen_random_uuid(),
    file_id uuid not null references public.pdf_files,
    uploader_id uuid not null references public.users on delete cascade,
    course_id uuid references public.courses on delete cascade,
    filename text not null check (char_length(filename) between 1 and 255 and filename !~ '[[:cntrl:]/]'),
    title text check (char_length(title) between 1 and 300 and title !~ '[[:cntrl:]]'),
    size bigint not null check (size > 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    received bigint not null default 0 check (received between 0 and size),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index uploads_one on public.uploads
    (uploader_id, coalesce(course_id, '00000000-0000-0000-0000-000000000000'), sha256, size);
create index uploads_course on public.uploads (course_id);
create index uploads_file on public.uploads (file_id);

create table public.pdfs (
    pdf_id uuid primary key default gen_random_uuid(),
    file_id uuid not null references public.pdf_files,
    course_id uuid references public.courses on delete cascade,
    uploaded_by uuid references public.users on delete set null,
    title text not null check (char_length(title) between 1 and 300 and title !~ '[[:cntrl:]]'),
    filename text not null,
    size bigint not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    pages int check (pages > 0),
    pages_without_text int not null default 0,
    outline jsonb not null default '[]',      -- [{title, page, level}]
    partial text,                             -- a sentence where only a part could be read
    extractor text,                           -- version that made the pages and passages
    embedding_model text references public.embedding_models,
    created_at timestamptz not null default now(),
    indexed_at timestamptz,
    failed_at timestamptz,
    error_message text,
    constraint failure_has_a_sentence check ((failed_at is null) = (error_message is null) and btrim(error_message) <> ''),
    constraint indexed_or_failed check (indexed_at is null or failed_at is null),
    constraint indexed_has_a_model check (indexed_at is null or embedding_model is not null)
);
-- Unique where it is kept, not globally: a teacher must not learn that somebody else has the same file. What
-- failed does not count, else one teacher's failure, which others can't see, would keep the file out.
create unique index pdfs_unique on public.pdfs (coalesce(course_id, '00000000-0000-0000-0000-000000000000'), sha256)
    where failed_at is null;
create index pdfs_list on public.pdfs (created_at desc, pdf_id desc);
create index pdfs_course on public.pdfs (course_id);
create index pdfs_uploader on public.pdfs (uploaded_by);
create index pdfs_file on public.pdfs (file_id);
create index pdfs_model on public.pdfs (embedding_model);

create table public.pdf_pages (
    pdf_id uuid not null references public.pdfs on delete cascade,
    page int not null check (page > 0),
    label text not null default '',
    status text not null check (status in ('ok', 'empty', 'garbage', 'failed')),
    text text not null default '',
    primary key (pdf_id, page)
);

create table public.pdf_chunks (
    chunk_id uuid primary key default gen_random_uuid(),
    pdf_id uuid not null references public.pdfs on delete cascade,
    ordinal int not null,
    first_page int not null check (first_page > 0),
    last_page int not null,
    first_label text not null default '',
    last_label text not null default '',
    start_offset int not null,  -- code points into the first page's text
    end_offset int not null,    -- code points into the last page's text, behind the last character
    heading text not null default '',
    text text not null check (text <> ''),
    search_text text,           -- NFKC, folded, ligatures resolved; null: the same as text
    tokens int not null default 0,
    spans jsonb not null default '[]', -- where the parts of `text` lie: [{page, at, start, end}], code points
    unique (pdf_id, ordinal),
    check (last_page >= first_page)
);
create table public.rag_embeddings (
    chunk_id uuid not null references public.pdf_chunks on delete cascade,
    model text not null references public.embedding_models,
    vector real[] not null check (cardinality(vector) > 0),
    primary key (chunk_id, model)
);
create index rag_embeddings_model on public.rag_embeddings (model);

-- Vectors that are paid for survive a crash between the service's answer and the final transaction.
create table public.embedding_cache (
    model text not null references public.embedding_models on delete cascade,
    text_sha256 bytea not null check (length(text_sha256) = 32),
    vector real[] not null check (cardinality(vector) > 0),
    created_at timestamptz not null default now(),
    primary key (model, text_sha256)
);
create index embedding_cache_age on public.embedding_cache (created_at);

create table public.index_jobs (
    job_id uuid primary key default gen_random_uuid(),
    pdf_id uuid not null references public.pdfs on delete cascade,
    uploaded_by uuid references public.users on delete set null,
    kind text not null default 'index' check (kind in ('index', 'embed')), -- embed: new vectors, old passages
    model text references public.embedding_models on delete cascade,       -- embed: with which
    state text not null default 'queued'
        check (state in ('queued', 'extracting', 'embedding', 'storing', 'indexed', 'failed')),
    attempt int not null default 0 check (attempt between 0 and 3),
    run_after timestamptz not null default now(),
    lease uuid,
    lease_until timestamptz,
    node text,
    pages_total int not null default 0,
    pages_done int not null default 0,
    pages_without_text int not null default 0,
    chunks_total int not null default 0,
    chunks_done int not null default 0,
    queued_at timestamptz not null default now(),
    started_at timestamptz,
    indexed_at timestamptz,
    failed_at timestamptz,
    error_message text,  -- also of an attempt that will be repeated
    constraint failure_has_a_sentence check ((state = 'failed') = (failed_at is not null) and
        (failed_at is null or coalesce(btrim(error_message), '') <> '') and btrim(error_message) <> ''),
    constraint indexed_has_a_time check ((state = 'indexed') = (indexed_at is not null)),
    constraint working_has_a_lease check ((lease is null) = (state in ('queued', 'indexed', 'failed')) and
                                          (lease is null) = (lease_until is null))
);
-- One at a time works on a document.
create unique index index_jobs_live on public.index_jobs (pdf_id) where state not in ('indexed', 'failed');
create index index_jobs_pdf on public.index_jobs (pdf_id);
create index index_jobs_next on public.index_jobs (run_after) where state not in ('indexed', 'failed');
create index index_jobs_mine on public.index_jobs (uploaded_by, queued_at desc, job_id desc);
create index index_jobs_list on public.index_jobs (queued_at desc, job_id desc);
call auth.protect('public.embedding_models', 'public.pdf_files', 'public.pdf_file_pieces', 'public.uploads', 'public.pdfs',
    'public.pdf_pages', 'public.pdf_chunks', 'public.rag_embeddings', 'public.embedding_cache', 'public.index_jobs');

-- ------------------------------------------------------------------ who may see what

-- Everybody logged in sees the indexed documents of the open library and of their courses; the teacher who
-- uploaded one, or teaches its course, sees it in every state; an admin sees all.
create policy documents_seen on public.pdfs for select to edurag_app using (
    (indexed_at is not null and coalesce(course_id, '00000000-0000-0000-0000-000000000000') = any ((select auth.my_courses())::uuid[]))
    or array[uploaded_by, coalesce(course_id, '00000000-0000-0000-0000-000000000000')] && (select auth.my_own())::uuid[]);
-- Who uploaded a document, or teaches its course, renames, moves and deletes it (a trigger guards where to).
create policy documents_changed on public.pdfs for update to edurag_app using (
    array[uploaded_by, coalesce(course_id, '00000000-0000-0000-0000-000000000000')] && (select auth.my_own())::uuid[]) with check (true);
create policy documents_removed on public.pdfs for delete to edurag_app using (
    array[uploaded_by, coalesce(course_id, '00000000-0000-0000-0000-000000000000')] && (select auth.my_own())::uuid[]);
create policy nodes_read on public.pdfs for select to edurag_worker using (true);
grant select, update (title, course_id), delete on public.pdfs to edurag_app;
grant select on public.pdfs to edurag_worker;

-- Pages, passages and vectors are seen with their document.
create policy seen_with_document on public.pdf_pages for select to edurag_app
    using (exists (select from public.pdfs p where p.pdf_id = pdf_pages.pdf_id));
create policy seen_with_document on public.pdf_chunks for select to edurag_app
    using (exists (select from public.pdfs p where p.pdf_id = pdf_chunks.pdf_id));
create policy seen_with_document on public.rag_embeddings for select to edurag_app
    using (exists (select from public.pdf_chunks c where c.chunk_id = rag_embeddings.chunk_id));
-- Nodes load what they search in memory.
create policy nodes_read on public.pdf_pages for select to edurag_worker using (true);
create policy nodes_read on public.pdf_chunks for select to edurag_worker using (true);
create policy nodes_read on public.rag_embeddings for select to edurag_worker using (true);
grant select on public.pdf_pages, public.pdf_chunks, public.rag_embeddings to edurag_app, edurag_worker;

-- Models are the school's, not a person's: everybody logged in may know them, nodes keep them.
create policy models_known on public.embedding_models for select to edurag_app using ((select (auth.me()).user_id) is not null);
create policy nodes_keep on public.embedding_models to edurag_worker using (true) with check (true);
grant select (model, provider, dim, fusion_weight, fitted_on, state, created_at) on public.embedding_models to edurag_app;
grant select, insert, update, delete on public.embedding_models to edurag_worker;
create policy nodes_keep on public.embedding_cache to edurag_worker using (true) with check (true);
grant select, insert, update, delete on public.embedding_cache to edurag_worker;

-- Files are read by nodes; people read pages.
create policy nodes_read on public.pdf_files for select to edurag_worker using (true);
create policy nodes_read on public.pdf_file_pieces for select to edurag_worker using (true);
grant select on public.pdf_files, public.pdf_file_pieces to edurag_worker;
-- An upload is seen by who makes it; functions write it.
create policy own_uploads on public.uploads for select to edurag_app using (uploader_id = (select (auth.me()).user_id));
grant select on public.uploads to edurag_app;

-- Jobs are seen by who uploaded the document; by an admin all of them.
create policy own_jobs on public.index_jobs for select to edurag_app
    using (uploaded_by = (select (auth.me()).user_id) or (select (auth.me()).role) = 'admin');
create policy nodes_read on public.index_jobs for select to edurag_worker using (true);
grant select on public.index_jobs to edurag_app, edurag_worker;

-- ------------------------------------------------------------------ invariants and news

-- At commit: an indexed document has passages, each with a vector of the model that serves it.
create function auth.pdfs_indexed() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
    p public.pdfs;
begin
    select * into p from public.pdfs where pdf_id = new.pdf_id; -- as it is now, not as it was then
    if p.indexed_at is not null and (
        not exists (select from public.pdf_chunks c where c.pdf_id = p.pdf_id)
        or exists (select from public.pdf_chunks c where c.pdf_id = p.pdf_id and not exists (
            select from public.rag_embeddings e where e.chunk_id = c.chunk_id and e.model = p.embedding_model))) then
        raise exception 'pdf % would be indexed without all its vectors', p.pdf_id using errcode = '23514',
            constraint = 'indexed_means_searchable', table = 'pdfs';
    end if;
    return null;
end $$;
create constraint trigger pdfs_indexed after insert or update of indexed_at, embedding_model on public.pdfs
    deferrable initially deferred for each row when (new.indexed_at is not null) execute function auth.pdfs_indexed();

-- Into a course: only of that course. The open library: whoever may change the document.
create function auth.pdfs_moved() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if new.course_id is not null and session_user <> 'edurag_owner' and not new.course_id = any (auth.my_taught()) then
        if new.course_id = any (auth.my_courses()) then
            perform auth.fail('forbidden', 'Only the teacher of this course may do this.');
        end if;
        perform auth.fail('not_found', 'There is no such course, or no longer.');
    end if;
    return new;
end $$;
create trigger pdfs_moved before update of course_id on public.pdfs
    for each row when (old.course_id is distinct from new.course_id) execute function auth.pdfs_moved();

-- Bytes go with the last that refers to them; nodes hear what search must show or forget; the audit log who
-- took something away or gave others access.
create function auth.pdfs_changed() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me uuid := (auth.me()).user_id; -- nobody where a node or the owner acts
begin
    if me is not null and (tg_op = 'DELETE' or old.course_id is distinct from new.course_id) then
        perform auth.audit(me, case tg_op when 'DELETE' then 'library.delete' else 'library.move' end, old.pdf_id::text);
    end if;
    if tg_op = 'DELETE' then
        perform pg_notify('edurag_index', old.pdf_id::text);
        delete from public.pdf_files f where f.file_id = old.file_id
           and not exists (select from public.pdfs p where p.file_id = f.file_id);
    elsif (old.indexed_at, old.embedding_model, old.course_id, old.title) is distinct from
          (new.indexed_at, new.embedding_model, new.course_id, new.title) then
        perform pg_notify('edurag_index', new.pdf_id::text);
    end if;
    return null;
end $$;
create trigger pdfs_changed after update or delete on public.pdfs for each row execute function auth.pdfs_changed();

create function auth.uploads_gone() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    delete from public.pdf_files f where f.file_id = old.file_id
       and not exists (select from public.pdfs p where p.file_id = f.file_id);
    return null;
end $$;
create trigger uploads_gone after delete on public.uploads for each row execute function auth.uploads_gone();

create function auth.jobs_changed() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_notify('edurag_job', new.job_id::text);
    return null;
end $$;
create trigger jobs_made after insert on public.index_jobs for each row execute function auth.jobs_changed();
create trigger jobs_changed after update on public.index_jobs for each row
    when ((old.state, old.attempt, old.pages_done, old.chunks_done, old.pages_total, old.chunks_total) is distinct from
          (new.state, new.attempt, new.pages_done, new.chunks_done, new.pages_total, new.chunks_total))
    execute function auth.jobs_changed();

create function auth.models_changed() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_notify('edurag_model', case when tg_op = 'DELETE' then old.model else new.model end);
    return null;
end $$;
create trigger models_changed after insert or update or delete on public.embedding_models
    for each row execute function auth.models_changed();

-- ------------------------------------------------------------------ upload

-- The course that a person may put a document into; null is the open library.
create function auth.need_course(course uuid) returns void language plpgsql stable as $$
begin
    if course is null or course = any (auth.my_taught()) and course <> auth.open_course() then
        return;
    elsif course = any (auth.my_courses()) and course <> auth.open_course() then
        perform auth.fail('forbidden', 'Only the teacher of this course may do this.');
    end if;
    perform auth.fail('not_found', 'There is no such course, or no longer.');
end $$;

-- {upload_id, offset}: a new one, or the interrupted one of the same file into the same place.
create function api.upload_begin(filename text, size bigint, sha256 text, title text default null, course_id uuid default null)
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

create function auth.need_upload(upload uuid) returns public.uploads language plpgsql volatile as $$
declare
    me auth.person := auth.need('teacher', 'admin');
    u public.uploads;
begin
    select * into u from public.uploads where upload_id = upload and uploader_id = me.user_id for update;
    if u.upload_id is null then
        perform auth.fail('not_found', 'There is no such upload, or no longer. Please begin again.');
    end if;
    return u;
end $$;

-- {offset}: what has arrived. A piece that arrived before is accepted again; one that leaves a gap is not.
create function api.upload_chunk(upload_id uuid, start bigint, data bytea) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    u public.uploads := auth.need_upload(upload_chunk.upload_id);
begin
    if upload_chunk.start + length(data) <= u.received and upload_chunk.start >= 0 then
        return jsonb_build_object('offset', u.received);
    elsif upload_chunk.start <> u.received then
        perform auth.fail('invalid_params', format('offset must be %s, where this upload stands.', u.received), '{"field": "offset"}');
    elsif length(data) = 0 or u.received + length(data) > u.size then
        perform auth.fail('invalid_params', 'data is empty, or more than the size that was announced.', '{"field": "data"}');
    end if;
    insert into public.pdf_file_pieces (file_id, start, data) values (u.file_id, u.received, upload_chunk.data);
    update public.uploads x set received = u.received + length(upload_chunk.data), updated_at = now()
     where x.upload_id = u.upload_id;
    return jsonb_build_object('offset', u.received + length(upload_chunk.data));
end $$;

-- {pdf_id, job_id, status}: size and hash are verified, then the document waits for its turn.
create function api.upload_commit(upload_id uuid) returns jsonb
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
    elsif (select encode(sha256(string_agg(p.data, ''::bytea order by p.start)), 'hex')
             from public.pdf_file_pieces p where p.file_id = u.file_id) <> u.sha256 then
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

create function api.upload_abort(upload_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    u public.uploads := auth.need_upload(upload_abort.upload_id);
begin
    delete from public.uploads x where x.upload_id = u.upload_id;
    return '{}';
end $$;

-- A new job for a document that failed.
create function api.retry(pdf_id uuid) returns jsonb language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    me auth.person := auth.need('teacher', 'admin');
    p public.pdfs;
    job uuid;
begin
    select * into p from public.pdfs x where x.pdf_id = retry.pdf_id for update;
    if p.pdf_id is null or not (p.uploaded_by is not distinct from me.user_id or me.role = 'admin' or
                                p.indexed_at is not null and coalesce(p.course_id, auth.open_course()) = any (auth.my_courses())) then
        perform auth.fail('not_found', 'This document is not here, or no longer here.');
    elsif p.uploaded_by is distinct from me.user_id and me.role <> 'admin' then
        perform auth.fail('forbidden', 'Only who uploaded it may do this.');
    elsif p.indexed_at is not null then
        perform auth.fail('conflict', 'This document is searchable already.');
    end if;
    select x.job_id into job from public.index_jobs x where x.pdf_id = p.pdf_id and x.state not in ('indexed', 'failed');
    if job is not null then
        perform auth.fail('conflict', 'This document is being worked on.', jsonb_build_object('existing', job));
    end if;
    begin
        update public.pdfs x set failed_at = null, error_message = null where x.pdf_id = p.pdf_id;
    exception when unique_violation then
        perform auth.fail('conflict', 'Somebody has added this file since.');
    end;
    insert into public.index_jobs (pdf_id, uploaded_by) values (p.pdf_id, p.uploaded_by) returning job_id into job;
    return jsonb_build_object('job_id', job);
end $$;
grant execute on function api.upload_begin(text, bigint, text, text, uuid), api.upload_chunk(uuid, bigint, bytea),
    api.upload_commit(uuid), api.upload_abort(uuid), api.retry(uuid) to edurag_app;

-- What protocol.md calls a job.
create function api.job_json(j public.index_jobs, title text) returns jsonb language sql stable
return pg_catalog.jsonb_build_object('job_id', (j).job_id, 'pdf_id', (j).pdf_id, 'title', title, 'state', (j).state,
    'attempt', (j).attempt, 'pages_total', (j).pages_total, 'pages_done', (j).pages_done,
    'pages_without_text', (j).pages_without_text, 'chunks_total', (j).chunks_total, 'chunks_done', (j).chunks_done,
    'queued_at', api.utc((j).queued_at), 'started_at', api.utc((j).started_at), 'indexed_at', api.utc((j).indexed_at),
    'failed_at', api.utc((j).failed_at), 'error_message', (j).error_message);
grant execute on function api.job_json(public.index_jobs, text) to edurag_app, edurag_worker;
grant usage on type public.index_jobs to edurag_app, edurag_worker;

-- Cosine of two vectors: slow and plain, what the shelf's scan is tested against.
create function api.cosine(a real[], b real[]) returns double precision language sql immutable strict parallel safe
begin atomic
    select case when cardinality(a) = cardinality(b) then
                sum(x::float8 * y) / nullif(sqrt(sum(x::float8 * x)) * sqrt(sum(y::float8 * y)), 0) end
      from unnest(a, b) as v(x, y);
end;
grant execute on function api.cosine(real[], real[]) to edurag_app, edurag_worker;
