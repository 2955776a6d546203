import Contracts
import Foundation
import Outbox
import TestSupport
import Testing

/// The mark never passes an event that was not published, whatever the order in which transactions commit and events are read.
@Suite("Relay progress") struct RelayProgressTests {
    static func row(_ id: Int64, partition: Int = 0) -> OutboxRow {
        OutboxRow(
            id: id, partition: partition, eventID: EventID(UUID()), type: "t", subject: "s", partitionKey: "k\(partition)",
            occurredAt: Timestamp(microsecondsSinceUnixEpoch: id), traceparent: nil, data: "{}")
    }

    private func through(_ progress: RelayProgress, all: Bool = true) -> [Int: Int64] {
        Dictionary(uniqueKeysWithValues: progress.marks(all: all).map { ($0.partition, $0.through) })
    }

    @Test("a mark waits for the events before it, for the horizon, and for what was read")
    func mark() {
        var progress = RelayProgress()
        progress.lease(0, epoch: 1, markedThrough: 0)
        let horizon = progress.observe(.init(lastID: 10, writers: []))
        #expect(progress.take([Self.row(3), Self.row(5), Self.row(4)]).map(\.id) == [3, 4, 5])
        progress.read(through: 5)
        progress.reached(horizon: horizon)
        progress.settle(4, partition: 0, epoch: 1)
        #expect(through(progress) == [0: 2])
        progress.settle(3, partition: 0, epoch: 1)
        progress.settle(5, partition: 0, epoch: 1)
        #expect(through(progress) == [0: 5])
        progress.read(through: 10)
        #expect(through(progress) == [0: 10])
        progress.marked(progress.marks(all: true))
        #expect(through(progress).isEmpty)
    }

    @Test("an event that becomes visible behind the cursor is taken, once, and holds the mark up")
    func late() {
        var progress = RelayProgress()
        progress.lease(0, epoch: 1, markedThrough: 0)
        #expect(progress.observe(.init(lastID: 2, writers: ["a", "b"])) == 0)
        #expect(progress.take([Self.row(2)]).map(\.id) == [2])
        progress.read(through: 2)
        progress.settle(2, partition: 0, epoch: 1)
        #expect(through(progress).isEmpty)
        #expect(progress.mayHaveGaps)
        #expect(progress.observe(.init(lastID: 2, writers: ["b"])) == 0)
        #expect(progress.take([Self.row(1), Self.row(2)]).map(\.id) == [1])
        #expect(progress.take([Self.row(1)]).isEmpty)
        progress.reached(horizon: progress.observe(.init(lastID: 3, writers: ["c"])))
        #expect(progress.horizon == 2)
        #expect(through(progress).isEmpty)
        progress.settle(1, partition: 0, epoch: 1)
        #expect(through(progress) == [0: 2])
    }

    @Test("what a former lease says is not heard")
    func epochs() {
        var progress = RelayProgress()
        progress.lease(7, epoch: 1, markedThrough: 0)
        _ = progress.take([Self.row(1, partition: 7)])
        progress.drop(7)
        #expect(progress.take([Self.row(1, partition: 7)]).isEmpty)
        progress.lease(7, epoch: 2, markedThrough: 0)
        #expect(progress.take([Self.row(1, partition: 7)]).map(\.id) == [1])
        progress.read(through: 1)
        progress.reached(horizon: 1)
        progress.settle(1, partition: 7, epoch: 1)
        #expect(through(progress).isEmpty)
        progress.settle(1, partition: 7, epoch: 2)
        #expect(through(progress) == [7: 1])
    }

    @Test("in another life of the server all that was known is void")
    func lives() {
        var progress = RelayProgress()
        let answers = [1, 1, 2, 2].map { progress.isValid(in: $0) }
        #expect(answers == [true, true, false, true])
    }

    /// A world of transactions that draw ids in one order and commit in another, watched by two relays that change hands, on a server that
    /// crashes, or is replaced by a standby that has not got everything: then ids are drawn again.
    @Test("no event is ever behind a mark unpublished", arguments: [UInt64(1), 2, 3, 5, 8, 13, 21, 34])
    func property(seed: UInt64) async {
        var random = SeededGenerator(seed: seed)
        var world = World()
        for _ in 0..<4_000 {
            world.step(&random)
            // The others' turn: seconds of work would else hold one of two threads.
            await Task.yield()
        }
        world.finish()
        #expect(world.violations.isEmpty, "\(world.violations.prefix(3))")
        #expect(world.state.committed.count > 150)
        #expect(world.life > 10 && world.drawnAgain > 10)
        let lost = world.state.committed.keys.filter { !world.published.contains(world.state.events[$0]) }
        #expect(lost.isEmpty, "\(lost.sorted().prefix(5))")
        #expect(world.state.marks.values.allSatisfy { $0 > 0 })
    }
}

private struct World {
    /// What the server knows.
    struct State {
        var lastID: Int64 = 0
        /// By id, which event has drawn it: after a crash it may be another one.
        var events: [Int64: Int] = [:]
        var partitionOf: [Int64: Int] = [:]
        var committed: [Int64: Int] = [:]
        var marks: [Int: Int64] = [:]
        var epochs: [Int: Int64] = [:]
        var owners: [Int: Int] = [:]
    }

    static let partitions = 4
    var state = State()
    /// What a crash leaves, and what a standby has got of it.
    var (durable, standby) = (State(), State())
    var life: Int64 = 1
    var open: [String: [Int64]] = [:]
    var published: Set<Int?> = []
    var relays = [RelayProgress(), RelayProgress()]
    var inFlight: [[(id: Int64, event: Int?, partition: Int, epoch: Int64)]] = [[], []]
    var violations: [String] = []
    var (names, drawn, drawnAgain) = (0, 0, 0)

    mutating func step(_ random: inout SeededGenerator) {
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1:
            guard open.count < 3 else { return }
            names += 1
            open["t\(names)"] = []
        case 2, 3:
            guard let name = open.keys.sorted().randomElement(using: &random) else { return }
            draw(for: name, &random)
        case 4, 5:
            guard let name = open.keys.sorted().randomElement(using: &random) else { return }
            if Int.random(in: 0..<3, using: &random) == 0 { open[name] = nil } else { commit(name) }
        case 6, 7: look(Int.random(in: 0..<2, using: &random), limit: Int.random(in: 0...4, using: &random), &random)
        case 8: confirm(Int.random(in: 0..<2, using: &random), count: Int.random(in: 0...6, using: &random), &random)
        case 9: changeHands(&random)
        case 10: standby = durable
        default:
            switch Int.random(in: 0..<16, using: &random) {
            case 0: die(leaving: standby)
            case 1, 2: die(leaving: durable)
            default: break
            }
        }
    }

    private mutating func draw(for name: String, _ random: inout SeededGenerator) {
        state.lastID += 1
        drawn += 1
        let id = state.lastID
        if drawnAgainBelow >= id { drawnAgain += 1 }
        state.events[id] = drawn
        state.partitionOf[id] = Int.random(in: 0..<Self.partitions, using: &random)
        open[name, default: []].append(id)
    }

    /// The highest id that was ever drawn before the last crash.
    private var drawnAgainBelow: Int64 = 0

    private mutating func commit(_ name: String) {
        for id in open.removeValue(forKey: name) ?? [] { state.committed[id] = state.partitionOf[id] }
        durable = state
    }

    /// The relays are not told: a pooler hides it from them.
    private mutating func die(leaving rest: State) {
        drawnAgainBelow = max(drawnAgainBelow, state.lastID)
        open = [:]
        (state, durable, standby) = (rest, rest, rest)
        life += 1
    }

    private mutating func look(_ relay: Int, limit: Int, _ random: inout SeededGenerator) {
        // What was found out by the look before is written with this one, in the same life or not at all.
        if relays[relay].life == life { mark(relay) }
        guard relays[relay].isValid(in: life) else {
            startAgain(relay)
            return
        }
        let before = relays[relay]
        let writing = Bool.random(using: &random) ? RelayProgress.Writing(lastID: state.lastID, writers: Set(open.keys)) : nil
        // Between the statements of a look others go on.
        if Bool.random(using: &random), let name = open.keys.sorted().first { commit(name) }
        let gaps = before.gaps
        let missed = state.committed.filter { gaps.floors[$1] < $0 && $0 <= gaps.cursors[$1] && !before.taken.contains($0) }
        let next = state.committed.filter { before.starts[$1] < $0 }.sorted { $0.key < $1.key }.prefix(limit)
        func rows(_ found: some Sequence<(key: Int64, value: Int)>) -> [OutboxRow] {
            found.map { RelayProgressTests.row($0.key, partition: $0.value) }
        }
        let horizon = writing.map { relays[relay].observe($0) }
        let new = relays[relay].take(rows(missed)) + relays[relay].take(rows(next))
        if let last = next.last { relays[relay].read(through: last.key) }
        if next.count < limit, let writing { relays[relay].read(through: writing.lastID) }
        if let horizon { relays[relay].reached(horizon: horizon) }
        for row in new { inFlight[relay].append((row.id, state.events[row.id], row.partition, relays[relay].epoch(of: row.partition) ?? 0)) }
    }

    private mutating func startAgain(_ relay: Int) {
        relays[relay] = RelayProgress()
        inFlight[relay] = []
        for (partition, owner) in state.owners where owner == relay {
            relays[relay].lease(partition, epoch: state.epochs[partition] ?? 0, markedThrough: state.marks[partition] ?? 0)
        }
    }

    private mutating func confirm(_ relay: Int, count: Int, _ random: inout SeededGenerator) {
        for _ in 0..<count where !inFlight[relay].isEmpty {
            let event = inFlight[relay].remove(at: Int.random(in: inFlight[relay].indices, using: &random))
            published.insert(event.event)
            relays[relay].settle(event.id, partition: event.partition, epoch: event.epoch)
        }
    }

    private mutating func mark(_ relay: Int) {
        let marks = relays[relay].marks(all: true).filter { state.epochs[$0.partition] == $0.epoch && state.owners[$0.partition] == relay }
        for mark in marks {
            state.marks[mark.partition] = max(state.marks[mark.partition] ?? 0, mark.through)
            for id in 1...max(1, mark.through) where state.partitionOf[id] == mark.partition {
                let mayAppear = state.committed[id] != nil || open.values.contains { $0.contains(id) }
                if mayAppear, !published.contains(state.events[id]) { violations.append("\(id) of \(mark.partition) is behind \(mark.through)") }
            }
            if mark.through > state.lastID { violations.append("\(mark.through) is yet to be drawn") }
        }
        relays[relay].marked(marks)
    }

    private mutating func changeHands(_ random: inout SeededGenerator) {
        let partition = Int.random(in: 0..<Self.partitions, using: &random)
        if let owner = state.owners[partition], Bool.random(using: &random) {
            relays[owner].retire(partition)
            guard relays[owner].isDone(partition) else { return }
        }
        take(partition, by: Int.random(in: 0..<2, using: &random))
    }

    private mutating func take(_ partition: Int, by relay: Int) {
        if let owner = state.owners[partition] { relays[owner].drop(partition) }
        // Whoever asks for a lease learns that the server is another one before it works on it.
        if !relays[relay].isValid(in: life) { startAgain(relay) }
        state.epochs[partition, default: 0] += 1
        state.owners[partition] = relay
        durable = state
        relays[relay].lease(partition, epoch: state.epochs[partition] ?? 0, markedThrough: state.marks[partition] ?? 0)
    }

    /// Everybody commits, and one relay finishes the work.
    mutating func finish() {
        for name in open.keys { commit(name) }
        for partition in 0..<Self.partitions { take(partition, by: 0) }
        var random = SeededGenerator(seed: 0)
        for _ in 0..<2_000 where !(0..<Self.partitions).allSatisfy({ state.marks[$0, default: 0] >= state.lastID }) {
            look(0, limit: 50, &random)
            confirm(0, count: 50, &random)
        }
    }
}
