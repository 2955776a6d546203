import Contracts
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

/// `POST /v1/transfers/batch`, as its callers see it.
@Suite struct HTTPBatchTests {
    private func post(_ world: LedgerWorld, _ body: String, key: String) async throws -> SignedAnswer {
        try await world.api.send(SignedCall("POST", "/v1/transfers/batch", body, as: world.user, key: key))
    }

    private func results(_ answer: SignedAnswer) -> [String] {
        (answer.json["results"]?.arrayValue ?? []).map { $0["problem"]?["code"]?.stringValue ?? ($0["id"]?.stringValue == nil ? "-" : "posted") }
    }

    @Test func anIndependentBatchHasAResultPerItemInOrderAndTheSameAgain() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        func move(_ amount: String, reference: String? = nil) -> String { LedgerWorld.transfer(own, other, amount, reference: reference) }
        let body = LedgerWorld.batch(
            "independent", move("60"), move("50"), move("30", reference: "r"), LedgerWorld.transfer(own, own, "1"), move("1", reference: "r"))
        let key = LedgerWorld.newKey()
        let first = try await post(world, body, key: key)
        #expect(first.status == 200 && !first.isReplay)
        #expect(results(first) == ["posted", "insufficient_funds", "posted", "same_wallet", "reference_exists"], "\(first.text)")
        #expect(first.json["results"]?[1]?["status"]?.integerValue == 422 && first.json["results"]?[4]?["status"]?.integerValue == 409)
        try await world.deposit(1_000, to: own)
        let again = try await post(world, body, key: key)
        #expect(again.status == 200 && again.isReplay && again.bytes == first.bytes, "\(again.text)")
        #expect(try await world.balance(own) == 1_010)
        #expect(try await world.balance(other) == 90)
        // An item is found by its own key, too.
        let id = try #require(first.json["results"]?[0]?["id"]?.stringValue)
        let item = try await world.api.send(
            SignedCall("POST", "/v1/transfers", move("60"), as: world.user, key: try await Self.itemKey(key, 0)))
        #expect(item.status == 201 && item.isReplay && item.id == id, "\(item.text)")
    }

    /// UUIDv5 as the document gives it, computed apart from the ledger by Python's `uuid`.
    private static func itemKey(_ key: String, _ index: Int) async throws -> String {
        try await Shell.run(
            [
                "/usr/bin/env", "python3", "-c",
                "import sys, uuid; print(uuid.uuid5(uuid.UUID('6f1d3c52-8f0b-4b5a-9c39-2a7e5d0b4c11'), sys.argv[1]), end='')", "\(key)/\(index)",
            ], environment: ProcessInfo.processInfo.environment)
    }

    @Test func anAtomicBatchIsPostedWholeOrRefusedByItsFirstItem() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        func move(_ amount: String) -> String { LedgerWorld.transfer(own, other, amount) }
        let key = LedgerWorld.newKey()
        let refused = try await post(world, LedgerWorld.batch("atomic", move("60"), move("41"), move("200")), key: key)
        #expect(refused.status == 422 && refused.code == "insufficient_funds" && refused.pointers == ["/transfers/1"], "\(refused.text)")
        #expect(try await world.balance(own) == 100)
        let posted = try await post(world, LedgerWorld.batch("atomic", move("60"), move("40")), key: LedgerWorld.newKey())
        #expect(posted.status == 201 && results(posted) == ["posted", "posted"], "\(posted.text)")
        try await world.deposit(1_000, to: own)
        let again = try await post(world, LedgerWorld.batch("atomic", move("60"), move("41"), move("200")), key: key)
        #expect(again.status == 422 && again.isReplay && again.bytes == refused.bytes)
        #expect(try await world.balance(own) == 1_000)
    }

    @Test(arguments: ["atomic", "independent"])
    func anotherBatchWithTheKeyIsRefusedByTheFirstMemberThatDiffersAndPostsNothing(mode: String) async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        func move(_ amount: String) -> String { LedgerWorld.transfer(own, other, amount) }
        let key = LedgerWorld.newKey()
        _ = try await post(world, LedgerWorld.batch(mode, move("1"), move("2")), key: key)
        let others = [
            (LedgerWorld.batch(mode, move("1"), move("3")), "/transfers/1/amount"),
            (LedgerWorld.batch(mode, move("1"), move("2"), move("3")), mode == "atomic" ? "/transfers/2" : "/transfers"),
            (LedgerWorld.batch(mode == "atomic" ? "independent" : "atomic", move("1"), move("2")), "/mode"),
        ]
        for (body, pointer) in others {
            let answer = try await post(world, body, key: key)
            #expect(answer.status == 422 && answer.code == "idempotency_key_reused" && answer.pointers == [pointer], "\(answer.text)")
        }
        let single = try await world.transfer(1, from: own, to: other, key: key)
        #expect(single.code == "idempotency_key_reused" && single.pointers == ["/route"], "\(single.text)")
        #expect(try await world.balance(own) == 97)
    }

    @Test func anItemThatFoundNothingIsTriedAgainWithTheSameKey() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let (stranger, _) = try await world.api.newUser()
        // Somebody else's wallet is not there.
        let body = LedgerWorld.batch("independent", LedgerWorld.transfer(own, other, "1"))
        let call = SignedCall("POST", "/v1/transfers/batch", body, as: stranger, key: "again")
        for _ in 0..<2 {
            let answer = try await world.api.send(call)
            #expect(answer.status == 200 && results(answer) == ["not_found"] && !answer.isReplay, "\(answer.text)")
        }
        #expect(try await world.balance(own) == 100)
    }

    @Test func aBatchOfFiveHundredPassesAndOneMoreItemIsNamed() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 10_000), try await world.wallet())
        let item = LedgerWorld.transfer(own, other, "1")
        for mode in ["atomic", "independent"] {
            func body(_ count: Int) -> String {
                #"{"mode":"\#(mode)","transfers":[\#(Array(repeating: item, count: count).joined(separator: ","))]}"#
            }
            let answer = try await post(world, body(500), key: LedgerWorld.newKey())
            #expect(answer.status == (mode == "atomic" ? 201 : 200) && results(answer).allSatisfy { $0 == "posted" })
            for (count, pointer) in [(501, "/transfers"), (0, "/transfers")] {
                let refused = try await post(world, body(count), key: LedgerWorld.newKey())
                #expect(refused.status == 400 && refused.pointers == [pointer], "\(refused.text)")
            }
        }
        #expect(try await world.balance(other) == 1_000)
    }

    @Test(arguments: [
        (#"{"mode":"both","transfers":[T]}"#, "malformed_request", "/mode"), (#"{"transfers":[T]}"#, "malformed_request", "/mode"),
        (#"{"mode":"atomic","transfers":T}"#, "malformed_request", "/transfers"),
        (#"{"mode":"atomic","transfers":[T,1]}"#, "malformed_request", "/transfers/1"),
        (#"{"mode":"atomic","transfers":[T,{}]}"#, "malformed_request", "/transfers/1/source_wallet_id"),
        (#"{"mode":"atomic","transfers":[T],"force":true}"#, "unknown_field", "/force"),
    ])
    func aBatchThatCantBeReadNamesWhere(body: String, code: String, pointer: String) async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(), try await world.wallet())
        let answer = try await post(world, body.replacing("T", with: LedgerWorld.transfer(own, other, "1")), key: LedgerWorld.newKey())
        #expect(answer.status == 400 && answer.code == code && answer.pointers == [pointer], "\(answer.text)")
        let amount = try await post(
            world, LedgerWorld.batch("independent", LedgerWorld.transfer(own, other, "1"), LedgerWorld.transfer(own, other, "1.5")),
            key: LedgerWorld.newKey())
        #expect(amount.code == "amount_out_of_range" && amount.pointers == ["/transfers/1/amount"], "\(amount.text)")
    }

    @Test func batchesWithOneKeyThatArriveTogetherPostOnce() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 1_000), try await world.wallet())
        for mode in ["atomic", "independent"] {
            let body = LedgerWorld.batch(mode, LedgerWorld.transfer(own, other, "3"), LedgerWorld.transfer(own, other, "4"))
            let key = LedgerWorld.newKey()
            let answers = try await withThrowingTaskGroup(of: SignedAnswer.self) { group in
                for _ in 0..<12 { group.addTask { try await post(world, body, key: key) } }
                return try await group.reduce(into: [SignedAnswer]()) { $0.append($1) }
            }
            #expect(Set(answers.map(\.text)).count == 1 && answers.count(where: { !$0.isReplay }) >= 1, "\(mode)")
        }
        #expect(try await world.balance(other) == 14)
    }

    @Test func anAtomicBatchWithOneReferenceTwiceNamesTheItemAndNoTransfer() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        func move(_ reference: String?) -> String { LedgerWorld.transfer(own, other, "1", reference: reference) }
        let (key, body) = (LedgerWorld.newKey(), LedgerWorld.batch("atomic", move(nil), move("twice"), move("other"), move("twice")))
        let refused = try await post(world, body, key: key)
        #expect(refused.status == 409 && refused.code == "reference_exists" && refused.pointers == ["/transfers/3"], "\(refused.text)")
        #expect(!refused.text.contains("trf_") && refused.text.contains("/transfers/1"), "\(refused.text)")
        let again = try await post(world, body, key: key)
        #expect(again.isReplay && again.bytes == refused.bytes, "\(again.text)")
        // Nothing has the reference.
        #expect(try await world.transfer(1, from: own, to: other, reference: "twice").status == 201)
    }

    @Test func aRefusalOfAnEarlierReleaseThatNamesAPhantomNamesTheItemNow() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let (key, twice) = (LedgerWorld.newKey(), LedgerWorld.transfer(own, other, "1", reference: "twice"))
        let body = LedgerWorld.batch("atomic", twice, twice)
        let refused = try await post(world, body, key: key)
        let phantom = TransferID(UUID())
        try await world.api.query { session in
            try session.execute("SET session_replication_role = replica")
            try session.execute("UPDATE idempotency_keys SET subject_id = \(phantom.uuid) WHERE key = \(key)")
        }
        let again = try await post(world, body, key: key)
        #expect(again.isReplay && again.bytes == refused.bytes && !again.text.contains("trf_"), "\(again.text)")
    }

    @Test func aRepeatedRefusalSaysSoWhateverTheRequestIsCalled() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(), try await world.wallet())
        let transfer = LedgerWorld.transfer(own, other, "1")
        for (target, body) in [
            ("/v1/transfers", transfer), ("/v1/transfers/batch", LedgerWorld.batch("atomic", transfer)),
            ("/v1/transfers/batch", LedgerWorld.batch("independent", transfer)), ("/v1/holds", transfer),
        ] {
            var call = SignedCall("POST", target, body, as: world.user, key: LedgerWorld.newKey())
            call.fields["x-request-id"] = "the-same-again"
            let first = try await world.api.send(call)
            let again = try await world.api.send(call)
            #expect(!first.isReplay && again.isReplay && again.bytes == first.bytes, "\(target): \(again.text)")
        }
    }

    @Test(arguments: ["source", "destination"])
    func aMalformedWalletIsTheItemsMatterLikeAnUnknownOne(side: String) async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let unknown = WalletID(UUID()).description
        for id in ["wal_x", "", String(repeating: "w", count: 200), world.userID, unknown.uppercased(), "wal_\u{212A}", unknown] {
            let odd = side == "source" ? LedgerWorld.transfer(id, other, "1") : LedgerWorld.transfer(own, id, "1")
            let body = LedgerWorld.batch("independent", odd, LedgerWorld.transfer(own, other, "1"))
            let key = LedgerWorld.newKey()
            for isRepeated in [false, true] {
                let answer = try await post(world, body, key: key)
                let isRight = answer.status == 200 && results(answer) == ["not_found", "posted"] && !answer.isReplay
                #expect(isRight, "\(isRepeated) \(id): \(answer.text)")
            }
            let whole = try await post(world, LedgerWorld.batch("atomic", odd, LedgerWorld.transfer(own, other, "1")), key: LedgerWorld.newKey())
            #expect(whole.status == 404, "\(whole.text)")
        }
        #expect(try await world.balance(other) == 7)
        // Another spelling is another request.
        let key = LedgerWorld.newKey()
        _ = try await post(world, LedgerWorld.batch("independent", LedgerWorld.transfer("wal_a", other, "1")), key: key)
        let reused = try await post(world, LedgerWorld.batch("independent", LedgerWorld.transfer("wal_b", other, "1")), key: key)
        #expect(reused.code == "idempotency_key_reused", "\(reused.text)")
    }

    @Test func aRefusedBatchIsKeptInAFewKilobytesAndStillKnown() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(), try await world.wallet())
        func body(_ amounts: [Int]) -> String {
            #"{"mode":"atomic","transfers":["#
                + amounts.map { LedgerWorld.transfer(own, other, "\($0)", reference: String(repeating: "é", count: 64)) }.joined(separator: ",")
                + "]}"
        }
        let key = LedgerWorld.newKey()
        let refused = try await post(world, body(Array(1...500)), key: key)
        #expect(refused.code == "insufficient_funds" && refused.pointers == ["/transfers/0"], "\(refused.text)")
        let kept: Int32 = try await world.api.query { session in
            try session.query("SELECT octet_length(request) FROM idempotency_keys WHERE key = \(key)")[0].decode(Int32.self)
        }
        #expect(kept < 8_192)
        let again = try await post(world, body(Array(1...500)), key: key)
        #expect(again.isReplay && again.bytes == refused.bytes)
        for (other, pointer) in [
            (Array(1...499) + [501], "/transfers/499"), (Array(1...250) + Array(252...501), "/transfers/250"), (Array(1...499), "/transfers/499"),
            ([1], "/transfers/1"),
        ] {
            let answer = try await post(world, body(other), key: key)
            #expect(answer.code == "idempotency_key_reused" && answer.pointers == [pointer], "\(answer.text)")
        }
    }
}
