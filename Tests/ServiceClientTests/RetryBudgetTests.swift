import Testing

@testable import ServiceClient

@Suite("Retry budget")
struct RetryBudgetTests {
    private struct Model: Hashable {
        enum Event {
            case beginCall, endCall, beginRetry, endRetry
        }

        var budget: RetryBudget
        var calls = 0
        var retries = 0
        var fault: String?

        var events: [Event] {
            (calls < 24 ? [.beginCall] : []) + (calls > retries ? [.endCall, .beginRetry] : []) + (retries > 0 ? [.endRetry] : [])
        }

        func after(_ event: Event) -> Model {
            var model = self
            switch event {
            case .beginCall:
                model.budget.beginCall()
                model.calls += 1
            case .endCall:
                model.budget.endCall()
                model.calls -= 1
            case .beginRetry:
                let allowed = max(budget.floor, calls * budget.percent / 100)
                let isGranted = model.budget.beginRetry()
                if isGranted { model.retries += 1 }
                if isGranted != (retries < allowed) { model.fault = "\(retries) retries beside \(calls) calls, the next granted: \(isGranted)" }
            case .endRetry:
                model.budget.endRetry()
                model.retries -= 1
            }
            if (model.budget.calls, model.budget.retries) != (model.calls, model.retries) { model.fault = "it counts otherwise: \(model.budget)" }
            return model
        }
    }

    @Test(
        "over every order of calls and retries: no retry beyond its share or the floor, none refused below them, nothing left when all have ended",
        arguments: [(RetryBudget.defaultPercent, RetryBudget.defaultFloor), (50, 1), (0, 0)])
    func everyOrder(percent: Int, floor: Int) {
        let exploration = Exploration(
            from: Model(budget: RetryBudget(percent: percent, floor: floor)), steps: 200, events: \.events, next: { $0.after($1) },
            faults: { [$0.fault].compactMap(\.self) })
        #expect(exploration.fault == nil)
        #expect(exploration.isComplete && exploration.states > 20)
    }

    @Test(
        "the numbers of edge-identity.md 1.2: three at any time, from fifteen calls on one in five",
        arguments: [(1, 3), (15, 3), (20, 4), (64, 12)])
    func numbers(calls: Int, retries: Int) {
        var budget = RetryBudget()
        for _ in 0..<calls { budget.beginCall() }
        #expect(budget.limit == retries)
    }
}
