internal import Contracts
internal import Idempotency
import StrictJSON

/// Which list a cursor belongs to, besides its filters.
package struct PageList: Sendable {
    package let route: String
    package let principal: String
    /// What the path names, where it names something.
    package let subject: String

    package init(route: String, principal: String, subject: String = "") {
        self.route = route
        self.principal = principal
        self.subject = subject
    }
}

/// Where a page ended, and of which query it was: a digest of route, reader and filters, so that a cursor that is used with another
/// query is refused instead of answered wrongly. It is no secret: who makes one up reaches nothing that they could not read anyway.
package struct PageCursor: Sendable {
    private static let version = "v2"
    private static let separator: Character = "-"
    private static let radix = 36

    package let position: [UInt64]
    private let binding: UInt64

    package init(position: [UInt64], binding: UInt64) {
        self.position = position
        self.binding = binding
    }

    package init?(_ text: String, binding: UInt64, fields: Int) {
        let parts = text.split(separator: Self.separator, omittingEmptySubsequences: false)
        guard parts.count == fields + 2, parts[0] == Self.version else { return nil }
        let numbers = parts.dropFirst().compactMap { UInt64($0, radix: Self.radix) }
        guard numbers.count == fields + 1 else { return nil }
        self.init(position: Array(numbers.dropLast()), binding: binding)
        // Of this very query, and in its one spelling: no sign, no leading zero, no capital.
        guard self.text.hasSameBytes(as: text) else { return nil }
    }

    package var text: String {
        ([Self.version] + (position + [binding]).map { String($0, radix: Self.radix) }).joined(separator: String(Self.separator))
    }

    /// A field as a version or a time, both of which fit into 63 bits.
    package static func signed(_ field: UInt64) throws -> Int64 {
        guard let number = Int64(exactly: field) else { throw QueryReader.fault(.malformedRequest, "cursor", QueryReader.foreignCursor) }
        return number
    }

    package static func binding(_ query: String) -> UInt64 { KeyDigest.of(query).halves.low }
}
