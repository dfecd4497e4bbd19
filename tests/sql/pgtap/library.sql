-- library.sql - what an upload, a job and the word "indexed" promise, and that nothing can break it.
begin;
select no_plan();

-- Indexed means searchable, whoever writes: the owner's own hands are stopped at commit too.
select lives_ok('set constraints all immediate', 'the school is whole');
select throws_ok($$update pdfs set indexed_at = now(), failed_at = null, error_message = null, embedding_model = 'm2' where pdf_id = t.id('broken')$$,
    '23514', null, 'no passages: not indexed');
select throws_ok($$update pdfs set embedding_model = 'm3' where pdf_id = t.id('open')$$, '23514', null, 'no vectors of that model: not served by it');
select throws_ok($$update pdfs set embedding_model = null where pdf_id = t.id('open')$$, '23514', null, 'indexed without a model');
select throws_ok($$update pdfs set failed_at = now(), error_message = 'x' where pdf_id = t.id('open')$$, '23514', null, 'indexed and failed');
select throws_ok($$update pdfs set error_message = null where pdf_id = t.id('broken')$$, '23514', null, 'failed without a sentence');
select throws_ok($$update pdfs set error_message = '  ' where pdf_id = t.id('broken')$$, '23514', null, 'failed with an empty one');
select throws_ok($$update index_jobs set error_message = null where job_id = t.id('broken job')$$, '23514', null, 'a job failed without a sentence');
select throws_ok($$update index_jobs set state = 'embedding', failed_at = null where job_id = t.id('broken job')$$, '23514', null, 'working without a lease');
select throws_ok($$insert into pdfs (file_id, title, filename, size, sha256) select file_id, 'x', 'x', 1, sha256 from pdfs where pdf_id = t.id('open')$$,
    '23505', null, 'one document twice in one place');
select is(t.value('t1', format('select api.upload_begin(''f.pdf'', 9, %L)', (select sha256 from pdfs where pdf_id = t.id('broken')))), 'ER409',
    'a teacher''s own failed document is still theirs');
select isnt(t.value('t2', format('select api.upload_begin(''f.pdf'', 9, %L)', (select sha256 from pdfs where pdf_id = t.id('broken')))), 'ER409',
    'and keeps nobody else''s out');
select lives_ok($$insert into pdfs (file_id, title, filename, size, sha256) select file_id, 'x', 'x', 1, sha256 from pdfs where pdf_id = t.id('broken')$$,
    'who may add it');
select is(t.value('t1', 'select api.retry(t.id(''broken''))'), 'ER409', 'after which the failed one is not tried again');
delete from uploads where uploader_id = t.user_id('t2');
delete from pdfs where title = 'x';
select lives_ok($$insert into pdfs (file_id, course_id, title, filename, size, sha256) select file_id, t.id('bio'), 'x', 'x', 1, sha256 from pdfs where pdf_id = t.id('open')$$,
    'the same in another place');
delete from pdfs where title = 'x';
select is(t.worker('delete from pdf_chunks returning 1'), '42501', 'a node does not delete passages');
select is(t.worker('delete from rag_embeddings returning 1'), '42501', 'nor vectors');
select is(t.worker('update pdfs set indexed_at = now() returning 1'), '42501', 'nor says "indexed"');

-- Upload.
create function pg_temp.begin_upload(who text, size int, sha text, course uuid default null) returns text language sql volatile
return t.value(who, format('select api.upload_begin(''f.pdf'', %s, %L, null, %L)', size, sha, course));
create temp table bytes as select '%PDF-1.7 '::bytea || convert_to(repeat('x', 91), 'UTF8') as b;
grant select on bytes to public;
create temp table up as select (pg_temp.begin_upload('t1', 100, (select encode(sha256(b), 'hex') from bytes))::jsonb ->> 'upload_id')::uuid as id;
grant select on up to public;
create function pg_temp.piece(at int, n int) returns text language sql volatile
return t.value('t1', format('select api.upload_chunk(%L, %s, (select substr(b, %s, %s) from bytes)) ->> ''offset''', (select id from up), at, at + 1, n));
select is(pg_temp.piece(0, 40), '40', 'a piece');
select is(pg_temp.piece(0, 40), '40', 'sent again is the same piece');
select is(pg_temp.piece(50, 10), 'ER422', 'a gap is refused');
select is(t.value('t1', format('select api.upload_commit(%L, %L)', (select id from up), (select encode(sha256(b), 'hex') from bytes))), 'ER409', 'too early');
select is(pg_temp.begin_upload('t1', 100, (select encode(sha256(b), 'hex') from bytes))::jsonb, jsonb_build_object('upload_id', (select id from up), 'offset', 40),
    'an interrupted one goes on where it was');
select is(pg_temp.begin_upload('t2', 100, (select encode(sha256(b), 'hex') from bytes))::jsonb ->> 'offset', '0', 'another teacher''s is another');
select is(pg_temp.piece(40, 60), '100', 'the rest');
select is(t.value('t1', format('select api.upload_chunk(%L, 100, ''x'')', (select id from up))), 'ER422', 'more than announced');
create temp table new as select t.value('t1', format('select api.upload_commit(%L, %L)', (select id from up), (select encode(sha256(b), 'hex') from bytes)))::jsonb as j;
select is(j ->> 'status', 'accepted', 'committed') from new;
select is(pg_temp.begin_upload('t2', 100, (select encode(sha256(b), 'hex') from bytes)), 'ER409', 'the open library has it now');
select is(t.value('t2', format('select api.upload_commit(%L, repeat(''a'', 64))', (select upload_id from uploads where uploader_id = t.user_id('t2')))), 'ER409', 'not whole');
select is(pg_temp.begin_upload('t1', 100, (select encode(sha256(b), 'hex') from bytes), t.id('bio'))::jsonb ->> 'offset', '0', 'a course may have its own');
select is(pg_temp.begin_upload('t1', 300000000, repeat('c', 64)), 'ER413', 'too large');
select is(pg_temp.begin_upload('t1', 5, 'xyz'), 'ER422', 'no hash');
create temp table fake as select (pg_temp.begin_upload('t1', 5, encode(sha256('hello'), 'hex'))::jsonb ->> 'upload_id')::uuid as id;
select is(t.value('t1', format('select api.upload_chunk(%L, 0, ''hello'') ->> ''offset''', id)), '5', 'a file that is none') from fake;
select is(t.value('t1', format('select api.upload_commit(%L, encode(sha256(''hello''), ''hex'')) #>> ''{error,message}''', id)), 'This file is not a PDF.', 'is refused') from fake;
update fake set id = (pg_temp.begin_upload('t1', 9, repeat('e', 64))::jsonb ->> 'upload_id')::uuid;
select is(t.value('t1', format('select api.upload_chunk(%L, 0, ''%%PDF-1.7 '') ->> ''offset''', id)), '9', 'another file') from fake;
select is(t.value('t1', format('select api.upload_commit(%L, encode(sha256(''%%PDF-1.7 ''), ''hex'')) #>> ''{error,field}''', id)), 'sha256', 'than was announced') from fake;
-- Pieces are their uploader's; a digest is no secret, but what arrived is.
create temp table piece as select (pg_temp.begin_upload('t1', 9, repeat('f', 64))::jsonb ->> 'upload_id')::uuid as id;
select is(t.value('t1', format('select api.upload_chunk(%L, 0, ''%%PDF-1.7 '') ->> ''offset''', id)), '9', 'one more') from piece;
select is(t.value('t1', format('select convert_from(api.upload_piece(%L, 0), ''UTF8'')', id)), '%PDF-1.7 ', 'its uploader reads it') from piece;
select is(t.value('t2', format('select api.upload_piece(%L, 0)', id)), null, 'nobody else does') from piece;
select is(t.value('s1', format('select api.upload_piece(%L, 0)', id)), 'ER403', 'a student least of all') from piece;
delete from uploads where upload_id = (select id from piece);

-- Shares: what is stored and what was begun count together.
update auth.settings set person_bytes = 1000, unfinished_bytes = 500;
delete from uploads;
select is(pg_temp.begin_upload('t2', 1001, repeat('1', 64)), 'ER413', 'more than a person''s share');
select isnt(pg_temp.begin_upload('t2', 400, repeat('2', 64)), 'ER413', 'a part of it');
select is(pg_temp.begin_upload('t2', 200, repeat('3', 64)), 'ER413', 'while much is unfinished no more begins');
select isnt(pg_temp.begin_upload('t2', 400, repeat('2', 64)), 'ER413', 'but what was begun goes on');
select is(t.value('t2', 'select api.quota() ->> ''unfinished'''), '400', 'which is told');
select is(t.value('s1', 'select api.quota()'), 'ER403', 'a student has no share');
select is(t.value('t1', format('select api.quota_set(%L, 5)', t.user_id('t1'))), 'ER403', 'and a teacher sets none');
select is(t.value('a1', format('select api.quota_set(%L, 300)', t.user_id('t2'))), '{}', 'an admin does');
delete from uploads;
select is(pg_temp.begin_upload('t2', 301, repeat('4', 64)), 'ER413', 'then that one counts');
select is(t.value('t2', 'select bytes::text from public.quotas'), '300', 'one sees one''s own');
select is(t.value('t1', 'select count(*)::text from public.quotas where bytes = 300'), '0', 'and nobody else''s');
delete from quotas;
update auth.settings set person_bytes = 5368709120, unfinished_bytes = 419430400;
select isnt(pg_temp.begin_upload('t2', 400, repeat('5', 64)), 'ER413', 'one that nobody will finish');
select is_empty('select from pdf_files f where not exists (select from uploads u where u.file_id = f.file_id) and not exists (select from pdfs p where p.file_id = f.file_id)',
    'no bytes without an owner');

-- Jobs: leases.
create function pg_temp.claim() returns index_jobs language sql volatile return worker.claim_job('n1', 60);
create temp table job as select * from worker.claim_job('n1', 60);
select is(pdf_id, (select (j ->> 'pdf_id')::uuid from new), 'the new document is next') from job;
select is((state, attempt)::text, '(extracting,1)', 'is being read') from job;
select is_empty($$select * from worker.claim_job('n2', 60)$$, 'by one node');
select ok(worker.renew_job(job_id, lease, 60, 'embedding', 3, 3, 0, 2, 1), 'which keeps its lease') from job;
select ok(not worker.renew_job(job_id, gen_random_uuid(), 60), 'a stranger does not') from job;
update index_jobs set lease_until = now() - interval '1 second' where job_id = (select job_id from job);
create temp table job2 as select * from worker.claim_job('n2', 60);
select is((job2.job_id = job.job_id, job2.attempt, job2.pages_done)::text, '(t,2,0)', 'a lease that ran out is taken over') from job, job2;
select ok(not worker.renew_job(job_id, lease, 60), 'the first has lost it') from job;
select ok(not worker.store_document(job_id, lease, 'm2', 'x', null, '[]', '[{}]', '[]'), 'and can not store') from job;
select ok(not worker.fail_job(job_id, lease, 'x', true), 'nor fail it') from job;
select throws_ok(format('select worker.store_document(%L, %L, ''m2'', ''x'', null, ''[]'', ''[{"first_page":1,"last_page":1,"start_offset":0,"end_offset":1,"text":"never embedded"}]'', ''[]'')', job_id, lease),
    '23514', null, 'a missing vector: nothing is stored') from job2;
select throws_ok(format('select worker.store_document(%L, %L, ''m2'', ''x'', null, ''[]'', ''[]'', ''[]'')', job_id, lease), '23514', null, 'no passages: nothing is stored') from job2;
select throws_ok(format('select worker.fail_job(%L, %L, '' '', true)', job_id, lease), '23514', null, 'no failure without a sentence') from job2;
select ok(worker.fail_job(job_id, lease, 'The model did not answer.', false), 'a failed attempt') from job2;
select is((select state from index_jobs j where j.job_id = job2.job_id), 'queued', 'is tried again') from job2;
select is_empty($$select * from worker.claim_job('n2', 60)$$, 'after a pause');
update index_jobs set run_after = now() where job_id = (select job_id from job);
create temp table job3 as select * from worker.claim_job('n2', 60);
select is(attempt, 3, 'the third attempt') from job3;
select is(worker.release_jobs('n2'), 1, 'a node that stops gives it back');
create temp table job4 as select * from worker.claim_job('n3', 60);
select is(attempt, 3, 'without counting it') from job4;
select is(worker.expire_leases('n1'), 0, 'a node without leases has none to lose');
select is(worker.expire_leases('n3'), 1, 'a dead node''s lease ends at once');
select is_empty($$select * from worker.claim_job('n4', 60)$$, 'the third that dies is the last');
select is((select p.failed_at is not null and p.error_message = j.error_message from pdfs p join index_jobs j using (pdf_id) where j.job_id = job.job_id), true,
    'with a sentence, on the document too') from job;
select is(t.value('t1', format('select api.retry(%L) ->> ''job_id''', pdf_id)) <> job_id::text, true, 'a new job') from job;
select is(t.value('t1', format('select api.retry(%L)', pdf_id)), 'ER409', 'only one') from job;
select is(t.value('t1', format('select api.retry(%L)', t.id('open'))), 'ER409', 'not for what is searchable');
select ok(t.index('again'), 'and this time it is indexed');
select is((select (pages, indexed_at is not null, failed_at, error_message)::text from pdfs where pdf_id = (select pdf_id from job)), '(1,t,,)', 'completely');

-- New vectors for old passages.
select is(worker.queue_embeddings('m3', 100), (select count(*)::int from pdfs where indexed_at is not null), 'each indexed document gets a job');
select is(worker.queue_embeddings('m3', 100), 0, 'once');
create temp table again as select * from worker.claim_job('n1', 60);
select is((kind, state, model)::text, '(embed,embedding,m3)', 'of its own kind') from again;
insert into embedding_cache select 'm3', sha256(convert_to(c.text, 'UTF8')), '{1,0,0}' from pdf_chunks c, again where c.pdf_id = again.pdf_id on conflict do nothing;
select ok(worker.store_vectors(job_id, lease), 'is stored') from again;
select is((select embedding_model from pdfs p where p.pdf_id = again.pdf_id), 'm3', 'and serves') from again;
select is((select count(*) from rag_embeddings e join pdf_chunks c using (chunk_id) where c.pdf_id = again.pdf_id and e.model <> 'm3'), 0::bigint, 'alone') from again;
create temp table half as select * from worker.claim_job('n1', 60);
delete from embedding_cache e using pdf_chunks c, half where c.pdf_id = half.pdf_id and e.model = 'm3' and e.text_sha256 = sha256(convert_to(c.text, 'UTF8'));
select throws_ok(format('select worker.store_vectors(%L, %L)', job_id, lease), '23514', null, 'half of them is none') from half;

select is(round(api.cosine('{1,0}', '{1,1}')::numeric, 4), 0.7071, 'cosine');
select is(api.cosine('{1,0}', '{1,1,1}'), null, 'of vectors of one length only');
update uploads set updated_at = now() - interval '2 days';
select cmp_ok(worker.sweep_library(), '>=', 1, 'uploads that nobody finished');
select is_empty('select from uploads', 'are cleared away');
delete from pdfs;
select is_empty('select from pdf_files', 'bytes go with their document');
select is_empty('select from pdf_chunks', 'and passages');
select * from finish();
rollback;
