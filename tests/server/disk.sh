#!/bin/bash
# disk.sh - a disk that fills up: uploads wait with a sentence while all else goes on, the true cause is said where one
# looks for it, and the ballast brings a server back that can write nothing any more.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
if [ "${1:-}" != inside ]; then
    unshare -m true 2>/dev/null && [ "$(id -u)" = 0 ] || { echo "skipped: no file system may be mounted here"; exit 77; }
    dir=$(mktemp -d /tmp/edurag-disk.XXXXXX) && chmod 755 "$dir" || exit 2
    trap 'rm -rf "$dir"' EXIT
    BUILD=$build unshare -m "$0" inside "$dir"
    exit
fi
dir=$2 failed=0 server=
mkdir "$dir/data" && mkdir -m 777 "$dir/run" && mount -t tmpfs -o size=400m,mode=755 tmpfs "$dir/data" || exit 2
chown postgres: "$dir/data" 2>/dev/null
fail() { echo "FAIL $*"; failed=1; }
stop() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    for _ in $(seq 150); do kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}
trap 'stop; umount "$dir/data" 2>/dev/null' EXIT
export EDURAG_DATA_DIR=$dir/data EDURAG_SOCKET=$dir/run/s EDURAG_LISTEN=off EDURAG_BCRYPT_COST=4 EDURAG_RATE_PERSON=6000
export EDURAG_DISK_FLOOR=62914560 EDURAG_BALLAST_BYTES=33554432
"$build/eduragd" >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 300); do grep -q event=serving "$dir/log" && break; sleep 0.1; done
export EDURAG_SERVER=unix:$EDURAG_SOCKET XDG_STATE_HOME=$dir/state
edurag() { timeout 60 "$build/edurag" "$@"; }
"$build/eduragd" user add --role teacher t1 'D. Novak' 2>>"$dir/log" | edurag login t1 >/dev/null 2>&1 || fail "nobody can log in"
lessons=("$build"/demo/*.pdf)
edurag upload --wait "${lessons[0]}" >"$dir/said" 2>&1 || fail "an upload with room: $(tail -n 2 "$dir/said")"
[ -s "$dir/data/ballast.bin" ] || fail "no ballast was laid back"

# From outside, down to less than the floor.
free() { df -B1 --output=avail "$dir/data" | tail -n 1; }
dd if=/dev/zero of="$dir/data/filler" bs=1M count=$((($(free) - 52428800) / 1048576)) 2>/dev/null
sleep 1.2
said=$(edurag --json call library.upload_begin '{"filename":"a.pdf","size":9,"sha256":"'"$(printf 'a%.0s' $(seq 64))"'"}' 2>&1)
grep -q 'nearly full' <<<"$said" || fail "an upload is not told to wait: $said"
"$build/edurag" call library.upload_begin '{"filename":"a.pdf","size":9,"sha256":"'"$(printf 'a%.0s' $(seq 64))"'"}' >/dev/null 2>&1 && fail "an upload began"
edurag search enzyme >/dev/null 2>&1 || fail "searching does not go on"
edurag chat send hello >/dev/null 2>&1 || fail "chat does not go on"
"$build/eduragd" doctor 2>/dev/null | grep -q 'less than EDURAG_DISK_FLOOR' || fail "doctor does not say it"

# Down to nothing: what is written fails, and sooner or later the database with it.
cat /dev/zero >"$dir/data/filler2" 2>/dev/null
sleep 1.2
for i in $(seq 40); do edurag chat send "line $i $(head -c 1500 /dev/zero | tr '\0' x)" >/dev/null 2>&1; done
ready=$(curl -s --unix-socket "$EDURAG_SOCKET" http://localhost/readyz)
grep -qE 'disk|ready' <<<"$ready" || fail "/readyz says: $ready"
if grep -q event=database_died "$dir/log"; then
    grep 'event=database_died' "$dir/log" | tail -n 1 | grep -q 'is full' || fail "the log has another cause: $(grep database_died "$dir/log" | tail -n 1)"
fi
said=$("$build/eduragd" doctor release) || fail "the ballast could not be released: $said"
[ ! -e "$dir/data/ballast.bin" ] || fail "the ballast is still there"
back=no
for _ in $(seq 150); do edurag search enzyme >/dev/null 2>&1 && edurag chat send again >/dev/null 2>&1 && back=yes && break; sleep 0.2; done
[ "$back" = yes ] || { fail "it did not come back after the ballast was released"; tail -n 5 "$dir/log"; }
rm -f "$dir/data/filler" "$dir/data/filler2"
sleep 1.2
edurag upload --wait "${lessons[1]}" >"$dir/said" 2>&1 || fail "an upload after there is room again: $(tail -n 2 "$dir/said")"
stop
[ "$failed" = 0 ] && echo "Full, and back again."
exit "$failed"
