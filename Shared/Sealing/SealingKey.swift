package import Contracts
internal import Crypto
internal import FoundationEssentials

/// The recipient's public key, with which a sender seals what nobody between the two shall read.
package struct SealingKey: Sendable {
    package let id: String
    private let key: Curve25519.KeyAgreement.PublicKey

    init(id: String, key: Curve25519.KeyAgreement.PublicKey) {
        self.id = id
        self.key = key
    }

    /// The first key of a public keys file (``SealingKeyFile``).
    package init(file path: String) throws(SealingKeyFault) {
        self = try SealingKeyFile.readPublic(path)[0]
    }

    /// - Parameter event: The one that the text travels in; it opens in no other.
    /// - Throws: ``SealingFault`` when the text is empty or too long.
    package func seal(_ bytes: [UInt8], boundTo event: EventID) throws -> SealedText {
        guard SealingSuite.plaintextBytes.contains(bytes.count) else { throw SealingFault() }
        var sender = try HPKE.Sender(recipientKey: key, ciphersuite: SealingSuite.ciphersuite, info: SealingSuite.info)
        let ciphertext = try sender.seal(bytes, authenticating: SealingSuite.binding(to: event))
        return SealedText(keyID: id, encapsulatedKey: [UInt8](sender.encapsulatedKey), ciphertext: [UInt8](ciphertext))
    }
}

/// A text that can't be sealed.
package struct SealingFault: Error, CustomStringConvertible {
    package let description =
        "a sealed text has \(SealingSuite.plaintextBytes.lowerBound) to \(SealingSuite.plaintextBytes.upperBound) bytes"
}
