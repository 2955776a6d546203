import Contracts
import Postgres
import TestSupport
import Testing

/// What is stored of requests for 30 days and compared with those to come: these bytes are a contract between releases.
@Suite struct HTTPFingerprintTests {
    private func stored(_ world: LedgerWorld, _ key: String) async throws -> String {
        try await world.api.query { session in
            try session.query("SELECT request FROM idempotency_keys WHERE key = \(key)")[0].decode(String.self)
        }
    }

    @Test func eachRoutesFingerprintIsTheOneThatEarlierReleasesStored() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 1_000), try await world.wallet())
        let transfer = try await world.transfer(5, from: own, to: other, as: world.client)
        let hold = try await world.api.send(
            SignedCall(
                "POST", "/v1/holds", #"{"source_wallet_id":"\#(own)","destination_wallet_id":"\#(other)","amount":9,"currency":"EUR"}"#,
                as: world.client, key: LedgerWorld.newKey()))
        let move = #"{"source_wallet_id":"\#(own)","destination_wallet_id":"\#(other)","amount":1,"currency":"EUR"}"#
        let calls: [(method: String, target: String, party: Party, body: String, fingerprint: String)] = [
            (
                "POST", "/v1/transfers", world.client, LedgerWorld.transfer(own, other, "6", reference: "a\\/b"),
                #"{"route":"POST /v1/transfers","source_wallet_id":"\#(own)","destination_wallet_id":"\#(other)","amount":6,"currency":"EUR","reference":"a/b"}"#
            ),
            (
                "POST", "/v1/deposits", world.client, LedgerWorld.funding(own, 7),
                #"{"route":"POST /v1/deposits","wallet_id":"\#(own)","amount":7,"currency":"EUR"}"#
            ),
            (
                "POST", "/v1/withdrawals", world.client, LedgerWorld.funding(own, 2),
                #"{"route":"POST /v1/withdrawals","wallet_id":"\#(own)","amount":2,"currency":"EUR"}"#
            ),
            (
                "POST", "/v1/transfers/\(transfer.id)/refunds", world.client, "{}",
                #"{"route":"POST /v1/transfers/{id}/refunds","id":"\#(transfer.id)"}"#
            ),
            (
                "POST", "/v1/transfers/batch", world.client, #"{"mode":"atomic","transfers":[\#(move)]}"#,
                #"{"route":"POST /v1/transfers/batch","mode":"atomic","transfers":[\#(move)]}"#
            ),
            (
                "POST", "/v1/holds", world.client, String(move.dropLast()) + #","expires_in":60}"#,
                #"{"route":"POST /v1/holds",\#(move.dropFirst().dropLast()),"expires_in":60}"#
            ),
            (
                "POST", "/v1/holds/\(hold.id)/capture", world.client, #"{"amount":4,"currency":"EUR"}"#,
                #"{"route":"POST /v1/holds/{id}/capture","id":"\#(hold.id)","amount":4,"currency":"EUR","final":false}"#
            ),
            (
                "POST", "/v1/holds/\(hold.id)/void", world.client, "{}", #"{"route":"POST /v1/holds/{id}/void","id":"\#(hold.id)"}"#
            ),
            (
                "POST", "/v1/wallets", world.user, #"{"currency":"EUR"}"#,
                #"{"route":"POST /v1/wallets","owner_id":"\#(world.userID)","currency":"EUR"}"#
            ),
            (
                "POST", "/v1/wallets/\(own)/freeze", world.staff, #"{"block":"debits","reason":"r"}"#,
                #"{"route":"wallet frozen","id":"\#(own)","block":"debits","reason":"r"}"#
            ),
            (
                "PUT", "/v1/wallets/\(own)/overdraft-limit", world.staff, #"{"limit":5,"currency":"EUR","reason":"r"}"#,
                #"{"route":"wallet overdraft_limit_set","id":"\#(own)","limit":5,"currency":"EUR","reason":"r"}"#
            ),
        ]
        for call in calls {
            let key = LedgerWorld.newKey()
            let answer = try await world.api.send(SignedCall(call.method, call.target, call.body, as: call.party, key: key))
            try #require(answer.status < 300, "\(call.target): \(answer.text)")
            #expect(try await stored(world, key) == call.fingerprint)
        }
    }

    @Test func anIndependentBatchIsStoredByItsDigest() async throws {
        let world = try await LedgerWorld.new()
        let key = LedgerWorld.newKey()
        let (one, two) = ("wal_01900000000000000000000000", "wal_01900000000000000000000001")
        let body =
            #"{"mode":"independent","transfers":[{"source_wallet_id":"\#(one)","destination_wallet_id":"\#(two)","amount":1,"currency":"EUR"}]}"#
        let answer = try await world.api.send(SignedCall("POST", "/v1/transfers/batch", body, as: world.client, key: key))
        #expect(answer.status == 200, "\(answer.text)")
        #expect(
            try await stored(world, key)
                == #"{"route":"POST /v1/transfers/batch","mode":"independent","count":1,"digest":"78f3efb7-0744-7c85-4fa0-0fe61a92a391"}"#)
    }
}
