import Crypto
import HTTPTypes

@testable import RequestSigning

/// Signatures: a request that can be signed is accepted, and no other one; every accepted shape has one spelling.
enum SignatureTarget {
    private static let now: Int64 = 1_790_000_000
    private static let key = SigningKey(
        keyID: "mobile-bff.wallet-ledger.1", secret: SymmetricKey(data: [UInt8](repeating: 7, count: 32)), notBefore: 0, notAfter: nil)
    private static let keys = (
        caller: try! SigningKeys(service: "mobile-bff", outbound: [.init(callee: "wallet-ledger", key: key)], inbound: []),
        callee: try! SigningKeys(service: "wallet-ledger", outbound: [], inbound: [.init(caller: "mobile-bff", key: key)])
    )
    private static let signer = RequestSigner(keys: SigningKeyStore(keys: keys.caller), callee: "wallet-ledger")
    private static let verifier = RequestVerifier(
        keys: SigningKeyStore(keys: keys.callee), replayWindow: InProcessReplayWindow(startedAt: 0, capacity: 1))

    /// A head as it comes: `METHOD target`, lines of `name: value`, an empty line, the body.
    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard case (var request, let body)? = request(bytes) else { return }
        if let shape = try? SignatureShape(of: request) {
            try BrokenProperty.unless(shape.code.count == 32 && shape.contentDigest?.count ?? 32 == 32, "a code of another length")
        }
        try BrokenProperty.unless(!isAccepted(request, body), "accepted without a signature of ours")
        guard (try? signer.sign(&request, body: body, created: now, nonce: "n")) != nil else { return }
        try BrokenProperty.unless(isAccepted(request, body), "signed and refused")
        var other = request
        other.target += "x"
        try BrokenProperty.unless(!isAccepted(other, body), "accepted with another target")
        if var body, !body.isEmpty {
            body[0] ^= 1
            try BrokenProperty.unless(!isAccepted(request, body), "accepted with another body")
        }
    }

    /// Parameters, base64 and digest by themselves.
    static func runText(_ bytes: [UInt8]) throws(BrokenProperty) {
        if let parameters = bytes.withUnsafeBufferPointer({ SignatureParameters(parsing: $0) }) {
            var written: [UInt8] = []
            parameters.append(to: &written)
            // Their order is free, and nothing else is.
            try BrokenProperty.unless(written.sorted() == bytes.sorted(), "a second spelling of parameters")
            let again = written.withUnsafeBufferPointer { SignatureParameters(parsing: $0) }
            try BrokenProperty.unless(
                again?.created == parameters.created && again?.expires == parameters.expires && again?.nonce == parameters.nonce
                    && again?.keyID == parameters.keyID, "parameters are not read as they are written")
        }
        if let decoded = FixedBase64.decode(bytes) {
            var written: [UInt8] = []
            decoded.withUnsafeBytes { FixedBase64.append($0, to: &written) }
            try BrokenProperty.unless(written == bytes, "a second spelling of 32 bytes")
        }
        if let digest = bytes.withUnsafeBufferPointer({ ContentDigest.decode($0) }) {
            try BrokenProperty.unless(digest.count == 32, "a digest of \(digest.count) bytes")
        }
    }

    private static func isAccepted(_ request: SignableRequest, _ body: [UInt8]?) -> Bool {
        guard let caller = try? verifier.verifyHead(request, now: now, isRouteOpenTo: { _ in true }) else { return false }
        return (try? verifier.verifyBody(caller, body: body ?? [])) != nil
    }

    private static func request(_ bytes: [UInt8]) -> (SignableRequest, [UInt8]?)? {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 64, omittingEmptySubsequences: false)
        let start = lines[0].split(separator: UInt8(ascii: " "), maxSplits: 1)
        guard start.count == 2 else { return nil }
        var fields = HTTPFields()
        var body: [UInt8]?
        for (index, line) in lines.enumerated().dropFirst() {
            if line.isEmpty {
                body = Array(lines[(index + 1)...].joined(separator: [UInt8(ascii: "\n")]))
                break
            }
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = HTTPField.Name(String(decoding: parts[0], as: UTF8.self)) else { continue }
            fields.append(HTTPField(name: name, value: Array(parts[1])))
        }
        let request = SignableRequest(
            method: String(decoding: start[0], as: UTF8.self), authority: "127.0.0.1:8103",
            target: String(decoding: start[1], as: UTF8.self), headerFields: fields)
        return (request, body)
    }
}
