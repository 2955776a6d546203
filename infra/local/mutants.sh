#!/usr/bin/env bash
# mutants.sh [NAME ...]: proves that the tests bite. Each patch in Tests/Mutants breaks one rule in a copy of the project; the suites
# that it names must then fail. Prints a table; exit 1 when a mutant survives. Without names all of them run, about 20 seconds each.
# The copy and its build stay in .local/mutants, so that a second run compiles only what has changed.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

PATCHES=$FLORIN_REPOSITORY/Tests/Mutants
COPY=$FLORIN_REPOSITORY/.local/mutants/copy
LOG=$FLORIN_REPOSITORY/.local/mutants/log
TEST_SECONDS=300
survivors=0

field() { sed -n "/^$2: /{s///p;q}" "$1"; }

# Times are kept, so that the build sees what is unchanged.
copy_project() {
    mkdir -p "$COPY"
    find "$COPY" -mindepth 1 -maxdepth 1 ! -name .build ! -name Package.resolved -exec rm -rf {} +
    (cd "$FLORIN_REPOSITORY" && git ls-files -z | tar --null --files-from=- --create) | tar --extract --directory "$COPY"
}

# Not the repository around the copy: git would leave out what lies beside it.
apply() { (cd "$COPY" && GIT_CEILING_DIRECTORIES=$FLORIN_REPOSITORY/.local/mutants git apply "$@"); }

build() { (cd "$COPY" && swift build --build-tests --quiet) >"$LOG" 2>&1; }

run_tests() { (cd "$COPY" && FLORIN_TEST_PATIENCE=5 at_a_time 8 timeout "$TEST_SECONDS" "${SWIFT_TESTS[@]}" --filter "$1") >"$LOG" 2>&1; }

# The name of the first test that failed, as the table shows it.
first_failure() {
    sed -n '/^✘ Test .* recorded an issue/{s/^✘ Test "\{0,1\}\(.*[^"]\)"\{0,1\} recorded an issue.*/\1/;s/" with .*//;s/|/\\|/g;p;q}' "$LOG"
}

judge() {
    local patch=$1 name rule tests verdict
    name=$(basename "$patch" .patch)
    rule=$(field "$patch" Rule)
    tests=$(field "$patch" Test)
    apply "$patch" || fail "$name does not apply: the code it breaks has changed"
    if grep -q '^+++ b/.*\.swift' "$patch" && ! build; then
        grep -m 5 'error:' "$LOG" >&2 || tail -n 5 "$LOG" >&2
        fail "$name does not compile: a mutant that the compiler refuses proves nothing"
    fi
    if run_tests "$tests"; then
        verdict="**survived** $tests"
        survivors=$((survivors + 1))
    else
        verdict=$(first_failure)
        verdict=${verdict:-the process ended: $(tail -n 1 "$LOG")}
    fi
    apply --reverse "$patch"
    printf '| %s | %s | %s |\n' "$name" "$rule" "$verdict"
}

main() {
    local patches=("$PATCHES"/*.patch) suites name
    if (($# > 0)); then
        patches=()
        for name in "$@"; do
            [[ -f $PATCHES/$name.patch ]] || fail "no mutant is named $name; see Tests/Mutants"
            patches+=("$PATCHES/$name.patch")
        done
    fi
    "$LOCAL_SCRIPTS/install.sh" --tests
    step "Building an unbroken copy"
    copy_project
    build || {
        tail -n 20 "$LOG" >&2
        fail "the unbroken copy does not build"
    }
    suites=$(for name in "${patches[@]}"; do field "$name" Test; done | paste -sd '|')
    run_tests "$suites" || {
        grep -a '^✘' "$LOG" >&2
        fail "the tests fail without any mutant"
    }
    step "Running ${#patches[@]} mutants"
    printf '| mutant | rule that it breaks | test that fails |\n|---|---|---|\n'
    for name in "${patches[@]}"; do judge "$name"; done
    ((survivors == 0)) || fail "$survivors mutants survived"
}

main "$@"
