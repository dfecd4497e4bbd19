#!/bin/bash
# attacks.sh - what a raw connection as the app could try, over a real connection, and what it gets.
. "$(dirname "$0")/lib/cluster.bash"
cluster_start
db postgres -f "$here/lib/school.sql"
db postgres -c 'analyze'
token() { db postgres -At -c "select t.token('$1')"; }
student=$(token s1) admin=$(token a1)
failed=0 tried=0

# expect OUTCOME NAME SQL...: the last line that the statements print, or the SQLSTATE of the first error.
expect() {
    local want=$1 name=$2 got
    shift 2
    local args=()
    for sql in "$@"; do args+=(-c "$sql"); done
    got=$(PGUSER=edurag_app psql -X -q -At -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate "${args[@]}" 2>&1 | tail -n 1 | sed -n 's/^ERROR:  //; p')
    tried=$((tried + 1))
    if [ "$got" != "$want" ]; then
        echo "not ok - $name: got “$got”, wanted “$want”"
        failed=$((failed + 1))
    fi
}
as="set edurag.token = '$student'"

# Becoming somebody else.
expect 42501 'set role to the owner' 'set role edurag_owner'
expect 42501 'set role to the worker' 'set role edurag_worker'
expect 42501 'set session authorization' 'set session authorization edurag_owner'
expect 42501 'give itself bypassrls' 'alter role edurag_app bypassrls'
expect 42501 'join the owner' 'grant edurag_owner to edurag_app'
expect 42501 'make a role' 'create role evil superuser'
# Opening the tables.
expect 42501 'row security off' 'set row_security = off' 'select * from public.users'
expect 42501 'disable row security' 'alter table public.users disable row level security'
expect 42501 'no force' 'alter table public.users no force row level security'
expect 42501 'drop a policy' 'drop policy people_seen on public.users'
expect 42501 'a policy of its own' 'create policy evil on public.users using (true)'
expect 42501 'a trigger' 'create trigger evil after insert on public.users for each row execute function auth.users_changed()'
expect 42501 'a rule' 'create rule evil as on update to public.users do nothing'
expect 42501 'the keys' 'select secret from auth.signing_keys'
expect 42501 'the hashes' 'select password_hash from auth.credentials'
expect 42501 'somebody else'"'"'s session' 'update auth.sessions set revoked_at = null'
expect 42501 'signing' "select auth.hs256('x', 'y')"
expect 42501 'a session for the asking' "select auth.session_open('$(db postgres -At -c "select t.user_id('a1')")', null)"
expect 42501 'truncate' 'truncate public.audit_log'
# Making things that shadow.
expect 42501 'a temporary table' 'create temp table users (user_id uuid)'
expect 42501 'a temporary function' 'create function pg_temp.sha256(bytea) returns bytea language sql return $1'
expect 42501 'a domain in pg_temp' 'create domain pg_temp.uuid as text'
expect 42501 'a table in public' 'create table public.evil (x int)'
expect 42501 'an operator in public' 'create operator public.= (leftarg = uuid, rightarg = uuid, function = pg_catalog.uuid_ne)'
expect 42501 'a function in public' 'create function public.evil() returns int language sql return 1'
expect 42501 'a schema' 'create schema evil'
expect 42501 'a view' 'create view public.evil as select 1'
expect 42501 'replace a function' 'create or replace function auth.me() returns auth.person language sql return null'
expect 42501 'an extension' 'create extension dblink'
# The machine.
expect 42501 'copy to a program' "copy (select 1) to program 'id'"
expect 42501 'copy from a program' "copy public.users from program 'id'"
expect 42501 'copy to a file' "copy (select 1) to '/tmp/evil'"
expect 42501 'read a file' "select pg_read_file('postgresql.conf')"
expect 42501 'list files' "select pg_ls_dir('.')"
expect 42501 'import a large object' "select lo_import('/etc/passwd')"
expect 42501 'make a large object' "select lo_from_bytea(0, 'x')"
expect 42501 'load a library' "load 'auto_explain.so'"
expect 42501 'alter system' "alter system set log_statement = 'all'"
expect 42501 'reload' 'select pg_reload_conf()'
# Looking sideways.
expect 0 'statistics of a guarded table' "select count(*) from pg_stats where schemaname in ('public', 'auth')"
expect 42501 'raw statistics' 'select count(*) from pg_statistic'
expect 42501 'a sequence' 'select last_value from public.audit_log_audit_id_seq'
expect 42501 'advance a sequence' "select nextval('public.audit_log_audit_id_seq')"
expect 1 'an error inside WHERE tells nothing of hidden rows' "$as" \
    "select count(*) from public.search_history where 1 / (case when user_id <> (select (auth.me()).user_id) then 0 else 1 end) = 1"
expect 1 'a cast inside WHERE neither' "$as" \
    "select count(*) from public.turns where case when user_id <> (select (auth.me()).user_id) then (query || 'x')::int = 1 else true end"
expect 0 'a row estimate is not a row' "$as" "select count(*) from public.memory_facts where fact_id not in (select fact_id from public.memory_facts)"
expect 0 'a cursor held from before' 'begin' "set local edurag.token = '$admin'" 'declare c cursor with hold for select 1 from public.users where false' 'commit' 'select count(*) from public.users'
expect 0 'a plan made for another' "set edurag.token = '$admin'" 'set plan_cache_mode = force_generic_plan' 'prepare q as select count(*) from public.users' \
    'execute q' "set edurag.token = ''" 'execute q'
expect 2 'a plan made for another, the other way' "set edurag.token = '$admin'" 'prepare q as select count(*) from public.users' 'execute q' "$as" 'execute q'
expect 0 'a token set for one transaction' 'begin' "select set_config('edurag.token', '$admin', true) is null" 'commit' 'select count(*) from public.users'
expect 0 'the settings of others' "$as" "select count(*) from pg_settings where setting like 'eyJ%' and name <> 'edurag.token'"
expect 22P02 'a bad id is an error of its own' "$as" "select * from public.users where user_id = 'x'"
expect 0 'an injected OR' "$as" "select count(*) from public.memory_facts where fact = '' or user_id <> (select (auth.me()).user_id)"
expect 0 'a union' "$as" "select count(*) from (select fact from public.memory_facts where false union all select query from public.turns where user_id <> (select (auth.me()).user_id)) x"

# Even where an administrator was careless and gave TEMP and CREATE back, nothing can be shadowed.
db postgres -c 'grant temp, create on database edurag to edurag_app; grant create on schema public to edurag_app'
forged=$(db postgres -At -c "select token from t.bad where kind = 'forged key'")
expect '' 'an operator that says yes' 'create function public.yes(text, text) returns boolean language sql immutable return true' \
    'create operator public.= (leftarg = text, rightarg = text, function = public.yes)' 'set search_path = public, pg_catalog' \
    "set edurag.token = '$forged'" 'select (auth.me()).user_id'
expect '' 'an operator for bytea' 'create function public.yes(bytea, bytea) returns boolean language sql immutable return true' \
    'create operator public.= (leftarg = bytea, rightarg = bytea, function = public.yes)' 'set search_path = public, pg_catalog' \
    "set edurag.token = '$forged'" 'select (auth.me()).user_id'
expect '' 'a temporary table of users' 'create temp table users (user_id uuid, role text)' 'create temp table sessions (session_id uuid)' \
    'set search_path = pg_temp, public, pg_catalog' "set edurag.token = '$forged'" 'select (auth.me()).user_id'
expect 0 'a domain that peeks' 'create temp table stolen (x text)' \
    'create function pg_temp.peek(value text) returns boolean language plpgsql as $$ begin insert into pg_temp.stolen select encode(secret, '"'hex'"') from auth.signing_keys; return true; end $$' \
    'create domain pg_temp.text as pg_catalog.text check (pg_temp.peek(value))' 'set search_path = pg_temp, pg_catalog' \
    "set edurag.token = '$student'" 'select (auth.me()).user_id is null' 'select api.whoami() is null' 'select count(*) from pg_temp.stolen'

# The worker is no way around either.
PGUSER=edurag_worker
worker() { PGUSER=edurag_worker psql -X -q -At -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -c "$2" 2>&1 | grep -q "^ERROR:  $1" || { echo "not ok - worker: $2"; failed=$((failed + 1)); }; tried=$((tried + 1)); }
worker 42501 'set role edurag_owner'
worker 42501 'select * from auth.signing_keys'
worker 42501 'select answer from public.turns'
worker 42501 'select summary from public.reflections'
worker 42501 'select results from public.search_history'
worker 42501 'delete from public.memory_facts'
worker 42501 'update public.memory_facts set fact = fact'
worker 42501 'delete from public.erasures'
worker 42501 'delete from public.chat_messages'
worker 42501 'update public.users set name = name'
worker 42501 "select api.login('a1', 'x')"
worker 42501 'select auth.me()'

echo "$tried attacks, $failed got through"
[ "$failed" = 0 ]
