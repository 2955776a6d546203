/// Six digits that were sent by e-mail: who enters them reads the mail of that address.
package struct MailedCode: Sendable, CustomStringConvertible, CustomReflectable {
    package static let digits = 6
    /// As long as NIST SP 800-63B-4, section 3.1.3.2, lets a code that was sent be good.
    package static let lifetimeSeconds: Int64 = 600
    /// After as many wrong ones the right one is wrong too.
    package static let tries = 5

    private let bytes: [UInt8]

    /// - Parameter text: As a person enters it, or as it is kept; spaces count for nothing. Nil for what no code is like.
    package init?(_ text: String) {
        let bytes = text.utf8.filter { $0 != UInt8(ascii: " ") }
        guard bytes.count == Self.digits, bytes.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        self.bytes = bytes
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    package static func random(using generator: inout some RandomNumberGenerator) -> MailedCode {
        MailedCode(bytes: (0..<digits).map { _ in UInt8.random(in: UInt8(ascii: "0")...UInt8(ascii: "9"), using: &generator) })
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Compares in constant time.
    package func matches(_ other: MailedCode) -> Bool {
        zip(bytes, other.bytes).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    package var description: String { "a mailed code" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
