import Contracts
import Postgres
import TestSupport
import Testing
import WalletLedger

@Suite("How many wallets an owner may have")
struct HTTPWalletLimitTests {
    private func open(_ world: LedgerWorld, _ body: String = #"{"currency":"EUR"}"#, as party: Party, key: String? = nil) async throws -> SignedAnswer
    {
        try await world.api.send(SignedCall("POST", "/v1/wallets", body, as: party, key: key))
    }

    @Test("the last one is opened once, however many ask at the same time, and a closed one makes room")
    func limit() async throws {
        let world = try await LedgerWorld.new()
        let first = try await open(world, as: world.user)
        let owner = try #require(UserID(world.userID)).uuid
        _ = try await world.api.query { session in
            try session.execute(
                """
                INSERT INTO wallets (id, owner_id, opened_by, currency, opened_at, last_posted_at)
                SELECT gen_random_uuid(), \(owner), 'client:many', 'EUR', now(), now()
                FROM generate_series(3, \(Int64(OpenWallet.maximumOpenWallets)))
                """)
        }
        let answers = try await withThrowingTaskGroup(of: SignedAnswer.self) { group in
            for _ in 0..<8 { group.addTask { try await open(world, as: world.user) } }
            return try await group.reduce(into: [SignedAnswer]()) { $0.append($1) }
        }
        #expect(answers.count(where: { $0.status == 201 }) == 1)
        #expect(answers.allSatisfy { $0.status == 201 || $0.code == "wallet_limit_reached" })
        // Whoever opens it; and the refusal is kept with its key.
        let (key, body) = (LedgerWorld.newKey(), #"{"currency":"EUR","owner_id":"\#(world.userID)"}"#)
        let refused = try await open(world, body, as: world.client, key: key)
        #expect(refused.status == 422 && refused.code == "wallet_limit_reached" && !refused.isReplay, "\(refused.text)")
        try await world.change(first.id, "close")
        let again = try await open(world, body, as: world.client, key: key)
        #expect(again.isReplay && again.bytes == refused.bytes, "\(again.text)")
        #expect(try await open(world, body, as: world.client).status == 201)
        #expect(try await open(world, as: world.user).code == "wallet_limit_reached")
        // Others, and wallets without an owner, are not concerned.
        #expect(try await open(world, as: world.client).status == 201)
        #expect(try await open(world, as: world.api.newUser().party).status == 201)
    }
}
