/// The parameters of a request to the authorization endpoint, as OAuth (RFC 6749, section 3.1) reads them: one without a value is absent,
/// and which one is given twice is kept, since the answer depends on it.
package struct OAuthParameters: Sendable {
    private var values: [String: String] = [:]
    private var repeated: Set<String> = []

    package init(_ fields: [(name: String, value: String)]) {
        for (name, value) in fields {
            if values.updateValue(value, forKey: name) != nil { repeated.insert(name) }
        }
    }

    package subscript(_ name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    package func isRepeated(_ name: String) -> Bool { repeated.contains(name) }
}
