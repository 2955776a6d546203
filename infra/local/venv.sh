#!/usr/bin/env bash
# venv.sh NAME REQUIREMENTS: .local/NAME/venv, a Python environment with exactly what the file pins; quick when it is there already.
# Several may ask at the same time: the first makes it. Writes nothing outside .local.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

(($# == 2)) || fail "usage: venv.sh NAME REQUIREMENTS"
folder=$FLORIN_REPOSITORY/.local/$1
requirements=$2
venv=$folder/venv

# The stamp tells a venv that is complete and of this very list, interpreter and place.
stamp=$({ cat "$requirements" && python3 --version && printf '%s' "$venv"; } | sha256sum)
is_ready() { [[ -f $venv/stamp && $(<"$venv/stamp") == "$stamp" ]]; }

is_ready && exit
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
is_ready && exit
rm -rf "$venv"
{ python3 -m venv "$venv" && "$venv/bin/pip" install --disable-pip-version-check --no-cache-dir --no-deps -r "$requirements"; } \
    >"$folder/install.log" 2>&1 </dev/null || {
    tail -n 20 "$folder/install.log" >&2
    fail "$requirements could not be installed"
}
printf '%s\n' "$stamp" >"$venv/stamp"
