# The results of all rounds (see cells.sh) as one Markdown table: medians, and the range of the rates. median.awk comes first.
BEGIN { FS = "\t" }
{
    key = $1 SUBSEP $2 SUBSEP $3
    if (!(key in rounds)) order[++cells] = key
    n = ++rounds[key]
    for (column = 5; column <= 12; column++) value[key, column, n] = $column
}
function before(a, b,    x, y) {
    split(a, x, SUBSEP)
    split(b, y, SUBSEP)
    if (x[3] != y[3]) return x[3] == "random"
    if (x[1] != y[1]) return x[1] < y[1]
    return x[2] + 0 < y[2] + 0
}
END {
    names["A"] = "A naive, statement by statement"
    names["B"] = "B naive, one stored function"
    names["C"] = "C wallet-ledger, batch limit 1"
    names["D"] = "D wallet-ledger as shipped"
    names["E"] = "E its batch endpoint, 100 atomic per call"
    names["F"] = "F its batch endpoint, 100 independent per call"
    for (i = 2; i <= cells; i++) {
        held = order[i]
        for (j = i - 1; j >= 1 && before(held, order[j]); j--) order[j + 1] = order[j]
        order[j + 1] = held
    }
    print "| cell | wallets | connections | transfers/s (range) | × A(64) | p50 ms | p99 ms | mean batch | WAL bytes | generator µs | wallet-ledger µs | Postgres µs |"
    print "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= cells; i++) {
        key = order[i]
        split(key, part, SUBSEP)
        base = "A" SUBSEP 64 SUBSEP part[3]
        ratio = "-"
        rate = median(key, 5)
        range = thousands(lowest) " to " thousands(highest)
        if (base in rounds) ratio = sprintf("%.1f", rate / median(base, 5))
        printf "| %s | %s | %s | %s (%s) | %s | %s | %s | %s | %s | %s | %s | %s |\n", names[part[1]], part[3], part[2], thousands(rate),
            range, ratio, shown(key, 6, "%.1f"), shown(key, 7, "%.1f"), shown(key, 8, "%.1f"), shown(key, 9, "%.0f"), shown(key, 10, "%.0f"),
            shown(key, 11, "%.0f"), shown(key, 12, "%.0f")
    }
    print ""
    print "µs are of processor time per transfer. The generator of A and B is pgbench."
}
