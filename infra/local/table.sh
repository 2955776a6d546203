#!/usr/bin/env bash
# Sourced. The fleet's services as infra/fleet.tsv has them, which is the export of Shared/Fleet: `fleetctl fleet table`.

# In order of dependency.
FLEET=()
declare -A API_PORT DATABASE_VARIABLE CONSUMES RELAY_PORT

read_table() {
    local name api variable consumes relay
    while read -r name _ api _ variable _ consumes _ relay; do
        [[ $name != '#' ]] || continue
        FLEET+=("$name")
        API_PORT[$name]=$api
        DATABASE_VARIABLE[$name]=$variable
        CONSUMES[$name]=$consumes
        RELAY_PORT[$name]=$relay
    done <"$FLORIN_REPOSITORY/infra/fleet.tsv"
}
read_table

is_called() { [[ ${API_PORT[$1]:--} != - ]]; }
owns_database() { [[ ${DATABASE_VARIABLE[$1]:--} != - ]]; }
is_consumer() { [[ ${CONSUMES[$1]:--} != - ]]; }
has_outbox() { [[ ${RELAY_PORT[$1]:--} != - ]]; }

# The services for which a condition holds, one a line.
services_that() {
    local service
    for service in "${FLEET[@]}"; do
        if "$1" "$service"; then printf '%s\n' "$service"; fi
    done
}

# wallet-ledger → WALLET_LEDGER.
prefix_of() {
    local prefix=${1//-/_}
    printf '%s' "${prefix^^}"
}
