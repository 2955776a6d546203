package import StrictJSON

/// A body that can be written to the wire.
package protocol WireEncodable: Sendable {
    func encode(into writer: inout JSONWriter)
}

/// A body that can be read from the wire, strictly.
package protocol WireDecodable: Sendable {
    init(reading object: inout JSONObjectReader) throws(RequestFault)
}

extension WireEncodable {
    package func wireBytes() -> [UInt8] {
        var writer = JSONWriter()
        encode(into: &writer)
        return writer.bytes
    }
}

extension WireDecodable {
    /// Reads a whole body: one JSON object, every member known.
    ///
    /// - Throws: ``RequestFault`` with `malformed_request`, `unknown_field`, `amount_out_of_range` or `unknown_currency`.
    package init(wireBytes: some Collection<UInt8>) throws(RequestFault) {
        let value: JSONValue
        do {
            value = try JSONParser.parse(wireBytes)
        } catch {
            throw RequestFault(.malformedRequest, pointer: "", detail: "The body is not valid JSON: \(error).")
        }
        var reader = try JSONObjectReader(value)
        let decoded = try Self(reading: &reader)
        try reader.finish()
        self = decoded
    }
}
