#!/usr/bin/env bash
# Sourced by bench.sh: a private RabbitMQ as the local fleet runs it, with its policies, and one user more, who may do everything.

# shellcheck source=infra/local/table.sh
source "$LOCAL_SCRIPTS/table.sh"
# shellcheck source=infra/local/rabbitmq.sh
source "$LOCAL_SCRIPTS/rabbitmq.sh"
BENCH_USER=bench
BROKER_START_SECONDS=60

# rabbitmq.sh expects both.
exec_as() { exec_as_user "$@"; }
random_password() { random_secret; }

# Exports nothing but the path: what a server needs is exported after it.
clear_environment() {
    local name
    while IFS= read -r name; do export -n "${name?}"; done < <(compgen -e | grep -vx PATH)
}

start_broker() {
    local user
    SECRETS=$WORK/broker-secrets
    RABBITMQ_FOLDER=$WORK/rabbitmq
    RABBITMQ_PORT=$(choose_free_port)
    RABBITMQ_NODE_PORT=$(choose_free_port)
    EPMD_PORT=$(choose_free_port)
    RABBITMQ_USERS+=("$BENCH_USER")
    (
        umask 077
        mkdir -p "$SECRETS"
        for user in "${RABBITMQ_USERS[@]}"; do
            printf '%s=%s\n' "$(rabbitmq_password_name "$user")" "$(random_secret)"
        done >"$SECRETS/passwords.env"
        write_rabbitmq_configuration
        printf '{"permissions": [{"user": "%s", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]}\n' "$BENCH_USER" \
            >"$RABBITMQ_FOLDER/definitions/4-bench.json"
        if is_root; then chown "$(rabbitmq_user):" "$RABBITMQ_FOLDER/definitions/4-bench.json"; fi
    )
    exec_epmd >"$WORK/epmd.log" 2>&1 </dev/null &
    EPMD_PID=$!
    wait_until 10 epmd_ready || fail "epmd did not start: $(tail -n 3 "$WORK/epmd.log")"
    (
        clear_environment
        exec_rabbitmq
    ) >"$WORK/rabbitmq.log" 2>&1 </dev/null &
    BROKER_PID=$!
    wait_until "$BROKER_START_SECONDS" broker_ready_or_gone || fail "RabbitMQ was not ready: $(tail -n 3 "$WORK/rabbitmq.log")"
    ! process_gone "$BROKER_PID" || fail "RabbitMQ did not start: $(tail -n 3 "$WORK/rabbitmq.log")"
    # It publishes events as the ledger's relay would, in that one's name.
    run_rabbitmqctl --quiet set_user_tags "$BENCH_USER" impersonator >"$WORK/rabbitmqctl.log" 2>&1 ||
        fail "rabbitmqctl: $(tail -n 3 "$WORK/rabbitmqctl.log")"
}

broker_ready_or_gone() { rabbitmq_ready || process_gone "$BROKER_PID"; }

stop_broker() {
    [[ -z ${BROKER_PID:-} ]] || stop_process "$BROKER_PID" TERM
    [[ -z ${EPMD_PID:-} ]] || stop_process "$EPMD_PID" TERM
    BROKER_PID=
    EPMD_PID=
}

# broker_load publish|consume [OPTIONS]: one run of the generator. The URL holds a secret: it travels in the environment.
broker_load() {
    RABBITMQ_URL=$(rabbitmq_url "$BENCH_USER") FLORIN_ENVIRONMENT=local timeout 240 "$BIN/fleetctl" load broker "$@"
}

broker_version() { basename /usr/lib/rabbitmq/lib/rabbitmq_server-* | sed 's/.*-//'; }
