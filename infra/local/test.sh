#!/usr/bin/env bash
# test.sh [ARGUMENTS OF swift test]: sets the machine up, builds everything and runs the tests.
# The tests start the servers that they need themselves, on free ports, and stop them.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

"$LOCAL_SCRIPTS/install.sh" --tests
cd "$FLORIN_REPOSITORY"
step "Building the executables and the tests"
swift build --build-tests --explicit-target-dependency-import-check error
# What the tests leave behind is seen in a folder of their own, which the servers' users have to get into.
temporary="$(mktemp -d)"
chmod 0755 "$temporary"
mkdir -m 1777 "$temporary/tests"
output="$temporary/output"
trap 'rm -rf "$temporary"' EXIT
status=0
run() { TMPDIR="$temporary/tests" at_a_time "$1" "${SWIFT_TESTS[@]}" "${@:2}" 2>&1 | tee -a "$output" || status=$?; }
# SwiftPM leaves folders of its own, empty but for one file, and its locks.
left_behind() { find "$temporary/tests" -mindepth 1 -maxdepth 1 ! -name 'TemporaryDirectory.*' ! -name '_*.lock'; }
nothing_left() { [[ -z $(left_behind) ]]; }
# Those that start brokers of their own, stop, freeze and fill them. Beside hundreds of others a live broker would pass for a dead one.
brokers='^(AMQPTests|EventBrokerTests|EventConsumptionTests|FleetctlTests|NotificationTests|OpsRiskTests|OutboxRelayTests)\.'
if (($# > 0)); then
    step "Running the tests"
    run 8 "$@"
else
    step "Running the tests: modules and databases"
    run 16 --skip "$brokers" --skip '^FleetTests\.'
    step "Running the tests: brokers"
    run 4 --filter "$brokers"
    # Whole fleets are started and killed by the clock, which anything else at the same time would distort.
    step "Running the tests: fleets, one after another"
    run 1 --filter '^FleetTests\.' --no-parallel
    say "$(sed -n 's/^.* Test run with \([0-9]*\) tests.*/\1/p' "$output" | awk '{ sum += $1 } END { print sum }') tests in all"
fi
# Servers and folders go a moment after the process that used them.
if ! wait_until 60 nothing_left; then
    step "What the tests left in the temporary folder"
    left_behind
    status=1
fi
if ((status != 0)); then
    # What failed stands thousands of lines up, and a CI log is often cut to its end.
    step "What failed"
    # A comment's further lines follow its first.
    awk '/^✘|error:|Fatal error|unexpected signal/ { print } /^[^[:space:]]/ { shows = /^↳/ } shows' "$output" | cut -c1-1000 | tail -300
fi
exit "$status"
