#!/usr/bin/env bash
# fleet.sh run|up|demo|down|status|logs|mail|reset: the local fleet. The Makefile's targets of the same names call this.
# fleet.sh exec SERVICE COMMAND...: a command of a service as that service, such as exec ops-risk list-dead-letters --json.
# fleet.sh exec fleetctl COMMAND...: one of the operators' tool, such as exec fleetctl topology plan.
# fleet.sh rabbitmqctl ARGUMENTS: operators' commands on its RabbitMQ.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source=infra/local/table.sh
source "$LOCAL_SCRIPTS/table.sh"
# shellcheck source=infra/local/secrets.sh
source "$LOCAL_SCRIPTS/secrets.sh"
# shellcheck source=infra/local/postgres.sh
source "$LOCAL_SCRIPTS/postgres.sh"
# shellcheck source=infra/local/redis.sh
source "$LOCAL_SCRIPTS/redis.sh"
# shellcheck source=infra/local/rabbitmq.sh
source "$LOCAL_SCRIPTS/rabbitmq.sh"
# shellcheck source=infra/local/smtp.sh
source "$LOCAL_SCRIPTS/smtp.sh"
# shellcheck source=infra/local/services.sh
source "$LOCAL_SCRIPTS/services.sh"

READY_LIMIT=60
STOP_LIMIT=60
# The pid of a demo that runs beside this script, so that a stop need not wait for its end.
demo=
LARGEST_KEPT_LOG=$((50 * 1024 * 1024))

supervisor_gone() { ! living_pid "$1-supervisor" >/dev/null; }
server_gone() { ! living_pid "$1" >/dev/null; }

is_up() {
    local server
    for server in "${SERVERS[@]}"; do
        living_pid "$server-supervisor" >/dev/null || return 1
    done
}

is_partly_up() {
    local server
    for server in "${SERVERS[@]}"; do
        if living_pid "$server-supervisor" >/dev/null || living_pid "$server" >/dev/null; then
            return 0
        fi
    done
    return 1
}

show_log_end() {
    printf -- '--- the end of %s\n' "$LOGS/$1.log" >&2
    tail -n 20 "$LOGS/$1.log" >&2
}

ready_or_given_up() { server_ready "$1" || supervisor_gone "$1"; }

# A session of its own keeps the terminal's Ctrl-C away from the servers: they are stopped one after another instead.
launch_server() {
    local name=$1 log=$LOGS/$1.log
    if [[ -f $log ]] && (($(stat -c %s "$log") > LARGEST_KEPT_LOG)); then
        mv "$log" "$log.1"
    fi
    setsid "$LOCAL_SCRIPTS/supervisor.sh" "$name" </dev/null >>"$log" 2>&1 9>&- &
    # Until the supervisor has written its pid it cannot be told from one that gave up.
    wait_until 10 living_pid "$name-supervisor" >/dev/null || true
}

await_server() {
    local name=$1
    if ! wait_until "$READY_LIMIT" ready_or_given_up "$name"; then
        show_log_end "$name"
        fail "$name was not ready within $READY_LIMIT s"
    fi
    if supervisor_gone "$name"; then
        show_log_end "$name"
        fail "$name did not start"
    fi
    say "$name is ready."
}

start_server() {
    launch_server "$1"
    await_server "$1"
}

# Supervisors pass the stop on and wait; a server whose supervisor was killed is stopped here. Only pids recorded by this fleet.
stop_server() {
    local name=$1 pid
    if pid=$(living_pid "$name-supervisor"); then
        kill -TERM "$pid" 2>/dev/null || true
        if ! wait_until "$STOP_LIMIT" supervisor_gone "$name"; then
            warn "the supervisor of $name (pid $pid) does not end and is killed"
            kill -KILL "$pid" 2>/dev/null || true
        fi
    fi
    if pid=$(living_pid "$name"); then
        kill -s "$(stop_signal "$name")" "$pid" 2>/dev/null || true
        if ! wait_until "$STOP_LIMIT" server_gone "$name"; then
            warn "$name (pid $pid) does not end and is killed"
            kill -KILL "$pid" 2>/dev/null || true
        fi
    fi
    rm -f "$RUN/$name.pid" "$RUN/$name-supervisor.pid"
}

stop_fleet() {
    local index
    for ((index = ${#SERVERS[@]} - 1; index >= 0; index--)); do
        stop_server "${SERVERS[index]}"
    done
    rm -f "$RUN/ports.env"
}

require_free_ports() {
    require_free_port POSTGRES_PORT "the private Postgres"
    require_free_port REDIS_PORT "the private Redis"
    require_free_port EPMD_PORT "the private RabbitMQ's port mapper"
    require_free_port RABBITMQ_PORT "the private RabbitMQ"
    require_free_port RABBITMQ_NODE_PORT "the private RabbitMQ's operators"
    if has_smtp; then require_free_port SMTP_SERVER_PORT "the private SMTP server"; fi
    local service
    for service in "${FLEET[@]}"; do
        if is_called "$service"; then
            require_free_port "$(prefix_of "$service")_HTTP_PORT" "$service's API"
        fi
        require_free_port "$(prefix_of "$service")_ADMIN_PORT" "$service's admin routes"
        if has_outbox "$service"; then
            require_free_port "$(prefix_of "$service")_RELAY_ADMIN_PORT" "the admin routes of $service's relay"
        fi
    done
}

start_fleet() {
    local service
    "$LOCAL_SCRIPTS/install.sh"
    set_state_paths
    load_ports
    make_state_folders
    # Held until this script ends; the servers do not inherit it.
    exec 9>"$RUN/fleet.lock"
    flock -n 9 || fail "another make run or make up is at work in $STATE"
    if is_up; then
        fail "the fleet is already up: make status, make demo, or make down"
    fi
    if is_partly_up; then
        say "Stopping what is left of an earlier fleet."
        stop_fleet
    fi
    require_free_ports
    build_products

    # From here on something may be running: whatever ends this script stops it again.
    trap 'leave $?' EXIT
    save_ports
    install_release
    ensure_passwords
    write_databases_file
    ensure_cluster
    step "Starting the fleet"
    write_redis_configuration
    write_rabbitmq_configuration
    # RabbitMQ takes seconds; Postgres and Redis are made ready meanwhile.
    start_server epmd
    launch_server rabbitmq
    start_server postgres
    start_server redis
    if has_smtp; then
        ensure_smtp_folder
        start_server smtp
    fi
    ensure_roles_and_databases
    ensure_keys
    for service in "${SERVICES[@]}"; do
        ensure_service_user "$service"
    done
    grant_service_files
    await_server rabbitmq
    for service in "${SERVICES[@]}"; do
        if uses_broker "$service"; then
            ensure_topology
            break
        fi
    done
    for service in "${SERVICES[@]}"; do
        if owns_database "$service"; then
            migrate_service "$service"
        fi
        start_server "$service"
    done
}

leave() {
    trap - EXIT
    trap '' INT TERM HUP
    if [[ -n $demo ]]; then
        kill -TERM "$demo" 2>/dev/null || true
    fi
    step "Stopping the fleet"
    stop_fleet
    say "Stopped; the data stays in $STATE."
    exit "$1"
}

run_demo() (
    clear_environment
    export FLORIN_ENVIRONMENT=local
    export FLORIN_REPOSITORY
    export FLORIN_LEDGER_URL=http://127.0.0.1:$WALLET_LEDGER_HTTP_PORT
    export FLORIN_LEDGER_EXECUTABLE=$RELEASE/bin/wallet-ledger
    export FLORIN_KEYS_DIRECTORY=$KEYS
    export FLORIN_DATABASES_FILE=$DATABASES_FILE
    export FLORIN_IDENTITY_URL=http://127.0.0.1:$IDENTITY_HTTP_PORT
    export FLORIN_OPS_RISK_URL=http://127.0.0.1:$OPS_RISK_HTTP_PORT
    # Whose process to kill, to show what an outage does: <folder>/rabbitmq.pid holds its pid and its start time.
    export FLORIN_RUN_DIRECTORY=$RUN
    export FLORIN_FLEET_COMMAND=$FLORIN_REPOSITORY/infra/local/fleet.sh
    cd "$FLORIN_REPOSITORY"
    exec "$RELEASE/bin/fleetctl" demo
)

print_addresses() {
    local service
    printf '\n'
    for service in "${SERVICES[@]}"; do
        if is_called "$service"; then
            printf '%-15s http://127.0.0.1:%s   (signed requests; admin: http://127.0.0.1:%s/readyz, /metrics)\n' \
                "$service" "$(service_http_port "$service")" "$(service_admin_port "$service")"
        elif is_relay "$service"; then
            printf 'relay           admin: http://127.0.0.1:%s   (%s)\n' "$(service_admin_port "$service")" "${service#*@}"
        fi
    done
    cat <<TEXT
Postgres        127.0.0.1:$POSTGRES_PORT          (role URLs: $DATABASES_FILE)
Redis           127.0.0.1:$REDIS_PORT          (the replay windows)
RabbitMQ        127.0.0.1:$RABBITMQ_PORT          (infra/local/fleet.sh rabbitmqctl list_queues name messages)
logs            $LOGS
TEXT
    if has_smtp; then printf 'SMTP            127.0.0.1:%s          (make mail shows what was sent)\n' "$SMTP_SERVER_PORT"; fi
}

# Returns when the fleet can no longer be complete; Ctrl-C, SIGTERM and a closed terminal end the script before that.
watch_fleet() {
    while is_up; do
        sleep 1 &
        wait "$!"
    done
}

command_run() {
    trap 'exit 130' INT TERM HUP
    start_fleet
    step "Running the demo"
    run_demo </dev/null &
    demo=$!
    wait "$demo" || fail "the demo failed; make up leaves the fleet running, make demo repeats the journey"
    demo=
    print_addresses
    printf '\nThe fleet is up. Ctrl-C stops it.\n'
    trap 'exit 0' INT TERM HUP
    watch_fleet
    if ! is_partly_up; then
        say "The fleet was stopped from elsewhere."
        exit 0
    fi
    fail "a server gave up; see the logs in $LOGS"
}

command_up() {
    trap 'exit 130' INT TERM HUP
    start_fleet
    trap - EXIT
    print_addresses
    printf '\nThe fleet is up. make demo, make status, make logs, make down.\n'
}

command_demo() {
    is_up || fail "the fleet is not up: make up"
    run_demo
}

command_down() {
    is_partly_up || {
        say "The fleet is not up."
        return
    }
    stop_fleet
    say "Stopped; the data stays in $STATE."
}

command_status() {
    local server pid state result=0
    printf '%-27s %-10s %-8s %s\n' server state pid log
    for server in "${SERVERS[@]}"; do
        pid=$(living_pid "$server") || pid=-
        state=ready
        if ! server_ready "$server"; then
            state=starting
            result=1
        fi
        if supervisor_gone "$server"; then
            state=down
            result=1
        fi
        printf '%-27s %-10s %-8s %s\n' "$server" "$state" "$pid" "$LOGS/$server.log"
    done
    return "$result"
}

command_logs() {
    compgen -G "$LOGS/*.log" >/dev/null || fail "there are no logs yet in $LOGS"
    exec tail -n 40 -F "$LOGS"/*.log
}

# The mails that were sent, the latest last; --last N shows fewer.
command_mail() {
    exec /usr/bin/python3 "$LOCAL_SCRIPTS/mails.py" "$SMTP_FOLDER/mails" "$@"
}

# Deletes what the fleet has made, and only that: the folder must be one that make_state_folders would have made.
command_reset() {
    stop_fleet
    case $STATE in
    "$FLORIN_REPOSITORY/.local" | /var/lib/florin/????????????) rm -rf "$STATE" ;;
    *) fail "not deleting $STATE" ;;
    esac
    say "Deleted $STATE: databases, events, keys, secrets and logs."
}

command_exec() {
    (($# >= 2)) || fail "usage: fleet.sh exec SERVICE COMMAND..., SERVICE being fleetctl or one of: ${SERVICES[*]}"
    if [[ $1 != fleetctl ]] && ! runs "$1"; then
        fail "there is no service $1 here, but: ${SERVICES[*]} (and fleetctl)"
    fi
    clear_environment
    if [[ $1 == fleetctl ]]; then
        exec_fleetctl "${@:2}"
    fi
    exec_service "$@"
}

command_rabbitmqctl() {
    living_pid rabbitmq >/dev/null || fail "RabbitMQ is not up: make up"
    run_rabbitmqctl "$@"
}

main() {
    local command=${1:-}
    case $command in
    run | up) ;;
    demo | down | status | logs | mail | reset | exec | rabbitmqctl)
        set_state_paths
        load_ports running
        ;;
    *) fail "usage: fleet.sh run|up|demo|down|status|logs|mail|reset|exec|rabbitmqctl" ;;
    esac
    shift
    "command_$command" "$@"
}

main "$@"
