#!/usr/bin/env bash
# Sourced. The fleet's private Postgres: its own cluster, port and data folder; durable, as the real one is.
# It listens on 127.0.0.1 only, by password only, and has no Unix socket, whose path a deep clone would make too long.

ADMIN_ROLE=florin_admin

# The account that owns the server: Postgres refuses to run as root.
postgres_user() { if is_root; then printf 'postgres'; else id -un; fi; }

postgres_programs() {
    local version
    if [[ -f $POSTGRES_DATA/PG_VERSION ]]; then
        version=$(cat "$POSTGRES_DATA/PG_VERSION")
        [[ -x /usr/lib/postgresql/$version/bin/postgres ]] ||
            fail "$POSTGRES_DATA was made by Postgres $version, which is not installed: install postgresql-$version, or make reset (deletes the data)"
    else
        version=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sed 's|/usr/lib/postgresql/\([0-9]*\)/.*|\1|' | sort -n | tail -n 1)
    fi
    printf '/usr/lib/postgresql/%s/bin' "$version"
}

ensure_cluster() {
    local user owner
    user=$(postgres_user)
    if [[ -f $POSTGRES_DATA/PG_VERSION ]]; then
        owner=$(stat -c %U "$POSTGRES_DATA")
        [[ $owner == "$user" ]] || fail "$POSTGRES_DATA belongs to $owner: start the fleet as the same user as before, or make reset (deletes the data)"
        [[ -f $ADMIN_PASSFILE ]] || fail "$ADMIN_PASSFILE is gone, and with it the way into $POSTGRES_DATA: make reset (deletes the data)"
        return
    fi
    step "Creating the private Postgres cluster in $POSTGRES_DATA"
    local password_file programs
    rm -rf "$POSTGRES_DATA"
    (
        umask 077
        printf '127.0.0.1:*:*:%s:%s\n' "$ADMIN_ROLE" "$(random_password)" >"$ADMIN_PASSFILE"
    )
    password_file=$(mktemp)
    cut -d: -f5 "$ADMIN_PASSFILE" >"$password_file"
    mkdir -m 0700 "$POSTGRES_DATA"
    if is_root; then
        chown "$user" "$password_file" "$POSTGRES_DATA"
    fi
    programs=$(postgres_programs)
    if ! (cd / && as_user "$user" "$programs/initdb" --pgdata "$POSTGRES_DATA" --username "$ADMIN_ROLE" --pwfile "$password_file" \
        --auth scram-sha-256 --encoding UTF8 --locale C >"$LOGS/initdb.log" 2>&1); then
        rm -rf "$password_file" "$POSTGRES_DATA"
        tail -n 20 "$LOGS/initdb.log" >&2
        fail "initdb failed; its log is $LOGS/initdb.log"
    fi
    rm -f "$password_file"
}

# Replaces the calling shell by the server. fsync, synchronous_commit and full_page_writes keep their default: on.
exec_postgres() {
    cd /
    exec_as "$(postgres_user)" "$(postgres_programs)/postgres" -D "$POSTGRES_DATA" -p "$POSTGRES_PORT" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 \
        -c logging_collector=off -c log_destination=stderr "-clog_line_prefix=%m [%p] %q%u@%d "
}

postgres_ready() { "$(postgres_programs)/pg_isready" -q -h 127.0.0.1 -p "$POSTGRES_PORT"; }

admin_psql() {
    PGPASSFILE=$ADMIN_PASSFILE PGCONNECT_TIMEOUT=10 "$(postgres_programs)/psql" -h 127.0.0.1 -p "$POSTGRES_PORT" -U "$ADMIN_ROLE" \
        -v ON_ERROR_STOP=1 -X -q -A -t "$@"
}

# Creates or corrects one role. The SQL goes through standard input, so no password shows in the process list,
# and the statement would not be logged even if it failed.
role_sql() {
    local role=$1 password=$2
    cat <<SQL
SELECT format('CREATE ROLE %I', '$role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$role') \gexec
ALTER ROLE $role LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '$password';
SQL
}

database_sql() {
    local service=$1 database owner
    database=$(role_name "$service" serving)
    owner=$(role_name "$service" owner)
    cat <<SQL
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', '$database', '$owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$database') \gexec
REVOKE CONNECT, TEMPORARY ON DATABASE $database FROM PUBLIC;
GRANT CONNECT ON DATABASE $database TO $(role_name "$service" serving), $(role_name "$service" relay);
COMMENT ON DATABASE $database IS 'florin:$service';
SQL
}

# Large objects belong to nobody's schema: only an administrator can close them, in each database.
large_object_sql() {
    printf '\\connect %s\n' "$(role_name "$1" serving)"
    printf 'REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;\n'
}

# Three roles and one database per service; running it again changes nothing but a password that differs.
ensure_roles_and_databases() {
    local service kind
    {
        printf 'SET log_min_error_statement = panic;\n'
        for service in "${DATABASE_SERVICES[@]}"; do
            for kind in "${ROLE_KINDS[@]}"; do
                role_sql "$(role_name "$service" "$kind")" "$(password_of "$service" "$kind")"
            done
            database_sql "$service"
        done
        printf 'REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;\n'
        for service in "${DATABASE_SERVICES[@]}"; do large_object_sql "$service"; done
    } | admin_psql -d postgres >/dev/null
}
