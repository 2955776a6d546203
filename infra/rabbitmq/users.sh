#!/usr/bin/env bash
# users.sh: reads lines name:password, prints them as definitions for RabbitMQ, which holds salted hashes and no password.
set -euo pipefail

bytes_of() {
    # shellcheck disable=SC2001,SC2059
    printf "$(sed 's/../\\x&/g' <<<"$1")"
}

# As rabbit_password_hashing_sha256 wants it: four bytes of salt, then SHA-256 over salt and password, in base64.
password_hash() {
    local salt digest
    salt=$(head -c 4 /dev/urandom | od -An -tx1 | tr -d ' \n')
    digest=$({
        bytes_of "$salt"
        printf '%s' "$1"
    } | sha256sum | cut -d' ' -f1)
    bytes_of "$salt$digest" | base64 -w 0
}

separator=
printf '{"vhosts": [{"name": "/"}], "users": ['
# The last line may lack its end, and a password may hold or end with a colon.
while IFS= read -r line || [[ -n $line ]]; do
    name=${line%%:*} password=${line#*:}
    if [[ $line != *:* || ! $name =~ ^[a-z][a-z0-9-]*$ || -z $password ]]; then
        printf 'users.sh: a line is not name:password\n' >&2
        exit 64
    fi
    printf '%s\n  {"name": "%s", "password_hash": "%s", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": [], "limits": {}}' \
        "$separator" "$name" "$(password_hash "$password")"
    separator=,
done
printf '\n]}\n'
