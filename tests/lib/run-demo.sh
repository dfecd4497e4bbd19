#!/bin/bash
# run-demo.sh - what `make run` does: a school of its own with demo accounts and lessons, and a way in.
#
# `tests/lib/run-demo.sh build`. The school lives in DEMO_DIR (default: a directory under $XDG_STATE_HOME, or
# /var/lib/edurag-demo as root) and is there again at the next run; `rm -r` it to start anew. With a terminal it opens
# the student's screen, without one it makes a scripted visit. Everything it started ends with it. Beside one that runs
# already it joins that school as another person.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${DEMO_BUILD:-$PWD/${1:-build}}
if [ "$(id -u)" = 0 ]; then home=${DEMO_DIR:-/var/lib/edurag-demo}; else home=${DEMO_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/edurag-demo}; fi
say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
[ -x "$build/eduragd" ] && [ -x "$build/edurag" ] || fail "Build it first: make"
mkdir -p "$home/people" && chmod 711 "$home" && chmod 700 "$home/people" || fail "$home can't be written. Set DEMO_DIR to a directory of yours."

# as PERSON COMMAND...: one command as that person; each keeps a login of their own.
as() { local who=$1; shift; XDG_STATE_HOME=$home/people/$who "$build/edurag" "$@"; }
password_of() { cat "$home/people/$1.password"; }
log_in() { password_of "$1" | as "$1" login "$1" >/dev/null 2>&1; }
# Waits until the school answers, while "$@" succeeds.
wait_for_school() {
    for _ in $(seq 300); do
        "$@" || return 1
        "$build/edurag" ping >/dev/null 2>&1 && return
        sleep 0.1
    done
    return 1
}
# Nobody is two people at once: who sits at which terminal is a lock for as long as this runs.
sit_as() { exec 9>"$home/people/$1.lock" && flock -n 9; }

exec 8>"$home/lock"
if ! flock -n 8; then
    say "A school runs in $home already; joining it."
    someone_runs() { ! flock -n 8; }
    export EDURAG_SERVER
    for _ in $(seq 300); do [ -s "$home/socket" ] && break; sleep 0.1; done
    EDURAG_SERVER=unix:$(cat "$home/socket" 2>/dev/null)
    wait_for_school someone_runs || fail "The school in $home does not answer. Is it ending just now? Try again in a moment."
    for who in t1001 a1001 s1001 ''; do
        [ -n "$who" ] && [ -s "$home/people/$who.password" ] && sit_as "$who" && break
    done
    [ -n "$who" ] || fail "Everybody of the demo school is here already: end one of the others, or EDURAG_SERVER=$EDURAG_SERVER $build/edurag"
    log_in "$who" || fail "$who could not log in."
    say "  You are $who (password $(password_of "$who"))."
    if [ -t 0 ] && [ -t 1 ]; then as "$who"; else as "$who" whoami && as "$who" courses; fi
    exit
fi

# A Unix socket's path has at most 107 bytes, and the unprivileged server must be able to make it.
run=$(mktemp -d /tmp/edurag-demo.XXXXXX) || exit 1
chmod 777 "$run"
server=
finish() {
    trap - EXIT INT TERM HUP
    if [ -n "$server" ] && kill -TERM "$server" 2>/dev/null; then
        for _ in $(seq 200); do kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
        kill -KILL "$server" 2>/dev/null
        wait "$server" 2>/dev/null
    fi
    rm -rf "$run" "$home/socket"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Whatever the surroundings say, the demo school is its own.
for name in $(compgen -e | grep -E '^(EDURAG_|HINDSIGHT_|GEMINI_|OPENAI_)'); do
    case $name in EDURAG_MEMORY | EDURAG_EMBEDDINGS | EDURAG_GENERATION | EDURAG_LOG | EDURAG_TEST_* | HINDSIGHT_* | GEMINI_* | OPENAI_*) ;; *) unset "$name" ;; esac
done
export EDURAG_NAME='Linden School' EDURAG_ENVIRONMENT=development EDURAG_DATA_DIR=$home/data
export EDURAG_LISTEN=${DEMO_LISTEN:-off} EDURAG_SOCKET=$run/socket EDURAG_BCRYPT_COST=10 EDURAG_RATE_PERSON=600

say "Starting the school in $home"
rm -f "$home/socket"
"$build/eduragd" >"$run/log" 2>&1 8>&- &
server=$!
# Ready is when the socket answers a request.
export EDURAG_SERVER=unix:$run/socket
alive() { kill -0 "$server" 2>/dev/null; }
wait_for_school alive || {
    tail -n 15 "$run/log" >&2
    alive && fail "The server does not answer."
    server=
    fail "The server has stopped. Its last words stand above. To start the school anew: rm -r $home"
}

# person ROLE ID PASSWORD NAME: made once, with a password that can be read off a screen.
person() {
    local role=$1 id=$2 password=$3 name=$4 first
    if [ ! -s "$home/people/$id.password" ]; then
        first=$("$build/eduragd" user add --role "$role" "$id" "$name" 2>>"$run/log") ||
            first=$("$build/eduragd" user reset "$id" 2>>"$run/log") || fail "The account $id could not be made: $(tail -n 1 "$run/log")"
        printf '%s\n' "$first" | as "$id" login "$id" >/dev/null 2>&1 || fail "$id could not log in."
        printf '%s\n%s\n' "$first" "$password" | as "$id" password >/dev/null 2>&1 || fail "The password of $id could not be set."
        printf '%s\n' "$password" >"$home/people/$id.password"
    fi
    log_in "$id" || fail "$id could not log in. To start anew: rm -r $home"
}
person student s1001 demo-student-1001 'Maria Okafor'
person teacher t1001 demo-teacher-1001 'D. Novak'
person admin a1001 demo-admin-1001 'L. Oka'

# A course with the student in it; both calls change nothing the second time.
as t1001 courses create BIO101 Biochemistry 101 >/dev/null 2>&1
as t1001 courses enrol BIO101 s1001 >/dev/null 2>&1

lessons=$(ls "$build"/demo/*.pdf 2>/dev/null)
if [ -n "$lessons" ]; then
    as t1001 upload --wait $lessons >"$run/lessons" 2>&1 || say "Not every lesson is in the library: $(tail -n 1 "$run/lessons")"
fi

echo "$run/socket" >"$home/socket"
say
say "  The demo school has these people (number, password):"
say "    student  s1001  demo-student-1001"
say "    teacher  t1001  demo-teacher-1001"
say "    admin    a1001  demo-admin-1001"
say "  Another terminal gets in with: EDURAG_SERVER=$EDURAG_SERVER $build/edurag"
say

if [ -t 0 ] && [ -t 1 ]; then
    sit_as s1001
    as s1001
    exit
fi

# Nobody is watching a screen: a visit through the socket, told line by line. A step that this server does
# not offer (exit code 9) is told as such; another failure ends the visit.
step() {
    printf '\n$ edurag %s\n' "${*:2}"
    as "$@" 2>&1
    local code=$?
    case $code in
        0) ;;
        9) echo "(this server does not offer that)" ;;
        *) echo "(that went wrong: exit code $code)"; failed=1 ;;
    esac
}
failed=0
echo "Maria Okafor, a student, visits:"
step s1001 whoami
step s1001 info
step s1001 courses
if [ -n "$lessons" ]; then
    step s1001 library
    step s1001 search --limit 3 enzymes lower the activation energy
    step s1001 ask what does an enzyme do to the activation energy
    pdf=$(as s1001 search --json enzyme 2>/dev/null | sed -n 's/.*"pdf_id":"\([^"]*\)".*/\1/p' | head -n 1)
    [ -z "$pdf" ] || step s1001 read "$pdf" 1
    step s1001 memory
    step s1001 recommend
fi
step s1001 chat send Hello from the demo
echo
echo "D. Novak, her teacher, looks:"
step t1001 courses members BIO101
step t1001 chat read
[ "$failed" = 0 ] && { echo; echo "The visit went well."; }
exit "$failed"
