package import HTTPTypes

/// One route of a service: where it is, who may use it, and what answers.
package struct Endpoint: Sendable {
    package typealias Handler = @Sendable (AuthenticatedRequest) async throws -> Answer

    /// 64 KiB, the limit of every body but a batch's.
    package static let defaultBodyLimit = 65_536

    package let method: HTTPRequest.Method
    /// With parameters in braces: `/v1/wallets/{id}`. The same spelling as in the OpenAPI document.
    package let path: String
    package let grants: [RouteGrant]
    package let bodyLimit: Int
    /// Whether the handler reads the query; otherwise a request with one is refused.
    package let takesQuery: Bool
    let handler: Handler

    package init(
        _ method: HTTPRequest.Method, _ path: String, grants: [RouteGrant], bodyLimit: Int = Endpoint.defaultBodyLimit,
        takesQuery: Bool = false,
        handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.grants = grants
        self.bodyLimit = bodyLimit
        self.takesQuery = takesQuery
        self.handler = handler
    }

    func isOpen(to caller: String) -> Bool {
        grants.contains { $0.callers.contains(caller) }
    }
}
