#!/usr/bin/env bash
# Sourced. Passwords and keys: made once, kept in the state folder, never on a command line.

# The roles of the fleet's databases, as <service>:<kind>. The serving role has the service's bare name.
mapfile -t DATABASE_SERVICES < <(services_that owns_database)
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
    prefix_of "$1_$2"
}

random_password() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

ensure_password() { grep -q "^$2=" "$1" || printf '%s=%s\n' "$2" "$(random_password)" >>"$1"; }

# Adds a password for each role, and each user of Redis and RabbitMQ, that has none yet.
ensure_passwords() {
    local file=$SECRETS/passwords.env service kind name
    (
        umask 077
        touch "$file"
        for service in "${DATABASE_SERVICES[@]}"; do
            for kind in "${ROLE_KINDS[@]}"; do
                ensure_password "$file" "$(role_prefix "$service" "$kind")_PASSWORD"
            done
        done
        for name in "${REDIS_USERS[@]}"; do
            ensure_password "$file" "$(redis_password_name "$name")"
        done
        for name in "${RABBITMQ_USERS[@]}"; do
            ensure_password "$file" "$(rabbitmq_password_name "$name")"
        done
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
                # The role is there all the same: migrate closes a database to all but its three.
                if [[ $kind == relay ]] && ! has_outbox "$service"; then continue; fi
                printf '%s_URL=%s\n' "$(role_prefix "$service" "$kind")" "$(database_url "$service" "$kind")"
            done
        done >"$DATABASES_FILE"
    )
}

dead_letter_keys_file() { printf '%s' "$KEYS/$1.dead-letter-keys.json"; }

# What identity keeps its TOTP secrets and signing keys under.
secret_keys_file() { printf '%s' "$KEYS/$1.secret-keys.json"; }
keeps_secrets() { [[ $1 == identity ]]; }

# FILE: keys under which a service keeps what it must read again (bodies of dead letters, identity's secrets): the first encrypts, all
# decrypt, so a lost one is a lost body.
ensure_encryption_keys() {
    [[ ! -f $1 ]] || return 0
    (
        umask 077
        printf '{"keys": [{"keyid": "local-%s", "secret": "%s"}]}\n' "$(date -u +%Y-%m-%d)" "$(head -c 32 /dev/urandom | base64 -w 0)" >"$1"
    )
}

# Keys of the fleet's services. A pair's signing key stands in two files, so a service that has no file yet means new ones for all; nothing is running that knows the old ones.
ensure_keys() {
    local service
    for service in "${SERVICES[@]}"; do
        if is_called "$service" && [[ ! -f $KEYS/$service.keys.json ]]; then
            say "Generating the services' signing keys."
            FLORIN_ENVIRONMENT=local "$RELEASE/bin/fleetctl" keys generate --output "$KEYS" --force
            break
        fi
    done
    for service in "${SERVICES[@]}"; do
        if is_consumer "$service"; then
            ensure_encryption_keys "$(dead_letter_keys_file "$service")"
        fi
        if keeps_secrets "$service"; then
            ensure_encryption_keys "$(secret_keys_file "$service")"
        fi
        if sends_mail "$service"; then
            ensure_sealing_keys "$service"
        fi
    done
    chmod 0711 "$KEYS"
}
