import HTTPTypes

/// Where the fields that matter to a signature stand in a request, found in one pass.
struct CoveredFields {
    private(set) var contentDigest: Int?
    private(set) var contentType: Int?
    private(set) var authorization: Int?
    private(set) var idempotencyKey: Int?
    private(set) var traceparent: Int?
    private(set) var requestID: Int?
    private(set) var deadline: Int?
    private(set) var client: Int?
    private(set) var signatureInput: Int?
    private(set) var signature: Int?
    /// Whether the request says that a body follows.
    private(set) var announcesBody = false

    /// - Throws: `.invalid(.duplicateField)` when one of them is present twice.
    init(of fields: HTTPFields) throws(SignatureRejection) {
        for index in fields.indices {
            let name = fields[index].name.canonicalName
            // Most fields are none of these: their length alone says so.
            switch name.utf8.count {
            case 9 where name == "signature": try Self.note(index, in: &signature)
            case 11 where name == "traceparent": try Self.note(index, in: &traceparent)
            case 12 where name == "content-type": try Self.note(index, in: &contentType)
            case 12 where name == "x-request-id": try Self.note(index, in: &requestID)
            case 13 where name == "authorization": try Self.note(index, in: &authorization)
            case 13 where name == "florin-client": try Self.note(index, in: &client)
            case 14 where name == "content-digest":
                try Self.note(index, in: &contentDigest)
                announcesBody = true
            case 14 where name == "content-length":
                announcesBody = announcesBody || fields[index].value != "0"
            case 15 where name == "idempotency-key": try Self.note(index, in: &idempotencyKey)
            case 15 where name == "florin-deadline": try Self.note(index, in: &deadline)
            case 15 where name == "signature-input": try Self.note(index, in: &signatureInput)
            case 17 where name == "transfer-encoding": announcesBody = true
            default: break
            }
        }
    }

    private static func note(_ index: Int, in position: inout Int?) throws(SignatureRejection) {
        guard position == nil else { throw .invalid(.duplicateField) }
        position = index
    }
}
