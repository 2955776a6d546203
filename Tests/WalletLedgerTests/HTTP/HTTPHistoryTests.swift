import Contracts
import Foundation
import Outbox
import Postgres
import StrictJSON
import TestSupport
import Testing

/// Balance at a time and statement, over HTTP.
@Suite struct HTTPHistoryTests {
    /// Two hours in which a wallet got 1000, paid 100, 200 and 300 and got 50, a quarter of an hour apart.
    private struct Past {
        let world: LedgerWorld
        let own: String
        let other: String
        let times: [String]

        func balance(_ at: String, as party: Party? = nil) async throws -> SignedAnswer {
            try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)/balance?at=\(at)", as: party ?? world.user))
        }

        func statement(_ query: String = "", as party: Party? = nil) async throws -> SignedAnswer {
            try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)/statement\(query)", as: party ?? world.user))
        }
    }

    private func past() async throws -> Past {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 1_000), try await world.wallet(balance: 500))
        for amount: Int64 in [100, 200, 300] { _ = try await world.transfer(amount, from: own, to: other) }
        _ = try await world.transfer(50, from: other, to: own)
        let wallets = try [own, other].map { try #require(WalletID($0)).uuid }
        let times = try await world.api.query { session in
            // As if it had been earlier: the rows refuse it, so their triggers are off for this session.
            try session.execute("SET session_replication_role = replica")
            try session.execute("UPDATE wallets SET opened_at = opened_at - interval '3 hours' WHERE id = ANY(\(wallets))")
            try session.execute(
                """
                UPDATE entries SET posted_at = date_trunc('milliseconds', posted_at) - interval '2 hours' + version * interval '15 minutes'
                    + interval '456 microseconds'
                WHERE wallet_id = ANY(\(wallets))
                """)
            let rows = try session.query("SELECT posted_at FROM entries WHERE wallet_id = \(wallets[0]) ORDER BY version")
            return try rows.map { row in
                let time = try row.decode(PostgresTimestamp.self)
                return Timestamp(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch).description
            }
        }
        return Past(world: world, own: own, other: other, times: times)
    }

    @Test func theBalanceAtAnEntrysTimeIsWhatItLeft() async throws {
        let past = try await past()
        for (time, balance) in zip(past.times, [1_000, 900, 700, 400, 450] as [Int64]) {
            let answer = try await past.balance(time)
            #expect(answer.status == 200 && answer.json["balance"]?.integerValue == balance, "\(answer.text)")
            #expect(answer.json["at"]?.stringValue == time)
            #expect(answer.json["held"] == nil && answer.json["available"] == nil)
        }
        #expect(try await past.balance(past.times[1]).json["version"]?.integerValue == 2)
        let between = past.times[1].replacing("Z", with: "999%2B00:00")
        #expect(try await past.balance(between).json["balance"]?.integerValue == 900)
        #expect(try await past.balance("2020-01-01T00:00:00Z").status == 404)
    }

    @Test func theBalanceIsZeroBetweenTheOpeningAndTheFirstEntry() async throws {
        let past = try await past()
        let first = try #require(Timestamp(rfc3339: past.times[0], rounding: .down)).earlier(by: .milliseconds(1))
        let answer = try await past.balance(first.description)
        #expect(answer.json["balance"]?.integerValue == 0 && answer.json["version"]?.integerValue == 0)
    }

    @Test func whatIsTooYoungIsRefused() async throws {
        let past = try await past()
        for age: Int64 in [0, 5, 13] {
            let time = Timestamp(microsecondsSinceUnixEpoch: (LedgerAPI.now - age) * 1_000_000).description
            for answer in [try await past.balance(time), try await past.statement("?to=\(time)")] {
                #expect(answer.status == 400 && answer.code == "at_too_recent", "\(answer.text)")
            }
        }
        let old = Timestamp(microsecondsSinceUnixEpoch: (LedgerAPI.now - 20) * 1_000_000).description
        #expect(try await past.balance(old).json["balance"]?.integerValue == 450)
    }

    @Test func theStatementAddsUpAndStaysTheSame() async throws {
        let past = try await past()
        let query = "?from=\(past.times[1])&to=\(past.times[4])"
        let answer = try await past.statement(query)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["opening_balance"]?.integerValue == 1_000 && answer.json["closing_balance"]?.integerValue == 400)
        #expect(answer.json["total_credits"]?.stringValue == "0" && answer.json["total_debits"]?.stringValue == "600")
        let entries = try #require(answer.json["data"]?.arrayValue)
        #expect(entries.compactMap { $0["amount"]?.integerValue } == [-100, -200, -300])
        #expect(answer.json["has_more"]?.boolValue == false)
        _ = try await past.world.transfer(1, from: past.own, to: past.other)
        #expect(try await past.statement(query).bytes == answer.bytes)
        let point = try await past.statement("?from=\(past.times[1])&to=\(past.times[1])")
        #expect(point.json["opening_balance"] == point.json["closing_balance"] && point.json["data"]?.arrayValue?.isEmpty == true)
    }

    @Test func aStatementWithoutATimeIsOfAllThatIsFinalAndItsPagesAgree() async throws {
        let past = try await past()
        var versions: [Int64] = []
        var cursor = ""
        var heads: Set<String> = []
        repeat {
            let page = try await past.statement("?limit=2\(cursor)")
            versions += (page.json["data"]?.arrayValue ?? []).compactMap { $0["wallet_version"]?.integerValue }
            heads.insert(
                ["from", "to", "opening_balance", "closing_balance", "total_credits", "total_debits"].map { "\(page.json[$0] ?? .null)" }.joined())
            cursor = page.json["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
            // What is posted meanwhile is in none of the pages.
            _ = try await past.world.transfer(1, from: past.own, to: past.other)
        } while !cursor.isEmpty
        #expect(versions == [1, 2, 3, 4, 5] && heads.count == 1)
        let world = try await LedgerWorld.new()
        let fresh = try await world.wallet(balance: 5)
        let answer = try await world.api.send(SignedCall("GET", "/v1/wallets/\(fresh)/statement", as: world.user))
        #expect(answer.status == 200 && answer.json["closing_balance"]?.integerValue == 0 && answer.json["from"] == answer.json["to"])
    }

    @Test func nobodyElseReadsIt() async throws {
        let past = try await past()
        let (outsider, _) = try await past.world.api.newUser()
        let stranger = try await past.world.api.client("outsider-\(LedgerWorld.newKey())")
        for party in [outsider, stranger] {
            #expect(try await past.balance(past.times[2], as: party).status == 404)
            #expect(try await past.statement(as: party).status == 404)
            for path in ["/v1/wallets/\(past.own)/entries?kind=transfer", "/v1/transfers?wallet_id=\(past.own)"] {
                #expect(try await past.world.api.send(SignedCall("GET", path, as: party)).status == 404)
            }
        }
        for party in [past.world.client, past.world.staff] {
            #expect(try await past.balance(past.times[2], as: party).status == 200)
            #expect(try await past.statement(as: party).status == 200)
        }
    }

    @Test func entriesAreFilteredByTimeAndKind() async throws {
        let past = try await past()
        func amounts(_ query: String) async throws -> [Int64] {
            let answer = try await past.world.api.send(SignedCall("GET", "/v1/wallets/\(past.own)/entries?\(query)", as: past.world.user))
            return (answer.json["data"]?.arrayValue ?? []).compactMap { $0["amount"]?.integerValue }
        }
        #expect(try await amounts("kind=deposit") == [1_000])
        #expect(try await amounts("kind=transfer") == [50, -300, -200, -100])
        #expect(try await amounts("kind=refund") == [])
        #expect(try await amounts("from=\(past.times[2])") == [50, -300, -200])
        #expect(try await amounts("to=\(past.times[2])") == [-100, 1_000])
        #expect(try await amounts("from=\(past.times[1])&to=\(past.times[3])&kind=transfer&limit=1") == [-200])
        // A list is no answer about the past: its end may be of any time.
        #expect(try await amounts("to=9999-01-01T00:00:00Z").count == 5)
    }
}
