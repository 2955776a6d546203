import HTTPTypes

extension HTTPFields {
    /// Whether a request of this method with these fields does no harm when it comes twice: it reads, or it is a POST under a key.
    func isRepeatable(_ method: HTTPRequest.Method) -> Bool {
        switch method {
        case .get: true
        case .post: self[.idempotencyKey]?.isEmpty == false
        default: false
        }
    }
}
