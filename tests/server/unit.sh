#!/bin/bash
# unit.sh - the systemd unit is well formed and locked down: exposure 2.0 or better.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$PWD/build}
command -v systemd-analyze >/dev/null || { echo "skipped: systemd-analyze is not here"; exit 77; }
dir=$(mktemp -d /tmp/edurag-unit.XXXXXX) || exit 2
trap 'rm -rf "$dir"' EXIT
failed=0
# As installed, but with the program of this build; the manuals are not installed here.
sed -e "s#^ExecStart=/usr/sbin/eduragd#ExecStart=$build/eduragd#" -e '/^Documentation=/d' packaging/systemd/edurag.service >"$dir/edurag.service"
grep -q "^ExecStart=$build/eduragd" "$dir/edurag.service" || { echo "FAIL: the unit starts something else"; failed=1; }
systemd-analyze verify "$dir/edurag.service" >"$dir/said" 2>&1 || failed=1
grep -F edurag.service "$dir/said" && { echo "FAIL: systemd-analyze verify complains"; failed=1; }
level=$(systemd-analyze security --offline=true "$dir/edurag.service" 2>/dev/null | sed -n 's/.*exposure level for edurag.service: \([0-9.]*\).*/\1/p')
awk -v level="${level:-10}" 'BEGIN { exit !(level <= 2.0) }' || { echo "FAIL: exposure ${level:-unknown}, not 2.0 or better"; failed=1; }
# PCRE2 compiles its patterns; the extractor locks itself in.
grep -q '^MemoryDenyWriteExecute=yes' "$dir/edurag.service" && { echo "FAIL: patterns can't be compiled"; failed=1; }
for call in seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self; do
    grep -q "^SystemCallFilter=[^~].*\b$call\b" "$dir/edurag.service" || { echo "FAIL: $call is not allowed"; failed=1; }
done
[ "$failed" = 0 ] && echo "All as it should be."
exit "$failed"
