import AccessTokens
import Crypto
package import NIOCore

/// Signs people in as their phones do: password, code, tokens; each on a device and in a network of their own.
package final class SignInWork: LoadWork {
    private static let verifierBytes = 32
    private static let okStatus = 200

    private let requests: IdentityRequests
    private let clientID: String
    private let addresses: [String]
    private let password: String
    private var begun = 0
    private var verifiers: [Int: String] = [:]
    private var random = SystemRandomNumberGenerator()

    /// - Parameters:
    ///   - addresses: Of the people, each of whom signs in once.
    ///   - password: Of all of them, in letters and digits.
    package init(_ requests: IdentityRequests, clientID: String, addresses: [String], password: String) {
        self.requests = requests
        self.clientID = clientID
        self.addresses = addresses
        self.password = password
    }

    package var isUsedUp: Bool { begun == addresses.count }

    package func next() -> (piece: Int, request: ByteBuffer) {
        let piece = begun
        begun += 1
        let verifier = Base64URL.encode((0..<Self.verifierBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        verifiers[piece] = verifier
        let challenge = Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8))))
        let form = """
            response_type=code&client_id=\(clientID)&scope=openid+wallet&code_challenge=\(challenge)&code_challenge_method=S256\
            &device_secret=\(Self.deviceSecret(of: addresses[piece]))&username=\(addresses[piece])&password=\(password)
            """
        return (piece, requests.post("/oauth2/authorize-challenge", form, from: Self.network(of: piece)))
    }

    package func answered(_ piece: Int, status: Int, body: UnsafeRawBufferPointer) -> LoadProgress {
        guard status == Self.okStatus else { return .failed }
        if let verifier = verifiers.removeValue(forKey: piece) {
            guard let code = TokenMember.authorizationCode.value(in: body) else { return .failed }
            let form = "grant_type=authorization_code&client_id=\(clientID)&code=\(code)&code_verifier=\(verifier)"
            return .goesOn(requests.post("/oauth2/token", form))
        }
        return TokenMember.refreshToken.value(in: body) == nil ? .failed : .done
    }

    package func report(to outcome: inout LoadOutcome) {}

    /// What the phone of this person keeps; identity.sql knows it too.
    package static func deviceSecret(of address: String) -> String { Base64URL.encode(Array(SHA256.hash(data: Array(address.utf8)))) }

    /// An address for each, in a /24 of its own.
    private static func network(of piece: Int) -> String { "10.\(piece >> 8 & 255).\(piece & 255).1" }
}
