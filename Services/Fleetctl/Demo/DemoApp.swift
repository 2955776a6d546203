import AccessTokens
import Contracts
import Crypto
import FoundationEssentials
import HTTPTypes
import RequestSigning

/// A first-party app on a phone, as identity sees it: it signs a person in without a browser, and keeps tokens.
struct DemoApp: Sendable {
    private static let secretBytes = 32

    let identity: DemoService
    let clientID: String
    private let scopes: [String]
    /// What the phone keeps for ever.
    private let deviceSecret = Self.secret()

    init(identity: DemoService, clientID: String, scopes: [String]) {
        self.identity = identity
        self.clientID = clientID
        self.scopes = scopes
    }

    /// The same app on another phone.
    var elsewhere: DemoApp { DemoApp(identity: identity, clientID: clientID, scopes: scopes) }

    /// An attempt to sign in: what was answered last, and what the code is exchanged with.
    struct Attempt: Sendable {
        let answer: DemoAnswer
        fileprivate let verifier: String
    }

    func begin(_ address: String, _ password: String) async throws -> Attempt {
        let verifier = Self.secret()
        let challenge = Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8))))
        let answer = try await identity.post(
            "/oauth2/authorize-challenge",
            [
                ("response_type", "code"), ("client_id", clientID), ("scope", scopes.joined(separator: " ")), ("code_challenge", challenge),
                ("code_challenge_method", "S256"), ("device_secret", deviceSecret), ("username", address), ("password", password),
            ])
        return Attempt(answer: answer, verifier: verifier)
    }

    /// Goes on with a code of the authenticator app.
    func enter(_ code: String, in session: String, of attempt: Attempt) async throws -> Attempt {
        let answer = try await identity.post(
            "/oauth2/authorize-challenge",
            [("client_id", clientID), ("device_secret", deviceSecret), ("auth_session", session), ("otp", code)])
        return Attempt(answer: answer, verifier: attempt.verifier)
    }

    func redeem(_ code: String, of attempt: Attempt) async throws -> DemoAnswer {
        try await identity.post(
            "/oauth2/token",
            [("grant_type", "authorization_code"), ("client_id", clientID), ("code", code), ("code_verifier", attempt.verifier)])
    }

    func refresh(_ token: String) async throws -> DemoAnswer {
        try await identity.post("/oauth2/token", [("grant_type", "refresh_token"), ("client_id", clientID), ("refresh_token", token)])
    }

    private static func secret() -> String {
        var random = SystemRandomNumberGenerator()
        return Base64URL.encode((0..<secretBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
}

/// An authenticator app (RFC 6238) that was shown a secret.
struct DemoAuthenticator: Sendable {
    private static let stepSeconds: Int64 = 30

    private let key: SymmetricKey

    /// - Parameter secret: In base32 (RFC 4648); nil when it is none.
    init?(secret: String) {
        var bytes: [UInt8] = []
        var (buffer, bits) = (UInt32(0), 0)
        for character in secret.uppercased() where character != "=" {
            guard let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".firstIndex(of: character) else { return nil }
            buffer = buffer << 5 | UInt32("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".distance(from: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".startIndex, to: value))
            bits += 5
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
        }
        key = SymmetricKey(data: bytes)
    }

    /// The code of now, or of a number of steps later, which a phone whose clock is ahead shows already.
    func code(stepsAhead: Int64 = 0) -> String {
        let step = Int64(Date().timeIntervalSince1970) / Self.stepSeconds + stepsAhead
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: withUnsafeBytes(of: step.bigEndian) { Array($0) }, using: key))
        let offset = Int(mac[mac.count - 1] & 0x0F)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let digits = String(number % 1_000_000)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }
}

extension DemoService {
    /// Posts a form, as programs do that sign nothing.
    func post(_ target: String, _ form: [(name: String, value: String)]) async throws -> DemoAnswer {
        let body = form.map { "\($0.name)=\($0.value.formEncoded)" }.joined(separator: "&")
        let fields: HTTPFields = [.contentType: "application/x-www-form-urlencoded", .userAgent: "Florin demo"]
        return try await send(DemoRequest(method: "POST", target: target, fields: fields, body: Array(body.utf8)))
    }
}

extension String {
    /// `application/x-www-form-urlencoded`, everything that is not unreserved in RFC 3986 encoded.
    fileprivate var formEncoded: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}
