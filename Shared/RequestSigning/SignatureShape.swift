import HTTPTypes

/// A request whose signature is of the accepted shape; whether it is true is not known yet.
///
/// The shape: one signature and no other, under any label, for it is the tag that tells the application (RFC 9421 section 7.2.5); the
/// components that the request needs and the five parameters, each once, in any order. Nothing in our fleet adds signatures of its own on
/// the way, so that others beside ours are refused rather than read past.
struct SignatureShape {
    let parameters: SignatureParameters
    /// The base that the request as received gives.
    let base: SignatureBase
    /// The 32 bytes that the request claims to be the code over it.
    let code: [UInt8]
    /// The 32 bytes of Content-Digest; nil when the request announces no body.
    let contentDigest: [UInt8]?

    /// A label is a key of a structured field (RFC 8941 section 3.2); a longer one is nobody's.
    private static let maximumLabelLength = 64

    /// - Throws: `.missing` or `.invalid`.
    init(of request: SignableRequest) throws(SignatureRejection) {
        let fields = try CoveredFields(of: request.headerFields)
        guard let input = fields.signatureInput, let signature = fields.signature else { throw .missing }
        var base = try SignatureBase(of: request, fields: fields)
        let read = try request.headerFields[input].withUnsafeBytesOfValue { (bytes) throws(SignatureRejection) in
            guard let label = Self.labelLength(bytes), let end = Self.close(base: &base, over: bytes[(label + 1)...]) else {
                throw .invalid(.coveredComponents)
            }
            let rest = UnsafeBufferPointer(rebasing: bytes[end...])
            guard let parameters = SignatureParameters(parsing: rest) else { throw .invalid(.parameters) }
            base.close(parameters: rest)
            return (label: Array(bytes[...label]), parameters: parameters)
        }
        parameters = read.parameters
        self.base = base
        let code = request.headerFields[signature].withUnsafeBytesOfValue { Self.decodeSignature($0, after: read.label) }
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

    /// How long the label is, which an equals sign follows.
    private static func labelLength(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let end = bytes.prefix(maximumLabelLength + 1).firstIndex(of: UInt8(ascii: "=")), let first = bytes.first, isLabelStart(first),
            bytes[..<end].allSatisfy({ isLabelStart($0) || isLaterInLabel($0) })
        else { return nil }
        return end
    }

    /// Where the parameters begin, after exactly the base's components in any order and a closing parenthesis; the base then has that order.
    private static func close(base: inout SignatureBase, over bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: ")")) else { return nil }
        let components = bytes[..<end]
        guard components.elementsEqual(base.components) || base.reorder(as: components) else { return nil }
        return end + 1
    }

    /// - Parameter label: As Signature-Input has it, with the equals sign.
    private static func decodeSignature(_ bytes: UnsafeBufferPointer<UInt8>, after label: [UInt8]) -> [UInt8]? {
        let start = label.count + 1
        guard bytes.count == start + FixedBase64.encodedCount + 1, bytes.starts(with: label), bytes[label.count] == UInt8(ascii: ":"),
            bytes.last == UInt8(ascii: ":")
        else { return nil }
        return FixedBase64.decode(bytes[start..<(bytes.count - 1)])
    }

    private static func isLabelStart(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "*")
    }

    private static func isLaterInLabel(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }
}
