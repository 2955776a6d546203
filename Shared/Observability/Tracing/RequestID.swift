/// The id under which a request is found in the logs: the caller's `X-Request-ID`, or one of our own.
package struct RequestID: Sendable, Hashable, CustomStringConvertible {
    /// A longer id is replaced: it would fill every log line.
    package static let maximumLength = 128

    package let text: String

    package var description: String { text }

    /// The id when it is 1 to ``maximumLength`` visible ASCII characters; nil otherwise.
    package init?(_ text: String) {
        guard (1...Self.maximumLength).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        self.text = text
    }

    /// A new id of 128 random bits.
    package init(using generator: inout some RandomNumberGenerator) {
        let (high, low) = (generator.next(), generator.next())
        text = String(unsafeUninitializedCapacity: 32) { bytes in
            Hexadecimal.write(high, digits: 16, to: bytes, at: 0)
            Hexadecimal.write(low, digits: 16, to: bytes, at: 16)
            return 32
        }
    }

    /// The caller's id where it is acceptable, otherwise a new one.
    package static func of(header: String?, using generator: inout some RandomNumberGenerator) -> RequestID {
        header.flatMap(RequestID.init(_:)) ?? RequestID(using: &generator)
    }
}
