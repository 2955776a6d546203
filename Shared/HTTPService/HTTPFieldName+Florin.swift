package import HTTPTypes

extension HTTPField.Name {
    package static let requestID = HTTPField.Name("x-request-id")!
    package static let traceparent = HTTPField.Name("traceparent")!
    package static let idempotencyKey = HTTPField.Name("idempotency-key")!
    package static let idempotencyReplayed = HTTPField.Name("idempotency-replayed")!
    package static let florinDeadline = HTTPField.Name("florin-deadline")!
    static let fetchSite = HTTPField.Name("sec-fetch-site")!
    static let acceptPost = HTTPField.Name("accept-post")!
}
