-- memory.sql - facts without contact details, erasures that outlive them, looks that are seen.
begin;
select no_plan();
select throws_ok(format($$insert into memory_facts (user_id, fact, fact_key, source) values (t.user_id('s1'), %L, 'k', 'client')$$, f), '23514', null, 'not kept: ' || f)
  from unnest(array['write to ann.lee@example.org', 'mail ann@school.ac.uk please', 'A.B+c@x-y.de', 'call +49 30 1234567', 'call +1 (415) 555-0123', '+442071234567',
    '0049 30 1234567', 'ring (030) 123 45 67', 'ring 030 / 1234567', '0171-1234567', '01711234567', '415-555-0123', '(415) 555 0123', '1-415-555-0123',
    '020 7946 0958', 'tel 07911123456']) f;
select lives_ok(format($$insert into memory_facts (user_id, fact, fact_key, source) values (t.user_id('s1'), %L, %L, 'client')$$, f, f), 'kept: ' || f)
  from unnest(array['the war of 1914-1918', 'Avogadro 6.022e23', 'page 120-135', 'pages 1200-1350', 'CAS 7732-18-5', 'ISBN 978-3-16-148410-0', 'ISBN 0-306-40615-2',
    'ISBN 0306406152', '3.14159265358979', 'from 476 to 1453', '12 000 000 years ago', 'x @ y', '2026-11-23 15:14', 'DNA 5''-3''', 'speed 299792458 m/s', '0.0012 0.0034',
    '10.1000/182', 'temperature -273.15', '1-2-3-4-5', '10 000 000 000']) f;
select throws_ok($$insert into memory_facts (user_id, fact, fact_key, source) values (t.user_id('s2'), 'other', 'enzymes', 'search')$$, '23505', null, 'one fact once');
select throws_ok($$update memory_facts set state = 'failed' where fact_id = t.id('s1 fact')$$, '23514', null, 'no failure without a sentence');
select throws_ok($$update memory_facts set state = 'synced' where fact_id = t.id('s1 fact')$$, '23514', null, 'no sending without a time');
select throws_ok($$insert into trending (topic, searches, searchers) values ('mine', 4, 4)$$, '23514', null, 'four people are no trend');

-- As a person, with the columns that people may write.
select is(t.rows('s1', 'insert into public.memory_facts (fact, fact_key, source, state) values (''read of tides'', ''tides'', ''reading'', ''pending'')
        on conflict (user_id, fact_key) do update set count = memory_facts.count + 1, at = now()'), '1', 'a person''s own fact');
select is(t.rows('s1', 'insert into public.memory_facts (fact, fact_key, source) values (''read of tides'', ''tides'', ''reading'')
        on conflict (user_id, fact_key) do update set count = memory_facts.count + 1, at = now()'), '1', 'again');
select is((select (count, user_id)::text from memory_facts where fact_key = 'tides'), format('(2,%s)', t.user_id('s1')), 'is one with a count');
select is(t.rows('s1', 'insert into public.memory_facts (fact, fact_key, source) values (''mail a@b.org'', ''k'', ''client'')'), '23514', 'not with an address');
select is(t.worker('update memory_facts set attempts = attempts + 1 where fact_key = ''tides'' returning attempts'), '1', 'a node notes how sending goes');
select is(t.rows('s1', format('insert into public.page_opens (pdf_id, page) values (%L, 1) on conflict (user_id, pdf_id, page) do update set opens = page_opens.opens + 1', t.id('open'))), '1', 'a page opened again');
delete from memory_facts where fact_key = 'tides';

-- Forgetting.
select is(t.value('s2', format('select api.forget(%L)', t.id('s1 fact'))), 'ER404', 'not another''s fact');
delete from erasures;
select is(t.value('s1', format('select api.forget(%L) #>> ''{forgotten,facts}''', t.id('s1 fact'))), '1', 'one fact');
select is((select (kind, fact_id, state)::text from erasures), format('(fact,%s,pending)', t.id('s1 fact')), 'that was sent: the outside forgets it too');
select is((t.value('s1', 'select api.forget(null) -> ''forgotten''')::jsonb -> 'searches')::int, 1, 'everything');
select is((select string_agg(kind, ',') from erasures where user_id = t.user_id('s1')), 'all', 'and the outside all at once');
select is((select (select count(*) from memory_facts where user_id = t.user_id('s1')) + (select count(*) from turns where user_id = t.user_id('s1'))
    + (select count(*) from threads where user_id = t.user_id('s1')) + (select count(*) from reflections where user_id = t.user_id('s1'))), 0::bigint, 'nothing is left');

-- Looking.
select is(t.value('t1', 'select api.reflection_begin(t.user_id(''s2''))'), 'ER404', 'not at another teacher''s student');
select is((t.value('t2', 'select api.reflection_begin(t.user_id(''s2''))')::jsonb - 'reflection_id'), jsonb_build_object('user_id', t.user_id('s2'),
    'name', 'Name of s2', 'institution_id', 's2'), 'a teacher looks at their student, and is handed none of their words');
select is(t.value('s2', 'select by_name || '' '' || role from memory_access_log'), 'Name of t2 teacher', 'who sees it');
select is((select count(*) from audit_log where action = 'memory.reflect' and actor = t.user_id('t2') and target = t.user_id('s2')::text), 1::bigint, 'and so does the audit log');
select is(t.value('s2', 'select (api.reflection_begin() ->> ''user_id'') = (auth.me()).user_id::text'), 'true', 'at oneself');
select is(t.value('s2', 'select count(*) from memory_access_log'), '1', 'leaves no trace');
select is(t.rows('s2', 'select api.reflection_end((select reflection_id from reflections where by_user = t.user_id(''t2'')), ''builtin'', ''forged'')'), '1', 'another''s reflection');
select is((select summary from reflections where by_user = t.user_id('t2')), null, 'can not be written');
select is(t.rows('t2', 'select api.reflection_end((select reflection_id from reflections where by_user = t.user_id(''t2'')), ''builtin'', ''Read a lot.'')'), '1', 'one''s own');
select is((select (state, summary)::text from reflections where by_user = t.user_id('t2')), '(done,"Read a lot.")', 'can');
delete from reflections where by_user = t.user_id('s2') and reflection_id <> (select min(reflection_id::text)::uuid from reflections where by_user = t.user_id('s2'));
select is(worker.sweep_reflections(), 0, 'one that is being written is let be');
update reflections set lease_until = now() - interval '1 second' where by_user = t.user_id('s2');
select is(worker.sweep_reflections(), 1, 'one whose writer died ends');
select is((select (state, attempts, error_message <> '', lease_until is null)::text from reflections where by_user = t.user_id('s2')), '(failed,1,t,t)', 'in words');
select is(t.rows('s2', 'select api.reflection_end((select reflection_id from reflections where by_user = t.user_id(''s2'')), ''builtin'', ''late'')'), '1', 'who comes late');
select is((select summary from reflections where by_user = t.user_id('s2')), null, 'changes nothing');
select * from finish();
rollback;
