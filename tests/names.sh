#!/bin/bash
# names.sh - `make names`: one door per library, rooms that depend one way, exported names that begin with
# their file's stem. `tests/names.sh build`; prints each offender, and ends with 1 where there is one.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${1:-build} offences=0
offence() { printf '%s\n' "$*"; offences=$((offences + 1)); }

# ---- doors: HEADER (a pattern of #include), then the files that may include it ----
door() {
    local what=$1 header=$2 file allowed
    shift 2
    while IFS= read -r file; do
        for allowed in "$@"; do
            # shellcheck disable=SC2254
            case $file in $allowed) continue 2 ;; esac
        done
        offence "$file includes $what; its door is $*"
    done < <(grep -rlE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($header)" --include='*.[ch]' common server tui tests 2>/dev/null)
}
door libwebsockets 'libwebsockets|lws_' 'server/net/*' common/client.c tests/fakes/bare_lws.c
door libpq 'libpq|postgresql/libpq|pg_config' 'server/store/*' 'tests/*'
door libcurl 'curl/' server/models/http.c
door ncurses 'ncurses|curses|term\.h|ncursesw/' tui/screen.c
door poppler 'poppler' 'server/ingest/extractor/*'
door libseccomp 'seccomp\.h' 'server/ingest/extractor/*' 'tests/unit/sandbox.c'
door libev 'ev\.h' 'server/net/*' 'tests/bench/*'

# ---- rooms: what stands in A may not include what stands in B ----
apart() {
    local from=$1 header=$2 why=$3 file
    while IFS= read -r file; do
        offence "$file: $why"
    done < <(grep -rlE "^[[:space:]]*#[[:space:]]*include[[:space:]]*\"($header)" --include='*.[ch]' $from 2>/dev/null)
}
apart common '(server|tui|tests)/' 'common includes nothing but common'
apart server '(tui|tests)/' 'the server never includes the terminal or tests'
apart tui '(server|tests)/' 'the terminal never includes the server or tests'
apart server/store 'server/(net|methods|rpc|ingest|memory|retrieval|models)/' 'store knows nothing above it'
apart server/models 'server/(net|methods|rpc|ingest|memory|retrieval)/' 'models know nothing above them'
apart server/retrieval 'server/(net|methods|ingest|memory)/' 'retrieval knows nothing above it'
apart 'server/ingest server/memory' 'server/(net|methods)/' 'jobs know neither sockets nor methods'
apart server/methods 'server/net/' 'methods know no sockets; news leaves through rpc/news.h'
apart server/rpc 'server/(net|methods)/' 'rpc knows neither sockets nor methods; main hands them over'

# ---- names: a function that X/Y.o exports begins with y_, or is main. A module in several files (ui.h with ui.c and
# ui_keys.c) shares its word. Some headers are contracts, declared in one place and kept in another; their names begin
# with the word of the contract ----
contract() {
    case $1 in
        server/net/mailbox.c:news_*) ;; # rpc/news.h: how news leaves; net delivers it
        server/rpc/job.c:call_*) ;;     # rpc/method.h: what a handler may do with its call
        server/store/tx.c:rows_*) ;;    # store/tx.h: what a statement gave
        server/models/embedding.c:models_*) ;; # models.h: the half of it that embeds
        tui/ui_draw.c:view_key) ;;      # view.h: what a view may ask of the frame
        *) return 1 ;;
    esac
}
while IFS= read -r object; do
    source=${object#"$build"/}
    source=${source%.o}.c
    [ -f "$source" ] || continue
    stem=$(basename "$source" .c)
    while read -r name; do
        case $name in "$stem" | "$stem"_* | main | __*) continue ;; esac
        contract "$source:$name" && continue
        word=$stem
        while [ "$word" != "${word%_*}" ]; do
            word=${word%_*}
            [ -f "$(dirname "$source")/$word.h" ] && case $name in "$word"_*) continue 2 ;; esac
        done
        offence "$source exports $name, which does not begin with ${stem}_"
    done < <(nm -g --defined-only "$object" | awk '$2 ~ /^[TWi]$/ {print $3}')
done < <(find "$build/common" "$build/server" "$build/tui" -name '*.o' 2>/dev/null | sort)

# ---- a param that its method never reads: neither the handler nor a query (rpc_check looks at the queries that are methods) ----
while IFS=: read -r file member; do
    grep -qE -- "->$member\\b" "$file" || grep -qE ":$member(_given)?\\b" sql/queries/*.sql ||
        offence "$file: nothing reads the param $member"
done < <(grep -oE 'P\(S, [A-Z_]+, [a-z_0-9]+' server/methods/*.c | sed -E 's/:P\(S, [A-Z_]+, /:/' | sort -u)

# ---- first lines say what a file is ----
while IFS= read -r file; do
    head -n 1 "$file" | grep -qE "^/\* $(basename "$file" | sed 's/[.]/[.]/g') - ." || offence "$file: the first line does not say what it is"
done < <(find common server tui tests -name '*.[ch]' | sort)

[ "$offences" = 0 ] && { echo "Doors, rooms and names are as they should be."; exit 0; }
echo "$offences offences"
exit 1
