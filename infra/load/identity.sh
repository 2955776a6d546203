#!/usr/bin/env bash
# Sourced by bench.sh: how one cell of identity is run. Each appends one line to $WORK/identity.tsv: cell, connections, round, pieces of work
# a second, p50 ms, p99 ms, µs of generator, identity and Postgres, WAL bytes, answers that were 503; "-" for what a cell has not.

IDENTITY_PID=
CLIENT=bench-app
RESOURCE_SERVER=bench-api
PASSWORD=thecorrecthorsebatterystaple
# Who sign in, once in a cell; and who hold a refresh token: more than are refreshed in a cell, since nobody refreshes every second.
PEOPLE=3000
WARM_UP_PEOPLE=100
FAMILIES=60000
# Hashing takes long: few sign-ins fit into a second.
SIGN_IN_SECONDS=12
# Enough that the threads always have work, and few enough that none waits for so long that it is refused; and more than may wait.
SIGN_IN_CONNECTIONS=8
SIGN_IN_CROWD=32
READERS=64
# A second, over as many connections as suffice.
STEADY_REFRESHES=100
STEADY_REFRESH_CONNECTIONS=16

# exec_identity ROLE DATABASE COMMAND...
exec_identity() {
    local role=$1 database=$2
    shift 2
    clear_environment
    export IDENTITY_DATABASE_URL=postgres://$role:$SECRET@127.0.0.1:$POSTGRES_PORT/$database
    export FLORIN_ENVIRONMENT=local INTERNAL_AUTH_KEYS_FILE=$WORK/keys/identity.keys.json REPLAY_WINDOW=in-process INTERNAL_TLS=off
    export TOKEN_ISSUER=http://127.0.0.1:8101 HTTP_HOST=127.0.0.1 HTTP_PORT=$IDENTITY_PORT ADMIN_PORT=$IDENTITY_ADMIN_PORT
    export IDENTITY_SECRET_KEYS_FILE=$WORK/identity-secret.keys.json NOTIFICATION_SEALING_KEY_FILE=$WORK/sealing.public.json
    export IDENTITY_PAGES_DIRECTORY=$FLORIN_REPOSITORY/Services/Identity/Pages PASSWORD_BLOCKLIST_FILE=$FLORIN_REPOSITORY/infra/identity/passwords.txt
    export MIGRATIONS_DIRECTORY=$FLORIN_REPOSITORY/migrations
    exec "$BIN/identity" "$@"
}

operate_identity() {
    (exec_identity "$@") 2>"$WORK/operate.err" </dev/null || fail "identity ${*:3}: $(tail -n 3 "$WORK/operate.err")"
}

identity_ready_or_gone() { [[ $(admin_get /readyz "$IDENTITY_ADMIN_PORT" | head -n 1) == *" 200 "* ]] || process_gone "$IDENTITY_PID"; }

start_identity() {
    create_service_database identity cell identity_template
    IDENTITY_PORT=$(choose_free_port)
    IDENTITY_ADMIN_PORT=$(choose_free_port)
    exec_identity identity cell serve >"$WORK/identity.log" 2>&1 </dev/null &
    IDENTITY_PID=$!
    wait_until 30 identity_ready_or_gone || fail "identity was not ready: $(tail -n 3 "$WORK/identity.log")"
    ! process_gone "$IDENTITY_PID" || fail "identity did not start: $(tail -n 3 "$WORK/identity.log")"
    cp "$WORK/tokens" "$WORK/tokens.now"
}

stop_identity() {
    [[ -n ${IDENTITY_PID:-} ]] || return 0
    stop_process "$IDENTITY_PID" TERM
    IDENTITY_PID=
}

end_identity_cell() {
    stop_identity
    drop_database cell
}

# The template: an app, a server that introspects, and everybody.
prepare_identity() {
    local phc
    [[ -d $WORK/keys ]] || FLORIN_ENVIRONMENT=local "$BIN/fleetctl" keys generate --output "$WORK/keys" >/dev/null
    FLORIN_ENVIRONMENT=local "$BIN/fleetctl" keys sealing --private "$WORK/sealing.keys.json" --public "$WORK/sealing.public.json" >/dev/null
    (umask 077 && printf '{"keys": [{"keyid": "bench", "secret": "%s"}]}\n' "$(head -c 32 /dev/urandom | base64 -w 0)" >"$WORK/identity-secret.keys.json")
    IDENTITY_PORT=$(choose_free_port)
    IDENTITY_ADMIN_PORT=$(choose_free_port)
    create_service_database identity identity_template template0
    operate_identity identity_owner identity_template migrate >"$WORK/migrate.out"
    operate_identity identity identity_template clients add "$CLIENT" --name Bench --public --first-party --grant authorization_code \
        --grant refresh_token --scope openid --scope wallet
    CLIENT_SECRET=$(operate_identity identity identity_template clients add "$RESOURCE_SERVER" --name API --grant client_credentials \
        --scope bench:read --introspects florin-api | tail -n 1)
    load_identity scrypt --seconds 1 --password "$PASSWORD" >"$WORK/scrypt.out"
    phc=$(sed -n 's/.*"phc":"\([^"]*\)".*/\1/p' "$WORK/scrypt.out")
    sql identity_template -v people="$PEOPLE" -v families="$FAMILIES" -v client="$CLIENT" -v phc="$phc" -f "$BENCH_FOLDER/identity.sql" </dev/null
    sql identity_template -c 'VACUUM (FREEZE, ANALYZE)' </dev/null
    sql identity_template >"$WORK/people" <<SQL
SELECT email FROM users u WHERE NOT EXISTS (SELECT FROM sessions WHERE user_id = u.id) ORDER BY id;
SQL
    # In no order in which they lie on disk. A secret is the SHA-256 of what identity.sql says.
    sql identity_template >"$WORK/tokens" <<SQL
SELECT 'frt_' || rtrim(translate(encode(uuid_send(id) || int4send(1) || sha256(convert_to('secret of ' || n, 'UTF8')), 'base64'), '+/', '-_'), '=')
FROM (SELECT f.id, split_part(split_part(u.email, '@', 1), '-', 2) AS n FROM refresh_families f JOIN users u ON u.id = f.user_id) family
ORDER BY md5(n);
SQL
    # Nobody signs in twice, not even to warm up.
    head -n "$WARM_UP_PEOPLE" "$WORK/people" >"$WORK/people.warm"
    tail -n "+$((WARM_UP_PEOPLE + 1))" "$WORK/people" >"$WORK/people.run"
}

load_identity() { CLIENT_SECRET=${CLIENT_SECRET:-} FLORIN_ENVIRONMENT=local timeout 240 "$BIN/fleetctl" load identity "$@"; }

# aim CONNECTIONS SECONDS: where to, and whose processor time is measured.
aim() {
    AIM=(--url "http://127.0.0.1:$IDENTITY_PORT" --connections "$1" --seconds "$2" --measure "$IDENTITY_PID" --measure "$POSTGRES_PID")
}

sign_in() {
    local people=$1 connections=$2 seconds=$3
    shift 3
    aim "$connections" "$seconds"
    load_identity sign-in "${AIM[@]}" --client "$CLIENT" --people "$people" --password "$PASSWORD" "$@"
}

refresh() {
    local connections=$1 seconds=$2
    shift 2
    aim "$connections" "$seconds"
    load_identity refresh "${AIM[@]}" --client "$CLIENT" --tokens "$WORK/tokens.now" "$@"
}

each() { sed -n 's/.*"measured_us_per_piece":\[\([^]]*\)\].*/\1/p' "$2" | cut -d, -f"$1"; }
answers() { sed -n 's/.*"statuses":{[^}]*"'"$1"'":\([0-9]*\).*/\1/p' "$2" | grep . || printf 0; }

# record_identity CELL CONNECTIONS ROUND FILE WAL: a line of what the generator has printed.
record_identity() {
    local file=$4 done
    done=$(field done "$file")
    record "$1" "$2" "$3" "$(field per_second "$file")" "$(field p50_ms "$file")" "$(field p99_ms "$file")" "$(field cpu_us_per_piece "$file")" \
        "$(each 1 "$file")" "$(each 2 "$file")" "$([[ $5 == - ]] && printf -- - || per "$5" "$done")" "$(answers 503 "$file")"
}

# Every sign-in that was acknowledged, and no other, has a session, a used code and a living family; no attempt is left counted.
require_sign_ins() {
    local cell=$1 expected=$2 found
    found=$(sql cell -v people="$PEOPLE" <<'SQL'
WITH mine AS (SELECT id FROM users ORDER BY id LIMIT :people)
SELECT count(*), (SELECT count(*) FROM authorization_codes WHERE used_at IS NOT NULL),
    (SELECT count(*) FROM refresh_families f JOIN mine ON mine.id = f.user_id WHERE f.revoked_at IS NULL),
    (SELECT count(*) FROM attempts WHERE failures > 0)
FROM sessions s JOIN mine ON mine.id = s.user_id WHERE s.ended_at IS NULL
SQL
    )
    [[ $found == "$expected|$expected|$expected|0" ]] ||
        fail "cell $cell: $expected sign-ins were acknowledged; sessions, codes, families and attempts are $found"
}

# Every refresh that was acknowledged, and no other, has moved its family on by one.
require_refreshes() {
    local cell=$1 expected=$2 found
    found=$(sql cell -c 'SELECT sum(number - 1), count(*) FILTER (WHERE revoked_at IS NOT NULL) FROM refresh_families' </dev/null)
    [[ $found == "$expected|0" ]] || fail "cell $cell: $expected refreshes were acknowledged; moved on and revoked are $found"
}

# A sign-in is two answers; one that was refused for want of a thread, which a busy machine may not have, is a 503.
require_pairs() {
    [[ $(answers 200 "$2") == $((2 * $(field done "$2"))) ]] || fail "cell $1: not every sign-in was finished: $(cat "$2")"
}

require_only() {
    [[ $(cat "$3") == *'"statuses":{"'$1'":'*([0-9])'},'* ]] || fail "cell $2: not every answer was $1: $(cat "$3")"
}

# With its processor time, by which it can be compared on a machine that has other work too; one hash more than is counted is printed.
scrypt_cell() {
    local round=$1 each TIMEFORMAT='%U %S'
    { time load_identity scrypt --seconds "$SIGN_IN_SECONDS" --password "$PASSWORD" >"$WORK/scrypt.out"; } 2>"$WORK/scrypt.time" ||
        fail "cell P: $(cat "$WORK/scrypt.out")"
    each=$(awk -v count="$(field done "$WORK/scrypt.out")" '{ print ($1 + $2) * 1000000 / (count + 1) }' "$WORK/scrypt.time")
    record P "$(nproc)" "$round" "$(field per_second "$WORK/scrypt.out")" - - "$each" - - - -
}

sign_in_cell() {
    local round=$1 wal before
    start_identity
    sign_in "$WORK/people.warm" "$SIGN_IN_CONNECTIONS" "$WARM_UP_SECONDS" >"$WORK/warm.out" || fail "warm-up of Q: $(cat "$WORK/warm.out")"
    settle cell
    before=$(checkpoints)
    wal=$(wal_position)
    sign_in "$WORK/people.run" "$SIGN_IN_CONNECTIONS" "$SIGN_IN_SECONDS" >"$WORK/load.out" || fail "cell Q: $(cat "$WORK/load.out"; tail -n 3 "$WORK/identity.log")"
    wal=$(($(wal_position) - wal))
    require_no_checkpoint "$before" Q
    require_pairs Q "$WORK/load.out"
    require_sign_ins Q $(($(field done "$WORK/load.out") + $(field done "$WORK/warm.out")))
    record_identity Q "$SIGN_IN_CONNECTIONS" "$round" "$WORK/load.out" "$wal"
    end_identity_cell
}

refresh_cell() {
    local connections=$1 round=$2 wal before
    start_identity
    refresh "$connections" "$WARM_UP_SECONDS" >"$WORK/warm.out" || fail "warm-up of R: $(cat "$WORK/warm.out")"
    settle cell
    before=$(checkpoints)
    wal=$(wal_position)
    refresh "$connections" "$BENCH_SECONDS" >"$WORK/load.out" || fail "cell R: $(cat "$WORK/load.out"; tail -n 3 "$WORK/identity.log")"
    wal=$(($(wal_position) - wal))
    require_no_checkpoint "$before" R
    require_only 200 R "$WORK/load.out"
    require_refreshes R $(($(field done "$WORK/load.out") + $(field done "$WORK/warm.out")))
    record_identity R "$connections" "$round" "$WORK/load.out" "$wal"
    end_identity_cell
}

# What is read: access tokens that refreshes gave just now, and two documents.
read_cells() {
    local round=$1
    start_identity
    refresh "$READERS" "$WARM_UP_SECONDS" --access-tokens "$WORK/access-tokens" >"$WORK/warm.out" || fail "tokens for S: $(cat "$WORK/warm.out")"
    settle cell
    read_cell S "$round" introspect --client "$RESOURCE_SERVER" --tokens "$WORK/access-tokens"
    read_cell T "$round" get /oauth2/jwks --expect '"keys":['
    read_cell U "$round" get /.well-known/openid-configuration --expect '"token_endpoint"'
    end_identity_cell
}

read_cell() {
    local cell=$1 round=$2 command=$3
    shift 3
    aim "$READERS" "$WARM_UP_SECONDS"
    load_identity "$command" "${AIM[@]}" "$@" >"$WORK/warm.out" || fail "warm-up of $cell: $(cat "$WORK/warm.out")"
    aim "$READERS" "$BENCH_SECONDS"
    load_identity "$command" "${AIM[@]}" "$@" >"$WORK/load.out" || fail "cell $cell: $(cat "$WORK/load.out"; tail -n 3 "$WORK/identity.log")"
    require_only 200 "$cell" "$WORK/load.out"
    [[ $(field done "$WORK/load.out") == "$(answers 200 "$WORK/load.out")" ]] || fail "cell $cell: not every answer held what it must: $(cat "$WORK/load.out")"
    record_identity "$cell" "$READERS" "$round" "$WORK/load.out" -
}

# Refreshes at a modest rate, without and with twice as many people signing in as the machine could hash for.
mixed_cells() {
    local round=$1 crowd pid
    crowd=$(awk -v limit="$(field per_second "$WORK/scrypt.out")" 'BEGIN { printf "%d", 2 * limit + 1 }')
    start_identity
    refresh "$STEADY_REFRESH_CONNECTIONS" "$WARM_UP_SECONDS" --rate "$STEADY_REFRESHES" >"$WORK/warm.out" || fail "warm-up of V: $(cat "$WORK/warm.out")"
    settle cell
    refresh "$STEADY_REFRESH_CONNECTIONS" "$BENCH_SECONDS" --rate "$STEADY_REFRESHES" >"$WORK/calm.out" || fail "cell V: $(cat "$WORK/calm.out")"
    record_identity V "$STEADY_REFRESH_CONNECTIONS" "$round" "$WORK/calm.out" -
    # The people begin a second earlier, so that the threads are taken, and go on until after the last refresh.
    sign_in "$WORK/people.run" "$SIGN_IN_CROWD" $((SIGN_IN_SECONDS + 2)) --rate "$crowd" >"$WORK/crowd.out" 2>&1 &
    pid=$!
    sleep 1
    refresh "$STEADY_REFRESH_CONNECTIONS" "$SIGN_IN_SECONDS" --rate "$STEADY_REFRESHES" >"$WORK/load.out" || fail "cell W: $(cat "$WORK/load.out"; tail -n 3 "$WORK/identity.log")"
    wait "$pid" || fail "cell X: $(cat "$WORK/crowd.out"; tail -n 3 "$WORK/identity.log")"
    require_only 200 W "$WORK/load.out"
    require_pairs X "$WORK/crowd.out"
    require_sign_ins X "$(field done "$WORK/crowd.out")"
    require_refreshes W $(($(field done "$WORK/load.out") + $(field done "$WORK/calm.out") + $(field done "$WORK/warm.out")))
    record_identity W "$STEADY_REFRESH_CONNECTIONS" "$round" "$WORK/load.out" -
    record_identity X "$SIGN_IN_CROWD" "$round" "$WORK/crowd.out" -
    end_identity_cell
}

# The limit comes first and last by turns, and beside what is compared with it.
run_identity() {
    local name=$1 round=$2
    say "round $round/$BENCH_ROUNDS: $name"
    case $name in
    scrypt) scrypt_cell "$round" ;;
    sign-in) sign_in_cell "$round" ;;
    refresh-*) refresh_cell "${name#refresh-}" "$round" ;;
    read) read_cells "$round" ;;
    mixed) mixed_cells "$round" ;;
    esac
}

identity_cells() {
    printf '%s\n' refresh-1 refresh-8 refresh-64 read scrypt sign-in mixed | grep -E "^(${BENCH_IDENTITY_CELLS:-.*})\$" ||
        fail "BENCH_IDENTITY_CELLS matches no cell"
}

run_identity_rounds() {
    local round order name
    RESULTS=$WORK/identity.tsv
    for ((round = 1; round <= BENCH_ROUNDS; round++)); do
        order=(cat)
        ((round % 2 == 1)) || order=(tac)
        while read -r -u 4 name; do
            run_identity "$name" "$round"
        done 4< <(identity_cells | "${order[@]}")
    done
}
