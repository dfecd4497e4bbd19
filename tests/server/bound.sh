#!/bin/bash
# bound.sh - what is bound is what was asked for: from a second address, in a network of its own.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
if [ "${1:-}" != inside ]; then
    command -v ip >/dev/null || { echo "skipped: ip is not here (Debian: iproute2), so there is no second address to try"; exit 77; }
    unshare -n true 2>/dev/null || { echo "skipped: no network of one's own is allowed here (unshare -n)"; exit 77; }
    dir=$(mktemp -d /tmp/edurag-bound.XXXXXX) && chmod 755 "$dir" || exit 2
    trap 'rm -rf "$dir"' EXIT
    BUILD=$build unshare -n "$0" inside "$dir"
    exit
fi
dir=$2 failed=0 server=
stop() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}
trap stop EXIT
ip link set lo up && ip address add 10.99.7.1/24 dev lo && ip -6 address add fd00:99::1/64 dev lo nodad || exit 2
mkdir -m 777 "$dir/run"
export EDURAG_DATA_DIR=$dir/data EDURAG_SOCKET=$dir/run/s EDURAG_TEST_UNSAFE_DATABASE=1 EDURAG_BCRYPT_COST=4

answers() { (exec 3<>"/dev/tcp/$1/7420" && printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3 && head -c 12 <&3 | grep -q 'HTTP/1') 2>/dev/null; }
# try LISTEN ANSWERING...: just these of the four addresses answer.
try() {
    local asked=$1 address want got
    shift
    EDURAG_LISTEN=$asked EDURAG_ALLOW_INSECURE=true "$build/eduragd" >"$dir/log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        kill -0 "$server" 2>/dev/null || { echo "FAIL $asked: it did not start"; tail -n 3 "$dir/log"; failed=1; server=; return; }
        grep -q event=serving "$dir/log" && break
        sleep 0.1
    done
    for address in 127.0.0.1 10.99.7.1 ::1 fd00:99::1; do
        want=no got=no
        case " $* " in *" $address "*) want=yes ;; esac
        answers "$address" && got=yes
        [ "$want" = "$got" ] || { echo "FAIL EDURAG_LISTEN=$asked: $address answers: $got"; failed=1; }
    done
    EDURAG_LISTEN=$asked EDURAG_ALLOW_INSECURE=true "$build/eduragd" doctor >"$dir/doctor" 2>&1
    grep -q "listening: at .*${asked##*[!0-9]}" "$dir/doctor" || { echo "FAIL $asked: doctor does not say what is bound"; grep listening "$dir/doctor"; failed=1; }
    [ -S "$EDURAG_SOCKET" ] || { echo "FAIL $asked: no Unix socket"; failed=1; }
    stop
}
try 127.0.0.1:7420 127.0.0.1
try localhost:7420 127.0.0.1
try 10.99.7.1:7420 10.99.7.1
try '[::1]:7420' ::1
try '[fd00:99::1]:7420' fd00:99::1
try 0.0.0.0:7420 127.0.0.1 10.99.7.1
try '[::]:7420' ::1 fd00:99::1
try :7420 127.0.0.1 10.99.7.1 ::1 fd00:99::1
try off
# Without TLS and without leave there is no start that others could reach.
EDURAG_LISTEN=10.99.7.1:7420 "$build/eduragd" >"$dir/log" 2>&1 && { echo "FAIL: it served the network in clear"; failed=1; }
[ "$failed" = 0 ] && echo "Bound as asked, nine times."
exit "$failed"
