import Contracts
import Foundation
import StrictJSON
import TestSupport
import Testing

/// Lists of wallets and transfers over HTTP: who sees what, page by page.
@Suite struct HTTPListTests {
    /// All items of a list, in pages of `limit`, with what happens between two pages.
    private func all(_ path: String, limit: Int, as party: Party, _ api: LedgerAPI, between: () async throws -> Void = {}) async throws -> [JSONValue]
    {
        var items: [JSONValue] = []
        var cursor = ""
        repeat {
            let separator = path.contains("?") ? "&" : "?"
            let page = try await api.send(SignedCall("GET", "\(path)\(separator)limit=\(limit)\(cursor)", as: party))
            try #require(page.status == 200, "\(page.text)")
            let data = try #require(page.json["data"]?.arrayValue)
            #expect(data.count <= limit)
            #expect(page.json["has_more"]?.boolValue == (page.json["next_cursor"]?.stringValue != nil))
            items += data
            cursor = page.json["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
            try await between()
        } while !cursor.isEmpty
        return items
    }

    private func ids(_ items: [JSONValue]) -> [String] { items.compactMap { $0["id"]?.stringValue } }

    @Test func aUserSeesTheirOwnWalletsAndAClientThoseItOpened() async throws {
        let world = try await LedgerWorld.new()
        let elsewhere = try await LedgerWorld.new()
        let (_, neighbourID) = try await world.api.newUser()
        var own: [String] = []
        for _ in 0..<5 { own.append(try await world.wallet(balance: 3)) }
        let theirs = try await world.wallet(owner: neighbourID)
        // Another client opened one for the same user.
        let second = try await elsewhere.wallet(owner: world.userID)
        let ours = own.reversed() as [String]

        #expect(try await ids(all("/v1/wallets", limit: 2, as: world.user, world.api)) == [second] + ours)
        #expect(try await ids(all("/v1/wallets?owner_id=\(world.userID)", limit: 100, as: world.user, world.api)) == [second] + ours)
        #expect(try await ids(all("/v1/wallets", limit: 2, as: world.client, world.api)) == [theirs] + ours)
        #expect(try await ids(all("/v1/wallets?owner_id=\(world.userID)", limit: 2, as: world.client, world.api)) == ours)
        #expect(try await ids(all("/v1/wallets?owner_id=\(world.userID)", limit: 2, as: elsewhere.client, world.api)) == [second])
        #expect(try await ids(all("/v1/wallets?owner_id=\(neighbourID)", limit: 2, as: elsewhere.client, world.api)) == [])
        #expect(try await ids(all("/v1/wallets?owner_id=\(world.userID)", limit: 4, as: world.staff, world.api)) == [second] + ours)
        let refused = try await world.api.send(SignedCall("GET", "/v1/wallets?owner_id=\(neighbourID)", as: world.user))
        #expect(refused.status == 404)

        let first = try #require(try await all("/v1/wallets", limit: 100, as: world.client, world.api).last)
        let single = try await world.api.send(SignedCall("GET", "/v1/wallets/\(own[0])", as: world.client))
        #expect(first == single.json)
    }

    @Test func walletsOpenedMeanwhileDoNotShiftThePages() async throws {
        let world = try await LedgerWorld.new()
        var own: [String] = []
        for _ in 0..<7 { own.append(try await world.wallet()) }
        let listed = try await all("/v1/wallets", limit: 2, as: world.client, world.api) { _ = try await world.wallet() }
        #expect(ids(listed) == own.reversed())
    }

    @Test func transfersOfAWalletComeNewestFirstWhileMoreArePosted() async throws {
        let world = try await LedgerWorld.new()
        let (neighbour, neighbourID) = try await world.api.newUser()
        let (own, theirs) = (try await world.wallet(balance: 1_000), try await world.wallet(owner: neighbourID))
        var posted: [String] = []
        for amount: Int64 in 1...9 { posted.append(try await world.transfer(amount, from: own, to: theirs).id) }
        let path = "/v1/transfers?wallet_id=\(own)&kind=transfer"
        let listed = try await all(path, limit: 2, as: world.user, world.api) { _ = try await world.transfer(1, from: own, to: theirs) }
        #expect(ids(listed) == posted.reversed())
        let kinds = try await all("/v1/transfers?wallet_id=\(own)", limit: 100, as: world.user, world.api).last?["kind"]?.stringValue
        #expect(kinds == "deposit")
        // Each side sees its own leg only, as when it reads one transfer.
        let received = try await all("/v1/transfers?wallet_id=\(theirs)", limit: 5, as: neighbour, world.api)
        #expect(received.count > 9)
        for transfer in received {
            #expect((transfer["entries"]?.arrayValue ?? []).compactMap { $0["wallet_id"]?.stringValue } == [theirs])
        }
        let single = try await world.api.send(SignedCall("GET", "/v1/transfers/\(posted[8])", as: world.user))
        #expect(listed.first == single.json)
    }

    @Test func holdsOfAWalletComeNewestFirstAndTheOpenOnesByThemselves() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 1_000), try await world.wallet())
        var placed: [String] = []
        for amount: Int64 in 1...7 { placed.append(try await world.hold(amount, from: own, to: other).id) }
        for index in [0, 3, 6] {
            let call = SignedCall("POST", "/v1/holds/\(placed[index])/void", "{}", as: world.user, key: LedgerWorld.newKey())
            #expect(try await world.api.send(call).status == 200)
        }
        let path = "/v1/wallets/\(own)/holds"
        let listed = try await all(path, limit: 2, as: world.user, world.api) { _ = try await world.hold(1, from: own, to: other) }
        #expect(ids(listed) == placed.reversed())
        let open = try await all("\(path)?status=open", limit: 1, as: world.client, world.api)
        #expect(open.allSatisfy { $0["status"]?.stringValue == "open" })
        #expect(ids(open).suffix(4) == [placed[5], placed[4], placed[2], placed[1]])
        let single = try await world.api.send(SignedCall("GET", "/v1/holds/\(placed[0])", as: world.user))
        #expect(listed.last == single.json)
        // Who receives the money sees its capture, not what the payer sets aside.
        #expect(try await all("/v1/wallets/\(other)/holds", limit: 100, as: world.user, world.api) == [])
        let (stranger, _) = try await world.api.newUser()
        #expect(try await world.api.send(SignedCall("GET", path, as: stranger)).status == 404)
        let refused = try await world.api.send(SignedCall("GET", "\(path)?status=voided", as: world.user))
        #expect(refused.status == 400 && refused.pointers == ["/status"], "\(refused.text)")
    }

    @Test func aReferenceFindsWhatItsPrincipalOrdered() async throws {
        let world = try await LedgerWorld.new()
        let own = try await world.wallet(balance: 100)
        let other = try await world.wallet()
        let text = "invoice 7/ä&+-\(UUID().uuidString.prefix(8))"
        let byUser = try await world.transfer(5, from: own, to: other, reference: text)
        let byClient = try await world.transfer(6, from: own, to: other, as: world.client, reference: text)
        let escaped = text.utf8.map { byte in
            let hexadecimal = String(byte, radix: 16)
            return "%\(hexadecimal.count == 1 ? "0" : "")\(hexadecimal)"
        }.joined()
        func found(_ party: Party) async throws -> [String] {
            let answer = try await world.api.send(SignedCall("GET", "/v1/transfers?reference=\(escaped)", as: party))
            #expect(answer.status == 200 && answer.json["has_more"]?.boolValue == false, "\(answer.text)")
            return ids(answer.json["data"]?.arrayValue ?? [])
        }
        #expect(try await found(world.user) == [byUser.id])
        #expect(try await found(world.client) == [byClient.id])
        #expect(try await found(world.staff) == [])
        #expect(try await found(try await world.api.newUser().party) == [])
    }

    @Test func aCursorBelongsToItsQuery() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet(balance: 100))
        for _ in 0..<3 { _ = try await world.transfer(1, from: own, to: other) }
        func cursor(_ path: String, as party: Party) async throws -> String {
            try #require(try await world.api.send(SignedCall("GET", path, as: party)).json["next_cursor"]?.stringValue, "\(path)")
        }
        let entries = try await cursor("/v1/wallets/\(own)/entries?limit=1", as: world.user)
        let refused = [
            "/v1/wallets/\(other)/entries", "/v1/wallets/\(own)/entries?kind=transfer", "/v1/wallets/\(own)/entries?from=2020-01-01T00:00:00Z",
            "/v1/transfers?wallet_id=\(own)", "/v1/wallets", "/v1/wallets/\(own)/statement",
        ]
        for path in refused {
            let answer = try await world.api.send(
                SignedCall("GET", "\(path)\(path.contains("?") ? "&" : "?")cursor=\(entries)", as: world.user))
            #expect(answer.code == "malformed_request" && answer.pointers == ["/cursor"], "\(path): \(answer.text)")
        }
        let byAnother = try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)/entries?cursor=\(entries)", as: world.client))
        #expect(byAnother.code == "malformed_request")
        let longer = try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)/entries?limit=100&cursor=\(entries)", as: world.user))
        #expect(longer.json["data"]?.arrayValue?.count == 3)
        let wallets = try await cursor("/v1/wallets?limit=1", as: world.client)
        let ofAnother = try await world.api.send(
            SignedCall("GET", "/v1/wallets?owner_id=\(world.userID)&cursor=\(wallets)", as: world.client))
        #expect(ofAnother.code == "malformed_request")
    }
}
