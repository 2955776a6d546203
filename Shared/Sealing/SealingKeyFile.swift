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

/// The two files of a recipient's keys:
///
///     {"keys": [{"keyid": "2026-11", "public_key": "32 bytes in base64"}]}
///     {"keys": [{"keyid": "2026-11", "private_key": "32 bytes in base64"}]}
///
/// No other member is taken. They are read once, when a process starts. A sender has the public file and seals to its first key; the
/// recipient has the private one and opens with all of its keys. To rotate, give the recipient the new private file first.
package enum SealingKeyFile {
    package static let maximumKeys = 4
    private static let maximumBytes = 16_384
    private static let keyIDLength = 1...64

    static func readPublic(_ path: String) throws(SealingKeyFault) -> [SealingKey] {
        var keys: [SealingKey] = []
        for (id, raw) in try read(path, member: "public_key") {
            guard let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: raw) else {
                throw SealingKeyFault("the public key of \(id) is not one of X25519")
            }
            keys.append(SealingKey(id: id, key: key))
        }
        return keys
    }

    static func readPrivate(_ path: String) throws(SealingKeyFault) -> [(id: String, key: Curve25519.KeyAgreement.PrivateKey)] {
        var keys: [(id: String, key: Curve25519.KeyAgreement.PrivateKey)] = []
        for (id, raw) in try read(path, member: "private_key") {
            guard let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: raw) else {
                throw SealingKeyFault("the private key of \(id) is not one of X25519")
            }
            keys.append((id, key))
        }
        return keys
    }

    /// - Returns: At least one, each with an id of its own.
    private static func read(_ path: String, member: String) throws(SealingKeyFault) -> [(id: String, raw: Data)] {
        // The parser's own words may quote the file.
        guard let json = try? JSONParser.parse(try bytes(of: path)) else { throw SealingKeyFault("it is not valid JSON") }
        guard let members = json.objectValue, members.count == 1, let entries = json["keys"]?.arrayValue else {
            throw SealingKeyFault("it must be an object with the one member \"keys\", an array")
        }
        guard (1...maximumKeys).contains(entries.count) else { throw SealingKeyFault("it must hold 1 to \(maximumKeys) keys") }
        var keys: [(id: String, raw: Data)] = []
        for (index, entry) in entries.enumerated() {
            guard entry.objectValue?.count == 2, let id = entry["keyid"]?.stringValue, let text = entry[member]?.stringValue else {
                throw SealingKeyFault("/keys/\(index) must have the members \"keyid\" and \"\(member)\", and no other")
            }
            guard keyIDLength.contains(id.utf8.count), id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw SealingKeyFault("/keys/\(index)/keyid must have 1 to 64 visible ASCII characters")
            }
            guard !keys.contains(where: { $0.id == id }) else { throw SealingKeyFault("/keys/\(index)/keyid is there twice") }
            guard let raw = Data(base64Encoded: text), raw.count == 32 else {
                throw SealingKeyFault("/keys/\(index)/\(member) must be 32 bytes in base64")
            }
            keys.append((id, raw))
        }
        return keys
    }

    private static func bytes(of path: String) throws(SealingKeyFault) -> [UInt8] {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SealingKeyFault("it can't be opened (errno \(errno))") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SealingKeyFault("it is not a file") }
        // Readable by all is how Kubernetes mounts a secret into a container; writable by all is how somebody else's key gets in.
        guard status.st_mode & S_IWOTH == 0 else { throw SealingKeyFault("others may write it; take that right away (chmod o-w)") }
        guard status.st_size <= maximumBytes else { throw SealingKeyFault("it is larger than \(maximumBytes) bytes") }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw SealingKeyFault("it can't be read") }
        return [UInt8](data)
    }
}

/// What is wrong with a keys file; never what it holds.
package struct SealingKeyFault: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
