#!/usr/bin/env bash
# Sourced by every other script here: where things are, which ports, how to speak to the person at the terminal.
# Sets no secret and exports nothing; a service gets exactly the variables that services.sh gives it.

FLORIN_REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
LOCAL_SCRIPTS=$FLORIN_REPOSITORY/infra/local

# psql and libpq would follow the caller's own PG* variables, and the services refuse to start with them.
# shellcheck disable=SC2086
unset ${!PG@} DATABASE_URL

say() { printf '%s\n' "$*"; }
step() { printf '\n==> %s\n' "$*"; }
warn() { printf 'florin: %s\n' "$*" >&2; }
fail() {
    printf 'florin: %s\n' "$*" >&2
    exit 1
}

# Runs what has been built.
# shellcheck disable=SC2034
SWIFT_TESTS=(swift test --skip-build --disable-xctest)

# at_a_time COUNT COMMAND...: no more tests at once. Unbounded, hundreds would wait for servers that start, and hold each other up until
# time limits pass.
at_a_time() { env SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH="$1" "${@:2}"; }

is_root() { [[ $EUID -eq 0 ]]; }

# As root every server gets a user of its own; as anyone else they all run as the caller.
# `setpriv` replaces itself by the command, so the pid of what is started is the pid of the server.
as_user() {
    local user=$1
    shift
    if is_root && [[ $user != root ]]; then
        setpriv --reuid "$user" --regid "$user" --init-groups -- "$@"
    else
        "$@"
    fi
}

user_exists() { id -u "$1" >/dev/null 2>&1; }

# Whether another user gets as far as this folder: every folder above it has to let them through.
can_enter() {
    local user=$1 folder=$2
    as_user "$user" test -x "$folder"
}

# State lives in the ignored .local folder of the clone. A clone that the servers' users cannot enter (under /root, or in a
# private temporary folder) keeps it under /var/lib/florin instead, in a folder named after the clone's path.
state_folder() {
    local inside=$FLORIN_REPOSITORY/.local outside
    if ! is_root; then
        printf '%s' "$inside"
        return
    fi
    outside=/var/lib/florin/$(printf '%s' "$FLORIN_REPOSITORY" | sha256sum | cut -c1-12)
    if user_exists postgres && ! can_enter postgres "$FLORIN_REPOSITORY"; then
        printf '%s' "$outside"
    else
        printf '%s' "$inside"
    fi
}

# Called once the postgres user may exist, that is after install.sh.
set_state_paths() {
    STATE=$(state_folder)
    SECRETS=$STATE/secrets
    KEYS=$STATE/keys
    LOGS=$STATE/logs
    RUN=$STATE/run
    RELEASE=$STATE/release
    POSTGRES_DATA=$STATE/postgres
    REDIS_FOLDER=$STATE/redis
    RABBITMQ_FOLDER=$STATE/rabbitmq
    SMTP_FOLDER=$STATE/smtp
    DATABASES_FILE=$SECRETS/databases.env
    ADMIN_PASSFILE=$SECRETS/postgres-admin.pgpass
}

make_state_folders() {
    if ! mkdir -p "$STATE" 2>/dev/null || [[ ! -w $STATE ]]; then
        fail "$STATE cannot be written by $(id -un); an earlier run as root made it: use sudo again, or chown it"
    fi
    if [[ $STATE != "$FLORIN_REPOSITORY/.local" ]]; then
        say "The servers' users cannot enter $FLORIN_REPOSITORY, so the fleet's state is kept in $STATE."
        printf '%s\n' "$FLORIN_REPOSITORY" >"$STATE/repository"
    fi
    # Others may pass through to what is theirs, and list nothing.
    mkdir -p "$SECRETS" "$KEYS" "$LOGS" "$RUN" "$RELEASE/bin"
    chmod 0755 "$STATE" "$RELEASE" "$RELEASE/bin"
    chmod 0700 "$SECRETS" "$LOGS" "$RUN"
    chmod 0711 "$KEYS"
}

# ports.env and the services' ports of the fleet's table, as assignments.
default_ports() {
    cat "$LOCAL_SCRIPTS/ports.env"
    awk '$1 != "#" {
        name = toupper($1)
        gsub("-", "_", name)
        if ($3 != "-") print name "_HTTP_PORT=" $3
        print name "_ADMIN_PORT=" $2
        if ($9 != "-") print name "_RELAY_ADMIN_PORT=" $9
    }' "$FLORIN_REPOSITORY/infra/fleet.tsv"
}

# The default ports, with the environment's own values on top; a fleet that is up keeps the ports it was started with.
load_ports() {
    local line name lines kept=no
    if [[ ${1:-} == running && -f $RUN/ports.env ]]; then
        lines=$(<"$RUN/ports.env")
        kept=yes
    else
        lines=$(default_ports)
    fi
    PORT_NAMES=()
    while IFS= read -r line; do
        [[ $line =~ ^([A-Z_]+)=([0-9]+)$ ]] || continue
        name=${BASH_REMATCH[1]}
        PORT_NAMES+=("$name")
        if [[ $kept == yes || -z ${!name:-} ]]; then
            printf -v "$name" '%s' "${BASH_REMATCH[2]}"
        fi
        [[ ${!name} =~ ^[0-9]{1,5}$ ]] || fail "$name=${!name} is not a port"
    done <<<"$lines"
}

save_ports() {
    local name
    for name in "${PORT_NAMES[@]}"; do
        printf '%s=%s\n' "$name" "${!name}"
    done >"$RUN/ports.env"
}

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Names the port, what it is for, who has it where that can be found out, and the variable that moves it. A connection that somebody
# makes from the port holds it as well as a server that listens there.
require_free_port() {
    local name=$1 purpose=$2 sockets="" holder=""
    local port=${!name}
    if command -v ss >/dev/null 2>&1; then
        sockets=$(ss -tanpH "sport = :$port" 2>/dev/null | grep -v '^TIME-WAIT' || true)
        holder=$(sed -n 's/.*users:((\("[^"]*"\),pid=\([0-9]*\).*/ by \1 (pid \2)/p' <<<"$sockets" | head -n 1)
    fi
    [[ -n $sockets ]] || port_answers "$port" || return 0
    fail "port $port ($purpose) is taken$holder. Stop what uses it, or choose another: make run $name=<port>"
}

# A pid alone may have been given to another process since; with its start time it is unmistakable.
start_time_of() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The second field is the name in parentheses and may hold spaces: count from its end.
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [[ $1 != Z ]] && printf '%s' "${20}"
}

record_pid() { printf '%s %s\n' "$2" "$(start_time_of "$2")" >"$RUN/$1.pid"; }

# Prints the pid kept under this name if that very process is still alive.
living_pid() {
    local pid started
    [[ -f $RUN/$1.pid ]] || return 1
    read -r pid started <"$RUN/$1.pid" || return 1
    [[ -n $started && $(start_time_of "$pid") == "$started" ]] || return 1
    printf '%s' "$pid"
}

# Waits until a command succeeds, for at most so many seconds.
wait_until() {
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < limit)) || return 1
        sleep 0.1
    done
}
