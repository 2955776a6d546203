#!/usr/bin/env bash
# check.sh: judges alerts and dashboards: their syntax, the alerts' tests, that every metric in them is one that the code makes and every
# runbook section that the alerts name is there. Needs no Prometheus server, only its promtool.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/../local/env.sh"
cd "$FLORIN_REPOSITORY"

ALERTS=infra/monitoring/alerts
DASHBOARDS=infra/monitoring/dashboards
# What Prometheus makes itself, and RabbitMQ.
FOREIGN_METRICS='^(up|ALERTS|rabbitmq_queue_(messages|consumers))$'
failures=0

complain() {
    warn "$*"
    failures=$((failures + 1))
}

check_runbooks() {
    local url file section
    while read -r url; do
        file=${url%%#*}
        section=${url#*#}
        [[ -f $file ]] || {
            complain "$url: there is no such runbook"
            continue
        }
        # As GitHub makes anchors of headings: lower case, hyphens for spaces, nothing but letters, digits and hyphens.
        sed -n 's/^## //p' "$file" | tr '[:upper:] ' '[:lower:]-' | tr -cd '[:alnum:]\n-' | grep -qxF "$section" ||
            complain "$url: the runbook has no such section"
    done < <(sed -n 's/^ *runbook_url: //p' "$ALERTS"/*.yaml | sort -u)
    local alerts urls
    alerts=$(cat "$ALERTS"/*.yaml | grep -c '^ *- alert:')
    urls=$(cat "$ALERTS"/*.yaml | grep -c '^ *runbook_url:')
    ((alerts == urls)) || complain "of $alerts alerts $urls have a runbook_url"
}

is_made() { grep -rqF "\"$1\"" Services Shared --include='*.swift'; }
# Each name before a brace in an expression, without the endings that a histogram's series have.
check_metrics() {
    local name
    while read -r name; do
        [[ ! $name =~ $FOREIGN_METRICS ]] || continue
        is_made "$name" || complain "$name is in an alert or a dashboard, but the code makes no such metric"
    done < <(grep -ohE '[a-zA-Z_]+\{[^{]' "$ALERTS"/*.yaml "$DASHBOARDS"/*.json | sed -E 's/\{.$//' | sed -E 's/_(bucket|sum|count)$//' | sort -u)
}

check_dashboards() {
    local rules output
    rules=$(mktemp)
    if ! python3 infra/monitoring/dashboards.py "$DASHBOARDS"/*.json >"$rules"; then
        complain "a dashboard is malformed"
    elif ! output=$("$PROMTOOL" check rules "$rules" 2>&1); then
        complain "an expression of a dashboard is malformed: $output"
    fi
    rm -f "$rules"
}

PROMTOOL=$(infra/monitoring/promtool.sh)
"$PROMTOOL" check rules "$ALERTS"/*.yaml >/dev/null || complain "promtool check rules"
"$PROMTOOL" test rules "$ALERTS"/tests/*.yaml || complain "promtool test rules"
check_dashboards
check_runbooks
check_metrics
((failures == 0)) || fail "monitoring: $failures of the checks failed"
say "monitoring: clean"
