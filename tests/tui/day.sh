#!/bin/bash
# day.sh - the day of each role at a real terminal against a real server: tmux is the eyes and the fingers.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${EDURAG_BUILD:-$PWD/build}
for program in eduragd edurag edurag-extractor; do
    [ -x "$build/$program" ] || { echo "skipped: $program is not built"; exit 77; }
done
command -v tmux >/dev/null || { echo "skipped: tmux is not here"; exit 77; }
work=$(mktemp -d /tmp/edurag-day.XXXXXX) || exit 2
chmod 755 "$work"
mkdir -m 777 "$work/run" "$work/server"
unset TMUX TMUX_PANE
for name in $(compgen -e | grep -E '^(EDURAG_|HINDSIGHT_|GEMINI_|OPENAI_)'); do unset "$name"; done
server=
finish() {
    tmux -S "$work/tmux" kill-server 2>/dev/null
    [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null && wait "$server" 2>/dev/null; }
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
# The address sanitizer keeps its words for itself: standard error is the terminal.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:log_path=$work/asan
export LANG=C.UTF-8 EDURAG_ENVIRONMENT=development EDURAG_NAME='Linden School' EDURAG_LISTEN=off EDURAG_BCRYPT_COST=4
export EDURAG_DATA_DIR=$work/server/data EDURAG_SOCKET=$work/run/socket EDURAG_RATE_PERSON=600
export EDURAG_SERVER=unix:$EDURAG_SOCKET

fail() {
    echo "FAILED: $*"
    echo "--- the screen of ${who:-nobody}:"
    screen
    echo "--- the server:"
    tail -n 5 "$work/log"
    cat "$work"/asan* 2>/dev/null | head -40
    exit 1
}
tm() { tmux -S "$work/tmux" "$@"; }
screen() { tm capture-pane -p -t "$who" 2>/dev/null; }
sees() { # sees TEXT [SECONDS]
    local i
    for ((i = 0; i < ${2:-20} * 10; i++)); do
        screen | grep -qF -- "$1" && return
        sleep 0.1
    done
    fail "$who does not see “$1”"
}
not() { screen | grep -qF -- "$1" && fail "$who sees “$1”"; return 0; }
press() { local key; for key in "$@"; do tm send-keys -t "$who" "$key"; sleep 0.08; done; }
type() { tm send-keys -t "$who" -l -- "$1"; sleep 0.08; }
serve() {
    "$build/eduragd" >>"$work/log" 2>&1 &
    server=$!
    for _ in $(seq 600); do
        "$build/edurag" ping >/dev/null 2>&1 && return
        kill -0 "$server" 2>/dev/null || { tail -n 5 "$work/log"; server=; fail "the server has stopped"; }
        sleep 0.1
    done
    fail "the server does not answer"
}
# sits PERSON: at a terminal of 80x24 with a home of their own
sits() {
    who=$1
    local command="XDG_STATE_HOME=$work/home/$who XDG_CONFIG_HOME=$work/home/$who HOME=$work/home/$who exec $build/edurag"
    mkdir -p "$work/home/$who"
    if tm has-session 2>/dev/null; then tm new-session -d -s "$who" -x 80 -y 24 "$command"; else tmux -S "$work/tmux" -f /dev/null new-session -d -s "$who" -x 80 -y 24 "$command"; fi
    tm set-option -t "$who" status off >/dev/null
    tm resize-window -t "$who" -x 80 -y 24
}
logs_in() {
    sees 'School number'
    type "$1"
    press Enter
    type "$2"
    press Enter
}
turns_to() { who=$1; }

# A PDF of one page: the text is set in lines of Helvetica.
paper() { # paper FILE LINES...
    local file=$1 stream at n out='%PDF-1.4' offsets=()
    shift
    stream='BT /F1 11 Tf 60 760 Td 14 TL'
    for at in "$@"; do stream+=$'\n'"($at) Tj T*"; done
    stream+=$'\nET'
    local objects=('<< /Type /Catalog /Pages 2 0 R >>' '<< /Type /Pages /Kids [3 0 R] /Count 1 >>'
        '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>'
        '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'
        "<< /Length ${#stream} >>"$'\nstream\n'"$stream"$'\nendstream')
    out+=$'\n'
    for n in 1 2 3 4 5; do
        offsets+=(${#out})
        out+="$n 0 obj"$'\n'"${objects[n - 1]}"$'\nendobj\n'
    done
    at=${#out}
    out+=$'xref\n0 6\n0000000000 65535 f \n'
    for n in "${offsets[@]}"; do out+=$(printf '%010d 00000 n ' "$n")$'\n'; done
    out+=$'trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n'"$at"$'\n%%EOF\n'
    printf '%s' "$out" >"$file"
}
paper "$work/Malonate.pdf" 'Enzymes can be slowed down by molecules that look like their substrate.' \
    'Malonate is a competitive inhibitor of succinate dehydrogenase.' \
    'It has the two acid groups of succinate, but one carbon less between them.' \
    'The citric acid cycle waits at that step until malonate has gone.' \
    'A higher amount of succinate brings the rate back to what it was before.'
printf '%%PDF-1.4\nthis is not what it says\n' >"$work/Broken.pdf"

serve
declare -A password
for person in 's1 student Maria Okafor' 't1 teacher D. Novak' 'a1 admin L. Oka'; do
    read -r id role name <<<"$person"
    password[$id]=$("$build/eduragd" user add --role "$role" "$id" "$name" 2>>"$work/log") || fail "no account for $id"
done

echo "A teacher adds a good document and a broken one."
sits teacher
logs_in t1 "${password[t1]}"
sees '[Search]'
press Escape g l
sees 'There are no documents yet. Press a to add a PDF.'
press a C-u
type "$work/Mal"
press Tab
sees 'Malonate.pdf'
press Enter
sees 'The open library'
press Enter
sees 'Malonate is ready: 1 page can be searched now.' 60
press a C-u
type "$work/Broken.pdf"
press Enter
sees 'The open library'
press Enter
sees 'failed' 60
sees 'Being added'
press a C-u
type "$work/nothing.pdf"
press Enter Enter
sees 'There is no such file.'

echo "A student mistypes, logs in, searches, reads, asks and asks on."
sits student
logs_in s1 'not-the-password'
sees 'School number or password is not right.'
type "${password[s1]}"
press Enter
sees '[Search]'
type 'malonate'
sees 'competitive inhibitor'
press Enter
sees '1 of 1'
press o
sees '[Reader]'
sees 'p. 1 of 1'
sees '│'
press Escape
sees '[Search]'
press s
type 'what slows succinate dehydrogenase down?'
press Enter
sees '── Answer'
sees '= word for word'
sees '[1] Malonate p. 1'
press 1
sees 'Opened from your answer'
press Escape f
type 'what brings the rate back?'
press Enter
sees 'You asked on'
press Tab Tab s C-u
type 'zebra crossing'
press Enter
sees 'Nothing found for'

echo "Help, the command line, a small window and a large one."
press Escape Escape '?'
sees 'Keys everywhere'
press Escape ':'
type 'server.pi'
sees 'server.ping'
press Enter
sees '"time"'
press Escape
tm resize-window -t student -x 40 -y 10
sees ']'
sees 'keys'
tm resize-window -t student -x 160 -y 50
sees '[Search] Reader'
tm resize-window -t student -x 80 -y 24
sees '[Search] Reader'

echo "The student tells something to remember, and forgets it."
if screen | grep -q 'Memory'; then # what the server does not offer is not shown
    press Escape g m
    sees '[Memory]'
    sees 'what slows succinate dehydrogenase'
    press a
    type 'I prefer short answers, my number is +49 170 1234567'
    press Enter
    sees 'I prefer short answers'
    not '1234567'
    press Home d
    sees 'It cannot be brought back.'
    press y
    sees 'Forgotten.'
    not 'I prefer short answers'
    press e C-u
    type "$work/me.json"
    press Enter
    sees 'Saved as'
    grep -q '"searches"' "$work/me.json" || fail "the copy holds no searches"
fi
if screen | grep -q 'For you'; then
    press g f
    sees '[For you]'
fi

echo "Teacher and student talk; a line written while the server is away goes out once."
press Escape g c
sees 'Nothing said in the last'
turns_to teacher
press Escape g c
sees 'To Everyone'
type 'good morning'
press Enter
turns_to student
sees 'good morning'
kill -TERM "$server" && wait "$server" 2>/dev/null
server=
sees 'Connection lost' 30
type 'are you there'
press Enter
sees 'not sent'
serve
sees 'online' 60
turns_to teacher
sees 'are you there' 60
[ "$(screen | grep -c 'are you there')" = 1 ] || fail "the line came twice"

echo "What was typed outlives a hang-up."
turns_to student
type 'half a thou'
sees 'half a thou'
kill -HUP "$(tm display-message -p -t student '#{pane_pid}')"
for _ in $(seq 50); do tm has-session -t student 2>/dev/null || break; sleep 0.1; done
tm has-session -t student 2>/dev/null && fail "the student's program does not end"
sits student
sees '[Search]'
press Escape g c
sees 'half a thou'

echo "An administrator adds a person, who can log in."
sits admin
logs_in a1 "${password[a1]}"
sees '[Search]'
press Escape g a
sees '[People]'
sees 'Maria Okafor'
press a
sees 'School number of the new person:'
type 's2'
press Enter
type 'Ben Okada'
press Enter
sees 'student'
press Enter
sees 'New password for Ben Okada:'
new=$(screen | sed -n 's/.*New password for Ben Okada: \([^ ]*\).*/\1/p')
press Down
not 'New password'
if screen | grep -q 'i import list'; then # what the server does not offer is not shown
    printf 's3,Amira Haddad,student\ns4,Jonas Weber\n' >"$work/list.csv"
    press i C-u
    type "$work/list.csv"
    press Enter
    sees '1 new, 0 known, 1 wrong (line 2: no role)'
    press Enter
    sees 'These passwords are shown once' 30
    press Escape
    sees 'Amira Haddad'
fi
sits ben
logs_in s2 "$new"
sees '[Search]'
press Escape q
for _ in $(seq 50); do tm has-session -t ben 2>/dev/null || break; sleep 0.1; done
tm has-session -t ben 2>/dev/null && fail "q does not leave"

echo "The administrator reflects on a student, who sees it."
turns_to admin
press g a
sees '[Admin]'
for _ in 1 2 3 4 5; do screen | grep -qF '[Students]' || press M-Right; done
sees '[Students]'
sees 'Maria Okafor'
tm send-keys -t admin Home
screen | grep 'Maria' | grep -q '▸' || press Down
press Enter
sees 'Maria sees that you looked'
sees '── Topics' 30
turns_to student
press Escape g m
sees 'Who looked' 30
sees 'read a reflection'
who=
cat "$work"/asan* 2>/dev/null | grep -q 'ERROR: AddressSanitizer' && fail "the address sanitizer has something to say"
echo "A whole day."
