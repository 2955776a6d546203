package import HTTPTypes

/// The parts of an HTTP request that a signature covers, as they travel on the wire.
package struct SignableRequest: Sendable {
    /// The method, in upper case as it stands in the request line.
    package var method: String
    /// The host and, where it is not the scheme's own, the port: the Host field of HTTP/1.1 or `:authority` of HTTP/2.
    package var authority: String
    /// The request target in origin form, `path[?query]`, byte for byte as sent: nothing decoded, nothing normalised.
    package var target: String
    /// All fields of the request, those of the signature included.
    package var headerFields: HTTPFields

    package init(method: String, authority: String, target: String, headerFields: HTTPFields) {
        self.method = method
        self.authority = authority
        self.target = target
        self.headerFields = headerFields
    }
}
