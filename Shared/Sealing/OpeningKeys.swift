package import Contracts
internal import Crypto
internal import FoundationEssentials

/// The recipient's private keys. While a new one takes over there are two; the sender's public key says which is meant.
package struct OpeningKeys: Sendable {
    private let keys: [String: Curve25519.KeyAgreement.PrivateKey]

    init(_ keys: [(id: String, key: Curve25519.KeyAgreement.PrivateKey)]) {
        self.keys = Dictionary(uniqueKeysWithValues: keys.map { ($0.id, $0.key) })
    }

    /// Every key of a private keys file (``SealingKeyFile``).
    package init(file path: String) throws(SealingKeyFault) {
        self.init(try SealingKeyFile.readPrivate(path))
    }

    /// - Parameter event: The one that the text came in.
    package func open(_ sealed: SealedText, boundTo event: EventID) throws(OpeningFailure) -> [UInt8] {
        guard let key = keys[sealed.keyID] else { throw .unknownKey }
        do {
            var recipient = try HPKE.Recipient(
                privateKey: key, ciphersuite: SealingSuite.ciphersuite, info: SealingSuite.info, encapsulatedKey: Data(sealed.encapsulatedKey))
            return [UInt8](try recipient.open(sealed.ciphertext, authenticating: SealingSuite.binding(to: event)))
        } catch {
            throw .doesNotOpen
        }
    }
}

/// Why a sealed text can't be read; it says nothing of the text.
package enum OpeningFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// It may open once the keys file has its key.
    case unknownKey
    /// It was changed, belongs to another event, or was sealed to another key of that name.
    case doesNotOpen

    package var description: String {
        switch self {
        case .unknownKey: "it is sealed to a key that is not in the keys file"
        case .doesNotOpen: "it does not open: it was changed, or was sealed for another event or key"
        }
    }
}
