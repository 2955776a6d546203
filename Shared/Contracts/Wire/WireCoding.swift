package import StrictJSON

/// What is written to the wire as one JSON object.
package protocol WireEncodable: Sendable {
    func encode(into writer: inout JSONWriter)
}

/// What is read from one JSON object.
package protocol WireDecodable: Sendable {
    /// Whether members that the type does not know are ignored instead of refused.
    static var ignoresUnknownMembers: Bool { get }

    /// Reads the members that the type knows; what is left over is its reader's affair.
    init(reading object: inout JSONObjectReader) throws(RequestFault)
}

/// A body on the wire. Sender and receiver use the same type, so that neither spells its members by hand.
package protocol WireCodable: WireEncodable, WireDecodable, Hashable {}

/// The body of a request, or an item of one; its name ends in `Request`. What it does not know is refused, so that no wish of a caller
/// is ignored.
package protocol WireRequest: WireCodable {}

/// The body of an answer, or a part of one; its name ends in `Body`. What it does not know is ignored, so that a service can add a member
/// before its callers know it.
package protocol WireBody: WireCodable {}

extension WireRequest {
    package static var ignoresUnknownMembers: Bool { false }
}

extension WireBody {
    package static var ignoresUnknownMembers: Bool { true }
}

extension WireEncodable {
    package func wireBytes() -> [UInt8] {
        var writer = JSONWriter()
        encode(into: &writer)
        return writer.bytes
    }
}

extension WireDecodable {
    /// Reads a whole body, which is one JSON object.
    ///
    /// - Throws: ``RequestFault`` with `malformed_request`, `unknown_field`, `amount_out_of_range`, `unknown_currency` or, for what is not an
    ///   id of its kind, `not_found`.
    package init(wireBytes: some Collection<UInt8>) throws(RequestFault) {
        let value: JSONValue
        do {
            value = try JSONParser.parse(wireBytes)
        } catch {
            throw RequestFault(.malformedRequest, pointer: "", detail: "The body is not valid JSON: \(error).")
        }
        var reader = try JSONObjectReader(value)
        self = try Self(readingAll: &reader)
    }

    /// Reads an object to its end.
    init(readingAll object: inout JSONObjectReader) throws(RequestFault) {
        try self.init(reading: &object)
        if !Self.ignoresUnknownMembers { try object.finish() }
    }
}
