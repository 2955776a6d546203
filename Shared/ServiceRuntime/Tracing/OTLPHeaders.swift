package import HTTPTypes

/// The fields of `OTEL_EXPORTER_OTLP_HEADERS`: `name=value` pairs between commas, values percent-encoded as in W3C Baggage.
package struct OTLPHeaders: Sendable {
    package let fields: HTTPFields

    package init(_ fields: HTTPFields = HTTPFields()) {
        self.fields = fields
    }

    /// Nil when a pair has no name that a field may have, or a value that none may have.
    package init?(_ text: String) {
        var fields = HTTPFields()
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = HTTPField.Name(Self.trimmed(parts[0])), let value = Self.decoded(Self.trimmed(parts[1])),
                HTTPField.isValidValue(value)
            else { return nil }
            fields[name] = value
        }
        self.fields = fields
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
