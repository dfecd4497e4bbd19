-- 005_search.sql - what a person has searched, asked and opened; and what many search (trending).

create table public.threads (
    thread_id uuid primary key default gen_random_uuid(),
    user_id uuid not null default (auth.me()).user_id references public.users on delete cascade,
    course_id uuid references public.courses on delete set null,
    created_at timestamptz not null default now()
);
create index threads_user on public.threads (user_id, created_at desc);

-- Every search that is not a preview, and every question.
create table public.search_history (
    search_id uuid primary key default gen_random_uuid(),
    user_id uuid not null default (auth.me()).user_id references public.users on delete cascade,
    thread_id uuid references public.threads on delete set null,
    course_id uuid references public.courses on delete set null,
    query text not null check (char_length(query) between 1 and 1000),
    results int not null default 0 check (results >= 0),
    at timestamptz not null default now()
);
create index search_history_user on public.search_history (user_id, at desc, search_id desc);
create index search_history_at on public.search_history (at);
create index search_history_thread on public.search_history (thread_id);

-- A question and its answer.
create table public.turns (
    search_id uuid primary key references public.search_history on delete cascade,
    thread_id uuid not null references public.threads on delete cascade,
    user_id uuid not null default (auth.me()).user_id references public.users on delete cascade,
    query text not null,
    answer text not null,
    citations jsonb not null default '[]' check (jsonb_typeof(citations) = 'array'),
    sentences jsonb not null default '[]' check (jsonb_typeof(sentences) = 'array'),
    grounded boolean not null default false,
    generation text not null default 'extractive',
    memory_used int not null default 0,
    at timestamptz not null default now()
);
create index turns_thread on public.turns (thread_id, at);
create index turns_user on public.turns (user_id, at desc);

-- The sections that a person has opened in the reader; by page, since passages are replaced.
create table public.page_opens (
    user_id uuid not null default (auth.me()).user_id references public.users on delete cascade,
    pdf_id uuid not null references public.pdfs on delete cascade,
    page int not null check (page > 0),
    section text not null default '',
    opens int not null default 1,
    first_at timestamptz not null default now(),
    last_at timestamptz not null default now(),
    primary key (user_id, pdf_id, page)
);
create index page_opens_pdf on public.page_opens (pdf_id);

-- What at least three different people searched in the last days; nodes compute it.
create table public.trending (
    topic text primary key,
    searches int not null,
    searchers int not null check (searchers >= 3),
    at timestamptz not null default now()
);
call auth.protect('public.threads', 'public.search_history', 'public.turns', 'public.page_opens', 'public.trending');

-- A person's searches, threads, answers and openings are theirs alone.
create policy own_threads on public.threads to edurag_app
    using (user_id = (select (auth.me()).user_id)) with check (user_id = (select (auth.me()).user_id));
create policy own_searches on public.search_history to edurag_app
    using (user_id = (select (auth.me()).user_id)) with check (user_id = (select (auth.me()).user_id));
create policy own_turns on public.turns to edurag_app
    using (user_id = (select (auth.me()).user_id)) with check (user_id = (select (auth.me()).user_id) and
        exists (select from public.threads t where t.thread_id = turns.thread_id));
create policy own_openings on public.page_opens to edurag_app
    using (user_id = (select (auth.me()).user_id)) with check (user_id = (select (auth.me()).user_id) and
        exists (select from public.pdfs p where p.pdf_id = page_opens.pdf_id));
grant select, insert, delete on public.threads, public.turns to edurag_app;
grant select, insert, delete, update (thread_id, results) on public.search_history to edurag_app;
grant select, insert, delete, update (section, opens, last_at) on public.page_opens to edurag_app;
-- Nodes count queries over people for trending, and see no more of them than that takes.
create policy nodes_count on public.search_history for select to edurag_worker using (at > now() - interval '8 days');
grant select (user_id, query, at) on public.search_history to edurag_worker;
-- Trending topics are everybody's who is logged in; nodes write them.
create policy trending_known on public.trending for select to edurag_app using ((select (auth.me()).user_id) is not null);
create policy nodes_keep on public.trending to edurag_worker using (true) with check (true);
grant select on public.trending to edurag_app;
grant select, insert, update, delete on public.trending to edurag_worker;
