import Contracts
import TestSupport
import Testing

@testable import Identity

@Suite struct AttemptRulesTests {
    private static let start = Timestamp(microsecondsSinceUnixEpoch: 1_796_000_000_000_000)
    private static let none = AttemptCount(failures: 0, lastFailedAt: start, blockedUntil: start)

    @Test func `five failures of an account cost nothing but themselves, and from then on it stays closed for longer and longer`() throws {
        let rules = AttemptRules(.account)
        var (count, now, pauses) = (Self.none, Self.start, [Duration]())
        for _ in 0..<12 {
            count = try #require(rules.counting(count, at: now))
            #expect(rules.counting(count, at: count.blockedUntil - .microseconds(1)) == nil || count.blockedUntil == now)
            pauses.append(count.blockedUntil.since(now))
            now = count.blockedUntil
        }
        #expect(pauses == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900].map { .seconds($0) })
    }

    @Test(
        "NIST SP 800-63B-4, 3.2.2: whatever the times between them, no more than 100 failures in a row are taken within a month",
        arguments: [AttemptBucket.account, .device], 0..<20)
    func mostInARow(bucket: AttemptBucket, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let rules = AttemptRules(bucket)
        var (count, now, taken) = (Self.none, Self.start, 0)
        // Any guesser who never waits for more than a day comes to the end of it.
        while now < Self.start + .seconds(25 * 86_400) {
            if let next = rules.counting(count, at: now) {
                (count, taken) = (next, taken + 1)
            }
            now = now + .seconds(Int64.random(in: 1...(seed.isMultiple(of: 2) ? 600 : 40_000), using: &random))
        }
        #expect(taken <= AttemptRules.mostInARow && taken >= 50)
    }

    @Test func `a few failures are forgotten after a day, many after a month, and a network's one by one`() throws {
        let (account, network) = (AttemptRules(.account), AttemptRules(.network))
        let few = AttemptCount(failures: 4, lastFailedAt: Self.start, blockedUntil: Self.start)
        #expect(account.counting(few, at: Self.start + .seconds(86_399))?.failures == 5)
        #expect(account.counting(few, at: Self.start + .seconds(86_400))?.failures == 1)
        let many = AttemptCount(failures: 50, lastFailedAt: Self.start, blockedUntil: Self.start)
        #expect(account.counting(many, at: Self.start + .seconds(29 * 86_400))?.failures == 51)
        #expect(account.counting(many, at: Self.start + .seconds(30 * 86_400))?.failures == 1)
        #expect(network.counting(many, at: Self.start + .seconds(600))?.failures == 41)
        #expect(network.counting(many, at: Self.start + .seconds(86_400))?.failures == 1)
        // To a replica whose clock is behind an open bucket is open; it forgets nothing and shortens nothing.
        #expect(account.counting(few, at: Self.start - .seconds(10)) == account.counting(few, at: Self.start))
    }

    @Test func `a success ends the row of an account and takes back one failure of a network, and no more`() throws {
        let three = AttemptCount(failures: 3, lastFailedAt: Self.start, blockedUntil: Self.start)
        #expect(AttemptRules(.account).succeeding(three) == nil && AttemptRules(.device).succeeding(three) == nil)
        #expect(AttemptRules(.network).succeeding(three)?.failures == 2)
        #expect(AttemptRules(.account).withdrawing(three)?.failures == 2)
    }

    @Test("counting and withdrawing leaves a bucket as it was, open or about to close", arguments: AttemptBucket.allCases)
    func withdrawn(bucket: AttemptBucket) throws {
        let rules = AttemptRules(bucket)
        var count = Self.none
        for _ in 0..<150 {
            let now = max(count.blockedUntil, Self.start)
            guard let next = rules.counting(count, at: now) else { break }
            if count.failures > 0, now == count.lastFailedAt { #expect(rules.withdrawing(next) == count) }
            #expect(next.blockedUntil == next.lastFailedAt + rules.delay(after: next.failures) && next.failures == count.failures + 1)
            // Not a leak of the network's: time stands still but for the pauses.
            count = AttemptCount(failures: next.failures, lastFailedAt: next.blockedUntil, blockedUntil: next.blockedUntil)
        }
        #expect(count.failures >= 100)
    }

    @Test func `from a device that the account knows nothing but the device counts`() {
        #expect(AttemptOrigin.buckets(isKnownDevice: true) == [.device])
        #expect(AttemptOrigin.buckets(isKnownDevice: false) == [.account, .network])
    }
}
