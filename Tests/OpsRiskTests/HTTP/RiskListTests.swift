import Contracts
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import OpsRisk

/// The list of alerts: what it shows, by which filters, page by page.
@Suite struct RiskListTests {
    /// All items of a list, in pages of `limit`, with what happens between two pages.
    private func all(
        _ filter: String, limit: Int = 2, as party: Party, _ api: RiskAPI, between: () async throws -> Void = {}
    ) async throws -> [JSONValue] {
        var items: [JSONValue] = []
        var cursor = ""
        repeat {
            let page = try await api.send(SignedCall("GET", "/v1/risk/alerts?\(filter)&limit=\(limit)\(cursor)", as: party))
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

    @Test func anAlertIsShownWithWhatItFoundAndHowItEnded() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let wallet = RiskSamples.newWallet()
        try await api.fixture.apply((1...4).map { RiskSamples.debit(wallet, at: Double($0), 10) })
        let open = try #require(try await all("wallet_id=\(wallet)", as: staff, api).first)
        #expect(open["rule"]?.stringValue == "velocity" && open["status"]?.stringValue == "open")
        #expect(open["count"]?.integerValue == 4 && open["limit"]?.integerValue == 3 && open["window_seconds"]?.integerValue == 60)
        #expect(open["wallet_id"]?.stringValue == "\(wallet)" && open["amount"]?.integerValue == 10 && open["currency"]?.stringValue == "EUR")
        #expect(open["occurred_at"]?.stringValue == "\(RiskSamples.time(4))" && open["resolution"] == nil)
        let resolved = try await api.resolve(
            open["id"]?.stringValue ?? "", #"{"resolution":"false_positive","note":"their own café"}"#, as: staff)
        #expect(try await all("wallet_id=\(wallet)", as: staff, api) == [resolved.json])
        #expect(resolved.json["note"]?.stringValue == "their own café")
    }

    @Test func filtersShowTheAlertsOfAWalletOrAStatusTheLatestFirst() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let (wallet, other) = (RiskSamples.newWallet(), RiskSamples.newWallet())
        var own: [String] = []
        // Ids made within one millisecond have no order of their own.
        for second in 0..<5 {
            let api = api
            let judge = JudgeDebits(rules: RiskSamples.rules, metrics: nil, now: { RiskSamples.time(Double(second)) })
            let debit = RiskSamples.debit(wallet, at: Double(second * 1_000), 1_000_000)
            try await api.fixture.pool.withTransaction { session in try judge([ObservedDebit(debit: debit, traceparent: nil)], session) }
            own.insert(try #require(ids(try await all("wallet_id=\(wallet)", as: staff, api)).first), at: 0)
        }
        let theirs = try await api.alert(of: other)
        #expect(try await ids(all("wallet_id=\(wallet)", as: staff, api)) == own)
        #expect(try await ids(all("wallet_id=\(wallet)&status=open", limit: 100, as: staff, api)) == own)
        #expect(try await api.resolve(own[1], as: staff).status == 200)
        #expect(try await api.resolve(own[3], as: staff).status == 200)
        #expect(try await ids(all("wallet_id=\(wallet)&status=open", as: staff, api)) == [own[0], own[2], own[4]])
        #expect(try await ids(all("wallet_id=\(wallet)&status=resolved", limit: 1, as: staff, api)) == [own[1], own[3]])
        #expect(try await ids(all("wallet_id=\(other)", as: staff, api)) == [theirs])
        #expect(try await ids(all("wallet_id=\(RiskSamples.newWallet())", as: staff, api)) == [])
        // In this order: other tests resolve alerts meanwhile, and what is resolved stays so.
        let resolved = try await ids(all("status=resolved", limit: 100, as: staff, api))
        let open = try await ids(all("status=open", limit: 100, as: staff, api))
        #expect(Set(open).isSuperset(of: [own[0], own[2], own[4], theirs]) && Set(open).isDisjoint(with: [own[1], own[3]]))
        #expect(Set(resolved).isSuperset(of: [own[1], own[3]]) && Set(resolved).isDisjoint(with: open))
    }

    @Test func alertsRaisedMeanwhileDoNotShiftThePages() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let wallet = RiskSamples.newWallet()
        for _ in 0..<7 { _ = try await api.alert(of: wallet) }
        let before = try await ids(all("wallet_id=\(wallet)", limit: 100, as: staff, api))
        // They come from the service's own clock, so later than the fixture's.
        let judge = JudgeDebits(rules: RiskSamples.rules, metrics: nil, now: { RiskSamples.time(2_000) })
        let paged = try await ids(
            all("wallet_id=\(wallet)", limit: 2, as: staff, api) {
                let debit = RiskSamples.debit(wallet, at: 0, 1_000_000)
                try await api.fixture.pool.withTransaction { session in try judge([ObservedDebit(debit: debit, traceparent: nil)], session) }
            })
        // Seven of high values, and one because they are so many.
        #expect(before.count == 8 && paged == before)
    }

    @Test func aCursorIsOfItsQueryAndItsReader() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let wallet = RiskSamples.newWallet()
        for _ in 0..<2 { _ = try await api.alert(of: wallet) }
        let page = try await api.send(SignedCall("GET", "/v1/risk/alerts?wallet_id=\(wallet)&limit=1", as: staff))
        let cursor = try #require(page.json["next_cursor"]?.stringValue)
        let others: [(query: String, party: Party)] = [
            ("wallet_id=\(wallet)&status=open&cursor=\(cursor)", staff), ("cursor=\(cursor)", staff),
            ("wallet_id=\(RiskSamples.newWallet())&cursor=\(cursor)", staff), ("wallet_id=\(wallet)&cursor=\(cursor)", try await api.staff()),
            ("wallet_id=\(wallet)&cursor=\(cursor)x", staff), ("wallet_id=\(wallet)&cursor=", staff),
        ]
        for other in others {
            let answer = try await api.send(SignedCall("GET", "/v1/risk/alerts?\(other.query)", as: other.party))
            #expect(answer.status == 400 && answer.code == "malformed_request" && answer.pointers == ["/cursor"], "\(other.query): \(answer.text)")
        }
    }

    @Test(
        arguments: [
            ("status=closed", 400, "malformed_request", "/status"), ("status=", 400, "malformed_request", "/status"),
            ("status=open&status=open", 400, "malformed_request", "/status"), ("limit=0", 400, "malformed_request", "/limit"),
            ("limit=101", 400, "malformed_request", "/limit"), ("owner=x", 400, "unknown_field", "/owner"),
            ("wallet_id=trf_01900000000000000000000000", 404, "not_found", "/wallet_id"), ("wallet_id=", 404, "not_found", "/wallet_id"),
        ])
    func aBadQueryIsRefusedByItsParameter(query: String, status: Int, code: String, pointer: String) async throws {
        let api = try await RiskAPI.shared()
        let answer = try await api.send(SignedCall("GET", "/v1/risk/alerts?\(query)", as: try await api.staff()))
        #expect(answer.status == status && answer.code == code && answer.pointers == [pointer], "\(answer.text)")
    }
}
