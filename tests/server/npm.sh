#!/bin/bash
# npm.sh - six clients from npm, unmodified, against a real server, and its OpenRPC document against the meta-schema.
# They are installed into build/npm as tests/npm/package-lock.json has them; without npm or its registry: skipped.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build} npm=$PWD/build/npm
skip() { echo "skipped: $1"; exit 77; }
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not here"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node is older than 20"

mkdir -p "$npm" || exit 2
exec 9>"$npm/lock"
flock 9
if ! cmp -s tests/npm/package-lock.json "$npm/installed"; then
    cp tests/npm/package.json tests/npm/package-lock.json "$npm" || exit 2
    (cd "$npm" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund --fetch-retries 1 --fetch-timeout 20000) >"$npm/log" 2>&1 ||
        skip "npm can't install the clients here ($(grep -m 1 -oE 'E[A-Z]{4,}' "$npm/log" || echo 'see build/npm/log'))"
    cp tests/npm/package-lock.json "$npm/installed"
fi
flock -u 9

dir=$(mktemp -d /tmp/edurag-npm.XXXXXX) && chmod 755 "$dir" && mkdir -m 777 "$dir/run" || exit 2
server=
stop() {
    [ -z "$server" ] || { kill -TERM "$server" && wait "$server"; } 2>/dev/null
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' TERM INT
unset EDURAG_TOKEN EDURAG_DATABASE_URL HINDSIGHT_URL GEMINI_API_KEY OPENAI_API_KEY EDURAG_TLS_CERT EDURAG_TLS_KEY
export XDG_STATE_HOME=$dir/state EDURAG_DATA_DIR=$dir/data EDURAG_SOCKET=$dir/run/socket EDURAG_LISTEN=127.0.0.1:0
export EDURAG_BCRYPT_COST=4 EDURAG_TEST_UNSAFE_DATABASE=1 EDURAG_LOG=info
"$build/eduragd" >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 600); do
    kill -0 "$server" 2>/dev/null || { cat "$dir/log"; exit 1; }
    grep -q 'event=serving' "$dir/log" && break
    sleep 0.1
done
port=$(sed -n 's/.*event=listening.*address=127.0.0.1:\([0-9]*\).*/\1/p' "$dir/log" | head -n 1)
password=$("$build/eduragd" user add --role student sue 'Sue Student') || { echo "no account"; exit 1; }
cp tests/npm/clients.mjs "$npm" && cd "$npm" || exit 2
node clients.mjs "ws://127.0.0.1:$port" sue "$password"
