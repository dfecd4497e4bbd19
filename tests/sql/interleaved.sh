#!/bin/bash
# interleaved.sh - who is put where, and silenced, while they or the caller change.
. "$(dirname "$0")/lib/cluster.bash"
cluster_start
db postgres -f "$here/lib/school.sql"
. "$here/lib/interleave.bash"
nobody_new="not exists (select from enrolments where course_id = t.id('bio') and user_id = t.user_id('s2'))"
enrol="api.enrol(t.id('bio'), '{s2}') ->> 'changed'"
person() { echo "update users set $2 where user_id = t.user_id('$1')"; }

interleave 'enrolled while becoming a teacher' "$(person s2 "role = 'teacher'")" t1 "$enrol" 0 "$nobody_new"
value "$(person s2 "role = 'student'")"
interleave 'enrolled while being disabled' "$(person s2 'disabled = true')" t1 "$enrol" 0 "$nobody_new"
value "$(person s2 'disabled = false')"
interleave 'enrolling while losing the role' "$(person t1 "role = 'student'")" t1 "$enrol" ER403 "$nobody_new"
value "$(person t1 "role = 'teacher'")"
interleave 'enrolling while being disabled' "$(person t1 'disabled = true')" t1 "$enrol" ER401 "$nobody_new"
value "$(person t1 'disabled = false')"
interleave 'enrolling while the course goes to another' "update courses set teacher_id = t.user_id('t2') where course_id = t.id('bio')" t1 "$enrol" ER404 "$nobody_new"
value "update courses set teacher_id = t.user_id('t1') where course_id = t.id('bio')"
interleave 'taking out while the course goes to another' "update courses set teacher_id = t.user_id('t2') where course_id = t.id('bio')" \
    t1 "api.enrol(t.id('bio'), '{s1}', true)" ER404 "exists (select from enrolments where course_id = t.id('bio') and user_id = t.user_id('s1'))"
value "update courses set teacher_id = t.user_id('t1') where course_id = t.id('bio')"
interleave 'leaving while an admin assigns' "select from courses where course_id = t.id('bio') for no key update; update enrolments set assigned = true where user_id = t.user_id('s1')" \
    s1 "api.leave(t.id('bio'))" ER403 "exists (select from enrolments where course_id = t.id('bio') and user_id = t.user_id('s1'))"
interleave 'leaving while being disabled' "$(person s1 'disabled = true')" s1 "api.leave(t.id('bio'))" ER401
value "$(person s1 'disabled = false')"
mute="api.chat_mute(null, t.user_id('s2'), 60)"
quiet="not exists (select from mutes where user_id = t.user_id('s2'))"
interleave 'muting who becomes an admin' "$(person s2 "role = 'admin'")" a1 "$mute" ER403 "$quiet"
value "$(person s2 "role = 'student'")"
interleave 'muting while losing the role' "$(person a1 "role = 'teacher'")" a1 "$mute" ER403 "$quiet"
value "$(person a1 "role = 'admin'")"
interleave 'looking while losing the role' "$(person t1 "role = 'student'")" t1 "api.reflection_begin(t.user_id('s1'))" ER404
value "$(person t1 "role = 'teacher'")"
interleave 'looking while being disabled' "$(person t1 'disabled = true')" t1 "api.reflection_begin(t.user_id('s1'))" ER401
value "$(person t1 'disabled = false')"
interleave 'looking at who becomes a teacher' "$(person s1 "role = 'teacher'")" t1 "api.reflection_begin(t.user_id('s1'))" ER403
value "$(person s1 "role = 'student'")"
held="select from chat_rooms where course_id = t.id('bio') for no key update"
said="not exists (select from chat_messages where text = 'late')"
speak="api.chat_send(t.id('bio'), 'late') ->> 'seq'"
value "delete from mutes"
interleave 'speaking while being taken out' "$held; delete from enrolments where user_id = t.user_id('s1')" s1 "$speak" ER404 "$said"
value "insert into enrolments (course_id, user_id) values (t.id('bio'), t.user_id('s1'))"
interleave 'speaking while being disabled' "$held; $(person s1 'disabled = true')" s1 "$speak" ER401 "$said"
value "$(person s1 'disabled = false')"
interleave 'speaking while being muted' "$held; insert into mutes (room_id, user_id, until) values (t.id('bio'), t.user_id('s1'), now() + interval '1 hour')" s1 "$speak" ER403 "$said"
value "delete from mutes"
interleave 'enrolling who is erased' "delete from users where user_id = t.user_id('s2')" t1 "$enrol" 0
interleave 'speaking where the course ends' "delete from courses where course_id = t.id('bio')" s1 "$speak" ER404 "$said"
interleave 'removing a line while losing the role' "$(person a1 "role = 'teacher'")" a1 "api.chat_delete(t.id('line'))" ER403 \
    "exists (select from chat_messages where message_id = t.id('line'))"
value "$(person a1 "role = 'admin'")"
interleave 'forgetting what is just being sent' "update memory_facts set state = 'sent', operation_id = gen_random_uuid(), run_after = now() + interval '1 minute' where user_id = t.user_id('s1')" \
    s1 "api.forget(null) #>> '{forgotten,facts}'" 1 "(select string_agg(kind, ',' order by kind) from erasures where user_id = t.user_id('s1') and state = 'pending') like '%fact%'"
interleave 'forgetting while being disabled' "$(person s1 'disabled = true')" s1 "api.forget(null)" ER401
value "$(person s1 'disabled = false')"
interleave_done
