#!/usr/bin/env bash
# sanitize.sh [thread|address]: the suites of the drivers and of the ledger's races under a sanitizer. What it reports fails the run.
# A build of its own in .build-tsan or .build-asan: minutes at first, and three to ten times slower tests.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# What has threads, locks and C below it. Property tests are left out: they are long and have one thread.
SUITES='^(PostgresTests|RequestSigningTests|AccessTokensTests|ServiceClientTests|ServiceIdentityTests|ServiceRuntimeTests)\.|WalletLedgerTests\.(Money|Ledger|Hold)'
LEFT_OUT='PropertyTests|VerifyCostTests|LedgerUpkeepTests|MoneyRuleTests'
REPORTS=$FLORIN_REPOSITORY/.local/sanitize

sanitizer=${1:-thread}
case $sanitizer in
thread)
    scratch=.build-tsan
    # Why these are wrapped stands in sanitize.c.
    # shellcheck disable=SC2016
    wrapped=(__tsan_external_write '$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF'
        '$s15Synchronization12_MutexHandleV11_unlockSlowyyF')
    ;;
address)
    scratch=.build-asan
    wrapped=()
    ;;
*) fail "usage: sanitize.sh [thread|address]" ;;
esac

"$LOCAL_SCRIPTS/install.sh" --tests
rm -rf "$REPORTS"
mkdir -p "$REPORTS"
cd "$FLORIN_REPOSITORY"
link=()
if ((${#wrapped[@]} > 0)); then
    # The toolchain's own, which knows Swift's calling convention.
    "$(dirname "$(readlink -f "$(command -v swift)")")/clang" -O1 -Wall -Werror -c "$LOCAL_SCRIPTS/sanitize.c" -o "$REPORTS/sanitize.o"
    link=(-Xlinker "$REPORTS/sanitize.o")
    for symbol in "${wrapped[@]}"; do link+=(-Xlinker "--wrap=$symbol"); done
fi
step "Building the tests for the $sanitizer sanitizer (some minutes at first)"
swift build --quiet --build-tests --sanitize="$sanitizer" --scratch-path "$scratch" "${link[@]}"

step "Running them"
export TSAN_OPTIONS="log_path=$REPORTS/report exitcode=66"
# Leaks are not looked for: what is made once and kept is most of what would be found.
export ASAN_OPTIONS="detect_leaks=0 log_path=$REPORTS/report"
status=0
at_a_time 16 "${SWIFT_TESTS[@]}" --sanitize="$sanitizer" --scratch-path "$scratch" "${link[@]}" --filter "$SUITES" --skip "$LEFT_OUT" \
    >"$REPORTS/tests.log" 2>&1 || status=$?
grep -aE '^✘|^↳' "$REPORTS/tests.log" | cut -c1-500 | tail -n 40 || true
tail -n 1 "$REPORTS/tests.log"
if compgen -G "$REPORTS/report.*" >/dev/null; then
    grep -ah '^SUMMARY' "$REPORTS"/report.* | sort | uniq -c | sort -rn >&2
    fail "the $sanitizer sanitizer has something to say: $REPORTS"
fi
((status == 0)) || fail "the tests fail; what they said is in $REPORTS/tests.log"
say "Nothing found."
