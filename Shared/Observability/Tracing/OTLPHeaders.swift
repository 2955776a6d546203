package import HTTPTypes

/// The fields of `OTEL_EXPORTER_OTLP_HEADERS`.
package struct OTLPHeaders: Sendable {
    package let fields: HTTPFields

    package init(_ fields: HTTPFields = HTTPFields()) {
        self.fields = fields
    }

    /// Nil when a pair has no name that a field may have, or a value that none may have.
    package init?(_ text: String) {
        guard let pairs = PairList.parse(text) else { return nil }
        var fields = HTTPFields()
        for pair in pairs {
            guard let name = HTTPField.Name(pair.name), HTTPField.isValidValue(pair.value) else { return nil }
            fields[name] = pair.value
        }
        self.fields = fields
    }
}
