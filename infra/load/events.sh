#!/usr/bin/env bash
# Sourced by bench.sh: how one cell of events is run. Each appends one line to $WORK/events.tsv: cell, round, events (N and O: transfers) a
# second, p50 ms, p99 ms, µs of generator, wallet-ledger, relay, ops-risk, Postgres and RabbitMQ; "-" for what a cell has not.

RELAY_PID=
CONSUMER_PID=
# When set, transfers a second that load is to send.
STEADY=
# Of what carries the traffic besides the generator: load measures their processor time too.
BESIDE=()
# Enough that a relay works for several seconds.
EVENTS=${BENCH_EVENTS:-60000}
# The relay's: events sent and not confirmed.
WINDOW=1024
STEADY_RATE=500
STEADY_SECONDS=8
STEADY_CONNECTIONS=16
# Without an event for so long, a consumer of the steady rate is done.
IDLE_SECONDS=4

# Whether this clone can build the consumer.
has_ops_risk() { [[ -d $FLORIN_REPOSITORY/Services/OpsRisk ]]; }

# Becomes outbox-relay on a copy of wallet-ledger's database, as its relay's role and the relay's own user at the broker.
exec_relay() {
    local url
    url=$(rabbitmq_url wallet-ledger-relay)
    clear_environment
    export LEDGER_DATABASE_URL=postgres://wallet_ledger_relay:$SECRET@127.0.0.1:$POSTGRES_PORT/$1 RABBITMQ_URL=$url
    export FLORIN_ENVIRONMENT=local OUTBOX_SOURCE=wallet-ledger ADMIN_PORT=$RELAY_ADMIN_PORT MIGRATIONS_DIRECTORY=$FLORIN_REPOSITORY/migrations
    exec "$BIN/outbox-relay" serve
}

start_relay() {
    RELAY_ADMIN_PORT=$(choose_free_port)
    exec_relay "$1" >"$WORK/relay.log" 2>&1 </dev/null &
    RELAY_PID=$!
}

relay_ready_or_gone() { [[ $(admin_get /readyz "$RELAY_ADMIN_PORT" | head -n 1) == *" 200 "* ]] || process_gone "$RELAY_PID"; }

await_relay() {
    wait_until 30 relay_ready_or_gone || fail "outbox-relay was not ready: $(tail -n 3 "$WORK/relay.log")"
    ! process_gone "$RELAY_PID" || fail "outbox-relay did not start: $(tail -n 3 "$WORK/relay.log")"
}

stop_relay() {
    [[ -n ${RELAY_PID:-} ]] || return 0
    stop_process "$RELAY_PID" TERM
    RELAY_PID=
}

# exec_ops_risk ROLE COMMAND
exec_ops_risk() {
    local url
    url=$(rabbitmq_url ops-risk)
    clear_environment
    export OPS_RISK_DATABASE_URL=postgres://$1:$SECRET@127.0.0.1:$POSTGRES_PORT/${3:-consumer_cell} RABBITMQ_URL=$url
    export FLORIN_ENVIRONMENT=local INTERNAL_AUTH_KEYS_FILE=$WORK/keys/ops-risk.keys.json REPLAY_WINDOW=in-process INTERNAL_TLS=off
    export TOKEN_ISSUER=http://127.0.0.1:8101 TOKEN_JWKS=$WORK/issuer/jwks.json HTTP_HOST=127.0.0.1 HTTP_PORT=$CONSUMER_PORT
    export ADMIN_PORT=$CONSUMER_ADMIN_PORT MIGRATIONS_DIRECTORY=$FLORIN_REPOSITORY/migrations DEAD_LETTER_KEYS_FILE=$WORK/dead-letter-keys.json
    exec "$BIN/ops-risk" "$2"
}

start_ops_risk() {
    CONSUMER_PORT=$(choose_free_port)
    CONSUMER_ADMIN_PORT=$(choose_free_port)
    exec_ops_risk ops_risk serve >"$WORK/ops-risk.log" 2>&1 </dev/null &
    CONSUMER_PID=$!
}

stop_ops_risk() {
    [[ -n ${CONSUMER_PID:-} ]] || return 0
    stop_process "$CONSUMER_PID" TERM
    CONSUMER_PID=
}

microseconds_per() { per $(($1 * TICK_MICROSECONDS)) "$2"; }

# The templates: what a cell needs before it starts.
prepare_events() {
    local pattern
    for pattern in random hot; do
        create_ledger_database "outbox_$pattern" ledger_template
        sql "outbox_$pattern" -v events="$EVENTS" -v hot="$([[ $pattern == hot ]] && printf 1 || printf 0)" -f "$BENCH_FOLDER/events.sql" </dev/null
        sql "outbox_$pattern" -c 'VACUUM (FREEZE, ANALYZE)' </dev/null
    done
    # Declares exchange and queue.
    broker_load publish --events 1 >/dev/null
    broker_load consume --events 1 >/dev/null
    has_ops_risk || return 0
    CONSUMER_PORT=$(choose_free_port)
    CONSUMER_ADMIN_PORT=$(choose_free_port)
    (umask 077 && printf '{"keys": [{"keyid": "bench", "secret": "%s"}]}\n' "$(head -c 32 /dev/urandom | base64 -w 0)" >"$WORK/dead-letter-keys.json")
    create_service_database ops-risk consumer_template template0
    (exec_ops_risk ops_risk_owner migrate consumer_template) >"$WORK/migrate.out" 2>&1 </dev/null ||
        fail "ops-risk migrate: $(tail -n 3 "$WORK/migrate.out")"
}

# What librabbitmq reaches alone: the queue is filled, and then emptied.
broker_cells() {
    local round=$1
    broker_load publish --events "$EVENTS" --window "$WINDOW" --measure "$BROKER_PID" >"$WORK/publish.out" || fail "publishing: $(cat "$WORK/publish.out")"
    record G "$round" "$(field per_second "$WORK/publish.out")" - - "$(field cpu_us_per_event "$WORK/publish.out")" - - - - \
        "$(measured_event "$WORK/publish.out")"
    broker_load consume --events "$EVENTS" --measure "$BROKER_PID" >"$WORK/consume.out" || fail "consuming: $(cat "$WORK/consume.out")"
    record H "$round" "$(field per_second "$WORK/consume.out")" - - "$(field cpu_us_per_event "$WORK/consume.out")" - - - - \
        "$(measured_event "$WORK/consume.out")"
}

measured_event() { sed -n 's/.*"measured_us_per_event":\[\([^],]*\).*/\1/p' "$1"; }

# relay_cell CELL PATTERN ROUND: an outbox that is full is published by a relay that starts. The events are in the queue afterwards.
relay_cell() {
    local cell=$1 pattern=$2 round=$3 before ticks broker marks seconds
    create_ledger_database cell "outbox_$pattern"
    settle cell
    before=$(checkpoints)
    ticks=$(postgres_ticks)
    broker=$(ticks_of "$BROKER_PID")
    sql cell -c 'SELECT bench_marks()' </dev/null >"$WORK/marks.out" 2>"$WORK/marks.err" &
    marks=$!
    start_relay cell
    wait "$marks" || fail "cell $cell: $(tail -n 2 "$WORK/marks.err"); $(tail -n 3 "$WORK/relay.log")"
    seconds=$(cat "$WORK/marks.out")
    ticks=$(($(postgres_ticks) - ticks))
    broker=$(($(ticks_of "$BROKER_PID") - broker))
    require_no_checkpoint "$before" "$cell"
    record "$cell" "$round" "$(per "$EVENTS" "$seconds")" - - - - "$(microseconds_per "$(ticks_of "$RELAY_PID")" "$EVENTS")" - \
        "$(microseconds_per "$ticks" "$EVENTS")" "$(microseconds_per "$broker" "$EVENTS")"
    stop_relay
    drop_database cell
}

# Every event of a queue is counted by taking it.
empty_queue() {
    broker_load consume --events "$EVENTS" >"$WORK/consume.out" || fail "of $EVENTS events these came: $(cat "$WORK/consume.out")"
}

applied() { admin_get /metrics "$CONSUMER_ADMIN_PORT" | awk '/^event_consumed_total\{.*result="applied"/ {print int($2)}'; }
all_applied_or_gone() { [[ $(applied) == "$EVENTS" ]] || process_gone "$CONSUMER_PID"; }

# The events of a relay_cell, from the queue into the database of ops-risk. Rows say when their transactions began: the time is from the
# first of them to the last, whose rows therefore do not count.
consumer_cell() {
    local cell=$1 round=$2 before ticks broker rate
    create_service_database ops-risk consumer_cell consumer_template
    settle consumer_cell
    before=$(checkpoints)
    ticks=$(postgres_ticks)
    broker=$(ticks_of "$BROKER_PID")
    start_ops_risk
    wait_until 60 all_applied_or_gone || fail "cell $cell: $(applied) of $EVENTS events were applied: $(tail -n 3 "$WORK/ops-risk.log")"
    ! process_gone "$CONSUMER_PID" || fail "ops-risk did not start: $(tail -n 3 "$WORK/ops-risk.log")"
    ticks=$(($(postgres_ticks) - ticks))
    broker=$(($(ticks_of "$BROKER_PID") - broker))
    require_no_checkpoint "$before" "$cell"
    rate=$(sql consumer_cell <<'SQL'
SELECT count(*) FILTER (WHERE processed_at < last) / extract(epoch FROM last - min(processed_at))
FROM processed_events, (SELECT max(processed_at) AS last FROM processed_events) l GROUP BY last;
SQL
    )
    [[ $(sql consumer_cell -c 'SELECT (SELECT count(*) FROM processed_events), (SELECT count(*) FROM customer_debits)' </dev/null) == "$EVENTS|$EVENTS" ]] ||
        fail "cell $cell lost events"
    record "$cell" "$round" "$rate" - - - - - "$(microseconds_per "$(ticks_of "$CONSUMER_PID")" "$EVENTS")" \
        "$(microseconds_per "$ticks" "$EVENTS")" "$(microseconds_per "$broker" "$EVENTS")"
    stop_ops_risk
    drop_database consumer_cell
}

# From the commits of a steady rate of transfers to a consumer's hands, and, as the relay's own histogram has it, from the event's time,
# which lies before the commit, to the confirm.
delay_cells() {
    local round=$1 warm consumer
    create_ledger_database cell ledger_template
    start_ledger
    start_relay cell
    await_relay
    broker_load consume --idle "$IDLE_SECONDS" --acknowledge 1 --arrivals "$WORK/arrivals" >"$WORK/consume.out" 2>&1 &
    consumer=$!
    STEADY=$STEADY_RATE
    load "$WARM_UP_SECONDS" "$STEADY_CONNECTIONS" random "$STEADY_RATE" >"$WORK/warm.out" || fail "warm-up of K: $(cat "$WORK/warm.out")"
    warm=$(sql cell -c 'SELECT max(id) FROM outbox_events' </dev/null)
    admin_get /metrics "$RELAY_ADMIN_PORT" >"$WORK/relay.before"
    BESIDE=("$RELAY_PID" "$BROKER_PID")
    load "$STEADY_SECONDS" "$STEADY_CONNECTIONS" random "$STEADY_RATE" >"$WORK/load.out" || fail "cell K: $(cat "$WORK/load.out")"
    BESIDE=()
    STEADY=
    wait "$consumer" || fail "cell K: $(cat "$WORK/consume.out")"
    admin_get /metrics "$RELAY_ADMIN_PORT" >"$WORK/relay.after"
    stop_relay
    stop_ledger
    {
        printf 'CREATE TEMPORARY TABLE arrivals (event_id uuid, at bigint);\n'
        printf "\\\\copy arrivals FROM '%s'\n" "$WORK/arrivals"
        cat <<SQL
SELECT count(DISTINCT event_id), (SELECT count(*) FROM outbox_events WHERE id > $warm),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY delay), percentile_disc(0.99) WITHIN GROUP (ORDER BY delay)
FROM (
    SELECT event_id, at / 1000.0 - extract(epoch FROM pg_xact_commit_timestamp(e.xmin)) * 1000 AS delay
    FROM outbox_events e JOIN arrivals USING (event_id) WHERE id > $warm
) measured;
SQL
    } | sql cell -F ' ' >"$WORK/delays"
    local arrived written p50 p99
    read -r arrived written p50 p99 <"$WORK/delays"
    [[ $arrived == "$written" ]] || fail "cell K: of $written events $arrived came"
    record K "$round" "$(field per_second "$WORK/load.out")" "$p50" "$p99" "$(field cpu_us_per_transfer "$WORK/load.out")" "$(measured 1)" \
        "$(measured 3)" - "$(measured 2)" "$(measured 4)"
    record L "$round" "$(field per_second "$WORK/load.out")" "$(publish_delay 0.5)" "$(publish_delay 0.99)" - - - - - -
    drop_database cell
}

# A quantile of outbox_publish_delay_seconds between $WORK/relay.before and .after, in ms, between the bounds of its bucket by proportion.
publish_delay() {
    awk -v quantile="$1" '
        $1 !~ /^outbox_publish_delay_seconds_bucket/ { next }
        { match($1, /le="[^"]*"/); bound = substr($1, RSTART + 4, RLENGTH - 5) }
        FILENAME == ARGV[1] { old[bound] = $2; next }
        { bounds[++n] = bound; count[n] = $2 - old[bound] }
        END {
            rank = quantile * count[n]
            for (i = 1; i < n && count[i] < rank; i++) lower = i
            if (i == n || count[i] == count[lower + 0]) { print "NaN"; exit }
            low = lower ? bounds[lower] : 0
            printf "%.2f", (low + (bounds[i] - low) * (rank - count[lower + 0]) / (count[i] - count[lower + 0])) * 1000
        }' "$WORK/relay.before" "$WORK/relay.after"
}

# Called by ledger_cell: the relay publishes what the load writes.
relay_beside() {
    case $1 in
    before)
        start_relay cell
        await_relay
        BESIDE=("$RELAY_PID" "$BROKER_PID")
        ;;
    after)
        wait_until 60 relay_is_done || fail "the relay did not catch up: $(tail -n 3 "$WORK/relay.log")"
        BESIDE=()
        stop_relay
        ;;
    esac
}

relay_is_done() {
    admin_get /metrics "$RELAY_ADMIN_PORT" >"$WORK/relay.after"
    [[ $(counter outbox_published_total "$WORK/relay.after") == "$(sql cell -c 'SELECT count(*) FROM outbox_events' </dev/null)" ]]
}

# The cell D of 64 connections, without and with the relay.
beside_cell() {
    local cell=$1 round=$2 relay=- broker=-
    RESULTS=/dev/null
    AROUND_LOAD=
    [[ $cell == N ]] || AROUND_LOAD=relay_beside
    ledger_cell D "" 64 random "$round"
    AROUND_LOAD=
    RESULTS=$WORK/events.tsv
    if [[ $cell != N ]]; then
        relay=$(measured 3)
        broker=$(measured 4)
        # Every transfer of the load and its warm-up has one event.
        EVENTS=$(($(field transfers "$WORK/warm.out") + $(field transfers "$WORK/load.out"))) empty_queue
    fi
    record "$cell" "$round" "$(field per_second "$WORK/load.out")" "$(field p50_ms "$WORK/load.out")" "$(field p99_ms "$WORK/load.out")" \
        "$(field cpu_us_per_transfer "$WORK/load.out")" "$(measured 1)" "$relay" - "$(measured 2)" "$broker"
}

# One cell, or two of which the second takes what the first has left in the queue.
run_events() {
    local name=$1 round=$2
    say "round $round/$BENCH_ROUNDS: $name"
    case $name in
    broker) broker_cells "$round" ;;
    relay)
        relay_cell I random "$round"
        if has_ops_risk; then consumer_cell M "$round"; else empty_queue; fi
        ;;
    hot)
        relay_cell J hot "$round"
        empty_queue
        ;;
    delay) delay_cells "$round" ;;
    ledger) beside_cell N "$round" ;;
    ledger-relay) beside_cell O "$round" ;;
    esac
}

event_cells() { printf '%s\n' broker relay hot delay ledger ledger-relay | grep -E "^(${BENCH_EVENT_CELLS:-.*})\$" || fail "BENCH_EVENT_CELLS matches no cell"; }

run_event_rounds() {
    local round order name
    RESULTS=$WORK/events.tsv
    for ((round = 1; round <= BENCH_ROUNDS; round++)); do
        order=(cat)
        ((round % 2 == 1)) || order=(tac)
        while read -r -u 4 name; do
            run_events "$name" "$round"
        done 4< <(event_cells | "${order[@]}")
    done
}
