#!/usr/bin/env bash
# fuzz.sh [TARGET ...]: feeds what reads bytes from outside with libFuzzer and AddressSanitizer, each target for FUZZ_SECONDS (20).
# It begins with the files of Tests/Fuzzing/Corpus; what it learns is kept in .local/fuzz, what breaks something in .local/fuzz/found.
# A finding belongs into the corpus, where the ordinary tests replay it.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

FUZZ_SECONDS=${FUZZ_SECONDS:-20}
CORPUS=$FLORIN_REPOSITORY/Tests/Fuzzing/Corpus
STATE=$FLORIN_REPOSITORY/.local/fuzz
INPUT_LIMIT=4096
failures=0

# A package of its own, in which only our modules are instrumented, with the versions that the fleet is built with.
build() {
    (cd "$FLORIN_REPOSITORY" &&
        swift build --quiet --package-path Tests/Fuzzing --configuration release --scratch-path .build-fuzz --product Fuzz "$@")
}

# libFuzzer's last lines tell speed and coverage.
fuzz() {
    local target=$1 log=$STATE/$1.log
    mkdir -p "$STATE/$target" "$STATE/found"
    if FLORIN_FUZZ_TARGET=$target ASAN_OPTIONS=detect_leaks=0 "$executable" -max_total_time="$FUZZ_SECONDS" -max_len="$INPUT_LIMIT" -timeout=5 \
        -use_value_profile=1 -print_final_stats=1 -artifact_prefix="$STATE/found/$target-" "$STATE/$target" "$CORPUS/$target" >"$log" 2>&1; then
        say "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, $(grep -ao 'cov: [0-9]*' "$log" | tail -n 1) edges"
    else
        grep -aE 'Fatal error|ERROR:|SUMMARY|Test unit written' "$log" >&2 || tail -n 20 "$log" >&2
        warn "$target: broken; the whole log is $log"
        failures=$((failures + 1))
    fi
}

main() {
    local targets=("$@") folder target
    if (($# == 0)); then
        for folder in "$CORPUS"/*/; do targets+=("$(basename "$folder")"); done
    fi
    "$LOCAL_SCRIPTS/install.sh"
    step "Building the fuzzer (some minutes at first)"
    if [[ -f $FLORIN_REPOSITORY/Package.resolved ]]; then
        cp "$FLORIN_REPOSITORY/Package.resolved" "$FLORIN_REPOSITORY/Tests/Fuzzing/Package.resolved"
    fi
    build
    executable=$(build --show-bin-path)/Fuzz
    step "Fuzzing ${#targets[@]} targets for $FUZZ_SECONDS s each"
    for target in "${targets[@]}"; do
        [[ -d $CORPUS/$target ]] || fail "no target is named $target; see Tests/Fuzzing/Corpus"
        fuzz "$target"
    done
    ((failures == 0)) || fail "$failures targets are broken"
}

main "$@"
