import AccessTokens
import Crypto
import Foundation
import TestSupport
import Testing

/// One way to spoil a token, and the rejection it must meet.
struct Spoilt: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let rejection: TokenRejection
    let make: @Sendable (TokenForge) throws -> String

    init(_ name: String, _ rejection: TokenRejection, _ make: @escaping @Sendable (TokenForge) throws -> String) {
        self.testDescription = name
        self.rejection = rejection
        self.make = make
    }

    /// A token that is properly signed, with these members put in; nil takes one out.
    static func header(_ name: String, _ rejection: TokenRejection, _ changes: [String: (any Sendable)?]) -> Spoilt {
        Spoilt(name, rejection) { try $0.token(header: apply(changes, to: TokenForge.header)) }
    }

    static func claims(
        _ name: String, _ rejection: TokenRejection, _ changes: [String: (any Sendable)?],
        of claims: [String: any Sendable] = TokenForge.userClaims
    ) -> Spoilt {
        Spoilt(name, rejection) { try $0.token(claims: apply(changes, to: claims)) }
    }

    private static func apply(_ changes: [String: (any Sendable)?], to members: [String: any Sendable]) -> [String: any Sendable] {
        var members = members
        for (name, value) in changes { members[name] = value }
        return members
    }
}

@Suite struct RefusedTokenTests {
    static let now = TokenForge.now

    static let headers: [Spoilt] = [
        .header("alg none, still signed", .invalid(.algorithm), ["alg": "none"]),
        Spoilt("alg none, no signature", .invalid(.algorithm)) {
            try $0.token(header: TokenForge.header.merging(["alg": "none"]) { $1 }, signature: { _ in Data() })
        },
        Spoilt("HS256 with the public key's PEM as the secret", .invalid(.algorithm)) { forge in
            let secret = SymmetricKey(data: Data(forge.key.publicKey.pemRepresentation.utf8))
            return try forge.token(header: TokenForge.header.merging(["alg": "HS256"]) { $1 }) {
                Data(HMAC<SHA256>.authenticationCode(for: $0, using: secret))
            }
        },
        Spoilt("HMAC under the name of ES256", .invalid(.signature)) { forge in
            let secret = SymmetricKey(data: forge.key.publicKey.x963Representation)
            return try forge.token { Data(HMAC<SHA512>.authenticationCode(for: $0, using: secret)) }
        },
        Spoilt("RS256", .invalid(.algorithm)) {
            try $0.token(header: TokenForge.header.merging(["alg": "RS256"]) { $1 }, signature: { _ in Data(repeating: 7, count: 256) })
        },
        Spoilt("ES384", .invalid(.algorithm)) { forge in
            let key = P384.Signing.PrivateKey()
            return try forge.token(header: TokenForge.header.merging(["alg": "ES384"]) { $1 }) { try key.signature(for: $0).rawRepresentation }
        },
        .header("es256 in small letters", .invalid(.algorithm), ["alg": "es256"]),
        .header("no alg", .invalid(.algorithm), ["alg": nil]),
        .header("typ JWT, as of an ID token", .invalid(.type), ["typ": "JWT"]),
        .header("no typ", .invalid(.type), ["typ": nil]),
        .header("no kid", .invalid(.keyID), ["kid": nil]),
        .header("empty kid", .invalid(.keyID), ["kid": ""]),
        .header("unknown kid", .invalid(.unknownKey), ["kid": "forge-2"]),
        .header("critical extension", .invalid(.criticalExtension), ["crit": ["b64"], "b64": false]),
        .header("critical extension that nobody knows", .invalid(.criticalExtension), ["crit": ["exp"]]),
        .header("empty crit", .invalid(.criticalExtension), ["crit": [String]()]),
        .header("typ of another media type", .invalid(.type), ["typ": "text/at+jwt"]),
        .header("typ with two prefixes", .invalid(.type), ["typ": "application/application/at+jwt"]),
        .header("typ with a parameter", .invalid(.type), ["typ": "at+jwt;v=1"]),
        .header("typ with a space", .invalid(.type), ["typ": " at+jwt"]),
        .header("kid is a number", .malformed, ["kid": 1]),
        Spoilt("key brought along in the header", .invalid(.signature)) { _ in
            let stranger = TokenForge()
            return try stranger.token(header: TokenForge.header.merging(["jwk": stranger.jsonWebKey]) { $1 })
        },
    ]

    /// A signed token whose header or claims are the text made of the good one.
    private static func spelled(
        _ name: String, _ rejection: TokenRejection, header: @escaping @Sendable (String) -> Data = { Data($0.utf8) },
        claims: @escaping @Sendable (String) -> Data = { Data($0.utf8) }
    ) -> Spoilt {
        Spoilt(name, rejection) { forge in
            try forge.token(
                headerJSON: header(String(decoding: TokenForge.json(TokenForge.header), as: UTF8.self)),
                claimsJSON: claims(String(decoding: TokenForge.json(TokenForge.userClaims), as: UTF8.self)))
        }
    }

    private static func twice(_ text: String, _ member: String) -> Data { Data("\(text.dropLast()),\(member)}".utf8) }

    static let spellings: [Spoilt] =
        [#""alg":"none""#, #""alg":"ES256""#, #""\u0061lg":"none""#, #""typ":"JWT""#, #""kid":"forge-2""#].map { member in
            spelled("header with a second \(member)", .malformed, header: { twice($0, member) })
        }
        + [#""alg":"none""#, #""kid":"forge-2""#].map { member in
            spelled("header with another \(member) in front", .malformed, header: { Data("{\(member),\($0.dropFirst())".utf8) })
        }
        + [#""sub":"usr_other""#, #""exp":9000000000"#, #""s\u0075b":"usr_other""#, #""unknown":1,"unknown":2"#].map { member in
            spelled("claims with a second \(member)", .invalid(.claims), claims: { twice($0, member) })
        }
        + [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32].flatMap { encoding in
            [
                spelled("header in \(encoding)", .malformed, header: { $0.data(using: encoding) ?? Data() }),
                spelled("claims in \(encoding)", .invalid(.claims), claims: { $0.data(using: encoding) ?? Data() }),
            ]
        } + [
            spelled("header with a byte order mark", .malformed, header: { Data([0xEF, 0xBB, 0xBF]) + Data($0.utf8) }),
            spelled("claims with a byte order mark", .invalid(.claims), claims: { Data([0xEF, 0xBB, 0xBF]) + Data($0.utf8) }),
            spelled("header with broken UTF-8", .malformed, header: { twice($0, #""x":""#).dropLast() + Data([0xFF, 0x22, 0x7D]) }),
            spelled("claims with broken UTF-8", .invalid(.claims), claims: { twice($0, #""x":""#).dropLast() + Data([0xC0, 0xAF, 0x22, 0x7D]) }),
        ]

    static let claims: [Spoilt] = [
        .claims("another issuer", .invalid(.issuer), ["iss": "https://issuer.test/"]),
        .claims("another audience", .invalid(.audience), ["aud": "florin-api2"]),
        .claims("no audience at all", .invalid(.audience), ["aud": [String]()]),
        .claims("expired", .expired, ["iat": now - 300, "exp": now - AccessTokenPolicy.leeway]),
        .claims("not yet valid", .invalid(.time), ["nbf": now + AccessTokenPolicy.leeway + 1]),
        .claims("issued in the future", .invalid(.time), ["iat": now + AccessTokenPolicy.leeway + 1]),
        .claims("ends before it was issued", .invalid(.time), ["iat": now, "exp": now - 1]),
        .claims("authenticated in the future", .invalid(.time), ["auth_time": now + AccessTokenPolicy.leeway + 1]),
        .claims("exp out of all proportion", .invalid(.claims), ["exp": Int64.max]),
        .claims("exp beyond 64 bits", .invalid(.claims), ["exp": 1e300]),
        .claims("exp as text", .invalid(.claims), ["exp": "\(now + 300)"]),
        .claims("negative iat", .invalid(.claims), ["iat": -1]),
        .claims("no iss", .invalid(.claims), ["iss": nil]),
        .claims("no aud", .invalid(.claims), ["aud": nil]),
        .claims("no sub", .invalid(.claims), ["sub": nil]),
        .claims("no client_id", .invalid(.claims), ["client_id": nil]),
        .claims("no jti", .invalid(.claims), ["jti": nil]),
        .claims("no exp", .invalid(.claims), ["exp": nil]),
        .claims("no iat", .invalid(.claims), ["iat": nil]),
        .claims("empty sub", .invalid(.claims), ["sub": ""]),
        .claims("sub with a line break", .invalid(.claims), ["sub": "usr_1\n2"]),
        .claims("over-long jti", .invalid(.claims), ["jti": String(repeating: "j", count: 256)]),
        .claims("sub is neither a user nor the client", .invalid(.subject), ["sub": "acme"]),
        .claims("sub is an empty user", .invalid(.subject), ["sub": "usr_"]),
        .claims("client named like a user", .invalid(.subject), ["client_id": TokenForge.user]),
        .claims("two spaces in scope", .invalid(.claims), ["scope": "wallet  profile"]),
        .claims("scope with a quotation mark", .invalid(.claims), ["scope": "wal\"let"]),
        .claims("scope as a list", .invalid(.claims), ["scope": ["wallet"]]),
        .claims("roles as text", .invalid(.claims), ["roles": "operator"]),
        .claims("user with ledger:read", .invalid(.scope), ["scope": "ledger:read"]),
        .claims("user with ledger:write beside wallet", .invalid(.scope), ["scope": "wallet ledger:write"]),
        .claims("user with ledger:operate but no role", .invalid(.scope), ["scope": "ledger:operate"]),
        .claims("staff with ledger:fund", .invalid(.scope), ["scope": "ledger:operate ledger:fund", "roles": ["operator"]]),
        .claims("staff with a wallet scope too", .invalid(.scope), ["scope": "wallet ledger:operate", "roles": ["operator"]]),
        .claims("staff with any scope of a customer too", .invalid(.scope), ["scope": "profile risk:operate", "roles": ["operator"]]),
        .claims("user with risk:operate but no role", .invalid(.scope), ["scope": "risk:operate"]),
        .claims("user with risk:operate beside wallet", .invalid(.scope), ["scope": "wallet risk:operate", "roles": ["operator"]]),
        .claims("user with a client's scope of a service to come", .invalid(.scope), ["scope": "wallet fx:quote"]),
        .claims("staff with a client's scope of another service", .invalid(.scope), ["scope": "ledger:operate fx:quote", "roles": ["operator"]]),
        .claims("client whose sub is another's", .invalid(.subject), ["sub": "other"], of: TokenForge.clientClaims),
    ]

    static let shapes: [Spoilt] = [
        Spoilt("empty", .malformed) { _ in "" },
        Spoilt("no dot", .malformed) { _ in "abc" },
        Spoilt("two parts", .malformed) { try $0.token().split(separator: ".").prefix(2).joined(separator: ".") },
        Spoilt("four parts", .malformed) { try $0.token() + ".abcd" },
        Spoilt("trailing dot", .malformed) { try $0.token() + "." },
        Spoilt("two dots and nothing else", .malformed) { _ in ".." },
        Spoilt("trailing space", .malformed) { try $0.token() + " " },
        Spoilt("padding", .malformed) { try $0.token() + "==" },
        Spoilt("plain base64 alphabet", .malformed) { _ in "e30+.e30.e30" },
        Spoilt("header is not JSON", .malformed) { _ in "YWJj.e30.e30" },
        Spoilt("not ASCII", .malformed) { try "\u{212A}" + $0.token() },
        Spoilt("oversized", .malformed) {
            try $0.token(claims: TokenForge.userClaims.merging(["pad": String(repeating: "x", count: AccessTokenPolicy.maximumTokenBytes)]) { $1 })
        },
        Spoilt("tampered claims", .invalid(.signature)) { forge in
            let claims = TokenForge.userClaims.merging(["sub": "usr_somebody0else"]) { $1 }
            var parts = try forge.token().split(separator: ".").map(String.init)
            parts[1] = try TokenForge.encode(TokenForge.json(claims))
            return parts.joined(separator: ".")
        },
        Spoilt("tampered signature", .invalid(.signature)) { forge in
            try forge.token { data in
                var signature = try forge.key.signature(for: data).rawRepresentation
                signature[40] ^= 1
                return signature
            }
        },
        Spoilt("signature in DER", .invalid(.signature)) { forge in
            try forge.token { try forge.key.signature(for: $0).derRepresentation }
        },
        Spoilt("signature of zeros", .invalid(.signature)) { try $0.token { _ in Data(count: 64) } },
        Spoilt("another spelling of the same signature", .malformed) { forge in
            // 64 bytes leave four unused bits in the last character, which a lax decoder ignores.
            let token = try forge.token()
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            let last = try #require(alphabet.firstIndex(of: token.last ?? " "))
            return String(token.dropLast()) + String(alphabet[last + 1])
        },
        Spoilt("signed by a stranger", .invalid(.signature)) { _ in try TokenForge().token() },
        Spoilt("claims are a list", .invalid(.claims)) { forge in
            let input = try TokenForge.encode(TokenForge.json(TokenForge.header)) + ".W10"
            return try input + "." + TokenForge.encode(forge.key.signature(for: Data(input.utf8)).rawRepresentation)
        },
    ]

    @Test(arguments: headers + spellings + claims + shapes)
    func `a spoilt token is refused, for its reason, and never remembered`(spoilt: Spoilt) async throws {
        let forge = TokenForge()
        let verifier = try forge.verifier()
        _ = try await verifier.verify(forge.token(), now: Self.now)
        let token = try spoilt.make(forge)
        await #expect(throws: spoilt.rejection) { try await verifier.verify(token, now: Self.now) }
        #expect(verifier.cached(token, now: Self.now) == nil)
        #expect(verifier.cachedTokenCount == 1)
    }

    @Test func `no random mutation of a token passes for another`() async throws {
        let forge = TokenForge()
        let verifier = try forge.verifier()
        let original = try forge.token()
        let expected = try await verifier.verify(original, now: Self.now)
        let bytes = Array(original.utf8)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= +/\"".utf8)
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            var mutant = bytes
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let place = Int.random(in: mutant.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: mutant[place] = alphabet.randomElement(using: &random)!
                case 1: mutant.insert(alphabet.randomElement(using: &random)!, at: place)
                case 2: mutant.remove(at: place)
                default: mutant.swapAt(place, Int.random(in: mutant.indices, using: &random))
                }
            }
            let text = String(decoding: mutant, as: UTF8.self)
            let result = try? await verifier.authenticate(authorizationHeader: "Bearer \(text)", now: Self.now)
            // A blank in front belongs to the field, not to the token.
            if text.drop(while: { $0 == " " }) == original {
                #expect(result == expected, "seed \(seed)")
            } else {
                #expect(result == nil, "seed \(seed): \(text)")
            }
        }
    }
}
