#!/bin/bash
# headless.sh - edurag for scripts against a real server: logins, calls, pipes, exit codes, certificates, files kept.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
dir=$(mktemp -d /tmp/edurag-headless.XXXXXX) && chmod 755 "$dir" || exit 2
server= port=0 failed=0
stop() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    for _ in $(seq 150); do kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}
trap 'stop; rm -rf "$dir"' EXIT

unset EDURAG_TOKEN EDURAG_DATABASE_URL HINDSIGHT_URL GEMINI_API_KEY OPENAI_API_KEY
export XDG_STATE_HOME=$dir/state EDURAG_NAME='Linden School' EDURAG_DATA_DIR=$dir/data EDURAG_SOCKET=$dir/run/socket
export EDURAG_BCRYPT_COST=4 EDURAG_RATE_PERSON=6000 EDURAG_TEST_UNSAFE_DATABASE=1 EDURAG_LOG=info
export EDURAG_TLS_CERT=$dir/cert.pem EDURAG_TLS_KEY=$dir/key.pem
mkdir -m 777 "$dir/run"

certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=Linden School' \
        -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null && chmod 644 "$dir/key.pem" "$dir/cert.pem"
}
start() {
    EDURAG_LISTEN=127.0.0.1:$port "$build/eduragd" >"$dir/log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        kill -0 "$server" 2>/dev/null || { cat "$dir/log"; exit 1; }
        grep -q 'event=ready\|event=serving' "$dir/log" || "$build/edurag" --server "unix:$EDURAG_SOCKET" ping >/dev/null 2>&1 && break
        sleep 0.1
    done
    port=$(sed -n 's/.*event=listening.*address=127.0.0.1:\([0-9]*\).*/\1/p' "$dir/log" | head -n 1)
}
# expect CODE PATTERN COMMAND...: the exit code, and a pattern in what was printed (both streams).
expect() {
    local code=$1 pattern=$2 got
    shift 2
    said=$("$@" 2>&1 </dev/null)
    got=$?
    if [ "$got" != "$code" ] || ! grep -qE -- "$pattern" <<<"$said"; then
        echo "FAIL ${*#"$build"/}: exit $got, expected $code and “$pattern”:"
        printf '%s\n' "$said" | head -n 12
        failed=1
    fi
}
edurag() { "$build/edurag" "$@"; }
log_in() { printf '%s\n' "$2" | edurag login "$1"; }

certificate
start
export EDURAG_SERVER=unix:$EDURAG_SOCKET
password=$("$build/eduragd" user add --role student s1 'Maria Okafor') || { echo "no account"; exit 1; }
teacher=$("$build/eduragd" user add --role teacher t1 'D. Novak')

# What a method takes and gives, as this server says it.
expect 0 "edurag call chat.send '\{" edurag help chat.send
expect 2 'no method “chat.sing”' edurag help chat.sing

# Every command with an argument that is empty, endless, or no text: a sentence, and never a signal.
long=$(head -c 100000 /dev/zero | tr '\0' x)
while read -r words; do
    for argument in '' "$long" $'\xff\xfe' '-' '--'; do
        # shellcheck disable=SC2086
        said=$(EDURAG_SERVER=unix:/nonexistent edurag $words "$argument" 2>&1 </dev/null)
        code=$?
        [ "$code" -lt 128 ] || { echo "FAIL edurag $words “${argument:0:20}”: signal $((code - 128))"; failed=1; }
        [ "$code" = 0 ] || [ -n "$said" ] || { echo "FAIL edurag $words “${argument:0:20}”: nothing said"; failed=1; }
    done
done < <("$build/edurag" help | sed -n 's/^  \([a-z]\{1,\}\( [a-z]\{1,\}\)*\)  .*/\1/p')
for words in search ask 'chat send' library students users 'memory add' 'memory recall' 'courses create'; do
    expect 2 'is empty' edurag $words ''
done

# Who is it? Nobody, somebody, nobody.
expect 4 'edurag login' edurag whoami
expect 4 . log_in s1 wrong-password
expect 0 'Maria Okafor, student' log_in s1 "$password"
expect 0 'school number s1' edurag whoami
[ "$(stat -c %a "$XDG_STATE_HOME/edurag/tokens")" = 600 ] || { echo "FAIL: the token can be read by others"; failed=1; }
[ "$(edurag whoami --json 2>/dev/null | wc -l)" = 1 ] || { echo "FAIL: --json is not one line"; failed=1; }
# The server knows this machine by a text that only this account reads; who forgets it is from anywhere.
[ "$(stat -c %a "$XDG_STATE_HOME/edurag/devices")" = 600 ] || { echo "FAIL: the device can be read by others"; failed=1; }
before=$(cat "$XDG_STATE_HOME/edurag/devices")
expect 0 . log_in s1 "$password"
[ "$(cat "$XDG_STATE_HOME/edurag/devices")" = "$before" ] || { echo "FAIL: another device at each login"; failed=1; }
[ "$(edurag --json devices | grep -o '"device_id"' | wc -l)" = 1 ] || { echo "FAIL: not one device"; failed=1; }
expect 0 'Forgotten' edurag devices forget "$(edurag --json devices | grep -oE '[0-9a-f]{8}-[0-9a-f-]{27}' | head -n 1)"
expect 0 . log_in s1 "$password"
[ "$(cat "$XDG_STATE_HOME/edurag/devices")" != "$before" ] || { echo "FAIL: a forgotten device is kept"; failed=1; }
(export XDG_STATE_HOME=$dir/shared EDURAG_SHARED_ACCOUNT=1; log_in s1 "$password" >/dev/null 2>&1)
[ ! -s "$dir/shared/edurag/devices" ] || { echo "FAIL: a shared account keeps a device"; failed=1; }
expect 0 '"institution_id": ?"s1"' edurag --json whoami
expect 0 '^edurag [0-9]' edurag --version

# Any method; each kind of failure has its code.
expect 0 '"time":' edurag call server.ping
expect 0 '"time":' edurag call server.ping '{}'
expect 2 'one JSON object' edurag call server.ping '[]'
expect 9 . edurag call no.such.method
expect 1 . edurag users
expect 2 . edurag call auth.logout '{"everywhere":7}'
expect 2 'It goes: edurag search' edurag search
expect 2 'no option' edurag --sever x
expect 5 "can't be reached" edurag --server unix:"$dir/nobody" ping
expect 5 "can't be reached" edurag --server ws://127.0.0.1:1 ping
expect 3 'starts with wss' edurag --server gopher://x ping
expect 3 'readable' edurag --server ws://school.example ping

# Every method of this server is behind a command, and the commands know no other of its groups.
commands=$(edurag help | sed -n 's/^  \([a-z][a-z -]*[a-z]\)   *[^ ].*/\1/p')
known=$(while IFS= read -r words; do edurag help $words | sed -n 's/^It calls \(.*\)\.$/\1/p'; done <<<"$commands" | tr ' ' '\n' | sort -u)
known="$known
auth.resume
rpc.cancel"
while IFS= read -r method; do
    grep -qx "$method" <<<"$known" || { echo "FAIL: no command calls $method"; failed=1; }
done < <(edurag call rpc.discover | sed 's/"x-notifications".*//' | tr ',{' '\n\n' | sed -n 's/^ *"name": *"\([a-z]*\.[a-z_]*\)".*/\1/p')

# JSON-RPC lines both ways: each request is answered once, in any order, and the end waits for the last.
answers=$(printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"auth.whoami"}' '[{"jsonrpc":"2.0","id":"a","method":"server.ping"}]' \
    'not json' '{"jsonrpc":"2.0","method":"server.ping"}' '{"jsonrpc":"2.0","id":0,"method":"server.ping"}' | edurag pipe)
[ "$(wc -l <<<"$answers")" = 4 ] && grep -q '"id":0' <<<"$answers" && grep -q '"id":"a"' <<<"$answers" && grep -q '"parse"' <<<"$answers" ||
    { echo "FAIL pipe: $answers"; failed=1; }
many=$(for i in $(seq 500); do echo '{"jsonrpc":"2.0","id":'"$i"',"method":"server.ping"}'; done | edurag pipe | wc -l)
[ "$many" = 500 ] || { echo "FAIL: 500 lines in, $many out"; failed=1; }

# Courses by their code; what is data and what is not.
expect 0 'D. Novak' env XDG_STATE_HOME="$dir/t1" bash -c 'printf "%s\n" "$1" | "$0" login t1' "$build/edurag" "$teacher"
id=$(XDG_STATE_HOME=$dir/t1 edurag courses create BIO Biology for all 2>/dev/null)
grep -qE '^[0-9a-f-]{36}$' <<<"$id" || { echo "FAIL: courses create printed “$id”"; failed=1; }
expect 0 '1 changed' env XDG_STATE_HOME="$dir/t1" "$build/edurag" courses enrol bio s1
expect 1 'There is no course' env XDG_STATE_HOME="$dir/t1" "$build/edurag" courses enrol nope s1
expect 0 'BIO +Biology for all' edurag courses
expect 0 'Welcome|search>' edurag --plain
grep -q 'Linden School. Logged in as Maria Okafor, student.' <<<"$said" || { echo "FAIL --plain: $said"; failed=1; }

# A new password ends other sessions, and the kept token is the new one.
printf '%s\nanother-password\n' "$password" | edurag password 2>/dev/null || { echo "FAIL: password"; failed=1; }
expect 0 'Maria' edurag whoami
expect 0 'Logged out' edurag logout
expect 4 . edurag whoami
for _ in 1 2 3 4 5; do log_in nobody wrong >/dev/null 2>&1; done
expect 6 . log_in nobody wrong

# TLS: an unknown certificate is asked about, kept once accepted, refused when it changes.
secure=wss://127.0.0.1:$port
expect 5 'edurag trust CODE' edurag --server "$secure" ping
code=$(edurag --server "$secure" trust)
expect 5 'not the code' edurag --server "$secure" trust "$(tr 0-9A-F 1-9A-F0 <<<"${code:0:1}")${code:1}"
expect 0 Kept edurag --server "$secure" trust "$code"
expect 0 time edurag --server "$secure" ping
stop
certificate
start
expect 5 'has changed' edurag --server "$secure" ping
grep -q "$(cut -c1-4 <<<"$code")" <<<"$said" || { echo "FAIL: the old code is not shown"; failed=1; }

# Completions come from the same table.
edurag completions bash >"$dir/edurag.bash" && bash -n "$dir/edurag.bash" || { echo "FAIL: completions bash"; failed=1; }
offered=$(bash -c 'source "$0"; COMP_WORDS=(edurag memory re); COMP_CWORD=2; _edurag; echo "${COMPREPLY[*]}"' "$dir/edurag.bash")
[ "$offered" = recall ] || { echo "FAIL: completion offers “$offered”"; failed=1; }
offered=$(bash -c 'source "$0"; COMP_WORDS=(edurag --server x se); COMP_CWORD=3; _edurag; echo "${COMPREPLY[*]}"' "$dir/edurag.bash")
[ "$offered" = search ] || { echo "FAIL: completion offers “$offered”"; failed=1; }
expect 0 'complete -c edurag' edurag completions fish

[ "$failed" = 0 ] && echo "All as it should be."
exit "$failed"
