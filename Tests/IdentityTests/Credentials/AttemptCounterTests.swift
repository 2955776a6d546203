import Contracts
import Foundation
import Observability
import Postgres
import TestSupport
import Testing

@testable import Identity

@Suite struct AttemptCounterTests {
    private static let somewhere = AttemptOrigin(deviceHash: nil, network: "192.0.2.0/24")
    private static let elsewhere = AttemptOrigin(deviceHash: nil, network: "198.51.100.0/24")
    private static let phone = AttemptOrigin(deviceHash: Array(repeating: 1, count: 32), network: "192.0.2.0/24")

    private func counter(_ fixture: IdentityFixture, _ metrics: PrometheusRegistry = PrometheusRegistry()) -> AttemptCounter {
        AttemptCounter(pool: fixture.pool, metrics: metrics, now: { fixture.clock.now })
    }

    private func address(_ text: String = "ana@example.com") throws -> AttemptCounter.Subject { .address(try #require(EmailAddress(text))) }

    /// Makes attempts that fail, until one is not taken.
    ///
    /// - Returns: how many were, and after how long the next one would be.
    private func exhaust(
        _ counter: AttemptCounter, _ subject: AttemptCounter.Subject, kind: AttemptKind = .password, from origin: AttemptOrigin,
        isKnownDevice: Bool = false
    ) async throws -> (taken: Int, retryAfter: Duration) {
        for taken in 0..<200 {
            do {
                _ = try await counter.begin(kind, on: subject, from: origin, isKnownDevice: isKnownDevice)
            } catch CredentialRefusal.blocked(let retryAfter) {
                return (taken, retryAfter)
            }
        }
        return (200, .zero)
    }

    @Test func `the sixth failure of an account is not taken, whichever network it comes from, and says when one would be`() async throws {
        let fixture = try await IdentityFixture()
        let counter = counter(fixture)
        let (taken, retryAfter) = try await exhaust(counter, address(), from: Self.somewhere)
        #expect(taken == 5 && retryAfter == .seconds(30))
        #expect(
            try await exhaust(counter, address("ANA@example.com"), from: Self.elsewhere).taken == 0, "typed another way it is the same account")
        fixture.clock.advance(by: .seconds(29))
        let early = try await exhaust(counter, address(), from: Self.somewhere)
        #expect(early.taken == 0 && early.retryAfter == .seconds(1))
        fixture.clock.advance(by: .seconds(1))
        let later = try await exhaust(counter, address(), from: Self.somewhere)
        #expect(later.taken == 1 && later.retryAfter == .seconds(60))
        #expect(try await exhaust(counter, address("bob@example.com"), from: Self.somewhere).taken == 5, "another account is not closed")
    }

    @Test func `every series of attempts is there from the start, at 0`() {
        let registry = PrometheusRegistry()
        let metrics = AttemptMetrics(registry)
        for kind in AttemptKind.allCases {
            for outcome in AttemptMetrics.Outcome.allCases {
                #expect(registry.render().contains(#"identity_attempts_total{kind="\#(kind.rawValue)",outcome="\#(outcome.rawValue)"} 0"#))
            }
        }
        metrics.count(.recoveryCode, .blocked)
        #expect(registry.render().contains(#"identity_attempts_total{kind="recovery_code",outcome="blocked"} 1"#))
    }

    @Test func `operators see what was begun, what of it was right or not looked at, and what was blocked`() async throws {
        let (fixture, metrics) = (try await IdentityFixture(), PrometheusRegistry())
        let counter = counter(fixture, metrics)
        let right = try await counter.begin(.otp, on: address(), from: Self.somewhere, isKnownDevice: false)
        try await counter.succeed(right)
        try await counter.withdraw(try await counter.begin(.otp, on: address(), from: Self.somewhere, isKnownDevice: false))
        #expect(try await exhaust(counter, address(), kind: .otp, from: Self.somewhere).taken == 5)
        let shown = metrics.render()
        for (outcome, count) in [("begun", 7), ("right", 1), ("withdrawn", 1), ("blocked", 1)] {
            #expect(shown.contains(#"identity_attempts_total{kind="otp",outcome="\#(outcome)"} \#(count)"#), "\(outcome) \(shown)")
        }
        #expect(shown.contains(#"identity_attempts_total{kind="password",outcome="blocked"} 0"#))
    }

    @Test func `an outsider who closes an account for all unknown devices does not lock out a device that it knows, nor the other way round`()
        async throws
    {
        let fixture = try await IdentityFixture()
        let counter = counter(fixture)
        #expect(try await exhaust(counter, address(), from: Self.somewhere).taken == 5)
        #expect(try await exhaust(counter, address(), from: Self.phone, isKnownDevice: true).taken == 5)
        fixture.clock.advance(by: .seconds(30))
        _ = try await counter.begin(.password, on: try address(), from: Self.elsewhere, isKnownDevice: false)
    }

    @Test func `kinds are counted apart: who has no more passwords left still has codes`() async throws {
        let fixture = try await IdentityFixture()
        let counter = counter(fixture)
        for kind in AttemptKind.allCases { #expect(try await exhaust(counter, address(), kind: kind, from: Self.somewhere).taken == 5, "\(kind)") }
    }

    @Test func `a network that tries one account after the other is closed in the end, and what it was refused counts for nobody`() async throws {
        let fixture = try await IdentityFixture()
        let counter = counter(fixture)
        var taken = 0
        for index in 0..<60 { taken += try await exhaust(counter, address("user\(index)@example.com"), from: Self.somewhere).taken }
        #expect(taken == 100)
        #expect(try await exhaust(counter, address("user59@example.com"), from: Self.elsewhere).taken == 5)
    }

    @Test func `a success forgets the account's failures and one of the network's; what was not looked at is taken back`() async throws {
        let fixture = try await IdentityFixture()
        let counter = counter(fixture)
        for _ in 0..<3 { _ = try await counter.begin(.password, on: try address(), from: Self.somewhere, isKnownDevice: false) }
        let right = try await counter.begin(.password, on: try address(), from: Self.somewhere, isKnownDevice: false)
        try await counter.succeed(right)
        #expect(try await failures(fixture) == ["network 3"])
        let notMade = try await counter.begin(.password, on: try address(), from: Self.somewhere, isKnownDevice: false)
        #expect(try await failures(fixture) == ["account 1", "network 4"])
        try await counter.withdraw(notMade)
        #expect(try await failures(fixture) == ["network 3"])
        #expect(try await exhaust(counter, address(), from: Self.somewhere).taken == 5)
    }

    private func failures(_ fixture: IdentityFixture) async throws -> [String] {
        try await fixture.query("SELECT bucket, failures FROM attempts ORDER BY bucket") { row in
            let (bucket, failures) = try row.decode(String.self, Int32.self)
            return "\(bucket) \(failures)"
        }
    }

    @Test(arguments: [false, true]) func `of many at once no more are taken than one after the other`(isPooled: Bool) async throws {
        let fixture = try await IdentityFixture(isPooled: isPooled)
        let counter = counter(fixture)
        let subject = try address()
        let taken = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<64 {
                group.addTask {
                    let origin = AttemptOrigin(deviceHash: nil, network: "203.0.113.\(index % 3)")
                    do {
                        _ = try await counter.begin(.otp, on: subject, from: origin, isKnownDevice: false)
                        return 1
                    } catch CredentialRefusal.blocked {
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(taken == 5)
        #expect(try await fixture.query("SELECT sum(failures) FROM attempts WHERE bucket = 'network'") { try $0.decode(Int64.self) } == [5])
    }

    @Test func `the table keeps no address`() async throws {
        let fixture = try await IdentityFixture()
        _ = try await counter(fixture).begin(.password, on: try address("ana@example.com"), from: Self.somewhere, isKnownDevice: false)
        let rows = try await fixture.query("SELECT attempts::text || encode(key, 'escape') FROM attempts") { try $0.decode(String.self) }
        #expect(rows.count == 2 && rows.allSatisfy { !$0.contains("ana") && !$0.contains("192.0.2") })
    }

    @Test func `what is purged decides nothing any more, and uses the index`() async throws {
        let fixture = try await IdentityFixture()
        let counter = counter(fixture)
        _ = try await exhaust(counter, address("many@example.com"), from: Self.somewhere)
        _ = try await counter.begin(.password, on: try address("few@example.com"), from: Self.somewhere, isKnownDevice: false)
        func purge() async throws -> Int {
            let now = fixture.clock.now
            return try await fixture.pool.withTransaction { session in try AttemptStore().purge(session, at: now, atMost: 100) }
        }
        #expect(try await purge() == 0)
        fixture.clock.advance(by: .seconds(86_401))
        #expect(try await purge() == 2)
        #expect(try await failures(fixture) == ["account 5"])
        fixture.clock.advance(by: .seconds(29 * 86_400))
        #expect(try await purge() == 1)
    }
}
