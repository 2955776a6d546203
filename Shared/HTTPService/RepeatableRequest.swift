import HTTPTypes

extension HTTPFields {
    /// Whether a request of this method with these fields does no harm when it comes twice: it reads, or it comes under a key, which every
    /// route that changes something keeps.
    func isRepeatable(_ method: HTTPRequest.Method) -> Bool {
        switch method {
        case .get, .head: true
        default: self[.idempotencyKey]?.isEmpty == false
        }
    }
}
