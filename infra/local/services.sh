#!/usr/bin/env bash
# Sourced. What each server of the fleet is: its executable, account, ports and environment. Which there are is in the table (table.sh).

# In order of dependency: they are started in this order and stopped in reverse. Postgres, Redis, RabbitMQ and the SMTP server come before
# them all.
# A relay comes after the consumers, whose queues are then there for its first event; what is behind an @ is the source that it serves.
mapfile -t RELAYS < <(services_that has_outbox | sed 's/^/outbox-relay@/')
SERVICES=("${FLEET[@]}" "${RELAYS[@]}")
SERVERS=(postgres redis epmd rabbitmq)
if has_smtp; then SERVERS+=(smtp); fi
SERVERS+=("${SERVICES[@]}")

runs() { [[ " ${SERVICES[*]} " == *" $1 "* ]]; }

executable_of() { printf '%s' "${1%%@*}"; }
mapfile -t PRODUCTS < <(printf '%s\n' "${SERVICES[@]%%@*}" fleetctl | awk '!seen[$0]++')

# A relay works on its source's database and is called by nobody, so it is not in the table.
is_relay() { [[ $1 == outbox-relay@* ]]; }
uses_broker() { is_relay "$1" || is_consumer "$1"; }

service_admin_port() {
    local name
    if is_relay "$1"; then name=$(prefix_of "${1#*@}")_RELAY_ADMIN_PORT; else name=$(prefix_of "$1")_ADMIN_PORT; fi
    printf '%s' "${!name}"
}

service_http_port() {
    local name
    name=$(prefix_of "$1")_HTTP_PORT
    printf '%s' "${!name}"
}

# As root each service runs under an account of its own, which can read its own keys and nobody else's. A name has at most 32 characters.
service_user() {
    if ! is_root; then
        id -un
    elif is_relay "$1"; then
        printf 'florin-relay-%s' "${1#*@}"
    else
        printf 'florin-%s' "$1"
    fi
}

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

# Of every service that others call.
called_environment() {
    export INTERNAL_AUTH_KEYS_FILE=$KEYS/$1.keys.json
    export REPLAY_WINDOW=redis
    REDIS_URL=$(redis_url "$1")
    export REDIS_URL
    export INTERNAL_TLS=off
    export TOKEN_ISSUER=http://127.0.0.1:$IDENTITY_HTTP_PORT
    export TOKEN_JWKS=$TOKEN_ISSUER/oauth2/jwks
    export HTTP_HOST=127.0.0.1
    HTTP_PORT=$(service_http_port "$1")
    export HTTP_PORT
}

# The variable of a service's database: SERVICE KIND, the kind of role.
database_environment() {
    local url
    url=$(database_url "$1" "$2")
    export "${DATABASE_VARIABLE[$1]}=$url"
}

broker_environment() {
    RABBITMQ_URL=$(rabbitmq_url "$1")
    export RABBITMQ_URL
}

consumer_environment() {
    broker_environment "$1"
    DEAD_LETTER_KEYS_FILE=$(dead_letter_keys_file "$1")
    export DEAD_LETTER_KEYS_FILE
    # Shorter than in production, so that the demo need not wait ten minutes for a dead letter.
    export EVENT_RETRY_DELAYS=200ms,500ms,1s
}

# Of the one that keeps people's credentials.
identity_environment() {
    IDENTITY_SECRET_KEYS_FILE=$(secret_keys_file "$1")
    export IDENTITY_SECRET_KEYS_FILE
    NOTIFICATION_SEALING_KEY_FILE=$(sealing_public_file notification)
    export NOTIFICATION_SEALING_KEY_FILE
    export IDENTITY_PAGES_DIRECTORY=$RELEASE/pages
    export PASSWORD_BLOCKLIST_FILE=$RELEASE/passwords.txt
}

relay_environment() {
    export OUTBOX_SOURCE=$1
    database_environment "$1" relay
    broker_environment "$1-relay"
}

# SERVICE [KIND]: the kind of role is owner to migrate.
service_environment() {
    export FLORIN_ENVIRONMENT=local
    ADMIN_PORT=$(service_admin_port "$1")
    export ADMIN_PORT
    export MIGRATIONS_DIRECTORY=$RELEASE/migrations
    if is_relay "$1"; then
        relay_environment "${1#*@}"
        return
    fi
    if owns_database "$1"; then database_environment "$1" "${2:-serving}"; fi
    if is_called "$1"; then called_environment "$1"; fi
    if is_consumer "$1"; then consumer_environment "$1"; fi
    if keeps_secrets "$1"; then identity_environment "$1"; fi
    if sends_mail "$1"; then mail_environment "$1"; fi
}

# COMMAND...: becomes the operators' tool, as its own user of the broker and as the caller, whose files it may be given.
exec_fleetctl() {
    export FLORIN_ENVIRONMENT=local
    broker_environment fleetctl
    exec "$RELEASE/bin/fleetctl" "$@"
}

# Exchanges, queues and bindings, before anything publishes or consumes; running it again changes nothing.
ensure_topology() (
    clear_environment
    exec_fleetctl topology apply
)

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
    case $1 in
    postgres | redis | epmd | rabbitmq | smtp) "exec_$1" ;;
    *) exec_service "$1" serve ;;
    esac
}

# SERVICE COMMAND...: becomes the service's executable, with the service's settings and as its user.
exec_service() {
    local user
    user=$(service_user "$1")
    cd /
    service_environment "$1"
    if [[ -d $RELEASE/lib ]]; then
        export LD_LIBRARY_PATH=$RELEASE/lib
    fi
    exec_as "$user" "$RELEASE/bin/$(executable_of "$1")" "${@:2}"
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
    postgres | redis | epmd | rabbitmq | smtp) "$1_ready" ;;
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
    rm -rf "$RELEASE/pages"
    mkdir "$RELEASE/pages"
    cp -r "$FLORIN_REPOSITORY"/Services/Identity/Pages/{templates,texts,style.css} "$RELEASE/pages"
    cp "$FLORIN_REPOSITORY/infra/identity/passwords.txt" "$RELEASE/passwords.txt"
    chmod -R a+rX "$RELEASE/migrations" "$RELEASE/pages" "$RELEASE/passwords.txt"
}

# A toolchain that lies where only root can read (/root/.local/share/swiftly, say) would hide Swift's libraries from the
# services' users: then they get copies of those that the executables ask for.
ensure_readable_libraries() {
    local user=$1 executable=$2 library
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
    local service user file
    rm -rf "$RELEASE/lib"
    for service in "${SERVICES[@]}"; do
        user=$(service_user "$service")
        if is_root; then
            ensure_readable_libraries "$user" "$RELEASE/bin/$(executable_of "$service")"
        fi
        for file in "$KEYS/$service.keys.json" "$(dead_letter_keys_file "$service")" "$(secret_keys_file "$service")" \
            "$(sealing_keys_file "$service")"; do
            [[ -f $file ]] || continue
            if is_root; then
                chown "$user" "$file"
            fi
            chmod 0600 "$file"
        done
    done
}
