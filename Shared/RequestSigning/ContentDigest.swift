import Crypto

/// Content-Digest (RFC 9530 section 2) with exactly one member, `sha-256`.
package enum ContentDigest {
    private static let prefix: StaticString = "sha-256=:"
    private static let fieldCount = 9 + FixedBase64.encodedCount + 1

    /// The field's value for a body.
    package static func fieldValue(of body: some Collection<UInt8>) -> String {
        let digest = Array(body).withUnsafeBytes { Self.digest(of: $0) }
        var output = [UInt8]()
        output.reserveCapacity(fieldCount)
        output.append(contentsOf: "sha-256=:".utf8)
        digest.withUnsafeBytes { FixedBase64.append($0, to: &output) }
        output.append(UInt8(ascii: ":"))
        return String(decoding: output, as: UTF8.self)
    }

    /// The 32 bytes that a field's value promises, or nil when it is of another shape.
    static func decode(_ value: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard value.count == fieldCount, value.last == UInt8(ascii: ":") else { return nil }
        let start = prefix.utf8CodeUnitCount
        for index in 0..<start where value[index] != prefix.utf8Start[index] { return nil }
        return FixedBase64.decode(value[start..<(value.count - 1)])
    }

    static func digest(of body: UnsafeRawBufferPointer) -> SHA256.Digest {
        var hash = SHA256()
        hash.update(bufferPointer: body)
        return hash.finalize()
    }
}
