import Contracts
import Postgres
import TestSupport
import Testing

@testable import OpsRisk

@Suite("Judging debits")
struct JudgeDebitsTests {
    @Test("a high value becomes an alert and its event, with the trace of the transfer's event")
    func highValue() async throws {
        let fixture = try await RiskFixture()
        let debit = RiskSamples.debit(RiskSamples.newWallet(), at: 1, 1_000_000)
        try await fixture.apply([RiskSamples.debit(RiskSamples.newWallet(), at: 1, 999_999), debit], traceparent: "00-aa-bb-01")
        let alert = try #require(try await fixture.alerts().first)
        #expect(try await fixture.alerts().count == 1)
        #expect(alert.finding == .highValue(thresholdMinor: 1_000_000))
        #expect(alert.debit == debit && alert.resolution == nil)
        let event = try #require(try await fixture.events().first)
        #expect(try await fixture.events().count == 1)
        #expect(event.type == "risk.alert.raised.v1" && event.subject == "\(alert.id)" && event.partitionKey == "\(debit.walletID)")
        #expect(event.traceparent == "00-aa-bb-01")
        #expect(event.data == String(decoding: alert.raisedEvent.wireBytes(), as: UTF8.self))
    }

    @Test("too many debits become one alert, however many more there are in the same stretch of time", arguments: [false, true])
    func velocity(isPooled: Bool) async throws {
        let fixture = try await RiskFixture(isPooled: isPooled)
        let wallet = RiskSamples.newWallet()
        for second in [1, 2, 3] { try await fixture.apply([RiskSamples.debit(wallet, at: Double(second))]) }
        #expect(try await fixture.alerts() == [])
        let fourth = RiskSamples.debit(wallet, at: 4, 777)
        try await fixture.apply([fourth], traceparent: "00-cc-dd-01")
        let alert = try #require(try await fixture.alerts().first)
        #expect(alert.finding == .velocity(count: 4, limit: 3, windowSeconds: 60))
        #expect(alert.debit == fourth)
        #expect(try await fixture.events().map(\.traceparent) == ["00-cc-dd-01"])
        try await fixture.apply((5..<50).map { RiskSamples.debit(wallet, at: Double($0)) })
        #expect(try await fixture.alerts() == [alert])
        // In the next stretch there is another one, of the whole burst as far as the window reaches.
        try await fixture.apply([RiskSamples.debit(wallet, at: 60)])
        let next = try #require(try await fixture.alerts().first { $0.id != alert.id })
        #expect(next.finding == .velocity(count: 50, limit: 3, windowSeconds: 60))
        #expect(try await fixture.events().count == 2)
    }

    @Test("a debit that comes late makes the count of an earlier one complete; the alert names that one and the trace of the late one")
    func late() async throws {
        let fixture = try await RiskFixture()
        let wallet = RiskSamples.newWallet()
        let debits = [58, 59, 61].map { RiskSamples.debit(wallet, at: $0) }
        try await fixture.apply(debits)
        try await fixture.apply([RiskSamples.debit(wallet, at: 30)], traceparent: "00-ee-ff-01")
        let alert = try #require(try await fixture.alerts().first)
        #expect(alert.debit == debits[2] && alert.finding == .velocity(count: 4, limit: 3, windowSeconds: 60))
        #expect(try await fixture.events().map(\.traceparent) == ["00-ee-ff-01"])
    }

    @Test("the same transfer in another event changes nothing: the tables themselves keep it once")
    func secondLine() async throws {
        let fixture = try await RiskFixture()
        let wallet = RiskSamples.newWallet()
        let debits = (0..<6).map { RiskSamples.debit(wallet, at: Double($0), 2_000_000) }
        try await fixture.apply(debits + debits)
        let alerts = try await fixture.alerts()
        #expect(alerts.count == 7)
        try await fixture.apply(debits.reversed())
        #expect(try await fixture.alerts() == alerts)
        #expect(try await fixture.count("customer_debits") == 6)
        #expect(try await fixture.events().count == 7)
    }

    @Test("any order, any split into batches and any repetition of the same debits raise the same alerts", arguments: 0..<24)
    func anyOrder(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let rules = RiskRules(
            highValue: RiskSamples.highValue("EUR=900"),
            velocity: VelocityRule(limit: Int.random(in: 1...4, using: &random), windowSeconds: Int64.random(in: 1...20, using: &random)))
        let fixture = try await RiskFixture(rules: rules)
        let wallets = (0..<3).map { _ in RiskSamples.newWallet() }
        let debits = (0..<60).map { _ in
            RiskSamples.debit(
                wallets.randomElement(using: &random) ?? wallets[0], at: Double(Int.random(in: 0...200, using: &random)) / 2,
                Int64.random(in: 1...1_000, using: &random))
        }
        var arrivals = (debits + debits.filter { _ in Bool.random(using: &random) }).shuffled(using: &random)
        while !arrivals.isEmpty {
            let size = min(arrivals.count, Int.random(in: 1...20, using: &random))
            try await fixture.apply(Array(arrivals.prefix(size)))
            arrivals.removeFirst(size)
        }
        let matters = try await fixture.matters()
        #expect(matters.sorted() == AlertMatter.all(of: Set(debits), rules).sorted(), "seed \(seed)")
        #expect(try await fixture.events().count == matters.count)
        // What an alert says of its window is true of the debits that had arrived: never too few, never more than there are.
        for case (.velocity(let count, let limit, _), let debit) in try await fixture.alerts().map({ ($0.finding, $0.debit) }) {
            let end = debit.occurredAt.microsecondsSinceUnixEpoch
            let there = debits.filter {
                $0.walletID == debit.walletID && $0.occurredAt <= debit.occurredAt
                    && $0.occurredAt.microsecondsSinceUnixEpoch > end - rules.velocity.windowSeconds * 1_000_000
            }.count
            #expect(count > limit && count <= there, "seed \(seed)")
        }
    }

    @Test("what is rolled back leaves nothing")
    func rolledBack() async throws {
        struct Stop: Error {}
        let fixture = try await RiskFixture()
        let debit = RiskSamples.debit(RiskSamples.newWallet(), at: 0, 5_000_000)
        let judge = fixture.judge
        await #expect(throws: Stop.self) {
            try await fixture.pool.withTransaction { session in
                try judge([ObservedDebit(debit: debit, traceparent: nil)], session)
                throw Stop()
            }
        }
        for table in ["customer_debits", "risk_alerts", "outbox_events"] { #expect(try await fixture.count(table) == 0) }
    }

    @Test("a batch costs one round trip when it raises nothing, whatever its size")
    func bulk() async throws {
        let fixture = try await RiskFixture()
        let debits = (0..<1_000).map { _ in RiskSamples.debit(RiskSamples.newWallet(), at: Double.random(in: 0..<60)) }
        try await fixture.apply(debits)
        #expect(try await fixture.count("customer_debits") == 1_000)
        #expect(try await fixture.alerts() == [])
    }
}
