# The results of all rounds (see events.sh) as one Markdown table: medians, and the range of the rates. median.awk comes first.
BEGIN { FS = "\t" }
{
    if (!($1 in rounds)) cells++
    n = ++rounds[$1]
    for (column = 3; column <= 11; column++) value[$1, column, n] = $column
}
function ratio(cell, base) { return base in rounds ? sprintf("%.2f × %s", median(cell, 3) / median(base, 3), base) : "-" }
function row(cell, name, base, target,    rate, range, column) {
    if (!(cell in rounds)) return
    rate = median(cell, 3)
    range = thousands(lowest) " to " thousands(highest)
    printf "| %s %s | %s (%s) | %s | %s | %s", cell, name, thousands(rate), range, base == "" ? "-" : ratio(cell, base), shown(cell, 4, "%.1f"),
        shown(cell, 5, "%.1f")
    for (column = 6; column <= 11; column++) printf " | %s", shown(cell, column, "%.0f")
    printf " | %s |\n", target
}
END {
    print "| cell | events/s (range) | ratio | p50 ms | p99 ms | generator µs | wallet-ledger µs | relay µs | ops-risk µs | Postgres µs | RabbitMQ µs | target |"
    print "|---|---|---|---|---|---|---|---|---|---|---|---|"
    row("G", "published with confirms by librabbitmq alone", "", "-")
    row("H", "consumed with acknowledgements by librabbitmq alone", "", "-")
    row("I", "outbox to confirm by the relay, random keys", "G", "8 000/s")
    row("J", "outbox to confirm by the relay, one hot key", "G", "8 000/s")
    row("K", "a transfer's commit to its event in a consumer's hands", "", "15 and 100 ms")
    row("L", "the event's time, before the commit, to the relay's confirm", "", "-")
    row("M", "consumed and deduplicated by ops-risk", "H", "5 000/s")
    row("N", "transfers, no relay, 64 connections", "", "-")
    row("O", "transfers, the relay publishing, 64 connections", "N", "0.85 × N")
    print ""
    print "µs are of processor time per event, of K, N and O per transfer. L is of the same run as K, from the relay's histogram, between its bounds by proportion."
}
