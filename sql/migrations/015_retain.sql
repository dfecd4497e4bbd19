-- 015_retain.sql - a fact that somebody asked to keep, and that could not be stored, is no refusal of its words.

-- As in 011: no row comes back where the second lock (no_contact_details) refuses, and what led to a fact must not fail
-- for it. But who said it themselves is told that the disk is full, and tries again.
create or replace function auth.fact_keep(person uuid, fact text, fact_key text, source text, topic text, course_id uuid, state text)
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
