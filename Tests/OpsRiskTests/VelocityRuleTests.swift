import Contracts
import TestSupport
import Testing

@testable import OpsRisk

@Suite("Velocity")
struct VelocityRuleTests {
    /// Three debits a minute are no alert yet.
    private static let rule = RiskSamples.rules.velocity
    private static let wallet = RiskSamples.newWallet()

    /// The second of the debit that strikes in the stretch that begins at a second, if one does.
    private func firstMatch(_ seconds: [Double], in start: Double = 0) -> Double? {
        let window = DebitWindow(walletID: Self.wallet, start: RiskSamples.time(start))
        return Self.rule.firstMatch(in: window, among: seconds.shuffled().map { RiskSamples.debit(Self.wallet, at: $0) }).map {
            Double($0.occurredAt.microsecondsSinceUnixEpoch - RiskSamples.start * 1_000_000) / 1_000_000
        }
    }

    @Test("as many debits as the limit are none too many, one more is")
    func limit() {
        #expect(firstMatch([]) == nil)
        #expect(firstMatch([1, 2, 3]) == nil)
        #expect(firstMatch([1, 2, 3, 4]) == 4)
        #expect(firstMatch([1, 2, 3, 4, 5, 6]) == 4)
        #expect(firstMatch([7, 7, 7, 7]) == 7)
    }

    @Test("a debit that is a whole window older is not counted, one a microsecond younger is")
    func edge() {
        #expect(firstMatch([-59, -59, -59, 1], in: 0) == nil)
        #expect(firstMatch([-58.999999, -58, -57, 1], in: 0) == 1)
        #expect(firstMatch([-58.999999, -58, -57, 1.000001], in: 0) == nil)
    }

    @Test("a stretch has its first instant and not the next one's")
    func stretch() {
        #expect(firstMatch([57, 58, 59, 60], in: 0) == nil)
        #expect(firstMatch([57, 58, 59, 60], in: 60) == 60)
        #expect(firstMatch([57, 58, 59, 59.999999], in: 0) == 59.999999)
        #expect(Self.rule.start(of: RiskSamples.time(59.999999)) == RiskSamples.time(0))
        #expect(Self.rule.start(of: RiskSamples.time(60)) == RiskSamples.time(60))
        #expect(Self.rule.start(of: Timestamp(microsecondsSinceUnixEpoch: -1)) == Timestamp(microsecondsSinceUnixEpoch: -60_000_000))
        #expect(Self.rule.start(of: Timestamp(microsecondsSinceUnixEpoch: -60_000_000)) == Timestamp(microsecondsSinceUnixEpoch: -60_000_000))
    }

    @Test("a debit touches the stretch that it lies in and the next, each once")
    func touched() {
        let other = RiskSamples.newWallet()
        let windows = Self.rule.windows(touchedBy: [
            RiskSamples.debit(Self.wallet, at: 1), RiskSamples.debit(Self.wallet, at: 59), RiskSamples.debit(Self.wallet, at: 60),
            RiskSamples.debit(other, at: 1),
        ])
        let expected = [0, 60, 120].map { DebitWindow(walletID: Self.wallet, start: RiskSamples.time($0)) }
        #expect(windows.filter { $0.walletID == Self.wallet } == expected)
        #expect(windows.count == 5)
    }

    @Test("what is read of a stretch is enough to tell: the first of it and the last before it", arguments: 0..<200)
    func enough(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let rule = VelocityRule(limit: Int.random(in: 1...5, using: &random), windowSeconds: 10)
        let debits = (0..<Int.random(in: 0...40, using: &random)).map { _ in
            RiskSamples.debit(Self.wallet, at: Double(Int.random(in: -20...30, using: &random)) / 2)
        }.sorted(by: CustomerDebit.precedes)
        let window = DebitWindow(walletID: Self.wallet, start: RiskSamples.time(0))
        let inside = debits.filter { $0.occurredAt >= RiskSamples.time(0) && $0.occurredAt < RiskSamples.time(10) }
        let before = debits.filter { $0.occurredAt < RiskSamples.time(0) && $0.occurredAt > RiskSamples.time(-10) }
        let firstMatch = rule.firstMatch(in: window, among: inside.prefix(rule.limit + 1) + before.suffix(rule.limit))
        let isAlert = AlertMatter.all(
            of: Set(debits), RiskRules(highValue: RiskSamples.highValue("*=1000000"), velocity: rule)
        ).contains(.velocity(window))
        #expect((firstMatch != nil) == isAlert, "seed \(seed)")
        #expect(firstMatch == rule.firstMatch(in: window, among: debits), "seed \(seed)")
    }
}
