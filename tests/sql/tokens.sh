#!/bin/bash
# tokens.sh - who is logged in while a school gets the schema that knows tokens by their digest stays logged in.
. "$(dirname "$0")/lib/cluster.bash"
schema=011 cluster_start
failed=0
token_of() { db edurag_app -At -c "select api.login('$1', 'a good password') ->> 'token'"; }
who() { PGOPTIONS="-c edurag.token=$1" db edurag_app -At -c "select coalesce((auth.me()).institution_id, '-')"; }
expect() {
    [ "$2" = "$3" ] || { echo "$1: $2, not $3"; failed=1; }
}
for id in stays leaves rises twin1 twinl; do
    db edurag_owner -c "select auth.user_add(null, '$id', 'N', 'student', 'a good password')" >/dev/null
done
before=$(token_of stays)
db edurag_owner -c 'select auth.key_rotate()' >/dev/null
stays=$(token_of stays) leaves=$(token_of leaves) rises=$(token_of rises)
for token in "$before" "$stays"; do
    expect 'before' "$(who "$token")" stays
done
db edurag_owner -c "update auth.sessions set revoked_at = now() where user_id = (select user_id from users where institution_id = 'leaves')
    ; update users set role = 'teacher' where institution_id = 'rises'"
for file in "$root"/sql/migrations/*.sql; do
    [[ "$(basename "$file")" < 011 ]] || db edurag_owner -1 -f "$file"
done
expect 'signed with the older key' "$(who "$before")" stays
expect 'signed with the newer key' "$(who "$stays")" stays
expect 'revoked' "$(who "$leaves")" -
expect 'another role since' "$(who "$rises")" -
expect 'who logs in again' "$(who "$(token_of rises)")" rises
expect 'sessions with a token' "$(db edurag_owner -At -c 'select count(*) from auth.sessions where token_sha256 is not null and revoked_at is null')" 4
expect 'two that look alike stay' "$(db edurag_owner -At -c "select count(*), count(id_skeleton), count(name_skeleton) from users")" '5|4|5'
expect 'and their old token is theirs' "$(who "$(token_of twinl)")" twinl
[ $failed = 0 ] && echo "tokens live on"
exit $failed
