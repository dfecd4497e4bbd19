#!/bin/bash
# proof.sh - a secret or a role that is over while a call waits is worth nothing to that call.
. "$(dirname "$0")/lib/cluster.bash"
cluster_start
db postgres -f "$here/lib/school.sql"
. "$here/lib/interleave.bash"
value "create table t.got (token text);
create function t.alive() returns boolean language sql volatile begin atomic select coalesce(bool_or((auth.verify(g.token)).user_id is not null), false) from t.got g; end;
create procedure t.fresh() language plpgsql as \$\$ begin
    delete from t.got;
    delete from auth.login_failures;
    insert into users (user_id, institution_id, name, role) select user_id, who, who, 'student' from t.who on conflict do nothing;
    update users u set disabled = false, role = case left(w.who, 1) when 't' then 'teacher' when 'a' then 'admin' else 'student' end
      from t.who w where w.user_id = u.user_id;
    perform auth.password_set(user_id, 'password-' || who) from t.who;
    update t.who set token = api.login(who, 'password-' || who, 'fresh') ->> 'token';
end \$\$;
grant insert, select on t.got to public" >/dev/null
try() { value 'call t.fresh()'; interleave "$@"; }
person() { echo "update users set $2 where user_id = t.user_id('$1')"; }
as() { echo "select set_config('edurag.token', t.token('$1'), true)"; }
me="t.user_id('s1')"
reset="select auth.user_reset(null, $me)"
disable="select auth.user_change(null, $me, null, null, true)"
everywhere="$(as s1); select api.logout(true)"
changed="$(as s1); select api.change_password('password-s1', 'a new password')"
erased="$(as a1); select api.user_delete($me)"
login="coalesce((x -> 'error' ->> 'reason'), 'in') from (select api.login('s1', 'password-s1', 'x') as x offset 0) l"
change="coalesce((x -> 'error' ->> 'reason'), 'done') from (select api.change_password('password-s1', 'of my own') as x offset 0) l"
refresh="api.refresh() ? 'token'"
nobody="not exists (select from auth.sessions s join users u using (user_id) where u.user_id = $me and s.revoked_at is null and s.epoch = u.token_epoch)"
mine_is_not_set="(auth.password_proof($me, 'of my own')).proven is null"

# Whoever is on the way in, or has a token, while all of their logins are ended.
for end in "reset|$reset" "disable|$disable" "erased|$erased"; do
    name=${end%%|*} sql=${end#*|}
    try "$name: login" "$sql" - "$login" unauthenticated "$nobody"
    try "$name: change_password" "$sql" s1 "$change" ER401 "$nobody and $mine_is_not_set"
    try "$name: refresh" "$sql" s1 "$refresh" ER401 "$nobody"
    try "$name: logout" "$sql" s1 'api.logout(true)' ER401 "$nobody"
    value 'call t.fresh()'
    value "update users set last_active_at = null where user_id = $me"
    interleave "$name: resume" "$sql" - "coalesce(api.resume(t.token('s1'))::text, 'nobody')" nobody "$nobody"
done
try 'everywhere: login' "$everywhere" - "$login" unauthenticated "$nobody"
try 'everywhere: change_password' "$everywhere" s1 "$change" ER401 "$nobody"
try 'everywhere: refresh' "$everywhere" s1 "$refresh" ER401 "$nobody"
only_one="(select count(*) = 1 from auth.sessions s join users u using (user_id) where u.user_id = $me and s.revoked_at is null and s.epoch = u.token_epoch)"
try 'change_password: login with the old one' "$changed" - "$login" unauthenticated "$only_one"
try 'change_password: refresh' "$changed" s1 "$refresh" ER401 "$only_one"
try 'change_password: another' "$changed" s1 "$change" ER401 "$only_one"
try 'change_password: logout' "$changed" s1 'api.logout()' ER401 "$only_one"
try 'refresh: logout' "$(as s1); select api.refresh()" s1 'api.logout()' ER401
try 'refresh: another' "$(as s1); select api.refresh()" s1 "$refresh" ER401

# The other way round: who came first is in, and then out.
in="insert into t.got select api.login('s1', 'password-s1', 'x') ->> 'token'"
try 'login: reset' "$in" edurag_owner "auth.user_reset(null, $me) is not null" t 'not t.alive()'
try 'login: disable' "$in" edurag_owner "auth.user_change(null, $me, null, null, true) is not null" t 'not t.alive()'
try 'login: everywhere' "$in" s1 'api.logout(true)' '{}' 'not t.alive()'
try 'login: erased' "$in" a1 "api.user_delete($me)" '{}' 'not t.alive()'
again="$(as s1); insert into t.got select api.refresh() ->> 'token'"
try 'refresh: reset' "$again" edurag_owner "auth.user_reset(null, $me) is not null" t 'not t.alive()'
changing="$(as s1); insert into t.got select api.change_password('password-s1', 'of my own') ->> 'token'"
try 'change_password: reset' "$changing" edurag_owner "auth.user_reset(null, $me) is not null" t "not t.alive() and $mine_is_not_set"

# Disabled in between and enabled again: what was begun before is not in.
try 'disable and enable: login' "$disable; select auth.user_change(null, $me, null, null, false)" - "$login" unauthenticated "$nobody"

# An old hash is renewed by one login while another has checked it: both are in, and a reset stays.
renewable="select auth.configure('{\"bcrypt_cost\": 5}'); select api.login('s1', 'password-s1', 'y')"
try 'renewed: login' "$renewable" - "$login" in
value "select auth.configure('{\"bcrypt_cost\": 4}')" >/dev/null
value 'call t.fresh()'
value "select auth.configure('{\"bcrypt_cost\": 5}')" >/dev/null
interleave 'reset: a login that renews' "$reset" - "$login" unauthenticated "(auth.password_proof($me, 'password-s1')).proven is null"
value "select auth.configure('{\"bcrypt_cost\": 4}')" >/dev/null

# Keys: what a retired one signed is over, whoever came first.
try 'rotated twice: login' 'select auth.key_rotate(), auth.key_rotate()' - "$login" in \
    "not exists (select from auth.sessions s join auth.signing_keys k using (kid) where s.revoked_at is null and k.retired_at is not null)"
try 'login: rotated twice' "$in" edurag_owner '(auth.key_rotate() is not null)::text || (auth.key_rotate() is not null)::text' truetrue 'not t.alive()'

# An admin who is one no longer.
for end in "$(person a1 "role = 'teacher'")|ER403" "$(person a1 'disabled = true')|ER401" "update users set token_epoch = token_epoch + 1 where user_id = t.user_id('a1')|ER401"; do
    sql=${end%|*} code=${end##*|}
    try "$sql: create" "$sql" a1 "api.user_create('fresh', 'F', 'admin', 'a good password')" "$code" "not exists (select from users where institution_id = 'fresh')"
    try "$sql: promote" "$sql" a1 "api.user_update(t.user_id('s2'), null, 'admin')" "$code" "(select role = 'student' from users where user_id = t.user_id('s2'))"
    try "$sql: reset" "$sql" a1 "api.user_reset_password($me)" "$code" "(auth.password_proof($me, 'password-s1')).proven is not null"
    try "$sql: delete" "$sql" a1 "api.user_delete($me)" "$code" "exists (select from users where user_id = $me)"
    try "$sql: import" "$sql" a1 "api.audit('users.import', null, '{}')" "$code"
done
# Two admins who put each other out: one stays.
value 'call t.fresh()'
value "update users set role = 'admin' where user_id = t.user_id('t1')"
interleave 'each other' "$(as a1); select api.user_update(t.user_id('t1'), null, null, true)" t1 "api.user_update(t.user_id('a1'), null, null, true)" \
    ER401 "(select count(*) = 1 from users where role = 'admin' and not disabled)"
value 'call t.fresh()'
value "update users set role = 'admin' where user_id = t.user_id('t1')"
interleave 'each other, one by erasing' "$(as a1); select api.user_delete(t.user_id('t1'))" t1 "api.user_update(t.user_id('a1'), null, null, true)" \
    ER401 "(select count(*) = 1 from users where role = 'admin' and not disabled)"

# Blind: logins in flight while the password is reset, fifty times; the old password leaves nobody in.
value "select auth.configure('{\"bcrypt_cost\": 7}')" >/dev/null
value 'call t.fresh()'
for ((i = 0; i < 50; i++)); do
    value "delete from auth.login_failures; select auth.password_set($me, 'password-s1')" >/dev/null
    pids=()
    for k in 1 2 3; do
        try="select api.login('s1', 'password-s1', 'blind$k') ? 'token'"
        PGUSER=edurag_app psql -X -q -At -c "$try" -c "$try" -c "$try" -c "$try" >>"$dir/blind.$k" 2>&1 &
        pids+=($!)
    done
    db postgres -c "select pg_sleep(0.03 * random())" -c "$reset" >/dev/null
    wait "${pids[@]}" || true
    [ "$(value "select $nobody")" = t ] || say "blind: reset $i left a session"
done
grep -q '^t$' "$dir"/blind.* && grep -q '^f$' "$dir"/blind.* || say 'blind: nothing was in flight'
! grep -h ERROR "$dir"/blind.* || say 'blind: a login stopped'
interleave_done
