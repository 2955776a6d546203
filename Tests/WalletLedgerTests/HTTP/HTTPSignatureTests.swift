import Contracts
import HTTPTypes
import RequestSigning
import TestSupport
import Testing

/// Requests whose signature is missing, wrong, old or used: each its code, and no money has moved.
@Suite struct HTTPSignatureTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: String
        var created: Int64 = 0
        var isSigned = true
        let onTheWay: @Sendable (inout SignableRequest, inout [UInt8]?) -> Void

        init(
            _ name: String, _ code: String, createdAgo seconds: Int64 = 0, isSigned: Bool = true,
            onTheWay: @escaping @Sendable (inout SignableRequest, inout [UInt8]?) -> Void = { _, _ in }
        ) {
            (testDescription, self.code, created, self.isSigned, self.onTheWay) = (name, code, -seconds, isSigned, onTheWay)
        }
    }

    static let rows = [
        Row("not signed", "signature_missing", isSigned: false),
        Row("without Signature-Input", "signature_missing") { request, _ in request.headerFields[.init("signature-input")!] = nil },
        Row("without Signature", "signature_missing") { request, _ in request.headerFields[.init("signature")!] = nil },
        Row("another code", "signature_invalid") { request, _ in
            request.headerFields[.init("signature")!] = "florin=:\(String(repeating: "A", count: 43))=:"
        },
        Row("another amount", "digest_mismatch") { _, body in
            body = body.map { Array(String(decoding: $0, as: UTF8.self).replacing(":5,", with: ":6,").utf8) }
        },
        Row("another amount with its digest", "signature_invalid") { request, body in
            body = body.map { Array(String(decoding: $0, as: UTF8.self).replacing(":5,", with: ":6,").utf8) }
            request.headerFields[.init("content-digest")!] = ContentDigest.fieldValue(of: body ?? [])
        },
        Row("without a digest", "signature_invalid") { request, _ in request.headerFields[.init("content-digest")!] = nil },
        Row("without its body", "digest_mismatch") { _, body in body = [] },
        Row("another path", "signature_invalid") { request, _ in request.target = "/v1/wallets" },
        Row("another query", "signature_invalid") { request, _ in request.target += "?a=b" },
        Row("another host", "signature_invalid") { request, _ in request.authority = "localhost" },
        Row("another key", "signature_invalid") { request, _ in request.headerFields[.idempotency] = "other" },
        Row("another token", "signature_invalid") { request, _ in request.headerFields[.authorization] = "Bearer x" },
        Row("without its token", "signature_invalid") { request, _ in request.headerFields[.authorization] = nil },
        Row("another media type", "signature_invalid") { request, _ in request.headerFields[.contentType] = "text/plain" },
        Row("an uncovered traceparent", "signature_invalid") { request, _ in
            request.headerFields[.init("traceparent")!] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        },
        Row("an uncovered request id", "signature_invalid") { request, _ in request.headerFields[.init("x-request-id")!] = "injected" },
        Row("an uncovered deadline", "signature_invalid") { request, _ in request.headerFields[.init("florin-deadline")!] = "1" },
        Row("an uncovered client", "signature_invalid") { request, _ in request.headerFields[.init("florin-client")!] = "ip=192.0.2.1" },
        Row("a second key", "signature_invalid") { request, _ in
            request.headerFields.append(HTTPField(name: .idempotency, value: "second"))
        },
        Row("a second signature", "signature_invalid") { request, _ in
            request.headerFields.append(HTTPField(name: .init("signature")!, value: request.headerFields[.init("signature")!] ?? ""))
        },
        Row("expired", "signature_expired", createdAgo: 35),
        Row("of the future", "signature_invalid", createdAgo: -60),
    ]

    @Test(arguments: rows) func itIsRefusedAndMovesNothing(row: Row) async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        var call = SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, "5"), as: world.user, key: LedgerWorld.newKey())
        call.created = LedgerAPI.now + row.created
        call.isSigned = row.isSigned
        call.onTheWay = row.onTheWay
        // Bytes that were changed may be another route's or none's; what is documented is checked for the route that they hit.
        let answer = try await world.api.send(call)
        #expect(answer.status == 401 && answer.code == row.code, "\(answer.status) \(answer.text)")
        #expect(try await world.balance(own) == 100)
        #expect(try await world.balance(other) == 0)
    }

    @Test func theSameBytesCountOnce() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let call = SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, "5"), as: world.user, key: LedgerWorld.newKey())
        let bytes = try call.bytes(world.api)
        #expect(try await world.api.send(call, bytes: bytes).status == 201)
        for _ in 0..<2 {
            let again = try await world.api.send(call, bytes: bytes)
            #expect(again.status == 401 && again.code == "signature_replayed", "\(again.text)")
        }
        #expect(try await world.balance(own) == 95)
    }

    @Test func aNonceIsUsedUpByWhateverItSigned() async throws {
        let world = try await LedgerWorld.new()
        var call = SignedCall("GET", "/v1/wallets/\(try await world.wallet())", as: world.user)
        call.nonce = "nonce-\(LedgerWorld.newKey())"
        #expect(try await world.api.send(call).status == 200)
        call.target += "/balance"
        #expect(try await world.api.send(call).code == "signature_replayed")
        // Another service's nonces are its own.
        call.party = world.staff
        #expect(try await world.api.send(call).status == 200)
    }
}

extension HTTPField.Name {
    fileprivate static let idempotency = HTTPField.Name("idempotency-key")!
}
