internal import Contracts
internal import Crypto
package import FoundationEssentials

/// What texts of any length are kept and compared as.
package enum KeyDigest {
    /// The first 128 bits of SHA-256.
    package static func of(_ text: String) -> UUID {
        var text = text
        let digest = text.withUTF8 { SHA256.hash(data: UnsafeRawBufferPointer($0)) }
        return digest.withUnsafeBytes { bytes in
            UUID(
                high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }
}
