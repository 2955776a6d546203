import EventBroker
import Postgres
import TestSupport
import Testing

@testable import WorkQueue

/// Any order of claims, outcomes (also late and repeated ones), lost leases, replays and discards leaves the table as a simple model says.
@Suite("Work in any order")
struct WorkPropertyTests {
    private struct Item {
        var state = WorkState.waiting
        var epoch: Int64 = 0
        var attempts = 0
    }

    /// Every claim that was ever given out, so that old ones come back.
    private struct Model {
        var items: [Int64: Item]
        var claims: [WorkClaim] = []

        mutating func claimed(_ claim: WorkClaim) {
            guard var item = items[claim.id] else {
                Issue.record("a claim of nobody's work")
                return
            }
            #expect(item.state == .waiting)
            item.state = .working
            item.epoch += 1
            item.attempts += 1
            #expect(claim.epoch == item.epoch && claim.attempt == item.attempts)
            items[claim.id] = item
            claims.append(claim)
        }

        /// What a settlement must answer.
        mutating func settle(_ claim: WorkClaim, _ outcome: WorkOutcome, _ policy: WorkPolicy) -> WorkState? {
            guard var item = items[claim.id], item.epoch == claim.epoch, [.working, .unknown].contains(item.state) else { return nil }
            item.state = policy.step(after: outcome, attempt: claim.attempt).state
            items[claim.id] = item
            return item.state
        }
    }

    private static func outcome(_ random: inout SeededGenerator) -> WorkOutcome {
        [.done, .again("451"), .refused("550"), .poison("unreadable"), .unknown("silence")].randomElement(using: &random) ?? .done
    }

    @Test("the table is what the model says after each of 200 steps", arguments: [1, 2, 3, 4] as [UInt64])
    func anyOrder(seed: UInt64) async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue(lease: .milliseconds(1))
        var random = SeededGenerator(seed: seed)
        var model = Model(items: Dictionary(uniqueKeysWithValues: try await fixture.add(queue, 8).map { ($0, Item()) }))
        for step in 0..<200 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3:
                for claim in try await fixture.claim(queue, atMost: Int.random(in: 1...3, using: &random)) { model.claimed(claim) }
            case 4...6:
                guard let claim = model.claims.randomElement(using: &random) else { continue }
                let outcome = Self.outcome(&random)
                let expected = model.settle(claim, outcome, queue.policy)
                #expect(try await fixture.settle(queue, claim, outcome) == expected, "step \(step)")
            case 7:
                let lost = Set(model.items.filter { $0.value.state == .working }.keys)
                var found: Set<Int64> = []
                let areFound = try await eventually {
                    found.formUnion(try await fixture.sweep(queue).lost[.unknown] ?? [])
                    return found.isSuperset(of: lost)
                }
                #expect(areFound && found == lost, "step \(step)")
                for id in lost { model.items[id]?.state = .unknown }
            case 8:
                try await replay(fixture, queue, &model, &random)
            default:
                guard step % 4 == 0, let id = model.items.keys.sorted().randomElement(using: &random), let state = model.items[id]?.state else {
                    continue
                }
                let isOpen = [.dead, .unknown].contains(state)
                let isDiscarded = try await fixture.pool.withTransaction { session in try queue.discard(session, id, by: "t", note: "n") }
                #expect(isDiscarded == isOpen)
                if isOpen { model.items[id]?.state = .discarded }
            }
            for (id, item) in model.items { #expect(try await fixture.state(id) == item.state, "step \(step)") }
        }
    }

    private func replay(
        _ fixture: WorkFixture, _ queue: WorkQueue, _ model: inout Model, _ random: inout SeededGenerator
    ) async throws {
        guard let id = model.items.keys.sorted().randomElement(using: &random), let state = model.items[id]?.state else { return }
        let isForced = Bool.random(using: &random)
        let result = try await fixture.pool.withTransaction { session in
            try queue.replay(session, id, by: "t", note: nil, isForced: isForced)
        }
        let expected: WorkQueue.Replayed =
            switch state {
            case .dead: .replayed
            case .unknown: isForced ? .replayed : .doubtful
            default: .taken
            }
        #expect(result == expected)
        if expected == .replayed {
            model.items[id]?.state = .waiting
            model.items[id]?.attempts = 0
        }
    }
}
