# What both reports need. value[key, column, n] holds a number or "-", of round n; rounds[key] how many there are.
function median(key, column,    n, i, j, held, sorted) {
    n = rounds[key]
    for (i = 1; i <= n; i++) sorted[i] = value[key, column, i] + 0
    for (i = 2; i <= n; i++) {
        held = sorted[i]
        for (j = i - 1; j >= 1 && sorted[j] > held; j--) sorted[j + 1] = sorted[j]
        sorted[j + 1] = held
    }
    lowest = sorted[1]
    highest = sorted[n]
    return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}
function thousands(number,    text, result) {
    text = sprintf("%.0f", number)
    while (length(text) > 3) {
        result = " " substr(text, length(text) - 2) result
        text = substr(text, 1, length(text) - 3)
    }
    return text result
}
function shown(key, column, format) { return value[key, column, 1] == "-" ? "-" : sprintf(format, median(key, column)) }
