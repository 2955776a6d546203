#!/usr/bin/env bash
# Sourced by bench.sh: a private Postgres with fsync on, and what its processes and the ledger's have used.

ADMIN=florin_bench_admin
ROLES=(wallet_ledger_owner wallet_ledger wallet_ledger_relay ops_risk_owner ops_risk ops_risk_relay identity_owner identity identity_relay)

choose_free_port() {
    local port try
    for ((try = 0; try < 100; try++)); do
        port=$((20000 + RANDOM % 12000))
        if ! port_answers "$port"; then
            printf '%s' "$port"
            return
        fi
    done
    fail "no free port was found"
}

random_secret() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# Started in the background this leaves the server's own pid in $!.
exec_as_user() {
    local user=$1
    shift
    if is_root && [[ $user != root ]]; then
        exec setpriv --reuid "$user" --regid "$user" --init-groups -- "$@"
    fi
    exec "$@"
}

postgres_user() { if is_root; then printf 'postgres'; else id -un; fi; }

make_postgres() {
    local user version
    version=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sed 's|/usr/lib/postgresql/\([0-9]*\)/.*|\1|' | sort -n | tail -n 1)
    PROGRAMS=/usr/lib/postgresql/$version/bin
    POSTGRES_PORT=$(choose_free_port)
    SECRET=$(random_secret)
    user=$(postgres_user)
    export PGPASSFILE=$WORK/pgpass
    (
        umask 077
        printf '127.0.0.1:*:*:*:%s\n' "$SECRET" >"$PGPASSFILE"
        printf '%s' "$SECRET" >"$WORK/password"
    )
    mkdir -m 0700 "$WORK/postgres"
    if is_root; then chown "$user" "$WORK/postgres" "$WORK/password"; fi
    (cd / && as_user "$user" "$PROGRAMS/initdb" -D "$WORK/postgres" -U "$ADMIN" --pwfile "$WORK/password" --auth scram-sha-256 \
        --encoding UTF8 --locale C) >"$WORK/initdb.log" 2>&1 || fail "initdb failed: $(tail -n 3 "$WORK/initdb.log")"
}

# start_postgres [MORE SETTINGS]
start_postgres() {
    cd /
    # Checkpoints are asked for between the cells; fsync, synchronous_commit and full_page_writes keep their default, on.
    exec_as_user "$(postgres_user)" "$PROGRAMS/postgres" -D "$WORK/postgres" -p "$POSTGRES_PORT" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=300 -c "shared_buffers=${BENCH_SHARED_BUFFERS:-2GB}" -c max_wal_size=16GB -c min_wal_size=8GB \
        -c checkpoint_timeout=1h -c logging_collector=off "$@" >>"$WORK/postgres.log" 2>&1 &
    POSTGRES_PID=$!
    cd "$FLORIN_REPOSITORY"
    wait_until 60 "$PROGRAMS/pg_isready" -q -h 127.0.0.1 -p "$POSTGRES_PORT" || fail "Postgres did not start: $(tail -n 3 "$WORK/postgres.log")"
    [[ -f $WORK/roles ]] || create_roles
}

# sql DATABASE [psql's options]; SQL on standard input or by -c.
sql() {
    local database=$1
    shift
    timeout 120 "$PROGRAMS/psql" -h 127.0.0.1 -p "$POSTGRES_PORT" -U "$ADMIN" -d "$database" -v ON_ERROR_STOP=1 -X -q -A -t "$@"
}

show() { sql postgres -c "SHOW $1" </dev/null; }

# As a server that has run for a while: all of its buffers are mapped, and old WAL segments wait to be used again. Else the first
# rounds would pay for zeroing both.
warm_postgres() {
    sql postgres <<'SQL'
CREATE UNLOGGED TABLE filler (one_per_page text) WITH (fillfactor = 10);
INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, pg_size_bytes(current_setting('shared_buffers')) / 8192);
DROP TABLE filler;
DO $$ BEGIN
    FOR segment IN 1..128 LOOP
        PERFORM pg_logical_emit_message(false, 'bench', 'warm');
        PERFORM pg_switch_wal();
    END LOOP;
END $$;
CHECKPOINT;
SQL
}

create_roles() {
    local role
    for role in "${ROLES[@]}"; do
        printf "CREATE ROLE %s LOGIN PASSWORD '%s';\n" "$role" "$SECRET"
    done | sql postgres
    sql postgres -c 'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC' </dev/null
    touch "$WORK/roles"
}

# A copy of a database is a new one to its roles: the isolation rules are stated again for it.
create_ledger_database() { create_service_database wallet-ledger "$@"; }

# SERVICE DATABASE TEMPLATE
create_service_database() {
    local role=${1//-/_}
    sql postgres <<SQL
CREATE DATABASE $2 OWNER ${role}_owner TEMPLATE $3;
REVOKE CONNECT, TEMPORARY ON DATABASE $2 FROM PUBLIC;
GRANT CONNECT ON DATABASE $2 TO $role, ${role}_relay;
COMMENT ON DATABASE $2 IS 'florin:$1';
SQL
}

drop_database() { sql postgres -c "DROP DATABASE $1 WITH (FORCE)" </dev/null; }

# The cell begins with clean pages and no checkpoint due.
settle() {
    sql "$1" -c 'VACUUM ANALYZE' </dev/null
    sql "$1" -c 'CHECKPOINT' </dev/null
}

checkpoints() { sql postgres -c 'SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter' </dev/null; }
wal_position() { sql postgres -c "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn" </dev/null; }

# Clock ticks that a process has used, its threads included; 0 when it is gone.
ticks_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '{ticks = $12 + $13} END {print ticks + 0}'; }

# Clock ticks that Postgres has used: the postmaster, its children that ended (which it has waited for), and those alive.
postgres_ticks() {
    local pid total
    total=$(sed 's/.*) //' "/proc/$POSTGRES_PID/stat" | awk '{print $12 + $13 + $14 + $15}')
    for pid in $(cat "/proc/$POSTGRES_PID/task/$POSTGRES_PID/children"); do
        total=$((total + $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | awk '{print $12 + $13}' || true) + 0))
    done
    printf '%s' "$total"
}

stop_process() {
    local pid=$1 signal=$2
    kill -s "$signal" "$pid" 2>/dev/null || return 0
    wait_until 60 process_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

process_gone() { ! kill -0 "$1" 2>/dev/null || [[ $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == Z* ]]; }
