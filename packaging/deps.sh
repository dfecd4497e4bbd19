#!/bin/sh
# deps.sh - installs the Debian packages that are missing: `deps.sh build`, or `deps.sh test` for more.
# Says what it does; asks nothing; does nothing where all of them are here.
set -eu
build='gcc libc6-dev make pkg-config libwebsockets-dev libwebsockets-evlib-ev libev-dev libpq-dev libcjson-dev
libcurl4-openssl-dev libssl-dev libpoppler-glib-dev poppler-data libicu-dev libstemmer-dev libpcre2-dev
libseccomp-dev libncurses-dev postgresql groff openssl'
test='libcmocka-dev iproute2 postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl tmux curl
clang libclang-rt-14-dev'
want=$build
[ "${1:-build}" = build ] || want="$build $test"

missing=
for package in $want; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || {
    echo "This is not a Debian machine. Install what corresponds to these packages, then try again:$missing" >&2
    exit 1
}
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
[ -z "$as_root" ] || command -v sudo >/dev/null || {
    echo "These packages are missing and there is no sudo here. As root: apt-get install$missing" >&2
    exit 1
}
echo "Installing the Debian packages that are missing:$missing" >&2
$as_root apt-get -q update >&2 || echo "The list of packages could not be refreshed; trying with the old one." >&2
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing >&2 || {
    echo "The packages could not be installed. Check the network and /etc/apt/sources.list, then run make again." >&2
    exit 1
}
