import Contracts
import HTTPService
import HTTPTypes
import Observability

extension BrowserVisit {
    /// - Throws: ``Problem`` `malformed_request` for a cookie that is there twice.
    init(_ request: PublicRequest) throws {
        self.init(
            flowSecret: try request.secret(.flow), sessionSecret: try request.secret(.session), deviceSecret: try request.secret(.device),
            app: BrowserName.of(request.headers[.userAgent]), network: request.network, traceparent: request.trace.traceparent,
            deadline: request.deadline)
    }
}

extension EndpointRequest {
    /// Where the person's request comes from.
    var network: String { ClientNetwork.of(headers) }

    /// What a cookie holds; nil for what was never set here.
    func secret(_ cookie: BrowserCookie) throws -> BrowserSecret? { try self.cookie(cookie.rawValue).flatMap { BrowserSecret($0) } }
}
