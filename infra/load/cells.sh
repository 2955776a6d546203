#!/usr/bin/env bash
# Sourced by bench.sh: how one cell of transfers is run. Each appends one line to $RESULTS:
# cell, clients, pattern, round, transfers/s, p50 ms, p99 ms, mean batch, WAL bytes, µs of generator, wallet-ledger and Postgres.

WARM_UP_SECONDS=1
TICK_MICROSECONDS=$((1000000 / $(getconf CLK_TCK)))

record() {
    local IFS=$'\t'
    printf '%s\n' "$*" >>"$RESULTS"
}

per() { awk -v total="$1" -v count="$2" 'BEGIN { printf "%.2f", (count > 0) ? total / count : 0 }'; }

require_no_checkpoint() { [[ $(checkpoints) == "$1" ]] || fail "a checkpoint fell into cell $2: the run is void"; }

run_pgbench() {
    local script=$1 clients=$2 hot=$3 seconds=$4
    shift 4
    timeout $((seconds + 60)) "$PROGRAMS/pgbench" -n -M prepared -h 127.0.0.1 -p "$POSTGRES_PORT" -U "$ADMIN" -c "$clients" -j 2 \
        -T "$seconds" -D "hot=$hot" -f "$BENCH_FOLDER/$script.pgbench" "$@" cell
}

processed() { sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$1"; }

# Nearest-rank percentiles of the third column of pgbench's logs (µs), in ms.
pgbench_percentiles() {
    cat "$WORK"/pgbench-log.* | awk '{print $3}' | sort -n | awk '
        { value[NR] = $1 }
        END { printf "%.2f\t%.2f", value[int((NR * 50 + 99) / 100)] / 1000, value[int((NR * 99 + 99) / 100)] / 1000 }'
}

naive_cell() {
    local cell=$1 script=$2 clients=$3 pattern=$4 round=$5 hot=0
    local count warm wal ticks before generator percentiles rate TIMEFORMAT='%U %S'
    [[ $pattern == random ]] || hot=1
    sql postgres -c 'CREATE DATABASE cell TEMPLATE naive_template' </dev/null
    run_pgbench "$script" "$clients" "$hot" "$WARM_UP_SECONDS" >"$WORK/warm.out" 2>"$WORK/pgbench.err" || fail "pgbench: $(tail -n 2 "$WORK/pgbench.err")"
    warm=$(processed "$WORK/warm.out")
    settle cell
    rm -f "$WORK"/pgbench-log.*
    before=$(checkpoints)
    wal=$(wal_position)
    ticks=$(postgres_ticks)
    { time run_pgbench "$script" "$clients" "$hot" "$BENCH_SECONDS" --log --log-prefix="$WORK/pgbench-log" \
        >"$WORK/pgbench.out" 2>"$WORK/pgbench.err"; } 2>"$WORK/pgbench.time" || fail "pgbench: $(tail -n 2 "$WORK/pgbench.err")"
    ticks=$(($(postgres_ticks) - ticks))
    wal=$(($(wal_position) - wal))
    require_no_checkpoint "$before" "$cell"
    count=$(processed "$WORK/pgbench.out")
    [[ $(sql cell -c 'SELECT count(*) FROM transfers' </dev/null) == "$((count + warm))" ]] || fail "cell $cell lost transfers"
    rate=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$WORK/pgbench.out")
    generator=$(awk '{print ($1 + $2) * 1000000}' "$WORK/pgbench.time")
    percentiles=$(pgbench_percentiles)
    record "$cell" "$clients" "$pattern" "$round" "$rate" "$percentiles" 1 "$(per "$wal" "$count")" "$(per "$generator" "$count")" - \
        "$(per $((ticks * TICK_MICROSECONDS)) "$count")"
    drop_database cell
}

# Becomes wallet-ledger with exactly the variables of a local fleet; the first two say as which role and on which database.
exec_ledger() {
    local role=$1 database=$2
    shift 2
    clear_environment
    # The URL holds a secret: it travels in the environment, not on a command line.
    export LEDGER_DATABASE_URL=postgres://$role:$SECRET@127.0.0.1:$POSTGRES_PORT/$database
    export FLORIN_ENVIRONMENT=local INTERNAL_AUTH_KEYS_FILE=$WORK/keys/wallet-ledger.keys.json REPLAY_WINDOW=in-process
    export INTERNAL_TLS=off TOKEN_ISSUER=http://127.0.0.1:8101 TOKEN_JWKS=$WORK/issuer/jwks.json
    export HTTP_HOST=127.0.0.1 HTTP_PORT=$LEDGER_PORT ADMIN_PORT=$LEDGER_ADMIN_PORT
    export MIGRATIONS_DIRECTORY=$FLORIN_REPOSITORY/migrations
    [[ -z ${LEDGER_SETTING:-} ]] || export "${LEDGER_SETTING?}"
    exec "$BIN/wallet-ledger" "$@"
}

# admin_get PATH [PORT]: one answer of an admin port; no tool is needed that might be missing.
admin_get() {
    {
        exec 3<>"/dev/tcp/127.0.0.1/${2:-$LEDGER_ADMIN_PORT}" || return 1
        printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$1" >&3
        timeout 10 cat <&3
        exec 3>&-
    } 2>/dev/null
}

ledger_ready() { [[ $(admin_get /readyz | head -n 1) == *" 200 "* ]]; }
ledger_ready_or_gone() { ledger_ready || process_gone "$LEDGER_PID"; }
counter() { awk -v name="$1" '$1 == name {print int($2)}' "$2"; }

start_ledger() {
    LEDGER_PORT=$(choose_free_port)
    LEDGER_ADMIN_PORT=$(choose_free_port)
    exec_ledger wallet_ledger cell serve >"$WORK/ledger.log" 2>&1 </dev/null &
    LEDGER_PID=$!
    wait_until 30 ledger_ready_or_gone || fail "wallet-ledger was not ready: $(tail -n 3 "$WORK/ledger.log")"
    ! process_gone "$LEDGER_PID" || fail "wallet-ledger did not start: $(tail -n 3 "$WORK/ledger.log")"
    # An in-process replay window refuses what was signed in the second of its start or before.
    sleep 1.5
}

stop_ledger() {
    [[ -n ${LEDGER_PID:-} ]] || return 0
    stop_process "$LEDGER_PID" TERM
    LEDGER_PID=
}

# load SECONDS CONNECTIONS PATTERN RATE [BATCH MODE]: one run of the generator.
load() {
    local seconds=$1 connections=$2 pattern=$3 rate=$4 mode=${5:-} more=() pid
    [[ $pattern == random ]] || more=(--hot)
    [[ -z $mode ]] || more+=(--batch "$ITEMS_PER_CALL" --batch-mode "$mode")
    [[ -z $STEADY ]] || more+=(--rate "$STEADY")
    for pid in "${BESIDE[@]}"; do more+=(--measure "$pid"); done
    timeout $((seconds + 240)) "$BIN/fleetctl" load --url "http://127.0.0.1:$LEDGER_PORT" --wallets "$WORK/wallets" \
        --keys-directory "$WORK/keys" --token-file "$WORK/token" --connections "$connections" --seconds "$seconds" \
        --signed-per-second "$rate" --measure "$LEDGER_PID" --measure "$POSTGRES_PID" "${more[@]}"
}

field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$2"; }

ledger_cell() {
    local cell=$1 setting=$2 connections=$3 pattern=$4 round=$5 mode=${6:-} rate=${LEDGER_RATE[$3]:-30000} status=201
    [[ -z $mode ]] || rate=$CALL_RATE
    [[ $mode != independent ]] || status=200
    local count warm wal before batches items found
    create_ledger_database cell ledger_template
    LEDGER_SETTING=$setting
    start_ledger
    LEDGER_SETTING=
    "${AROUND_LOAD:-:}" before
    load "$WARM_UP_SECONDS" "$connections" "$pattern" "$rate" "$mode" >"$WORK/warm.out" || fail "warm-up of $cell: $(cat "$WORK/warm.out"; tail -n 3 "$WORK/ledger.log")"
    warm=$(field transfers "$WORK/warm.out")
    settle cell
    before=$(checkpoints)
    admin_get /metrics >"$WORK/metrics.before"
    wal=$(wal_position)
    load "$BENCH_SECONDS" "$connections" "$pattern" "$rate" "$mode" >"$WORK/load.out" || fail "cell $cell: $(cat "$WORK/load.out"; tail -n 3 "$WORK/ledger.log")"
    wal=$(($(wal_position) - wal))
    require_no_checkpoint "$before" "$cell"
    admin_get /metrics >"$WORK/metrics.after"
    count=$(field transfers "$WORK/load.out")
    if [[ $(cat "$WORK/load.out") != *'"statuses":{"'$status'":'*([0-9])'},'* ]]; then
        warn "cell $cell, $connections connections: not every answer was $status: $(cat "$WORK/load.out")"
    fi
    if [[ $(cat "$WORK/load.out") == *'"requests_used_up":true'* ]]; then
        fail "cell $cell used up its $rate signed requests a second: raise LEDGER_RATE"
    fi
    found=$(sql cell -c 'SELECT count(*) FROM transfers' </dev/null)
    [[ $found == "$((count + warm))" ]] || fail "cell $cell: $((count + warm)) transfers were acknowledged, $found are there"
    batches=$(($(counter ledger_batches_total "$WORK/metrics.after") - $(counter ledger_batches_total "$WORK/metrics.before")))
    items=$(($(counter ledger_batch_items_total "$WORK/metrics.after") - $(counter ledger_batch_items_total "$WORK/metrics.before")))
    "${AROUND_LOAD:-:}" after
    stop_ledger
    (exec_ledger wallet_ledger cell verify) >"$WORK/verify.out" 2>&1 </dev/null || fail "cell $cell: verify is not clean: $(tail -n 3 "$WORK/verify.out")"
    record "$cell" "$connections" "$pattern" "$round" "$(field per_second "$WORK/load.out")" "$(field p50_ms "$WORK/load.out")" \
        "$(field p99_ms "$WORK/load.out")" "$(per "$items" "$batches")" "$(per "$wal" "$count")" \
        "$(field cpu_us_per_transfer "$WORK/load.out")" "$(measured 1)" "$(measured 2)"
    drop_database cell
}

# The n-th of "measured_us_per_transfer":[a,b,...].
measured() { sed -n 's/.*"measured_us_per_transfer":\[\([^]]*\)\].*/\1/p' "$WORK/load.out" | cut -d, -f"$1"; }
