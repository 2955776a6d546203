import HTTPTypes

extension SignatureBase {
    /// The base of a request up to its parameters, covering exactly what Florin's profile asks for, in the profile's order.
    ///
    /// - Throws: `.invalid` when a part that must be covered is missing or has no single serialisation.
    init(of request: SignableRequest, fields: CoveredFields) throws(SignatureRejection) {
        self.init()
        guard !request.method.isEmpty, !request.method.utf8.contains(UInt8(ascii: " ")), append("@method", value: request.method) else {
            throw .invalid(.method)
        }
        guard appendAuthority(request.authority) else { throw .invalid(.authority) }
        guard appendTarget(request.target) else { throw .invalid(.target) }
        if fields.announcesBody {
            guard let contentDigest = fields.contentDigest else { throw .invalid(.contentDigestMissing) }
            guard let contentType = fields.contentType else { throw .invalid(.contentTypeMissing) }
            try append("content-digest", field: contentDigest, of: request.headerFields)
            try append("content-type", field: contentType, of: request.headerFields)
        }
        try append("authorization", field: fields.authorization, of: request.headerFields)
        try append("idempotency-key", field: fields.idempotencyKey, of: request.headerFields)
        try append("traceparent", field: fields.traceparent, of: request.headerFields)
        try append("x-request-id", field: fields.requestID, of: request.headerFields)
        try append("florin-deadline", field: fields.deadline, of: request.headerFields)
        try append("florin-client", field: fields.client, of: request.headerFields)
    }

    private mutating func append(_ component: StaticString, field: Int?, of fields: HTTPFields) throws(SignatureRejection) {
        guard let field else { return }
        guard fields[field].withUnsafeBytesOfValue({ append(component, value: $0) }) else { throw .invalid(.fieldValue) }
    }

    /// The authority in lower case (RFC 9421 section 2.2.3). Without the scheme a default port cannot be told, so it is kept as sent.
    private mutating func appendAuthority(_ authority: String) -> Bool {
        guard !authority.isEmpty, !authority.utf8.contains(UInt8(ascii: " ")) else { return false }
        let isUpperCase: (UInt8) -> Bool = { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }
        guard authority.utf8.contains(where: isUpperCase) else { return append("@authority", value: authority) }
        let lowered = authority.utf8.map { isUpperCase($0) ? $0 | 0x20 : $0 }
        return lowered.withUnsafeBufferPointer { append("@authority", value: $0) }
    }

    /// The path and the query, split at the first `?`; a target without one has the query `?` (RFC 9421 section 2.2.7).
    private mutating func appendTarget(_ target: String) -> Bool {
        var target = target
        return target.withUTF8 { bytes in
            guard bytes.first == UInt8(ascii: "/"), !bytes.contains(UInt8(ascii: " ")), !bytes.contains(UInt8(ascii: "#")) else { return false }
            let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
            guard append("@path", value: UnsafeBufferPointer(rebasing: bytes[..<end])) else { return false }
            if end == bytes.endIndex { return append("@query", value: "?") }
            return append("@query", value: UnsafeBufferPointer(rebasing: bytes[end...]))
        }
    }
}
