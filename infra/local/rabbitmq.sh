#!/usr/bin/env bash
# Sourced. The fleet's private RabbitMQ: own node, own epmd, own ports, cookie and folder, 127.0.0.1 only. What it holds survives it.
# Users, permissions and policies are definitions that the node imports at each start, before it takes connections.

RABBITMQ_PROGRAMS=/usr/lib/rabbitmq/bin
# One per process, those of infra/rabbitmq/permissions.json, which says what each may do. The scaler is KEDA's, in a cluster.
mapfile -t RABBITMQ_USERS < <(
    printf 'fleetctl\n'
    services_that has_outbox | sed 's/$/-relay/'
    services_that is_consumer | sed 'p; s/$/-scaler/'
)

rabbitmq_user() { if is_root; then printf 'rabbitmq'; else id -un; fi; }

rabbitmq_password_name() {
    printf 'RABBITMQ_%s_PASSWORD' "$(prefix_of "$1")"
}

rabbitmq_password() { sed -n "s/^$(rabbitmq_password_name "$1")=//p" "$SECRETS/passwords.env"; }

rabbitmq_url() { printf 'amqp://%s:%s@127.0.0.1:%s' "$1" "$(rabbitmq_password "$1")" "$RABBITMQ_PORT"; }

write_rabbitmq_definitions() {
    local folder=$RABBITMQ_FOLDER/definitions user
    mkdir -p "$folder"
    for user in "${RABBITMQ_USERS[@]}"; do
        printf '%s:%s\n' "$user" "$(rabbitmq_password "$user")"
    done | "$FLORIN_REPOSITORY/infra/rabbitmq/users.sh" >"$folder/1-users.json"
    # In this order: a permission needs its user.
    cat "$FLORIN_REPOSITORY/infra/rabbitmq/permissions.json" >"$folder/2-permissions.json"
    cat "$FLORIN_REPOSITORY/infra/rabbitmq/policies.json" >"$folder/3-policies.json"
}

write_rabbitmq_configuration() {
    (
        umask 077
        mkdir -p "$RABBITMQ_FOLDER"
        write_rabbitmq_definitions
        cat >"$RABBITMQ_FOLDER/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$RABBITMQ_PORT
load_definitions = $RABBITMQ_FOLDER/definitions
max_message_size = 1048576
log.file = false
log.console = true
log.console.level = warning
CONF
        printf '[].\n' >"$RABBITMQ_FOLDER/plugins"
        if [[ ! -f $RABBITMQ_FOLDER/.erlang.cookie ]]; then
            random_password >"$RABBITMQ_FOLDER/.erlang.cookie"
            chmod 0400 "$RABBITMQ_FOLDER/.erlang.cookie"
        fi
    )
    if is_root; then
        chown -R "$(rabbitmq_user):" "$RABBITMQ_FOLDER"
    fi
}

# Of the node and of rabbitmqctl. The node's name is that of its data: it must stay the same when ports change.
rabbitmq_environment() {
    export HOME=$RABBITMQ_FOLDER
    export ERL_EPMD_PORT=$EPMD_PORT
    export ERL_EPMD_ADDRESS=127.0.0.1
    # A node that finds no epmd would start one that outlives the fleet.
    export ERL_AFLAGS='-start_epmd false'
    export ERL_CRASH_DUMP_SECONDS=0
    export RABBITMQ_NODENAME=florin@localhost
    export RABBITMQ_DIST_PORT=$RABBITMQ_NODE_PORT
    export RABBITMQ_MNESIA_BASE=$RABBITMQ_FOLDER/data
    export RABBITMQ_LOG_BASE=$RABBITMQ_FOLDER/log
    export RABBITMQ_LOG=-color
    export RABBITMQ_PID_FILE=$RABBITMQ_FOLDER/pid
    export RABBITMQ_CONFIG_FILE=$RABBITMQ_FOLDER/rabbitmq.conf
    export RABBITMQ_CONF_ENV_FILE=/dev/null
    export RABBITMQ_ENABLED_PLUGINS_FILE=$RABBITMQ_FOLDER/plugins
}

# Each replaces the calling shell. epmd tells the node's port to rabbitmqctl, and the node does not start without it.
exec_epmd() {
    cd /
    exec_as "$(rabbitmq_user)" epmd -address 127.0.0.1 -port "$EPMD_PORT"
}

exec_rabbitmq() {
    cd "$RABBITMQ_FOLDER" || exit 1
    rabbitmq_environment
    # Two schedulers that sleep when there is nothing to do: the processors are the services'.
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none'
    # The script would wait for the node; so it becomes the node. It would then expect a terminal, which -noinput denies.
    export RABBITMQ_ALLOW_INPUT=1
    export RABBITMQ_SERVER_START_ARGS='-noinput +B i'
    exec_as "$(rabbitmq_user)" "$RABBITMQ_PROGRAMS/rabbitmq-server"
}

# The node listens once everything is imported.
rabbitmq_ready() { port_answers "$RABBITMQ_PORT"; }
epmd_ready() { port_answers "$EPMD_PORT"; }

# Operators' commands on this node: fleet.sh rabbitmqctl list_queues name messages.
run_rabbitmqctl() (
    clear_environment
    cd "$RABBITMQ_FOLDER"
    rabbitmq_environment
    exec_as "$(rabbitmq_user)" "$RABBITMQ_PROGRAMS/rabbitmqctl" "$@"
)
