import HTTPTypes

/// The cookies of the sign-in pages. Each belongs to this host alone (`__Host-`), goes over https only, and no script reads it.
enum BrowserCookie: String {
    /// Whose the sign-in flows are.
    case flow = "__Host-florin-flow"
    case session = "__Host-florin-session"
    /// By which a browser is known again, whoever is signed in.
    case device = "__Host-florin-device"

    /// The longest that browsers keep a cookie: 400 days.
    private static let longestSeconds = 34_560_000
    // Lax: a link from another site finds its reader signed in; what another site's form posts has no cookie.
    private static let attributes = "Path=/; Secure; HttpOnly; SameSite=Lax"

    /// Only the device's outlives the browser: for how long a session is good is decided here, not there.
    func field(_ secret: BrowserSecret) -> HTTPField {
        let age = self == .device ? "; Max-Age=\(Self.longestSeconds)" : ""
        return HTTPField(name: .setCookie, value: "\(rawValue)=\(secret.text); \(Self.attributes)\(age)")
    }

    /// Takes the cookie away.
    var cleared: HTTPField { HTTPField(name: .setCookie, value: "\(rawValue)=; \(Self.attributes); Max-Age=0") }
}
