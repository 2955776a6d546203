# The results of all rounds (see identity.sh) as one Markdown table: medians, and the range of the rates. median.awk comes first.
BEGIN { FS = "\t" }
{
    key = $1 SUBSEP $2
    if (!(key in rounds)) order[++cells] = key
    n = ++rounds[key]
    for (column = 4; column <= 11; column++) value[key, column, n] = $column
    if ($1 == "P") limit = key
}
function before(a, b,    x, y) {
    split(a, x, SUBSEP)
    split(b, y, SUBSEP)
    return x[1] == y[1] ? x[2] + 0 < y[2] + 0 : x[1] < y[1]
}
# Few sign-ins fit into a second: they are shown with a digit after the point.
function rate(number) { return number < 100 ? sprintf("%.1f", number) : thousands(number) }
END {
    names["P"] = "scrypt alone, a thread per core"
    names["Q"] = "sign-ins: password, code, tokens"
    names["R"] = "refreshes"
    names["S"] = "introspections of access tokens"
    names["T"] = "JWKS"
    names["U"] = "discovery"
    names["V"] = "refreshes at a steady rate"
    names["W"] = "the same while sign-ins saturate the threads"
    names["X"] = "those sign-ins, begun at twice P"
    targets["Q"] = "0.8 × P"
    targets["R"] = "1 000/s"
    targets["W"] = "p99 250 ms"
    for (i = 2; i <= cells; i++) {
        held = order[i]
        for (j = i - 1; j >= 1 && before(held, order[j]); j--) order[j + 1] = order[j]
        order[j + 1] = held
    }
    print "| cell | connections | a second (range) | × P | p50 ms | p99 ms | generator µs | identity µs | Postgres µs | WAL bytes | 503 | target |"
    print "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= cells; i++) {
        key = order[i]
        split(key, part, SUBSEP)
        middle = median(key, 4)
        range = rate(lowest) " to " rate(highest)
        ratio = (part[1] == "Q" || part[1] == "X") && limit != "" ? sprintf("%.2f", middle / median(limit, 4)) : "-"
        printf "| %s %s | %s | %s (%s) | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", part[1], names[part[1]], part[2], rate(middle), range,
            ratio, shown(key, 5, "%.1f"), shown(key, 6, "%.1f"), shown(key, 7, "%.0f"), shown(key, 8, "%.0f"), shown(key, 9, "%.0f"),
            shown(key, 10, "%.0f"), shown(key, 11, "%.0f"), part[1] in targets ? targets[part[1]] : "-"
    }
    print ""
    print "µs are of processor time per piece of work, of sign-ins with the hash. V and W are of the same database, X of the same time as W."
}
