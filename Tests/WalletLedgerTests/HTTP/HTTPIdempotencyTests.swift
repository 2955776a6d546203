import AccessTokens
import Contracts
import Dispatch
import Postgres
import StrictJSON
import TestSupport
import Testing

/// A request may be sent again: what the answer to the second is.
@Suite struct HTTPIdempotencyTests {
    @Test func theSamePostingRequestIsAnsweredAgainAndNotRepeated() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let first = try await world.transfer(5, from: own, to: other, as: world.client, key: "transfer-1", reference: "a")
        let posted: [(target: String, body: String, SignedAnswer)] = [
            ("/v1/transfers", LedgerWorld.transfer(own, other, "5", reference: "a"), first),
            (
                "/v1/deposits", LedgerWorld.funding(own, 7),
                try await post(world, "/v1/deposits", LedgerWorld.funding(own, 7), key: "deposit-1")
            ),
            (
                "/v1/withdrawals", LedgerWorld.funding(own, 2),
                try await post(world, "/v1/withdrawals", LedgerWorld.funding(own, 2), key: "withdrawal-1")
            ),
            (
                "/v1/transfers/\(first.id)/refunds", "{}",
                try await post(world, "/v1/transfers/\(first.id)/refunds", "{}", key: "refund-1")
            ),
        ]
        let keys = ["transfer-1", "deposit-1", "withdrawal-1", "refund-1"]
        for ((target, body, first), key) in zip(posted, keys) {
            #expect(first.status == 201 && !first.isReplay, "\(first.text)")
            for _ in 0..<2 {
                let again = try await post(world, target, body, key: key)
                #expect(again.status == 201 && again.bytes == first.bytes && again.isReplay, "\(target): \(again.text)")
            }
        }
        #expect(try await world.balance(own) == 105)
        #expect(try await world.balance(other) == 0)
    }

    @Test func spacingAndOrderOfMembersMakeNoOtherRequest() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let first = try await world.transfer(5, from: own, to: other, as: world.client, key: "spaced")
        let body = """
            {  "currency" : "EUR", "reference": null,
               "amount":5 , "destination_wallet_id" : "\(other)", "source_w\\u0061llet_id":"\(own)" }
            """
        let again = try await post(world, "/v1/transfers", body, key: "spaced")
        #expect(again.status == 201 && again.bytes == first.bytes && again.isReplay, "\(again.text)")
        #expect(try await world.balance(own) == 95)
    }

    @Test func anotherRequestWithTheKeyIsRefusedByTheFirstMemberThatDiffers() async throws {
        let world = try await LedgerWorld.new()
        let (own, other, third) = (try await world.wallet(balance: 100), try await world.wallet(), try await world.wallet())
        let first = try await world.transfer(5, from: own, to: other, as: world.client, key: "reused")
        let others: [(target: String, body: String, pointer: String)] = [
            ("/v1/transfers", LedgerWorld.transfer(own, other, "6"), "/amount"),
            ("/v1/transfers", LedgerWorld.transfer(own, third, "6"), "/destination_wallet_id"),
            ("/v1/transfers", LedgerWorld.transfer(third, other, "5"), "/source_wallet_id"),
            ("/v1/transfers", LedgerWorld.transfer(own, other, "5", currency: "USD"), "/currency"),
            ("/v1/transfers", LedgerWorld.transfer(own, other, "5", reference: "new"), "/reference"),
            ("/v1/deposits", LedgerWorld.funding(own, 5), "/route"),
            ("/v1/transfers/\(first.id)/refunds", "{}", "/route"),
        ]
        for (target, body, pointer) in others {
            let answer = try await post(world, target, body, key: "reused")
            #expect(answer.status == 422 && answer.code == "idempotency_key_reused" && answer.pointers == [pointer], "\(answer.text)")
        }
        #expect(try await post(world, "/v1/transfers", LedgerWorld.transfer(own, other, "5"), key: "reused").bytes == first.bytes)
        #expect(try await world.balance(own) == 95)
    }

    @Test func aRefundsKeyBelongsToItsOriginal() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let one = try await world.transfer(5, from: own, to: other)
        let two = try await world.transfer(5, from: own, to: other)
        #expect(try await post(world, "/v1/transfers/\(one.id)/refunds", "{}", key: "refund").status == 201)
        let answer = try await post(world, "/v1/transfers/\(two.id)/refunds", "{}", key: "refund")
        #expect(answer.status == 422 && answer.pointers == ["/id"], "\(answer.text)")
    }

    @Test func aRefusalIsFinalForItsKeyAndForNoOther() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 10), try await world.wallet())
        let first = try await world.transfer(50, from: own, to: other, key: "poor")
        #expect(first.status == 422 && first.code == "insufficient_funds" && !first.isReplay)
        try await world.deposit(1_000, to: own)
        let again = try await world.transfer(50, from: own, to: other, key: "poor")
        #expect(again.status == 422 && again.bytes == first.bytes && again.isReplay, "\(again.text)")
        #expect(try await world.balance(own) == 1_010)
        #expect(try await world.transfer(50, from: own, to: other, key: "rich").status == 201)
        #expect(try await world.balance(own) == 960)
    }

    @Test func whatCouldNotBeReadOrFoundLeavesTheKeyFree() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let nobody = "wal_01900000000000000000000000"
        #expect(try await world.transfer(5, from: own, to: nobody, key: "free").status == 404)
        #expect(try await world.transfer(0, from: own, to: other, key: "free").status == 400)
        var call = SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, "5"), as: world.user, key: "free")
        call.mediaType = "text/plain"
        #expect(try await world.api.send(call).status == 415)
        call.mediaType = "application/json"
        call.party = Party(caller: "mobile-bff", token: nil)
        #expect(try await world.api.send(call).status == 401)
        call.party = Party(caller: "mobile-bff", token: try await world.api.issuer.token(for: .user(world.userID), now: LedgerAPI.now))
        #expect(try await world.api.send(call).status == 403)
        call.party = world.user
        call.fields["florin-deadline"] = "1000"
        #expect(try await world.api.send(call).status == 503)
        let answer = try await world.transfer(5, from: own, to: other, key: "free")
        #expect(answer.status == 201 && !answer.isReplay)
    }

    @Test func aKeyBelongsToItsPrincipalAndToTheCallingService() async throws {
        let world = try await LedgerWorld.new()
        let (neighbour, neighbourID) = try await world.api.newUser()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet(owner: neighbourID, balance: 100))
        let key = LedgerWorld.newKey()
        let mine = try await world.transfer(5, from: own, to: other, key: key)
        let theirs = try await world.transfer(5, from: other, to: own, as: neighbour, key: key)
        let clients = try await world.transfer(5, from: own, to: other, as: world.client, key: key)
        #expect([mine, theirs, clients].map(\.status) == [201, 201, 201])
        #expect(![mine, theirs, clients].contains { $0.isReplay })
        #expect(Set([mine.id, theirs.id, clients.id]).count == 3)

        // The same member of staff through two services.
        let freeze = #"{"block":"debits","reason":"test"}"#
        let fleetctl = Party(caller: "fleetctl", token: world.staff.token)
        for party in [world.staff, fleetctl] {
            let call = SignedCall("POST", "/v1/wallets/\(own)/freeze", freeze, as: party, key: key)
            let answer = try await world.api.send(call)
            #expect(answer.status == 200 && !answer.isReplay, "\(answer.text)")
        }
    }

    @Test func openingAWalletAgainOpensNoSecondOne() async throws {
        let world = try await LedgerWorld.new()
        let key = LedgerWorld.newKey()
        let call = SignedCall("POST", "/v1/wallets", #"{"currency":"EUR"}"#, as: world.user, key: key)
        let first = try await world.api.send(call)
        let again = try await world.api.send(call)
        #expect(first.status == 201 && !first.isReplay)
        #expect(again.status == 201 && again.bytes == first.bytes && again.isReplay)
        let other = try await world.api.send(SignedCall("POST", "/v1/wallets", #"{"currency":"USD"}"#, as: world.user, key: key))
        #expect(other.status == 422 && other.code == "idempotency_key_reused" && other.pointers == ["/currency"], "\(other.text)")
        // Without a key it is a request of its own each time.
        let keyless = SignedCall("POST", "/v1/wallets", #"{"currency":"EUR"}"#, as: world.user)
        #expect(try await world.api.send(keyless).id != world.api.send(keyless).id)
    }

    @Test(arguments: [
        ("POST", "freeze", #"{"block":"all","reason":"a"}"#, #"{"block":"debits","reason":"a"}"#, "/block"),
        ("POST", "unfreeze", #"{"reason":"a"}"#, #"{"reason":"b"}"#, "/reason"),
        ("POST", "close", #"{"reason":"a"}"#, #"{"reason":"b"}"#, "/reason"),
        ("PUT", "overdraft-limit", #"{"limit":5,"currency":"EUR","reason":"a"}"#, #"{"limit":6,"currency":"EUR","reason":"a"}"#, "/limit"),
    ])
    func aChangeOfAWalletIsMadeOnce(method: String, change: String, body: String, otherBody: String, pointer: String) async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(), try await world.wallet())
        let key = LedgerWorld.newKey()
        let call = SignedCall(method, "/v1/wallets/\(own)/\(change)", body, as: world.staff, key: key)
        let first = try await world.api.send(call)
        #expect(first.status == 200 && first.json["version"]?.integerValue == 1, "\(first.text)")
        let again = try await world.api.send(call)
        #expect(again.status == 200 && again.bytes == first.bytes && again.isReplay, "\(again.text)")
        let shown = try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)", as: world.staff))
        #expect(shown.json["version"]?.integerValue == 1)

        let differs = try await world.api.send(SignedCall(method, "/v1/wallets/\(own)/\(change)", otherBody, as: world.staff, key: key))
        #expect(differs.status == 422 && differs.code == "idempotency_key_reused" && differs.pointers == [pointer], "\(differs.text)")
        let elsewhere = try await world.api.send(SignedCall(method, "/v1/wallets/\(other)/\(change)", body, as: world.staff, key: key))
        #expect(elsewhere.status == 422 && elsewhere.pointers == ["/id"], "\(elsewhere.text)")
    }

    @Test func manyAtOnceWithOneKeyPostOnce() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let answers = try await withThrowingTaskGroup(of: SignedAnswer.self) { group in
            for _ in 0..<32 { group.addTask { try await world.transfer(5, from: own, to: other, key: "storm") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 201 })
        #expect(Set(answers.map(\.bytes)).count == 1)
        #expect(answers.count { !$0.isReplay } == 1)
        #expect(try await world.balance(own) == 95)
    }

    @Test func whatAnotherRequestHoldsUpIsInProgress() async throws {
        let world = try await LedgerWorld.new()
        let own = try await world.wallet()
        let id = try #require(WalletID(own))
        let (locked, announcement) = AsyncStream<Void>.makeStream()
        let release = DispatchSemaphore(value: 0)
        async let holding: Void = world.api.query { session in
            defer { announcement.finish() }
            try session.execute("BEGIN")
            _ = try session.query("SELECT FROM wallets WHERE id = \(id.uuid) FOR UPDATE")
            announcement.yield()
            release.wait()
            try session.execute("ROLLBACK")
        }
        defer { release.signal() }
        for await _ in locked { break }
        let call = SignedCall("POST", "/v1/wallets/\(own)/freeze", #"{"block":"all","reason":"r"}"#, as: world.staff, key: LedgerWorld.newKey())
        let answer = try await world.api.send(call)
        #expect(answer.status == 409 && answer.code == "request_in_progress" && answer.fields["retry-after"] != nil, "\(answer.text)")
        release.signal()
        try await holding
        let later = try await world.api.send(call)
        #expect(later.status == 200 && !later.isReplay, "\(later.text)")
    }

    @Test func aKeyOf255CharactersIsTaken() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let key = String(repeating: "~", count: 255)
        #expect(try await world.transfer(5, from: own, to: other, key: key).status == 201)
        #expect(try await world.transfer(5, from: own, to: other, key: key).isReplay)
    }

    private func post(_ world: LedgerWorld, _ target: String, _ body: String, key: String) async throws -> SignedAnswer {
        try await world.api.send(SignedCall("POST", target, body, as: world.client, key: key))
    }
}
