import Contracts
import HTTPTypes

/// What a browser says about where a request comes from, and the cookies that it adds to requests from anywhere.
enum BrowserOrigin {
    /// Refuses what another site makes a browser send (CSRF). Browsers name the origin of every POST themselves, and no page can change
    /// that: no token in the page is needed. `null`, as sandboxed pages and those with `Referrer-Policy: no-referrer` have it, is not ours.
    ///
    /// - Throws: ``Problem`` `cross_site_request`.
    static func check(_ headers: HTTPFields, _ method: HTTPRequest.Method, isFrom origin: String) throws(Problem) {
        guard !method.isSafe else { return }
        guard headers[values: .origin] == [origin] else { throw Problem(.crossSiteRequest) }
        // Older browsers don't send it.
        guard headers[values: .fetchSite].allSatisfy({ $0 == "same-origin" }) else { throw Problem(.crossSiteRequest) }
    }

    /// The cookie's value (RFC 6265, section 4.2); nil without one.
    ///
    /// - Throws: ``Problem`` `malformed_request` for two of the name: the one that was not set here can't be told apart.
    static func cookie(_ name: String, in headers: HTTPFields) throws(Problem) -> String? {
        let cookies = headers[values: .cookie].flatMap { $0.split(separator: ";") }.compactMap { pair -> String? in
            let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 && parts[0] == name && !parts[1].isEmpty ? String(parts[1]) : nil
        }
        guard cookies.count <= 1 else { throw Problem(.malformedRequest, detail: "The session cookie is given more than once.") }
        return cookies.first
    }
}

extension HTTPRequest.Method {
    /// Changes nothing (RFC 9110, section 9.2.1).
    var isSafe: Bool { self == .get || self == .head || self == .options || self == .trace }
}
