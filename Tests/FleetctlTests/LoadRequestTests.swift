import Contracts
import Fleetctl
import Foundation
import RequestSigning
import Testing

@Suite("Load: what is sent")
struct LoadRequestTests {
    private static let now: Int64 = 1_800_000_000
    private static let token = "header.claims.signature"
    private let signer: LoadRequestSigner
    private let verifier: RequestVerifier

    init() throws {
        var generator = SystemRandomNumberGenerator()
        let pair = SigningKeyGenerator.Pair(caller: "mobile-bff", callee: "wallet-ledger")
        let keys = try SigningKeyGenerator.generate(pairs: [pair], now: Self.now, using: &generator)
        let caller = try #require(keys.first { $0.service == "mobile-bff" })
        let callee = try #require(keys.first { $0.service == "wallet-ledger" })
        signer = LoadRequestSigner(
            signer: RequestSigner(keys: SigningKeyStore(keys: caller), callee: "wallet-ledger", lifetime: 30), authority: "127.0.0.1:8103",
            token: Self.token)
        verifier = RequestVerifier(keys: SigningKeyStore(keys: callee), replayWindow: InProcessReplayWindow(startedAt: Self.now - 60))
    }

    private func transfer() throws -> LoadRequestSigner.Signed {
        var generator = SystemRandomNumberGenerator()
        let euro = try #require(Currency("EUR"))
        let money = try #require(Money(amountMinor: 1, currency: euro))
        let source = WalletID(UUID())
        return try signer.transfer(from: source, to: WalletID(UUID()), money: money, created: Self.now, using: &generator)
    }

    /// Head lines and body of serialised bytes.
    private func parts(_ signed: LoadRequestSigner.Signed) throws -> (lines: [String], body: String) {
        let text = String(decoding: signer.serialized(signed), as: UTF8.self)
        let end = try #require(text.range(of: "\r\n\r\n"))
        return (text[..<end.lowerBound].components(separatedBy: "\r\n"), String(text[end.upperBound...]))
    }

    @Test("wallet-ledger's verifier accepts a transfer once, at the end of the signature's life too")
    func accepted() async throws {
        let signed = try transfer()
        let caller = try verifier.verifyHead(signed.request, now: Self.now + 29) { $0 == "mobile-bff" }
        try verifier.verifyBody(caller, body: try #require(signed.body))
        try await verifier.admitNonce(caller, isRepeatable: true, now: Self.now)
        await #expect(throws: SignatureRejection.replayed) { try await verifier.admitNonce(caller, isRepeatable: true, now: Self.now) }
        #expect(throws: SignatureRejection.digestMismatch) { try verifier.verifyBody(caller, body: Array("{}".utf8)) }
    }

    @Test("the bytes are the signed request and its body")
    func bytes() throws {
        let signed = try transfer()
        let (lines, body) = try parts(signed)
        #expect(Array(body.utf8) == signed.body)
        #expect(lines.first == "POST /v1/transfers HTTP/1.1")
        #expect(lines.contains("host: 127.0.0.1:8103"))
        #expect(lines.contains("authorization: Bearer \(Self.token)"))
        #expect(lines.contains("content-type: application/json"))
        #expect(lines.contains("content-length: \(body.utf8.count)"))
        let names = lines.dropFirst().compactMap { $0.split(separator: ":").first.map(String.init) }
        #expect(
            names.sorted() == [
                "authorization", "content-digest", "content-length", "content-type", "host", "idempotency-key", "signature", "signature-input",
            ])
    }

    @Test("the body is one that the ledger reads")
    func body() throws {
        let signed = try transfer()
        let request = try TransferRequest(wireBytes: #require(signed.body))
        #expect(request.money.amountMinor == 1)
        #expect(request.sourceWalletID != request.destinationWalletID)
    }

    @Test("a look-up has neither body nor key")
    func lookup() throws {
        var generator = SystemRandomNumberGenerator()
        let signed = try signer.lookup("trf_01jd3m5v5e8n7r2k4w6y8z0abc", created: Self.now, using: &generator)
        _ = try verifier.verifyHead(signed.request, now: Self.now) { $0 == "mobile-bff" }
        let (lines, body) = try parts(signed)
        #expect(lines.first == "GET /v1/transfers/trf_01jd3m5v5e8n7r2k4w6y8z0abc HTTP/1.1")
        #expect(body.isEmpty)
        #expect(!lines.contains { $0.hasPrefix("content-length") || $0.hasPrefix("idempotency-key") })
    }

    @Test("of many requests none repeats another's key or nonce, and their order is kept", arguments: [0, 1, 2, 101])
    func manyRequests(count: Int) async throws {
        let made = try await signer.bytes(count: count) { index, generator throws(RequestSigner.Failure) in
            try signer.lookup("number-\(index)", created: Self.now, using: &generator)
        }
        let texts = made.map { String(decoding: $0, as: UTF8.self) }
        #expect(texts.count == count)
        #expect(texts.enumerated().allSatisfy { $1.hasPrefix("GET /v1/transfers/number-\($0) ") })
        #expect(Set(texts.compactMap { $0.components(separatedBy: "nonce=").last }).count == count)
    }
}
