import Contracts
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

/// What a reader learns: their own legs, page by page.
@Suite struct HTTPVisibilityTests {
    @Test func eachSideSeesItsOwnLegAndNotTheOthersBalance() async throws {
        let world = try await LedgerWorld.new()
        let (neighbour, neighbourID) = try await world.api.newUser()
        let (own, theirs) = (try await world.wallet(balance: 100), try await world.wallet(owner: neighbourID, balance: 7_777))
        let posted = try await world.transfer(5, from: own, to: theirs)
        #expect(wallets(posted) == [own])
        #expect(!posted.text.contains("778"), "the receiver's balance is told: \(posted.text)")

        for (party, visible) in [(world.user, [own]), (neighbour, [theirs]), (world.client, [own, theirs]), (world.staff, [own, theirs])] {
            let read = try await world.api.send(SignedCall("GET", "/v1/transfers/\(posted.id)", as: party))
            #expect(read.status == 200 && wallets(read) == visible, "\(read.text)")
            // Who paid whom is no secret between the two.
            #expect(read.json["source_wallet_id"]?.stringValue == own)
            #expect(read.json["destination_wallet_id"]?.stringValue == theirs)
        }
        let (outsider, _) = try await world.api.newUser()
        #expect(try await world.api.send(SignedCall("GET", "/v1/transfers/\(posted.id)", as: outsider)).status == 404)
        let stranger = try await world.api.client("outsider-\(LedgerWorld.newKey())")
        #expect(try await world.api.send(SignedCall("GET", "/v1/transfers/\(posted.id)", as: stranger)).status == 404)
    }

    @Test func theReplayShowsNoMoreThanTheFirstAnswer() async throws {
        let world = try await LedgerWorld.new()
        let (_, neighbourID) = try await world.api.newUser()
        let (own, theirs) = (try await world.wallet(balance: 100), try await world.wallet(owner: neighbourID))
        _ = try await world.transfer(5, from: own, to: theirs, key: "seen")
        #expect(wallets(try await world.transfer(5, from: own, to: theirs, key: "seen")) == [own])
    }

    @Test func theWorldOutsideHasNoWalletThatOneCouldName() async throws {
        let world = try await LedgerWorld.new()
        let own = try await world.wallet()
        let deposit = try await world.api.send(
            SignedCall("POST", "/v1/deposits", LedgerWorld.funding(own, 5), as: world.client, key: LedgerWorld.newKey()))
        #expect(wallets(deposit) == [own])
        #expect(deposit.json["source_wallet_id"] == nil && deposit.json["destination_wallet_id"]?.stringValue == own)
        let ids = try await world.api.query { session in
            try session.query("SELECT id::text FROM wallets WHERE is_world AND currency = 'EUR'").map { try $0.decode(String.self) }
        }
        let outside = try #require(ids.first.flatMap { UUID(uuidString: $0) }.map(WalletID.init(_:)))
        for party in [world.user, world.client, world.staff] {
            #expect(try await world.api.send(SignedCall("GET", "/v1/wallets/\(outside)", as: party)).status == 404)
        }
        #expect(try await world.transfer(1, from: own, to: outside.description).status == 404)
        #expect(try await world.transfer(1, from: outside.description, to: own, as: world.client).status == 404)
        let freeze = SignedCall("POST", "/v1/wallets/\(outside)/freeze", #"{"block":"all","reason":"r"}"#, as: world.staff)
        #expect(try await world.api.send(freeze).status == 404)
    }

    @Test func aDestinationOnlyNeedsToExistAndBeOpen() async throws {
        let world = try await LedgerWorld.new()
        let elsewhere = try await LedgerWorld.new()
        let (own, foreign) = (try await world.wallet(balance: 100), try await elsewhere.wallet())
        #expect(try await world.transfer(5, from: own, to: foreign).status == 201)
        #expect(try await world.transfer(5, from: own, to: foreign, as: world.client).status == 201)
        try await elsewhere.change(foreign, "freeze", #"{"block":"debits","reason":"r"}"#)
        #expect(try await world.transfer(5, from: own, to: foreign).status == 201)
        #expect(try await elsewhere.balance(foreign) == 15)
    }

    @Test func onlyWhoReceivedTheMoneyOrStaffMayRefundIt() async throws {
        let world = try await LedgerWorld.new()
        let (neighbour, neighbourID) = try await world.api.newUser()
        let (own, theirs) = (try await world.wallet(balance: 100), try await world.wallet(owner: neighbourID))
        let posted = try await world.transfer(50, from: own, to: theirs)
        func refund(_ party: Party) async throws -> SignedAnswer {
            let body = #"{"amount":10,"currency":"EUR"}"#
            return try await world.api.send(SignedCall("POST", "/v1/transfers/\(posted.id)/refunds", body, as: party, key: LedgerWorld.newKey()))
        }
        #expect(try await refund(world.user).status == 404)
        let theirRefund = try await refund(neighbour)
        #expect(theirRefund.status == 201 && theirRefund.json["kind"]?.stringValue == "refund")
        #expect(theirRefund.json["original_transfer_id"]?.stringValue == posted.id)
        #expect(try await refund(world.staff).status == 201)
        #expect(try await world.balance(own) == 70)
        #expect(try await world.balance(theirs) == 30)
    }

    @Test func pagesHoldEveryEntryOnceWhileMoreAreWritten() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 1_000), try await world.wallet())
        for amount in 1...24 { _ = try await world.transfer(Int64(amount), from: own, to: other) }
        var versions: [Int64] = []
        var query = "?limit=7"
        var pages = 0
        while true {
            let page = try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)/entries\(query)", as: world.user))
            let entries = try #require(page.json["data"]?.arrayValue)
            versions += entries.compactMap { $0["wallet_version"]?.integerValue }
            pages += 1
            #expect(entries.count <= 7)
            _ = try await world.transfer(1, from: own, to: other)
            let cursor = page.json["next_cursor"]?.stringValue
            #expect(page.json["has_more"]?.boolValue == (cursor != nil))
            guard let cursor else { break }
            query = "?limit=7&cursor=\(cursor)"
        }
        #expect(versions == Array((1...25).reversed()))
        #expect(pages == 4)
    }

    @Test func aPageHoldsFiftyUnlessToldOtherwise() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 1_000), try await world.wallet())
        for _ in 1...51 { _ = try await world.transfer(1, from: own, to: other) }
        for (query, count, hasMore) in [("", 50, true), ("?limit=52", 52, false), ("?limit=100", 52, false), ("?limit=1", 1, true)] {
            let page = try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)/entries\(query)", as: world.user))
            #expect(page.json["data"]?.arrayValue?.count == count)
            #expect(page.json["has_more"]?.boolValue == hasMore)
        }
        let entry = try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)/entries?limit=1", as: world.user)).json["data"]?[0]
        #expect(entry?["amount"]?.integerValue == -1 && entry?["balance_after"]?.integerValue == 949)
    }

    private func wallets(_ answer: SignedAnswer) -> [String] {
        (answer.json["entries"]?.arrayValue ?? []).compactMap { $0["wallet_id"]?.stringValue }
    }
}
