#!/usr/bin/env bash
# Installs what the fleet and its tests need and this machine lacks: Debian packages, and only the missing ones; Python's go to .local.
# The Swift toolchain is not among them; it is the one thing you bring.
# install.sh --tests adds what only the tests use: Python with the tools that check signatures and the API, openssl, PgBouncer,
# libfaketime, Chromium, Apache's module for OpenID Connect;
# install.sh --lint what only make lint uses: Python for the checkers of manifests.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

MINIMUM_SWIFT=6.2
# The image's, so that both are held to one.
MINIMUM_LIBRABBITMQ=$(sed -n 's/^ARG MINIMUM_LIBRABBITMQ=//p' "$FLORIN_REPOSITORY/infra/docker/Dockerfile")

require_swift() {
    local version hint=""
    [[ -z ${SUDO_USER:-} ]] || hint=" (sudo resets the PATH: sudo env PATH=\"\$PATH\" make run)"
    command -v swift >/dev/null 2>&1 ||
        fail "no Swift toolchain on the PATH$hint; version $MINIMUM_SWIFT or later is needed: https://www.swift.org/install"
    swift --version >/dev/null 2>&1 || fail "the Swift toolchain does not start: $(swift --version 2>&1 | head -n 1)"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    if [[ $(printf '%s\n' "$MINIMUM_SWIFT" "$version" | sort -V | head -n 1) != "$MINIMUM_SWIFT" ]]; then
        fail "Swift $version is too old; version $MINIMUM_SWIFT or later is needed"
    fi
}

librabbitmq_version() { dpkg-query -W -f '${Version}' librabbitmq4 2>/dev/null; }
has_fixed_librabbitmq() { dpkg --compare-versions "$(librabbitmq_version)" ge "$MINIMUM_LIBRABBITMQ"; }

# Where dpkg knows it: a library that was put there by hand is that hand's business.
require_fixed_librabbitmq() {
    [[ -n $MINIMUM_LIBRABBITMQ ]] || fail "infra/docker/Dockerfile names no MINIMUM_LIBRABBITMQ"
    [[ -n $(librabbitmq_version) ]] || return 0
    has_fixed_librabbitmq ||
        fail "librabbitmq4 $(librabbitmq_version) lacks security fixes; $MINIMUM_LIBRABBITMQ or later is needed: apt-get update && apt-get install librabbitmq4 (bookworm-security has it)"
}

has_postgres_server() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

missing_packages() {
    has_postgres_server || printf 'postgresql\n'
    [[ -x /usr/bin/redis-server ]] || printf 'redis-server\n'
    [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || printf 'rabbitmq-server\n'
    command -v pkg-config >/dev/null || printf 'pkg-config\n'
    [[ -f /usr/include/postgresql/libpq-fe.h ]] || printf 'libpq-dev\n'
    [[ -f /usr/include/amqp.h ]] || printf 'librabbitmq-dev\n'
    [[ -z $(librabbitmq_version) ]] || has_fixed_librabbitmq || printf 'librabbitmq4\nlibrabbitmq-dev\n'
    pkg-config --exists libcurl 2>/dev/null || printf 'libcurl4-openssl-dev\n'
    /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || printf 'python3-aiosmtpd\n'
    [[ -f /usr/include/zlib.h ]] || printf 'zlib1g-dev\n'
    command -v git >/dev/null || printf 'git\n'
    [[ -f /etc/ssl/certs/ca-certificates.crt ]] || printf 'ca-certificates\n'
    command -v make >/dev/null || printf 'make\n'
}

missing_test_packages() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || printf 'python3\npython3-venv\n'
    command -v openssl >/dev/null || printf 'openssl\n'
    [[ -x /usr/sbin/pgbouncer ]] || printf 'pgbouncer\n'
    compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || printf 'libfaketime\n'
    [[ -x /usr/bin/chromium ]] || printf 'chromium\n'
    # With apache2-bin: the program, without a server that starts.
    [[ -f /usr/lib/apache2/modules/mod_auth_openidc.so ]] || printf 'libapache2-mod-auth-openidc\n'
}

missing_lint_packages() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || printf 'python3\npython3-venv\n'
}

# sudo may ask for a password only where somebody can answer.
SUDO=(sudo)
[[ -t 0 ]] || SUDO=(sudo -n)

privileged() {
    if is_root; then
        "$@"
    else
        "${SUDO[@]}" "$@"
    fi
}

# The distribution would make and start a cluster of its own on port 5432; the fleet's Postgres is private.
forbid_distribution_cluster() {
    # shellcheck disable=SC2016
    privileged sh -c 'mkdir -p /etc/postgresql-common/createcluster.d &&
        printf "# Written by Florin: its Postgres is private, no cluster of the distribution is wanted.\ncreate_main_cluster = false\n" \
            > /etc/postgresql-common/createcluster.d/florin.conf'
}

# Nor does the distribution's server of a name start on its usual port; one that somebody has set up before is left as it is.
forbid_distribution_server() {
    # shellcheck disable=SC2016
    privileged sh -c 'mkdir -p /etc/systemd/system &&
        [ -e "/etc/systemd/system/$1" ] || ln -s /dev/null "/etc/systemd/system/$1"' sh "$1"
}

install_packages() {
    is_root || command -v sudo >/dev/null || fail "missing packages: $*. Install them, or run this as root or as a user with sudo"
    command -v apt-get >/dev/null || fail "missing packages: $*. Only Debian's apt-get is known here; install their like by hand"
    step "Installing: $*"
    if [[ " $* " == *" postgresql "* ]]; then
        forbid_distribution_cluster
    fi
    for server in redis-server rabbitmq-server; do
        if [[ " $* " == *" $server "* ]]; then
            forbid_distribution_server "$server.service"
        fi
    done
    # Erlang, which RabbitMQ brings along, starts a port mapper that listens on every address.
    if [[ " $* " == *" rabbitmq-server "* && ! -x /usr/bin/epmd ]]; then
        forbid_distribution_server epmd.service
        forbid_distribution_server epmd.socket
    fi
    local log
    log=$(mktemp)
    if ! {
        privileged env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q update &&
            privileged env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q -y --no-install-recommends install "$@"
    } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install: $*"
    fi
    rm -f "$log"
}

main() {
    require_swift
    local packages
    mapfile -t packages < <(
        missing_packages
        [[ ${1:-} != --tests ]] || missing_test_packages
        [[ ${1:-} != --lint ]] || missing_lint_packages
    )
    if ((${#packages[@]} > 0)); then
        install_packages "${packages[@]}"
    fi
    require_fixed_librabbitmq
    if [[ ${1:-} == --tests ]]; then
        "$LOCAL_SCRIPTS/venv.sh" python-crosscheck "$FLORIN_REPOSITORY/Tests/RequestSigningTests/crosscheck/requirements.txt"
        "$LOCAL_SCRIPTS/venv.sh" python-schemas "$FLORIN_REPOSITORY/Tests/ContractsTests/crosscheck/requirements.txt"
        "$LOCAL_SCRIPTS/venv.sh" python-pages "$FLORIN_REPOSITORY/Tests/IdentityTests/Pages/browser/requirements.txt"
        "$LOCAL_SCRIPTS/venv.sh" python-schemathesis "$FLORIN_REPOSITORY/Tests/FleetTests/schemathesis/requirements.txt"
    fi
}

main "$@"
