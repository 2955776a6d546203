import HTTPTypes

/// A request whose signature is of the accepted shape; whether it is true is not known yet.
struct SignatureShape {
    let parameters: SignatureParameters
    /// The base that the request as received gives.
    let base: SignatureBase
    /// The 32 bytes that the request claims to be the code over it.
    let code: [UInt8]
    /// The 32 bytes of Content-Digest; nil when the request announces no body.
    let contentDigest: [UInt8]?

    private static let inputPrefix: StaticString = "florin="
    private static let signaturePrefix: StaticString = "florin=:"

    /// - Throws: `.missing` or `.invalid`.
    init(of request: SignableRequest) throws(SignatureRejection) {
        let fields = try CoveredFields(of: request.headerFields)
        guard let input = fields.signatureInput, let signature = fields.signature else { throw .missing }
        var base = try SignatureBase(of: request, fields: fields)
        parameters = try request.headerFields[input].withUnsafeBytesOfValue { (bytes) throws(SignatureRejection) in
            guard let start = Self.endOfComponents(in: bytes, expecting: base.components) else { throw .invalid(.coveredComponents) }
            let rest = UnsafeBufferPointer(rebasing: bytes[start...])
            guard let parameters = SignatureParameters(parsing: rest) else { throw .invalid(.parameters) }
            base.close(parameters: rest)
            return parameters
        }
        self.base = base
        let code = request.headerFields[signature].withUnsafeBytesOfValue { Self.decodeSignature($0) }
        guard let code else { throw .invalid(.signatureShape) }
        self.code = code
        if fields.announcesBody, let field = fields.contentDigest {
            guard let digest = request.headerFields[field].withUnsafeBytesOfValue({ ContentDigest.decode($0) }) else {
                throw .invalid(.contentDigestShape)
            }
            contentDigest = digest
        } else {
            contentDigest = nil
        }
    }

    /// Where the parameters begin, after the label, exactly the expected components, and a closing parenthesis.
    private static func endOfComponents(in bytes: UnsafeBufferPointer<UInt8>, expecting components: [UInt8]) -> Int? {
        let start = inputPrefix.utf8CodeUnitCount
        let end = start + components.count
        guard bytes.count > end, hasPrefix(bytes, inputPrefix), bytes[start..<end].elementsEqual(components), bytes[end] == UInt8(ascii: ")") else {
            return nil
        }
        return end + 1
    }

    private static func decodeSignature(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        let start = signaturePrefix.utf8CodeUnitCount
        guard bytes.count == start + FixedBase64.encodedCount + 1, hasPrefix(bytes, signaturePrefix), bytes.last == UInt8(ascii: ":") else {
            return nil
        }
        return FixedBase64.decode(bytes[start..<(bytes.count - 1)])
    }

    private static func hasPrefix(_ bytes: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
        bytes.count >= text.utf8CodeUnitCount && (0..<text.utf8CodeUnitCount).allSatisfy { bytes[$0] == text.utf8Start[$0] }
    }
}
