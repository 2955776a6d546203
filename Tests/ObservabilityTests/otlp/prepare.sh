#!/bin/sh
# Puts opentelemetry-proto into a virtual environment below the folder given; quick when it is there already.
set -eu
folder=$1
stamp="$folder/venv/.ready-1.45.2"
[ -e "$stamp" ] && exit 0
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
[ -e "$stamp" ] && exit 0
rm -rf "$folder/venv"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "opentelemetry-proto==1.45.2" "protobuf==7.36.2"
touch "$stamp"
