#!/usr/bin/env bash
# bench.sh [transfers|events|identity]: the benchmark. Three tables from one run: interleaved rounds, each cell on a fresh copy of one
# template database.
#   A  naive: pgbench, one transaction per transfer, statement by statement     B  the same as one stored function
#   C  wallet-ledger with a batch limit of 1                                    D  wallet-ledger as shipped
#   E  D by its batch endpoint, 100 transfers per call, atomic                  F  the same, independent
#   G H  events published and consumed by librabbitmq alone      I J  by outbox-relay, random keys and one hot key
#   K L  from a transfer's commit to its event's arrival, and confirm, at a steady rate      M  consumed by ops-risk
#   N O  D without and with the relay beside it
#   P  hashes of a password by scrypt on all cores      Q  sign-ins      R  refreshes      S T U  introspections, JWKS, discovery
#   V W  refreshes at a steady rate, without and with X: twice as many sign-ins as P
# BENCH_ROUNDS (3), BENCH_SECONDS (5, at most 15), BENCH_CELLS (a pattern over cell names such as 'A.*|D.64.*'),
# BENCH_EVENT_CELLS (the same over broker relay hot delay ledger ledger-relay), BENCH_EVENTS (60000: so many in a full outbox),
# BENCH_IDENTITY_CELLS (the same over refresh-1 refresh-8 refresh-64 read scrypt sign-in mixed),
# BENCH_SHARED_BUFFERS (2GB), BENCH_FOLDER_PARENT (/var/tmp: on a disk), BENCH_EXECUTABLES (a folder with wallet-ledger,
# outbox-relay, ops-risk, identity and fleetctl; without it they are built).
set -euo pipefail
BENCH_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=infra/local/env.sh
source "$BENCH_FOLDER/../local/env.sh"
# shellcheck source=infra/load/server.sh
source "$BENCH_FOLDER/server.sh"
# shellcheck source=infra/load/cells.sh
source "$BENCH_FOLDER/cells.sh"
# shellcheck source=infra/load/broker.sh
source "$BENCH_FOLDER/broker.sh"
# shellcheck source=infra/load/events.sh
source "$BENCH_FOLDER/events.sh"
# shellcheck source=infra/load/identity.sh
source "$BENCH_FOLDER/identity.sh"
export LC_ALL=C

BENCH_ROUNDS=${BENCH_ROUNDS:-3}
BENCH_SECONDS=${BENCH_SECONDS:-5}
BENCH_CELLS=${BENCH_CELLS:-.*}
SCRATCH=.build-release
# Requests signed for each second of a cell, by connections: more than wallet-ledger can answer.
LEDGER_RATE=([1]=10000 [4]=10000 [8]=25000 [64]=30000 [256]=30000)
# One identifier in both of its spellings: usr_ and the digits of this UUID.
OWNER_UUID=01900000-0000-7000-8000-000000000001
OWNER=usr_01j0000000e008000000000001
TOKEN_LIFETIME=21600
# C posts one transfer per transaction. Its queue holds four times the limit: with more connections it would refuse most requests,
# and one more connection would not make it faster.
UNBATCHED=LEDGER_BATCH_LIMIT=1
UNBATCHED_CONNECTIONS=4
# The queue holds 1 024 transfers: ten calls of the batch endpoint.
ITEMS_PER_CALL=100
CALLING_CONNECTIONS=8
CALL_RATE=500

POSTGRES_PID=
LEDGER_PID=
WORK=

clean_up() {
    local status=$? file
    trap - EXIT
    trap '' INT TERM HUP
    stop_relay
    stop_ops_risk
    stop_identity
    stop_ledger
    stop_broker
    if [[ -n $POSTGRES_PID ]]; then
        stop_process "$POSTGRES_PID" INT
    fi
    if ((status != 0)) && compgen -G "$WORK/*.tsv" >/dev/null; then
        warn "the cells so far are in $FLORIN_REPOSITORY/$SCRATCH/bench-*.partial.tsv"
        for file in "$WORK"/*.tsv; do
            cp "$file" "$FLORIN_REPOSITORY/$SCRATCH/bench-$(basename "$file" .tsv).partial.tsv" || true
        done
    fi
    rm -rf "$WORK"
    exit "$status"
}

# A static standard library where the toolchain has one: the executables then start without it.
build() {
    local product flags=(-c release --scratch-path "$SCRATCH" --explicit-target-dependency-import-check error)
    if compgen -G "$(dirname "$(readlink -f "$(command -v swift)")")/../lib/swift_static/linux/libFoundationEssentials.a" >/dev/null; then
        flags+=(--static-swift-stdlib)
    fi
    cd "$FLORIN_REPOSITORY"
    for product in "$@"; do
        step "Building $product (release)"
        swift build "${flags[@]}" --product "$product" || fail "the build of $product failed; what it said is above"
    done
    BIN=$(swift build "${flags[@]}" --show-bin-path)
}

prepare_naive() {
    sql postgres -c 'CREATE DATABASE naive_template' </dev/null
    sql naive_template -f "$BENCH_FOLDER/naive.sql" </dev/null
}

prepare_ledger() {
    FLORIN_ENVIRONMENT=local "$BIN/fleetctl" keys generate --output "$WORK/keys" >/dev/null
    FLORIN_ENVIRONMENT=local "$BIN/fleetctl" issuer init --directory "$WORK/issuer" >/dev/null
    (
        umask 077
        FLORIN_ENVIRONMENT=local "$BIN/fleetctl" issuer token --directory "$WORK/issuer" --user "$OWNER" --scope wallet \
            --lifetime "$TOKEN_LIFETIME" >"$WORK/token"
    )
    LEDGER_PORT=$(choose_free_port)
    LEDGER_ADMIN_PORT=$(choose_free_port)
    create_ledger_database ledger_template template0
    (exec_ledger wallet_ledger_owner ledger_template migrate) >"$WORK/migrate.out" 2>&1 </dev/null ||
        fail "migrate: $(tail -n 3 "$WORK/migrate.out")"
    sql ledger_template -v owner="$OWNER_UUID" -v user="$OWNER" -f "$BENCH_FOLDER/wallets.sql" </dev/null
    sql ledger_template -c 'SELECT id FROM wallets WHERE NOT is_world ORDER BY id' </dev/null >"$WORK/wallets"
}

# The order of a round; every other round goes backwards, so that no cell always has the same neighbours and the same time.
cells() {
    local clients pattern
    for pattern in random hot; do
        for clients in 8 64; do
            printf 'A statements %s %s\nB function %s %s\n' "$clients" "$pattern" "$clients" "$pattern"
        done
        printf 'C - %s %s\n' "$UNBATCHED_CONNECTIONS" "$pattern"
        for clients in 1 8 64 256; do
            printf 'D - %s %s\n' "$clients" "$pattern"
        done
        printf 'E atomic %s %s\nF independent %s %s\n' "$CALLING_CONNECTIONS" "$pattern" "$CALLING_CONNECTIONS" "$pattern"
    done | grep -E "^($BENCH_CELLS)\$" || fail "BENCH_CELLS matches no cell"
}

run_cell() {
    local round=$1 cell=$2 script=$3 clients=$4 pattern=$5
    say "round $round/$BENCH_ROUNDS: $cell, $clients connections, $pattern"
    case $cell in
    A | B) naive_cell "$cell" "$script" "$clients" "$pattern" "$round" ;;
    C) ledger_cell "$cell" "$UNBATCHED" "$clients" "$pattern" "$round" ;;
    D) ledger_cell "$cell" "" "$clients" "$pattern" "$round" ;;
    E | F) ledger_cell "$cell" "" "$clients" "$pattern" "$round" "$script" ;;
    *) fail "no cell is named $cell" ;;
    esac
}

run_rounds() {
    local round order cell script clients pattern
    RESULTS=$WORK/results.tsv
    for ((round = 1; round <= BENCH_ROUNDS; round++)); do
        order=(cat)
        ((round % 2 == 1)) || order=(tac)
        while read -r -u 4 cell script clients pattern; do
            run_cell "$round" "$cell" "$script" "$clients" "$pattern"
        done 4< <(cells | "${order[@]}")
    done
}

conditions() {
    local setting source
    source="commit $(git -C "$FLORIN_REPOSITORY" describe --always --dirty 2>/dev/null || printf unknown)"
    if [[ -n ${BENCH_EXECUTABLES:-} ]]; then source="executables built before the run"; fi
    printf '\n%s\n' "Conditions: $(date -u +%F), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, $(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1048576)) GiB, disk $(stat -f -c %T "$WORK"), load average $BUSY before the run; Postgres $(show server_version); $source; $1"
    printf '\nFrom SHOW:'
    for setting in fsync synchronous_commit full_page_writes wal_sync_method shared_buffers max_wal_size checkpoint_timeout track_commit_timestamp; do
        printf ' %s=%s' "$setting" "$(show "$setting")"
    done
    printf '. No checkpoint fell into a cell. %s\n' "$2"
}

report_transfers() {
    step "Result: transfers"
    awk -f "$BENCH_FOLDER/median.awk" -f "$BENCH_FOLDER/report.awk" "$WORK/results.tsv"
    conditions "generator, wallet-ledger and Postgres share the cores; $BENCH_ROUNDS rounds of $BENCH_SECONDS s after $WARM_UP_SECONDS s of warm-up, order reversed every other round; buffers mapped and WAL segments recycled beforehand." \
        "Every acknowledged transfer was looked up by its id, and verify was clean after every cell of C to F."
}

report_events() {
    step "Result: events"
    awk -f "$BENCH_FOLDER/median.awk" -f "$BENCH_FOLDER/events.awk" "$WORK/events.tsv"
    conditions "RabbitMQ $(broker_version), one node, one quorum queue, the fleet's policies; everything shares the cores; $BENCH_ROUNDS rounds of $EVENTS events (K and L: $STEADY_SECONDS s, N and O: $BENCH_SECONDS s), order reversed every other round." \
        "Every event that was published was counted in its queue or in the database of ops-risk."
}

report_identity() {
    step "Result: identity"
    awk -f "$BENCH_FOLDER/median.awk" -f "$BENCH_FOLDER/identity.awk" "$WORK/identity.tsv"
    conditions "generator, identity and Postgres share the cores; $BENCH_ROUNDS rounds, R to V of $BENCH_SECONDS s after $WARM_UP_SECONDS s of warm-up, the others of $SIGN_IN_SECONDS s, order reversed every other round; $FAMILIES refresh tokens, each used about once; $STEADY_REFRESHES refreshes a second in V and W; scrypt N=2^14 r=8 p=5." \
        "Every acknowledged sign-in has its session, code and refresh family, every acknowledged refresh has moved its family on by one, and none beside them; no attempt was left counted; every introspected token was active."
}

run_transfers() {
    local chosen=$1
    start_postgres
    warm_postgres
    prepare_naive
    if grep -q '^[C-F]' <<<"$chosen"; then
        prepare_ledger
    fi
    step "Running $(wc -l <<<"$chosen") cells, $BENCH_ROUNDS rounds"
    run_rounds
    report_transfers
}

# Postgres notes when transactions commit, which it does not by default.
run_all_events() {
    if [[ -n $POSTGRES_PID ]]; then stop_process "$POSTGRES_PID" INT; fi
    step "Starting Postgres and a private RabbitMQ"
    start_postgres -c track_commit_timestamp=on
    warm_postgres
    [[ -f $WORK/wallets ]] || prepare_ledger
    start_broker
    prepare_events
    step "Running $(event_cells | wc -l) groups of cells, $BENCH_ROUNDS rounds"
    run_event_rounds
    report_events
}

run_all_identity() {
    if [[ -n $POSTGRES_PID ]]; then stop_process "$POSTGRES_PID" INT; fi
    stop_broker
    start_postgres
    warm_postgres
    prepare_identity
    step "Running $(identity_cells | wc -l) groups of cells, $BENCH_ROUNDS rounds"
    run_identity_rounds
    report_identity
}

# What a part is made of.
products_of() {
    case $1 in
    transfers) if grep -q '^[C-F]' <<<"$2"; then printf '%s\n' wallet-ledger fleetctl; fi ;;
    events)
        printf '%s\n' wallet-ledger fleetctl outbox-relay
        if has_ops_risk; then printf '%s\n' ops-risk; fi
        ;;
    identity) printf '%s\n' identity fleetctl ;;
    esac
}

main() {
    local parts=(transfers events identity) part chosen products
    [[ ${1:-all} =~ ^(all|transfers|events|identity)$ ]] || fail "usage: bench.sh [transfers|events|identity]"
    if [[ ${1:-all} != all ]]; then parts=("$1"); fi
    [[ $BENCH_SECONDS =~ ^([1-9]|1[0-5])$ ]] || fail "BENCH_SECONDS is from 1 to 15"
    [[ $BENCH_ROUNDS =~ ^[1-9][0-9]?$ ]] || fail "BENCH_ROUNDS is from 1 to 99"
    [[ $EVENTS =~ ^[1-9][0-9]{2,4}$ ]] || fail "BENCH_EVENTS is from 100 to 99999"
    "$LOCAL_SCRIPTS/install.sh"
    BUSY=$(cut -d ' ' -f 1 /proc/loadavg)
    chosen=$(cells)
    event_cells >/dev/null
    identity_cells >/dev/null
    trap clean_up EXIT
    trap 'exit 130' INT TERM HUP
    WORK=$(mktemp -d "${BENCH_FOLDER_PARENT:-/var/tmp}/florin-bench.XXXXXX")
    # Servers' own users have to get through to their folders; secrets in here have modes of their own.
    chmod 0711 "$WORK"
    mapfile -t products < <(for part in "${parts[@]}"; do products_of "$part" "$chosen"; done | sort -u)
    if [[ -n ${BENCH_EXECUTABLES:-} ]]; then
        BIN=$(cd "$BENCH_EXECUTABLES" && pwd -P)
    elif ((${#products[@]})); then
        build "${products[@]}"
    fi
    step "Making a private Postgres"
    make_postgres
    for part in "${parts[@]}"; do
        case $part in
        transfers) run_transfers "$chosen" ;;
        events) run_all_events ;;
        identity) run_all_identity ;;
        esac
    done
}

main "$@"
