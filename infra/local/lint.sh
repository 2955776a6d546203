#!/usr/bin/env bash
# lint.sh: everything that can be judged without running the project: its text, its alerts and, with the fleetctl that it builds, its
# manifests.
# The rules about imports, names and lengths are tests: Tests/ArchitectureTests.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$FLORIN_REPOSITORY"

FIRST_SCREEN=40
LANDING_PAGE=120
failures=0
complain() {
    warn "$*"
    failures=$((failures + 1))
}

check_format() {
    swift format lint --strict --recursive --parallel Package.swift Services Shared Tests || complain "swift format: run make format"
}

check_marks() {
    local found
    found=$(grep -rsnIwE 'TODO|FIXME|HACK' Package.swift Services Shared Tests infra migrations Makefile README.md \
        --include='*.swift' --include='*.sh' --include='*.sql' --include='*.md' --include=Makefile \
        --exclude-dir=ArchitectureTests --exclude=lint.sh || true)
    [[ -z $found ]] || complain "unfinished marks:"$'\n'"$found"
}

check_scripts() {
    local script
    local scripts=(infra/local/*.sh infra/load/*.sh infra/k8s/*.sh infra/monitoring/*.sh infra/rabbitmq/*.sh .ci/run)
    for script in "${scripts[@]}"; do
        bash -n "$script" || complain "$script is not valid bash"
    done
    if command -v shellcheck >/dev/null 2>&1; then
        # The files that are only sourced are checked where they are sourced.
        shellcheck -x infra/local/{install,venv,fleet,supervisor,test,lint,pages,mutants,fuzz,sanitize}.sh infra/load/bench.sh infra/k8s/check.sh infra/monitoring/{check,promtool}.sh infra/rabbitmq/users.sh .ci/run || complain "shellcheck"
    fi
}

check_readme() {
    local command
    for command in 'make run' 'make test'; do
        head -n "$FIRST_SCREEN" README.md | grep -qF "$command" || complain "README.md does not show $command within its first $FIRST_SCREEN lines"
    done
    (($(wc -l <README.md) <= LANDING_PAGE)) || complain "README.md is longer than $LANDING_PAGE lines: put it beside what it describes"
}

# Every relative link of every page leads to a file or folder, and its anchor to a heading.
check_links() {
    local page link target anchor
    while IFS=: read -r page link; do
        link=${link#](}
        link=${link%)}
        target=${link%%#*}
        if [[ -z $target ]]; then target=$page; else target=$(dirname "$page")/$target; fi
        if [[ ! -e $target ]]; then
            complain "$page: $link leads nowhere"
        elif [[ $link == *#* ]]; then
            anchor=${link#*#}
            grep -qxF "$anchor" <(headings "$target") || complain "$page: $target has no heading #$anchor"
        fi
    done < <(git ls-files -coz --exclude-standard -- '*.md' | xargs -0 grep -oE '\]\([^):]+\)' --with-filename)
}

# The anchors that GitHub makes of a page's headings.
headings() { sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'; }

check_migrations() {
    local folder name expected
    for folder in migrations/*/; do
        expected=1
        for name in "$folder"[0-9]*.sql; do
            [[ -e $name ]] || continue
            [[ $(basename "$name") == "$(printf '%04d' "$expected")_"* ]] || complain "$name: migrations are numbered without gaps, here $(printf '%04d' "$expected") was due"
            expected=$((expected + 1))
        done
    done
}

check_format
check_marks
check_scripts
check_readme
check_links
check_migrations
infra/k8s/check.sh || complain "manifests"
infra/monitoring/check.sh || complain "alerts"
((failures == 0)) || fail "lint: $failures of the checks failed"
say "lint: clean"
