#!/bin/bash
# contracts.sh - every request that we send to outside services is valid by their own descriptions.
# A mock (@stoplight/prism-cli, fetched once into the build directory) checks them against the OpenAPI
# documents in $EDURAG_SHARED/contracts. Skipped where either cannot be had.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build} contracts=${EDURAG_SHARED:-../shared}/contracts
kept=$PWD/build/prism prism=$kept/node_modules/.bin/prism
[ -d "$contracts" ] || { echo "skipped: the services' descriptions are not here ($contracts)"; exit 77; }
command -v npm >/dev/null || { echo "skipped: the mock needs npm"; exit 77; }
if [ ! -x "$prism" ]; then
    timeout 300 npm install --no-audit --no-fund --silent --prefix "$kept" @stoplight/prism-cli >/dev/null 2>&1 && [ -x "$prism" ] ||
        { rm -rf "$kept"; echo "skipped: the mock could not be installed"; exit 77; }
fi

dir=$(mktemp -d) || exit 2
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
wrong=0

# Our first knock at the door is for no path, and is no request of ours.
complaints() {
    sed 's/\x1b\[[0-9;]*m//g; s/^\[[^]]*\] *› *//' "$1" | grep -i 'violation'
}

# check KIND DOCUMENT PATH-OF-THE-BASE [EXPECTED FAILURE]
check() {
    local port log=$dir/$1.log url
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null ||
        node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
    url=http://127.0.0.1:$port$3
    "$prism" mock -h 127.0.0.1 -p "$port" --errors "$contracts/$2" >"$log" 2>&1 &
    pid=$!
    for _ in $(seq 300); do
        curl -s -o /dev/null "http://127.0.0.1:$port/" && break
        sleep 0.1
    done
    "$build/tests/fakes/contract_calls" "$1" "$url" >"$dir/$1.calls" 2>&1 || { echo "$1: requests were refused"; wrong=1; }
    complaints "$log" >"$dir/$1.violations"
    if [ -s "$dir/$1.violations" ]; then
        echo "$1: the mock complains:"
        sort "$dir/$1.violations" | uniq -c
        wrong=1
    fi
    # The mock must be able to say no, or this test proves nothing.
    curl -s -o /dev/null -X POST -H 'Content-Type: application/json' -d '{"surely": "wrong"}' "http://127.0.0.1:$port$4"
    sleep 0.2
    complaints "$log" | grep -q 'required property' || { echo "$1: the mock does not notice what is wrong"; wrong=1; }
    kill "$pid"
    wait "$pid" 2>/dev/null
    pid=
    [ "$wrong" = 0 ] || tail -n 40 "$dir/$1.calls"
    tail -n 1 "$dir/$1.calls" | sed "s/^/$1: /"
}

check gemini gemini-openapi-min.json /v1beta '/v1beta/models/m:streamGenerateContent?alt=sse'
check openai openai-openapi-min.json /v1 /v1/chat/completions
check hindsight hindsight-openapi-mock.json '' /v1/default/banks/b/memories
exit "$wrong"
