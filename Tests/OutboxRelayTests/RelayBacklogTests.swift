import Contracts
import Foundation
import Outbox
import TestSupport
import Testing

@testable import OutboxRelay

/// What may be sent, in which order, and what a failure holds back.
@Suite("Relay backlog") struct RelayBacklogTests {
    private func backlog(attempts: Int = 3) -> RelayBacklog { RelayBacklog(maximumAttempts: attempts) { _ in 0 } }

    private func row(_ id: Int64, _ key: String = "k", partition: Int = 0) -> OutboxRow { World.row(id, key, partition: partition) }

    private func ids(_ items: [RelayItem]) -> [Int64] { items.map(\.row.id) }

    @Test("what must be sent again goes first, once nothing is in flight")
    func again() {
        var backlog = backlog()
        backlog.add([row(1), row(2, "l"), row(3), row(4)]) { _ in 1 }
        #expect(ids(backlog.next(atMost: 3)) == [1, 2, 3])
        #expect(backlog.settle(1, epoch: 1, .again) == nil)
        #expect(backlog.next(atMost: 10).isEmpty)
        #expect(backlog.settle(2, epoch: 1, .published)?.row.id == 2)
        #expect(backlog.settle(3, epoch: 1, .again) == nil)
        #expect(ids(backlog.next(atMost: 10)) == [1, 3, 4])
    }

    @Test("an event that fails holds back its key alone")
    func failure() {
        var backlog = backlog()
        backlog.add([row(1), row(2, "l"), row(3)]) { _ in 1 }
        #expect(ids(backlog.next(atMost: 1)) == [1])
        #expect(backlog.settle(1, epoch: 1, .failed(reason: "r", isFinal: false)) == nil)
        #expect(ids(backlog.next(atMost: 10)) == [2])
        backlog.add([row(4)]) { _ in 1 }
        #expect(backlog.changes.held.map(\.id) == [1, 3, 4])
        #expect(backlog.changes.held.map(\.state) == [.failing, .waiting, .waiting])
    }

    @Test("of events of a key that fail together only the first uses an attempt up")
    func failedTogether() {
        var backlog = backlog()
        backlog.add([row(1), row(2), row(3, "l")]) { _ in 1 }
        for item in backlog.next(atMost: 10) { _ = backlog.settle(item.row.id, epoch: 1, .failed(reason: "r", isFinal: false)) }
        #expect(backlog.changes.held.map(\.state) == [.failing, .waiting, .failing])
        #expect(backlog.changes.held.map(\.attempts) == [1, 0, 1])
        backlog.written(backlog.changes)
        // The key is released by a relay that finds both waiting: again only the first counts.
        backlog.retry([DeferredEventStore.DeferredEvent(row: row(1), attempts: 1)]) { _ in 1 }
        _ = backlog.next(atMost: 10)
        _ = backlog.settle(1, epoch: 1, .published)
        backlog.written(backlog.changes)
        backlog.release(
            "k", [DeferredEventStore.DeferredEvent(row: row(2), attempts: 0), DeferredEventStore.DeferredEvent(row: row(4), attempts: 0)],
            areAll: true
        ) { _ in 1 }
        for item in backlog.next(atMost: 10) { _ = backlog.settle(item.row.id, epoch: 1, .failed(reason: "r", isFinal: false)) }
        #expect(backlog.changes.held.map(\.id) == [2])
        backlog.written(backlog.changes)
        #expect(Set(backlog.heldKeys.failing) == ["k", "l"])
    }

    @Test("the culprit among several suspects is found one by one, and the others are sent")
    func suspects() {
        var backlog = backlog()
        backlog.add([row(1), row(2, "l"), row(3, "m")]) { _ in 1 }
        for item in backlog.next(atMost: 10) { _ = backlog.settle(item.row.id, epoch: 1, .suspect(reason: "r")) }
        #expect(ids(backlog.next(atMost: 10)) == [1])
        #expect(backlog.settle(1, epoch: 1, .published) != nil)
        #expect(ids(backlog.next(atMost: 10)) == [2])
        #expect(backlog.settle(2, epoch: 1, .suspect(reason: "r")) == nil)
        #expect(backlog.changes.held.map(\.state) == [.parked])
        #expect(ids(backlog.next(atMost: 10)) == [3])
    }

    @Test("of a partition that is gone nothing is sent, and what is said of it is not heard")
    func dropped() {
        var backlog = backlog()
        backlog.add([row(1), row(2, "l", partition: 1), row(3)]) { _ in 1 }
        #expect(ids(backlog.next(atMost: 1)) == [1])
        backlog.drop(0)
        #expect(backlog.settle(1, epoch: 1, .failed(reason: "r", isFinal: false)) == nil)
        #expect(ids(backlog.next(atMost: 10)) == [2])
        #expect(backlog.changes.held.isEmpty)
    }

    /// Random outcomes, attempts and hand-overs; what is held lies in a table.
    @Test("nothing is lost and no key overtakes itself", arguments: [UInt64(1), 2, 3, 5, 8, 13])
    func property(seed: UInt64) async {
        var random = SeededGenerator(seed: seed)
        var world = World()
        for _ in 0..<1_500 {
            world.step(&random)
            // The others' turn: seconds of work would else hold one of two threads.
            await Task.yield()
        }
        world.finish(&random)
        let (violations, unresolved, isComplete) = (world.violations, world.unresolved, world.isComplete)
        #expect(violations.isEmpty, "\(violations.prefix(3))")
        #expect(isComplete, "\(unresolved.prefix(5))")
        let (published, parked) = (world.published.count, world.parked.count)
        #expect(published > 150 && parked > 3)
    }
}

private struct World {
    var backlog = RelayBacklog(maximumAttempts: 3) { _ in 0 }
    var rows: [Int64: OutboxRow] = [:]
    var table: [Int64: (state: DeferredState, attempts: Int)] = [:]
    var inFlight: [RelayItem] = []
    var published: Set<Int64> = []
    var parked: Set<Int64> = []
    var violations: [String] = []
    /// Events over which the broker closes the channel whenever it sees them.
    var poison: Set<Int64> = []

    static func row(_ id: Int64, _ key: String, partition: Int = 0) -> OutboxRow {
        OutboxRow(
            id: id, partition: partition, eventID: EventID(UUID()), type: "t", subject: "s", partitionKey: key,
            occurredAt: Timestamp(microsecondsSinceUnixEpoch: id), traceparent: nil, data: "{}")
    }

    var unresolved: [Int64] { rows.keys.filter { !published.contains($0) && !parked.contains($0) }.sorted() }
    var isComplete: Bool { unresolved.isEmpty && table.values.allSatisfy { $0.state == .parked } }

    mutating func step(_ random: inout SeededGenerator) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1:
            let first = Int64(rows.count)
            let new = (0..<Int64.random(in: 1...4, using: &random)).map { offset in
                Self.row(first + offset + 1, "k\(Int.random(in: 0..<4, using: &random))")
            }
            for row in new {
                rows[row.id] = row
                if Int.random(in: 0..<60, using: &random) == 0 { poison.insert(row.id) }
            }
            backlog.add(new) { _ in 1 }
        case 2, 3, 4: handOut(Int.random(in: 1...6, using: &random))
        case 5, 6, 7: answer(&random, isKind: false)
        case 8: write()
        default: fetch()
        }
    }

    private mutating func handOut(_ limit: Int) {
        for item in backlog.next(atMost: limit) {
            for id in rows.keys where id < item.row.id && rows[id]?.partitionKey == item.row.partitionKey {
                guard !published.contains(id), !parked.contains(id), !inFlight.contains(where: { $0.row.id == id }) else { continue }
                violations.append("\(item.row.id) of \(item.row.partitionKey) went before \(id)")
            }
            inFlight.append(item)
        }
    }

    private mutating func answer(_ random: inout SeededGenerator, isKind: Bool) {
        guard !inFlight.isEmpty else { return }
        if inFlight.contains(where: { poison.contains($0.row.id) }) {
            // The channel closes over all of them.
            let all = inFlight
            inFlight = []
            for item in all { settle(item, .suspect(reason: "closed")) }
            return
        }
        let item = inFlight.remove(at: Int.random(in: inFlight.indices, using: &random))
        switch isKind ? 9 : Int.random(in: 0..<10, using: &random) {
        case 0, 1: settle(item, .failed(reason: "no", isFinal: false))
        case 2: settle(item, .again)
        case 3: settle(item, .refused(reason: "full"))
        default: settle(item, .published)
        }
    }

    private mutating func settle(_ item: RelayItem, _ verdict: PublishVerdict) {
        if verdict == .published {
            published.insert(item.row.id)
        }
        _ = backlog.settle(item.row.id, epoch: 1, verdict)
        for held in backlog.changes.held where held.state == .parked { parked.insert(held.id) }
    }

    private mutating func write() {
        let changes = backlog.changes
        for held in changes.held { table[held.id] = (held.state, held.attempts) }
        for released in changes.released { table[released.id] = nil }
        backlog.written(changes)
    }

    private mutating func fetch() {
        write()
        let keys = backlog.heldKeys
        for key in keys.releasing {
            let all = held(key)
            let some = all.prefix(rows.count % 3 == 0 ? 2 : .max)
            backlog.release(key, Array(some), areAll: some.count == all.count) { _ in 1 }
        }
        backlog.retry(keys.failing.compactMap { held($0).first }) { _ in 1 }
    }

    private func held(_ key: String) -> [DeferredEventStore.DeferredEvent] {
        table.filter { $0.value.state != .parked }.sorted { $0.key < $1.key }.compactMap { id, kept in
            guard let row = rows[id], row.partitionKey == key else { return nil }
            return DeferredEventStore.DeferredEvent(row: row, attempts: kept.attempts)
        }
    }

    /// The broker takes everything from here on.
    mutating func finish(_ random: inout SeededGenerator) {
        for _ in 0..<10_000 where !isComplete {
            handOut(8)
            answer(&random, isKind: true)
            fetch()
        }
    }
}
