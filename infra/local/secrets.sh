#!/usr/bin/env bash
# Sourced. Passwords, signing keys and the local token issuer: made once, kept in the state folder, never on a command line.

# The roles of the fleet's databases, as <service>:<kind>. The serving role has the service's bare name.
DATABASE_SERVICES=(wallet-ledger ops-risk)
ROLE_KINDS=(owner serving relay)

role_name() {
    local base=${1//-/_}
    case $2 in
    serving) printf '%s' "$base" ;;
    *) printf '%s_%s' "$base" "$2" ;;
    esac
}

# The prefix of a role's variables: wallet-ledger owner → WALLET_LEDGER_OWNER.
role_prefix() {
    local prefix=${1//-/_}_$2
    printf '%s' "${prefix^^}"
}

random_password() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# Adds a password for each role that has none yet.
ensure_passwords() {
    local file=$SECRETS/passwords.env service kind prefix
    (
        umask 077
        touch "$file"
        for service in "${DATABASE_SERVICES[@]}"; do
            for kind in "${ROLE_KINDS[@]}"; do
                prefix=$(role_prefix "$service" "$kind")
                grep -q "^${prefix}_PASSWORD=" "$file" || printf '%s_PASSWORD=%s\n' "$prefix" "$(random_password)" >>"$file"
            done
        done
        grep -q '^REDIS_WALLET_LEDGER_PASSWORD=' "$file" || printf 'REDIS_WALLET_LEDGER_PASSWORD=%s\n' "$(random_password)" >>"$file"
    )
}

password_of() { sed -n "s/^$(role_prefix "$1" "$2")_PASSWORD=//p" "$SECRETS/passwords.env"; }

database_url() {
    printf 'postgres://%s:%s@127.0.0.1:%s/%s' "$(role_name "$1" "$2")" "$(password_of "$1" "$2")" "$POSTGRES_PORT" "$(role_name "$1" serving)"
}

# The file that `fleetctl demo` and operators read: one URL per role.
write_databases_file() {
    local service kind
    (
        umask 077
        for service in "${DATABASE_SERVICES[@]}"; do
            for kind in "${ROLE_KINDS[@]}"; do
                printf '%s_URL=%s\n' "$(role_prefix "$service" "$kind")" "$(database_url "$service" "$kind")"
            done
        done >"$DATABASES_FILE"
    )
}

# Signing keys of the fleet's services, and the issuer that mints tokens until identity exists.
ensure_keys_and_issuer() {
    if [[ ! -f $KEYS/wallet-ledger.keys.json ]]; then
        say "Generating the services' signing keys."
        FLORIN_ENVIRONMENT=local "$RELEASE/bin/fleetctl" keys generate --output "$KEYS"
    fi
    if [[ ! -f $ISSUER/jwks.json ]]; then
        say "Generating the local token issuer."
        FLORIN_ENVIRONMENT=local "$RELEASE/bin/fleetctl" issuer init --directory "$ISSUER"
    fi
    chmod 0711 "$KEYS" "$ISSUER"
    chmod 0644 "$ISSUER/jwks.json"
}
