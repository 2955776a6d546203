internal import Crypto
internal import FoundationEssentials
internal import StrictJSON

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Makes the keys of a recipient, and the next ones.
package struct SealingKeyGenerator: Sendable {
    /// Mode 0600.
    private let privatePath: String
    /// Mode 0644: whoever has it can only seal.
    private let publicPath: String

    package init(privatePath: String, publicPath: String) {
        self.privatePath = privatePath
        self.publicPath = publicPath
    }

    /// Writes both files with one new pair.
    ///
    /// - Throws: ``SealingKeyFault`` when one of the files is there, or can't be written.
    package func make(id: String) throws(SealingKeyFault) {
        for path in [privatePath, publicPath] where access(path, F_OK) == 0 { throw SealingKeyFault("\(path) is there already") }
        try write([], new: id)
    }

    /// Puts a new pair before the newest of the private file and leaves older ones out.
    ///
    /// - Throws: ``SealingKeyFault``.
    package func rotate(id: String) throws(SealingKeyFault) {
        let newest = Array(try SealingKeyFile.readPrivate(privatePath).prefix(1))
        guard newest.allSatisfy({ $0.id != id }) else { throw SealingKeyFault("the newest key is \(id) already") }
        try write(newest, new: id)
    }

    private func write(_ kept: [(id: String, key: Curve25519.KeyAgreement.PrivateKey)], new id: String) throws(SealingKeyFault) {
        let keys = [(id: id, key: Curve25519.KeyAgreement.PrivateKey())] + kept
        // The private file first: what is sealed to a key that nobody has is lost.
        try Self.write(Self.render(keys, member: "private_key") { $0.rawRepresentation }, to: privatePath, mode: 0o600)
        try Self.write(Self.render(keys, member: "public_key") { $0.publicKey.rawRepresentation }, to: publicPath, mode: 0o644)
    }

    private static func render(
        _ keys: [(id: String, key: Curve25519.KeyAgreement.PrivateKey)], member: StaticString,
        _ raw: (Curve25519.KeyAgreement.PrivateKey) -> Data
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("keys")
            writer.array { writer in
                for (id, key) in keys {
                    writer.object { writer in
                        writer.member("keyid", id)
                        writer.member(member, raw(key).base64EncodedString())
                    }
                }
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Replaces the file at once as a whole; the mode holds from the first byte on.
    private static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(SealingKeyFault) {
        let draft = "\(path).\(getpid()).draft"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw SealingKeyFault("\(draft) can't be written (errno \(errno))") }
        defer { unlink(draft) }
        let count = bytes.withUnsafeBytes { writeBytes(descriptor, $0) }
        guard count == bytes.count, fchmod(descriptor, mode) == 0, fsync(descriptor) == 0, close(descriptor) == 0 else {
            throw SealingKeyFault("\(draft) can't be written (errno \(errno))")
        }
        guard rename(draft, path) == 0 else { throw SealingKeyFault("\(path) can't be written (errno \(errno))") }
    }
}

private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
