import AccessTokens
import Crypto
import Foundation
import Synchronization

/// An issuer of arbitrary tokens, good and bad, that shares no code with the module under test.
struct TokenForge: Sendable {
    let key = P256.Signing.PrivateKey()
    var keyID = "forge-1"

    static let now: Int64 = 1_800_000_000
    static let issuer = "https://issuer.test"
    static let audience = "florin-api"
    static let user = "usr_01k5x8z3m4n5p6q7r8s9t0v1w2"
    static let policy = AccessTokenPolicy(issuer: issuer, audience: audience)

    static let header: [String: any Sendable] = ["typ": "at+jwt", "alg": "ES256", "kid": "forge-1"]
    static let userClaims: [String: any Sendable] = [
        "iss": issuer, "aud": audience, "sub": user, "client_id": "mobile", "jti": "token-1", "iat": now - 1, "exp": now + 300,
        "scope": "wallet profile", "acr": "urn:florin:acr:mfa", "auth_time": now - 60, "sid": "ses_1",
    ]
    static let clientClaims: [String: any Sendable] = [
        "iss": issuer, "aud": [audience, "other-api"], "sub": "acme", "client_id": "acme", "jti": "token-2", "iat": now, "nbf": now,
        "exp": now + 300, "scope": "ledger:read ledger:write",
    ]

    func token(
        header: [String: any Sendable] = TokenForge.header, claims: [String: any Sendable] = TokenForge.userClaims,
        signature: ((Data) throws -> Data)? = nil
    ) throws -> String {
        try token(headerJSON: Self.json(header), claimsJSON: Self.json(claims), signature: signature)
    }

    /// A token of these bytes, whatever they are.
    func token(headerJSON: Data, claimsJSON: Data, signature: ((Data) throws -> Data)? = nil) throws -> String {
        let input = Self.encode(headerJSON) + "." + Self.encode(claimsJSON)
        let signature = try signature?(Data(input.utf8)) ?? key.signature(for: Data(input.utf8)).rawRepresentation
        return input + "." + Self.encode(signature)
    }

    var jsonWebKey: [String: any Sendable] {
        let point = key.publicKey.rawRepresentation
        return ["kty": "EC", "crv": "P-256", "kid": keyID, "x": Self.encode(point.prefix(32)), "y": Self.encode(point.suffix(32))]
    }

    var keySet: [UInt8] { get throws { try Self.keySet([jsonWebKey]) } }

    static func keySet(_ keys: [[String: any Sendable]]) throws -> [UInt8] {
        try Array(json(["keys": keys]))
    }

    func verifier(policy: AccessTokenPolicy = TokenForge.policy, cacheCapacity: Int = 64) throws -> AccessTokenVerifier {
        let keySet = try keySet
        return AccessTokenVerifier(policy: policy, keys: JSONWebKeySet { keySet }, cacheCapacity: cacheCapacity)
    }

    static func json(_ object: [String: any Sendable]) throws -> Data {
        try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
    }

    static func encode(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

/// A source of key sets that counts how often it is asked and can be changed or taken down.
final class KeySource: Sendable {
    struct Down: Error {}
    static let failure = JSONWebKeySetError.sourceFailed(reason: "Down()")
    private let state: Mutex<(document: [UInt8]?, fetches: Int)>

    init(_ document: [UInt8]?) {
        state = Mutex((document, 0))
    }

    var fetches: Int { state.withLock { $0.fetches } }

    func serve(_ document: [UInt8]?) {
        state.withLock { $0.document = document }
    }

    func fetch() throws -> [UInt8] {
        try state.withLock { state in
            state.fetches += 1
            guard let document = state.document else { throw Down() }
            return document
        }
    }

    func keys() -> JSONWebKeySet {
        JSONWebKeySet { try self.fetch() }
    }
}

/// Runs the body with an empty directory that is removed afterwards.
func withTemporaryDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("access-tokens-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory.path)
}
