#!/bin/sh
# deb.sh - `make deb`: builds the Debian packages from what is committed into build/deb/, and lints them.
set -eu
cd "$(dirname "$0")/.."
version=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)
tree=build/deb/edurag-$version
rm -rf build/deb
mkdir -p "$tree"
git archive HEAD | tar -x -C "$tree"
cp -r packaging/debian "$tree/debian"
cp packaging/systemd/edurag.service "$tree/debian/edurag-server.edurag.service"
cp packaging/systemd/edurag.sysusers "$tree/debian/edurag-server.sysusers"
cp packaging/systemd/edurag.tmpfiles "$tree/debian/edurag-server.tmpfiles"
cp packaging/examples/edurag.conf "$tree/debian/edurag.conf"
(cd "$tree" && dpkg-buildpackage -b -us -uc) || {
    echo "The packages could not be built. What building them needs: apt-get install debhelper dpkg-dev lintian" >&2
    exit 1
}
ls -l build/deb/*.deb
lintian --fail-on error,warning --tag-display-limit 0 build/deb/edurag_*.changes
