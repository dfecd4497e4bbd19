#!/bin/bash
# lab.sh - the lab account of packaging/examples/sshd-lab.conf under a real sshd: nothing but EduRag can be reached.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
sshd=$(PATH=$PATH:/usr/sbin command -v sshd) && command -v ssh >/dev/null && command -v sftp >/dev/null ||
    { echo "skipped: sshd is not here (Debian: openssh-server), so the lab account was not tried"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: sshd lets nobody in but for root here"; exit 77; }
dir=$(mktemp -d /tmp/edurag-lab.XXXXXX) && chmod 755 "$dir" || exit 2
server= daemon= failed=0
finish() {
    [ -n "$daemon" ] && kill "$daemon" 2>/dev/null
    [ -n "$server" ] && kill -TERM "$server" 2>/dev/null && wait "$server" 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT
fail() { echo "FAIL $*"; failed=1; }

# The example as it is, for this account and this build.
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$dir/host" && ssh-keygen -q -t ed25519 -N '' -f "$dir/key" || exit 2
cp "$dir/key.pub" "$dir/authorized" && chmod 644 "$dir/authorized"
port=$((20000 + $$ % 20000))
# configure FORCED: AcceptEnv is wider than any distribution's.
configure() {
    {
        printf 'ListenAddress 127.0.0.1:%s\nHostKey %s\nPidFile none\nUsePAM no\nAuthorizedKeysFile %s\nStrictModes no\n' "$port" "$dir/host" "$dir/authorized"
        printf 'PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAcceptEnv *\nX11Forwarding yes\nSubsystem sftp internal-sftp\n'
        sed -e "s/^Match User lab/Match User $(id -un)/" -e "s#ForceCommand exec .*#ForceCommand $1#" packaging/examples/sshd-lab.conf
    } >"$dir/sshd_config"
    "$sshd" -t -f "$dir/sshd_config" || fail "sshd refuses the example"
}
serve() {
    [ -z "$daemon" ] || { kill "$daemon"; wait "$daemon" 2>/dev/null; }
    "$sshd" -D -f "$dir/sshd_config" -E "$dir/sshd.log" &
    daemon=$!
    for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
}
# The file itself, where its user exists: what an administrator would do.
{ printf 'HostKey %s\n' "$dir/host"; cat packaging/examples/sshd-lab.conf; } >"$dir/as-it-is"
"$sshd" -t -f "$dir/as-it-is" || fail "sshd -t refuses the example as it is"

mkdir -m 777 "$dir/run"
EDURAG_DATA_DIR=$dir/data EDURAG_SOCKET=$dir/run/s EDURAG_LISTEN=off EDURAG_BCRYPT_COST=4 EDURAG_TEST_UNSAFE_DATABASE=1 "$build/eduragd" >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 300); do grep -q event=serving "$dir/log" && break; sleep 0.1; done
password=$(EDURAG_DATA_DIR=$dir/data "$build/eduragd" user add --role teacher t1 'D. Novak') || { echo "no account"; exit 1; }
token=$(printf '%s\n' "$password" | XDG_STATE_HOME=$dir/state "$build/edurag" --server "unix:$dir/run/s" --json login t1 | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
[ -n "$token" ] || token=$(sed -n 's/^[^ ]* //p' "$dir/state/edurag/tokens")

ssh() { timeout 20 ssh -F /dev/null -i "$dir/key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes "$@"; }
host=$(id -un)@127.0.0.1

# What reaches the program of the environment, of forwardings and of the command that was asked for.
configure "exec env"
serve
seen=$(EDURAG_TOKEN=$token DISPLAY=:9 SSH_AUTH_SOCK= ssh -A -X -o SendEnv=EDURAG_TOKEN "$host" 'touch '"$dir"'/ran' 2>&1)
grep -q '^SSH_CONNECTION=' <<<"$seen" || { fail "no session: $seen"; cat "$dir/sshd.log"; }
grep -qE '^(SSH_AUTH_SOCK|DISPLAY)=' <<<"$seen" && fail "an agent or a display was forwarded"
[ ! -e "$dir/ran" ] || fail "a command of the caller's ran"

configure "exec $build/edurag --shared --server unix:$dir/run/s"
serve
said=$(EDURAG_TOKEN=$token ssh -o SendEnv=EDURAG_TOKEN "$host" 'sh -i' </dev/null 2>&1)
grep -q 'Novak' <<<"$said" && fail "a token in the environment was taken: $said"
said=$(printf 't1\n%s\nupload /etc/hostname\nwhoami\n' "$password" | ssh "$host" 2>&1)
grep -q 'Many people share this account' <<<"$said" || fail "a file was within reach: $said"
grep -q 'D. Novak' <<<"$said" || fail "nobody could log in: $said"
echo secret >"$dir/file"
printf 'put %s %s\n' "$dir/file" "$dir/copied" | timeout 5 sftp -q -b - -F /dev/null -i "$dir/key" -P "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$host" >/dev/null 2>&1 && fail "sftp works"
timeout 5 scp -q -F /dev/null -i "$dir/key" -P "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes "$dir/file" "$host:$dir/copied" >/dev/null 2>&1 </dev/null && fail "scp works"
[ ! -e "$dir/copied" ] || fail "a file was copied there"
ssh -W "127.0.0.1:$port" "$host" </dev/null 2>/dev/null | grep -q SSH- && fail "-W reaches a port"
ssh -o ExitOnForwardFailure=yes -N -R "$((port + 1)):127.0.0.1:$port" "$host" </dev/null >/dev/null 2>&1 && fail "-R is allowed"
ssh -N -L "$((port + 2)):127.0.0.1:$port" "$host" </dev/null >/dev/null 2>&1 &
forward=$!
for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$((port + 2))") 2>/dev/null && break; sleep 0.1; done
through=$( (exec 3<>"/dev/tcp/127.0.0.1/$((port + 2))" && timeout 3 head -c 4 <&3) 2>/dev/null)
[ "$through" != SSH- ] || fail "-L reaches a port"
kill "$forward" 2>/dev/null
# Nothing was left in the account by any of it.
[ ! -e "$HOME/.local/state/edurag/tokens" ] || ! grep -q "$dir" "$HOME/.local/state/edurag/tokens" || fail "a login was kept in the account"
[ "$failed" = 0 ] && echo "The lab account leads to EduRag and nowhere else."
exit "$failed"
