import Contracts

/// The fields of an `application/x-www-form-urlencoded` body, as OAuth (RFC 6749, sections 3.1 and 3.2) reads them: one that is given
/// twice is refused, one without a value counts as absent, and unknown ones are ignored.
package struct Form: Sendable, CustomStringConvertible, CustomReflectable {
    private let values: [String: String]

    /// - Throws: ``Problem`` `malformed_request`.
    package init(_ body: some Sequence<UInt8>) throws {
        var values: [String: String] = [:]
        for (name, value) in try Self.fields(of: body) {
            guard values.updateValue(value, forKey: name) == nil else {
                throw QueryReader.fault(.malformedRequest, name.prefix(64), "Given more than once.")
            }
        }
        self.values = values.filter { !$0.value.isEmpty }
    }

    /// All fields of a form or query in their order, also those that are given twice or have no value: for who must tell which it was.
    ///
    /// - Throws: ``Problem`` `malformed_request` for what is not percent-encoded UTF-8.
    package static func fields(of body: some Sequence<UInt8>) throws -> [(name: String, value: String)] {
        guard let text = String(validating: body, as: UTF8.self) else { throw Problem(.malformedRequest, detail: "The form is not UTF-8.") }
        return try text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]), let value = decoded(parts.count == 2 ? parts[1] : "") else {
                throw Problem(.malformedRequest, detail: "The form is not percent-encoded UTF-8.")
            }
            return (name, value)
        }
    }

    /// Names without values, which may be passwords.
    package var description: String { "form(\(values.keys.sorted().joined(separator: ", ")))" }
    package var customMirror: Mirror { Mirror(self, children: ["fields": values.keys.sorted()]) }

    package subscript(_ name: String) -> String? { values[name] }

    /// - Throws: ``Problem`` `malformed_request` naming the field.
    package func required(_ name: String) throws -> String {
        guard let value = values[name] else { throw QueryReader.fault(.malformedRequest, name, "Required.") }
        return value
    }

    /// Percent-decoded, with `+` for a space.
    static func decoded(_ text: Substring) -> String? {
        QueryReader.decoded(text.utf8.contains(UInt8(ascii: "+")) ? text.replacing("+", with: " ")[...] : text)
    }
}
