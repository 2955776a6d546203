/// A `timestamptz`: microseconds since 1970-01-01 00:00 UTC.
package struct PostgresTimestamp: Sendable, Hashable, Comparable {
    package let microsecondsSinceUnixEpoch: Int64

    package init(microsecondsSinceUnixEpoch: Int64) {
        self.microsecondsSinceUnixEpoch = microsecondsSinceUnixEpoch
    }

    /// Postgres's `infinity`, later than every other time.
    package static let infinity = PostgresTimestamp(microsecondsSinceUnixEpoch: .max)
    /// Postgres's `-infinity`, earlier than every other time.
    package static let negativeInfinity = PostgresTimestamp(microsecondsSinceUnixEpoch: .min)

    package static func < (left: PostgresTimestamp, right: PostgresTimestamp) -> Bool {
        left.microsecondsSinceUnixEpoch < right.microsecondsSinceUnixEpoch
    }

    /// From 1970 to 2000, where Postgres's own count begins.
    private static let epochOffset: Int64 = 946_684_800_000_000
}

extension PostgresTimestamp: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.timestamptz }
    package static var postgresArrayType: UInt32 { PostgresType.timestamptzArray }
    package var postgresWireSize: Int { 8 }

    package func writePostgresWire(to target: UnsafeMutableRawPointer) {
        let wire: Int64
        if self == .infinity || self == .negativeInfinity {
            wire = microsecondsSinceUnixEpoch
        } else {
            // Times that far before our era are beyond Postgres's range anyway; they become its lowest value.
            let (difference, overflow) = microsecondsSinceUnixEpoch.subtractingReportingOverflow(Self.epochOffset)
            wire = overflow ? .min : difference
        }
        target.storeBytes(of: wire.bigEndian, as: Int64.self)
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> PostgresTimestamp {
        guard type == PostgresType.timestamptz else { throw mismatch(type) }
        guard bytes.count == 8 else { throw malformed() }
        let wire = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        if wire == .max { return .infinity }
        if wire == .min { return .negativeInfinity }
        let (sum, overflow) = wire.addingReportingOverflow(epochOffset)
        guard !overflow else { throw malformed() }
        return PostgresTimestamp(microsecondsSinceUnixEpoch: sum)
    }
}
