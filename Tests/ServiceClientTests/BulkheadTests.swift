import Testing

@testable import Concurrency

@Suite("Bulkhead")
struct BulkheadTests {
    /// The bulkhead and those around it, who come back again and again.
    private struct Model: Hashable {
        enum Caller: Hashable {
            case away
            case waiting
            /// Has a permit that it waited for and does not know yet.
            case granted
            case holding
        }

        enum Event {
            case arrive(Int)
            case giveUp(Int)
            case wake(Int)
            case release(Int)
        }

        var bulkhead: Bulkhead
        var callers: [Caller]
        /// Who waits, in order of arrival.
        var queue: [Int] = []
        var faults: [String] = []

        init(limit: Int, waitingLimit: Int, callers: Int) {
            bulkhead = Bulkhead(limit: limit, waitingLimit: waitingLimit)
            self.callers = Array(repeating: .away, count: callers)
        }

        var events: [Event] {
            callers.indices.flatMap { caller -> [Event] in
                switch callers[caller] {
                case .away: [.arrive(caller)]
                case .waiting: [.giveUp(caller)]
                // Its time is over just as it is its turn, or it wakes first.
                case .granted: [.giveUp(caller), .wake(caller)]
                case .holding: [.release(caller)]
                }
            }
        }

        func after(_ event: Event) -> Model {
            var model = self
            model.perform(event)
            return model
        }

        private mutating func perform(_ event: Event) {
            switch event {
            case .arrive(let caller): arrive(caller)
            case .giveUp(let caller):
                let leaves = bulkhead.giveUp(caller)
                require(leaves == (callers[caller] == .waiting), "a wait that is over is not one that goes on")
                queue.removeAll { $0 == caller }
                callers[caller] = leaves ? .away : .holding
            case .wake(let caller): callers[caller] = .holding
            case .release(let caller):
                callers[caller] = .away
                let next = bulkhead.release()
                require(next == queue.first, "the permit passed \(String(describing: queue.first)) by")
                guard let next else { return }
                queue.removeFirst()
                callers[next] = .granted
            }
        }

        private mutating func arrive(_ caller: Int) {
            switch bulkhead.arrive(caller) {
            case .admitted: callers[caller] = .holding
            case .waits:
                callers[caller] = .waiting
                queue.append(caller)
            case .refused:
                require(bulkhead.held == bulkhead.limit && queue.count == bulkhead.waitingLimit, "refused although there was room")
            }
        }

        func allFaults() -> [String] {
            var model = self
            let holding = callers.count { $0 == .holding || $0 == .granted }
            model.require(bulkhead.held == holding, "\(bulkhead.held) permits are held by \(holding) callers")
            model.require(bulkhead.held <= bulkhead.limit, "more than \(bulkhead.limit) calls at once")
            model.require(bulkhead.waiting == queue, "another queue than in order of arrival")
            model.require(queue.count <= bulkhead.waitingLimit, "more than \(bulkhead.waitingLimit) wait")
            model.require(queue.isEmpty || bulkhead.held == bulkhead.limit, "somebody waits beside a free permit")
            return model.faults
        }

        private mutating func require(_ isTrue: Bool, _ fault: String) {
            if !isTrue { faults.append(fault) }
        }
    }

    @Test(
        "GW-18 over every order of arrivals, ends, turns and cancelled waits: free and held permits add up, each turn is given once and in order",
        arguments: [(1, 0, 3), (1, 2, 4), (2, 1, 5), (2, 2, 5), (3, 2, 6)])
    func everyOrder(limit: Int, waitingLimit: Int, callers: Int) {
        let exploration = Exploration(
            from: Model(limit: limit, waitingLimit: waitingLimit, callers: callers), steps: 60, events: \.events, next: { $0.after($1) },
            faults: { $0.allFaults() })
        #expect(exploration.fault == nil)
        #expect(exploration.isComplete && exploration.states > callers)
    }
}
