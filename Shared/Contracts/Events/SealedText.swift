internal import FoundationEssentials
internal import StrictJSON

/// A text that only the holder of a private key can read: HPKE (RFC 9180), base mode, X25519, HKDF-SHA256 and ChaCha20-Poly1305.
package struct SealedText: Sendable, Hashable {
    /// Names the recipient's key.
    package let keyID: String
    /// The sender's ephemeral public key.
    package let encapsulatedKey: [UInt8]
    /// With its tag.
    package let ciphertext: [UInt8]

    package static let encapsulatedKeyBytes = 32
    /// Of the ciphertext; a text is shorter by the tag's 16.
    package static let ciphertextBytes = 17...8_192
    package static let keyIDLength = 1...64

    package init(keyID: String, encapsulatedKey: [UInt8], ciphertext: [UInt8]) {
        self.keyID = keyID
        self.encapsulatedKey = encapsulatedKey
        self.ciphertext = ciphertext
    }

    init(reading parent: inout JSONObjectReader, member: String) throws(RequestFault) {
        var object = try JSONObjectReader(try parent.required(parent.take(member), member), pointer: parent.pointer(to: member))
        keyID = try object.string("key_id", length: Self.keyIDLength)
        encapsulatedKey = try Self.bytes(
            "encapsulated_key", of: Self.encapsulatedKeyBytes...Self.encapsulatedKeyBytes, in: &object)
        ciphertext = try Self.bytes("ciphertext", of: Self.ciphertextBytes, in: &object)
    }

    /// Base64 with padding (RFC 4648, section 4), in its one spelling.
    private static func bytes(
        _ name: String, of count: ClosedRange<Int>, in object: inout JSONObjectReader
    ) throws(RequestFault) -> [UInt8] {
        let text = try object.text(name)
        guard let data = Data(base64Encoded: text), count.contains(data.count), data.base64EncodedString().utf8.elementsEqual(text.utf8) else {
            throw object.refusal(name, "Must be \(count.lowerBound) to \(count.upperBound) bytes in base64.")
        }
        return [UInt8](data)
    }

    func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("key_id", keyID)
            writer.member("encapsulated_key", Data(encapsulatedKey).base64EncodedString())
            writer.member("ciphertext", Data(ciphertext).base64EncodedString())
        }
    }
}
