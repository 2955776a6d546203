internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import StrictJSON

/// The JSON file of a service's ``EncryptionKeys``:
///
///     {"keys": [{"keyid": "2026-11", "secret": "32 random bytes in base64"}]}
///
/// No other member is taken. It is read once, when the process starts. To rotate, put a new key before the others and restart; take an old
/// one out when nothing is encrypted under it any more.
package enum EncryptionKeyFile {
    package static let maximumBytes = 16_384

    /// What is wrong with a file; never what it holds.
    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    package static func read(_ path: String) throws(Fault) -> EncryptionKeys {
        try parse(try bytes(of: path))
    }

    package static func parse(_ bytes: [UInt8]) throws(Fault) -> EncryptionKeys {
        // The parser's own words may quote the file.
        guard let json = try? JSONParser.parse(bytes) else { throw Fault(description: "it is not valid JSON") }
        guard let members = json.objectValue, members.count == 1, let entries = json["keys"]?.arrayValue else {
            throw Fault(description: "it must be an object with the one member \"keys\", an array")
        }
        var keys: [EncryptionKeys.Key] = []
        for (index, entry) in entries.enumerated() {
            guard let members = entry.objectValue, members.count == 2, let id = entry["keyid"]?.stringValue,
                let secret = entry["secret"]?.stringValue
            else { throw Fault(description: "/keys/\(index) must have the members \"keyid\" and \"secret\", and no other") }
            guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Fault(description: "/keys/\(index)/keyid must have 1 to 64 visible ASCII characters")
            }
            guard let raw = Data(base64Encoded: secret), raw.count == EncryptionKeys.secretBytes else {
                throw Fault(description: "/keys/\(index)/secret must be \(EncryptionKeys.secretBytes) bytes in base64")
            }
            keys.append(EncryptionKeys.Key(id: id, secret: SymmetricKey(data: raw)))
        }
        guard let keys = EncryptionKeys(keys) else {
            throw Fault(description: "it must hold 1 to \(EncryptionKeys.maximumKeys) keys, each with an id of its own")
        }
        return keys
    }

    private static func bytes(of path: String) throws(Fault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Fault(description: "it can't be opened (errno \(errno))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Fault(description: "it is not a file") }
        // Readable by all is how Kubernetes mounts a secret into a container; writable by all is how somebody else's key gets in.
        guard status.st_mode & S_IWOTH == 0 else { throw Fault(description: "others may write it; take that right away (chmod o-w)") }
        guard status.st_size <= maximumBytes else { throw Fault(description: "it is larger than \(maximumBytes) bytes") }
        var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
        var filled = 0
        while filled < bytes.count {
            let room = bytes.count - filled
            let count = bytes.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.map { readBytes(descriptor, $0 + filled, room) } ?? -1
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Fault(description: "it can't be read (errno \(errno))") }
            if count == 0 { break }
            filled += count
        }
        guard filled <= maximumBytes else { throw Fault(description: "it is larger than \(maximumBytes) bytes") }
        return Array(bytes[..<filled])
    }
}

private func readBytes(_ descriptor: Int32, _ target: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, target, count)
}
