import Contracts
import Crypto
import Foundation

@testable import Sealing

/// What identity seals for notification, and what it says once it is open.
enum SealingTarget {
    private static let key = Curve25519.KeyAgreement.PrivateKey()
    private static let sealing = SealingKey(id: "one", key: key.publicKey)
    private static let opening = OpeningKeys([("one", key)])
    private static let events = (EventID(UUID()), EventID(UUID()))

    /// What was sealed opens for its own event; nothing else opens: neither bytes that were never sealed, nor those with a bit changed.
    static func runText(_ bytes: [UInt8]) throws(BrokenProperty) {
        let made = SealedText(
            keyID: "one", encapsulatedKey: Array(bytes.prefix(SealedText.encapsulatedKeyBytes)),
            ciphertext: Array(bytes.dropFirst(SealedText.encapsulatedKeyBytes)))
        try BrokenProperty.unless(opened(made) == nil, "it opens and was never sealed")
        guard let sealed = try? sealing.seal(bytes, boundTo: events.0) else { return }
        try BrokenProperty.unless(opened(sealed) == bytes, "another text than was sealed")
        try BrokenProperty.unless(opened(sealed, events.1) == nil, "it opens in another event")
        let place = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
        var ciphertext = sealed.ciphertext
        ciphertext[place % ciphertext.count] ^= 1 << (place % 8)
        let changed = SealedText(keyID: sealed.keyID, encapsulatedKey: sealed.encapsulatedKey, ciphertext: ciphertext)
        try BrokenProperty.unless(opened(changed) == nil, "it opens with a bit changed")
    }

    private static func opened(_ sealed: SealedText, _ event: EventID = events.0) -> [UInt8]? { try? opening.open(sealed, boundTo: event) }

    /// What a message says: written again it is read as the same; a fault repeats nothing of it.
    static func runContent(_ bytes: [UInt8]) throws(BrokenProperty) {
        let content: MessageContent
        do throws(RequestFault) {
            content = try MessageContent(bytes: bytes)
        } catch {
            let pointers = error.errors.map(\.pointer).joined()
            return try BrokenProperty.unless(pointers.utf8.count <= 200, "a fault that quotes: \(pointers)")
        }
        let again = try? MessageContent(bytes: content.wireBytes())
        try BrokenProperty.unless(again == content, "read again it is another message")
    }
}
