#!/usr/bin/env bash
# Sourced. What each server of the fleet is: its executable, account, ports and environment. A new service is added here.

# In order of dependency: they are started in this order and stopped in reverse. Postgres and Redis come before them all.
SERVICES=(wallet-ledger)
SERVERS=(postgres redis "${SERVICES[@]}")
PRODUCTS=("${SERVICES[@]}" fleetctl)

service_admin_port() {
    case $1 in
    wallet-ledger) printf '%s' "$WALLET_LEDGER_ADMIN_PORT" ;;
    *) fail "unknown service $1" ;;
    esac
}

# As root each service runs under an account of its own, which can read its own keys and nobody else's.
service_user() { if is_root; then printf 'florin-%s' "$1"; else id -un; fi; }

ensure_service_user() {
    local user
    user=$(service_user "$1")
    if is_root && ! user_exists "$user"; then
        useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
    fi
}

# A server gets the variables set below and no others: what the caller's shell exports could break the isolation of the
# databases. They are set inside the process that becomes the server, so no secret passes through a command line.
clear_environment() {
    local name
    while IFS= read -r name; do
        case $name in
        PATH | TERM) ;;
        *) export -n "${name?}" ;;
        esac
    done < <(compgen -e)
    export LANG=C.UTF-8
}

wallet_ledger_environment() {
    export FLORIN_ENVIRONMENT=local
    LEDGER_DATABASE_URL=$(database_url wallet-ledger "${1:-serving}")
    export LEDGER_DATABASE_URL
    export INTERNAL_AUTH_KEYS_FILE=$KEYS/wallet-ledger.keys.json
    export REPLAY_WINDOW=redis
    REDIS_URL=$(redis_url)
    export REDIS_URL
    export INTERNAL_TLS=off
    # A name, not an address: the local issuer has no server, its key set is a file. `fleetctl issuer` writes this name into tokens.
    export TOKEN_ISSUER=http://127.0.0.1:8101
    export TOKEN_JWKS=$ISSUER/jwks.json
    export HTTP_HOST=127.0.0.1
    export HTTP_PORT=$WALLET_LEDGER_HTTP_PORT
    export ADMIN_PORT=$WALLET_LEDGER_ADMIN_PORT
    export MIGRATIONS_DIRECTORY=$RELEASE/migrations
}

service_environment() {
    case $1 in
    wallet-ledger) wallet_ledger_environment "${2:-serving}" ;;
    *) fail "unknown service $1" ;;
    esac
}

# Becomes the given program as the given user; its pid is the caller's.
exec_as() {
    local user=$1
    shift
    if is_root && [[ $user != root ]]; then
        exec setpriv --reuid "$user" --regid "$user" --init-groups -- "$@"
    else
        exec "$@"
    fi
}

exec_server() {
    if [[ $1 == postgres ]]; then
        exec_postgres
    elif [[ $1 == redis ]]; then
        exec_redis
    fi
    local user
    user=$(service_user "$1")
    cd /
    service_environment "$1"
    if [[ -d $RELEASE/lib ]]; then
        export LD_LIBRARY_PATH=$RELEASE/lib
    fi
    exec_as "$user" "$RELEASE/bin/$1" serve
}

# Postgres: a fast shutdown (SIGINT) ends sessions and checkpoints. The others drain on SIGTERM.
stop_signal() { if [[ $1 == postgres ]]; then printf 'INT'; else printf 'TERM'; fi; }

migrate_service() (
    clear_environment
    service_environment "$1" owner
    "$RELEASE/bin/$1" migrate
)

# /readyz on the admin port, asked without any tool that might be missing.
service_ready() {
    local port status_line
    port=$(service_admin_port "$1")
    {
        exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
        printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
        IFS= read -r -t 5 status_line <&3 || return 1
        # The rest is read too: closing early would reset the connection under the server.
        while IFS= read -r -t 5 _ <&3; do :; done
        exec 3>&-
    } 2>/dev/null
    [[ $status_line == *" 200 "* ]]
}

server_ready() {
    case $1 in
    postgres) postgres_ready ;;
    redis) redis_ready ;;
    *) service_ready "$1" ;;
    esac
}

# Builds what will run, and copies it out of the build folder: a later build does not change a fleet that is up,
# and the servers' users need not be able to enter the clone.
build_products() {
    local product
    for product in "${PRODUCTS[@]}"; do
        step "Building $product"
        (cd "$FLORIN_REPOSITORY" && swift build --explicit-target-dependency-import-check error --product "$product") ||
            fail "the build of $product failed; what it said is above"
    done
}

install_release() {
    local product built
    built=$(cd "$FLORIN_REPOSITORY" && swift build --show-bin-path)
    for product in "${PRODUCTS[@]}"; do
        if [[ ! $RELEASE/bin/$product -nt $built/$product ]]; then
            cp "$built/$product" "$RELEASE/bin/$product.new"
            chmod 0755 "$RELEASE/bin/$product.new"
            mv "$RELEASE/bin/$product.new" "$RELEASE/bin/$product"
        fi
    done
    rm -rf "$RELEASE/migrations"
    cp -r "$FLORIN_REPOSITORY/migrations" "$RELEASE/migrations"
    chmod -R a+rX "$RELEASE/migrations"
}

# A toolchain that lies where only root can read (/root/.local/share/swiftly, say) would hide Swift's libraries from the
# services' users: then they get copies of those that the executables ask for.
ensure_readable_libraries() {
    local user=$1 executable=$2 library
    rm -rf "$RELEASE/lib"
    as_user "$user" "$executable" --help >/dev/null 2>&1 && return
    mkdir -p "$RELEASE/lib"
    ldd "$executable" | awk '$3 ~ "^/" && $3 !~ "^/(usr/)?lib" {print $3}' | while IFS= read -r library; do
        cp -L "$library" "$RELEASE/lib/"
    done
    chmod -R a+rX "$RELEASE/lib"
    as_user "$user" env LD_LIBRARY_PATH="$RELEASE/lib" "$executable" --help >/dev/null ||
        fail "$user cannot start $executable"
}

# After the keys exist: each service owns its own key file, and can in fact start as its own user.
grant_service_files() {
    local service user
    for service in "${SERVICES[@]}"; do
        user=$(service_user "$service")
        if is_root; then
            chown "$user" "$KEYS/$service.keys.json"
            ensure_readable_libraries "$user" "$RELEASE/bin/$service"
        fi
        chmod 0600 "$KEYS/$service.keys.json"
    done
}
