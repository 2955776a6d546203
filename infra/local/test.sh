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
step "Running the tests"
output="$(mktemp)"
trap 'rm -f "$output"' EXIT
status=0
swift test --skip-build --disable-xctest "$@" 2>&1 | tee "$output" || status=$?
if ((status != 0)); then
    # What failed stands thousands of lines up, and a CI log is often cut to its end.
    step "What failed"
    grep -aE '^✘|^↳|error:|Fatal error|unexpected signal' "$output" | cut -c1-1500 | tail -100 || true
fi
exit "$status"
