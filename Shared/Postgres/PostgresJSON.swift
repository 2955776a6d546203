/// JSON text bound as `jsonb`, and read from `json` or `jsonb`.
package struct PostgresJSON: Sendable, Hashable {
    package let text: String

    package init(_ text: String) { self.text = text }

    /// The byte before the text in jsonb's wire form.
    static let jsonbVersion: UInt8 = 1
}

extension PostgresJSON: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.jsonb }
    package static var postgresArrayType: UInt32 { PostgresType.jsonbArray }
    package var postgresWireSize: Int { 1 + text.utf8.count }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: Self.jsonbVersion, as: UInt8.self)
        text.writePostgresWire(to: target + 1)
    }
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> PostgresJSON {
        guard type == PostgresType.jsonb || type == PostgresType.json else { throw mismatch(type) }
        return PostgresJSON(try String.decode(bytes, type: type))
    }
}
