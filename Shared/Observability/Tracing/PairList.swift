/// `name=value` pairs between commas, values percent-encoded as in W3C Baggage: how OpenTelemetry's variables write lists.
package enum PairList {
    package struct Pair: Sendable, Hashable {
        package let name: String
        package let value: String
    }

    /// Nil when a pair has no equals sign or name, or a value whose escapes are none or don't make UTF-8.
    package static func parse(_ text: String) -> [Pair]? {
        var pairs: [Pair] = []
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let value = decoded(trimmed(parts[1])) else { return nil }
            let name = trimmed(parts[0])
            guard !name.isEmpty else { return nil }
            pairs.append(Pair(name: name, value: value))
        }
        return pairs
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }

    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(decoded)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
