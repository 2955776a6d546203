#!/usr/bin/env bash
# supervisor.sh NAME: keeps one server of the fleet running until it is told to stop (SIGTERM).
# A server that dies is started again, after 1 s, then 2 s, 4 s ... 30 s; one that ran well for 30 s starts over at 1 s.
# Exit 64 means a bad setting: trying again cannot mend that, so the supervisor says so and ends.
set -uo pipefail
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

LONGEST_PAUSE=30
RAN_WELL_AFTER=30
DRAIN_LIMIT=40
BAD_CONFIGURATION=64

name=$1
set_state_paths
load_ports running

stopping=no
child=

note() { printf '%s supervisor: %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$name" "$*"; }

on_stop() {
    stopping=yes
    [[ -z $child ]] || kill -s "$(stop_signal "$name")" "$child" 2>/dev/null
}
trap on_stop TERM INT HUP

child_gone() { ! kill -0 "$child" 2>/dev/null; }

# `wait` returns early when a signal arrives; the server then still has its time to drain.
wait_for_child() {
    wait "$child"
    status=$?
    if [[ $stopping == yes ]] && ! child_gone; then
        if ! wait_until "$DRAIN_LIMIT" child_gone; then
            note "did not stop within $DRAIN_LIMIT s and is killed"
            kill -KILL "$child"
        fi
        wait "$child"
        status=$?
    fi
}

record_pid "$name-supervisor" "$$"
pause=1
while [[ $stopping == no ]]; do
    began=$SECONDS
    (
        clear_environment
        exec_server "$name"
    ) </dev/null &
    child=$!
    record_pid "$name" "$child"
    # A signal that came between the start and this line found no child to pass it on to.
    [[ $stopping == no ]] || on_stop
    wait_for_child
    child=
    rm -f "$RUN/$name.pid"
    [[ $stopping == no ]] || break
    if ((status == BAD_CONFIGURATION)); then
        note "refused its configuration (exit $status) and is not started again"
        break
    fi
    ((SECONDS - began < RAN_WELL_AFTER)) || pause=1
    note "ended by itself (status $status); starting it again in $pause s"
    sleep "$pause" &
    wait "$!"
    pause=$((pause * 2 > LONGEST_PAUSE ? LONGEST_PAUSE : pause * 2))
done
[[ $stopping == no ]] || note "stopped"
rm -f "$RUN/$name-supervisor.pid"
