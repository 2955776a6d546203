#!/usr/bin/env bash
# promtool.sh: prints the path of Prometheus's promtool: the machine's own, or one taken out of Debian's package into .local/monitoring.
# The package is not installed: it would start a server and open its port.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/../local/env.sh"

FOLDER=$FLORIN_REPOSITORY/.local/monitoring
PROMTOOL=$FOLDER/promtool

download() { (cd "$1" && apt-get -q download prometheus); }

# A fresh machine has no lists of packages.
update() { if is_root; then apt-get -q update; else sudo -n apt-get -q update; fi; }

if path=$(command -v promtool); then
    say "$path"
    exit
fi
mkdir -p "$FOLDER"
exec 9>"$FOLDER/lock"
flock 9
if [[ ! -x $PROMTOOL ]]; then
    command -v apt-get >/dev/null || fail "promtool is missing: install Prometheus, whose tool it is"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # Root's download runs as _apt, which must be able to write here.
    ! is_root || chown _apt "$work" 2>/dev/null || true
    if ! { download "$work" || { update && download "$work"; }; } >"$FOLDER/download.log" 2>&1 </dev/null; then
        tail -n 5 "$FOLDER/download.log" >&2
        fail "promtool is missing, and apt-get could not download Debian's package prometheus"
    fi
    dpkg-deb --fsys-tarfile "$work"/prometheus_*.deb | tar --extract --directory "$work" ./usr/bin/promtool
    mv "$work/usr/bin/promtool" "$PROMTOOL"
fi
say "$PROMTOOL"
