import Foundation

@testable import AccessTokens

/// Access tokens before their signature is checked, their claims after it, and the issuer's keys.
enum TokenTarget {
    private static let policy = AccessTokenPolicy(issuer: "http://127.0.0.1:8101", audience: "florin-api")
    private static let now: Int64 = 1_790_000_000

    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        if let decoded = Base64URL.decode(bytes) {
            try BrokenProperty.unless(Array(Base64URL.encode(decoded).utf8) == bytes, "a second spelling of \(decoded.count) bytes")
        }
        try checkClaims(bytes)
        guard let token = try? CompactToken(String(decoding: bytes, as: UTF8.self)) else { return }
        try BrokenProperty.unless(token.signature.count == 64 && VerificationKey.isUsableID(token.keyID), "a token of another shape")
        try checkClaims(token.claims)
    }

    static func runKeySet(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let document = try? JSONWebKeyDocument(bytes) else { return }
        try BrokenProperty.unless(!document.points.isEmpty, "no key")
        for (id, point) in document.points {
            try BrokenProperty.unless(point.count == 65 && VerificationKey.isUsableID(id), "a key of another shape")
        }
    }

    private static func checkClaims(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let claims = try? JSONDecoder().decode(AccessTokenClaims.self, from: Data(bytes)),
            let token = try? claims.accepted(by: policy, now: now)
        else { return }
        try BrokenProperty.unless(token.expiresAt > now - AccessTokenPolicy.leeway, "expired and accepted")
        guard case .user = token.principal else { return }
        let foreign = token.scopes.contains { $0.hasPrefix("ledger:") && $0 != "ledger:operate" }
        try BrokenProperty.unless(!foreign, "a user with a client's scope")
    }
}
