import Testing

@testable import ServiceClient

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    private static let begin = ContinuousClock.now

    /// Small numbers, so that few steps lead everywhere.
    private static let small: CircuitBreakerSettings = {
        var settings = CircuitBreakerSettings(fullConcurrency: 4)
        settings.window = .seconds(3)
        settings.minimumVolume = 3
        settings.consecutiveTransportFaults = 2
        settings.openTimeStep = .seconds(2)
        settings.maximumOpenTime = .seconds(3)
        settings.probes = 2
        settings.probeLimit = .seconds(3)
        settings.ramp = .seconds(2)
        return settings
    }()

    /// A breaker, its time and the tries that are under way.
    private struct Model: Hashable {
        enum Event {
            case second
            case call
            case end(Int, CircuitBreaker.Outcome)
        }

        static let callers = 4

        var breaker = CircuitBreaker(small, now: begin)
        var now = begin
        var underWay: [CircuitBreaker.Permit] = []
        /// When it opened last, and how often since it was closed for good.
        var openSince = begin
        var openings = 0
        var openTime: Duration { min(small.openTimeStep * openings, small.maximumOpenTime) }
        /// When the probes had succeeded; nil once the ramp is over.
        var rampSince: ContinuousClock.Instant?
        var windowSince = begin
        var successes = 0
        var failures = 0
        /// Tries without an answer, in a row, since it was closed.
        var transportFaults = 0
        var probesSucceeded = 0
        var fault: String?

        var events: [Event] {
            [.second] + (underWay.count < Self.callers ? [.call] : [])
                + underWay.indices.flatMap { index in CircuitBreaker.Outcome.allCases.map { .end(index, $0) } }
        }

        /// Admitted in this phase.
        var counted: Int { underWay.count { $0.phase == breaker.phaseNumber } }

        func after(_ event: Event) -> Model {
            var model = self
            switch event {
            case .second: model.second()
            case .call: model.call()
            case .end(let index, let outcome): model.end(model.underWay.remove(at: index), outcome)
            }
            return model
        }

        /// A window begins with the first that happens after the one before.
        private mutating func beginWindow() {
            if now - windowSince >= small.window { (windowSince, successes, failures) = (now, 0, 0) }
        }

        private mutating func second() {
            now += .seconds(1)
            guard let since = rampSince, now - since >= small.ramp else { return }
            (rampSince, openings) = (nil, 0)
        }

        private mutating func call() {
            beginWindow()
            let (before, counted) = (breaker.state, counted)
            let permit = breaker.admit(now: now)
            note(before, isFailure: false)
            if let permit { underWay.append(permit) }
            let isAdmitted = permit != nil
            switch before {
            case .open: require(isAdmitted == (now - openSince >= openTime), "open for \(now - openSince) of \(openTime): admitted \(isAdmitted)")
            case .halfOpen: require(isAdmitted == (counted < small.probes), "beside \(counted) probes another: \(isAdmitted)")
            case .closed:
                let share = rampSince.map { (now - $0) / small.ramp } ?? 100
                let allowed = small.probes + Int(share * Double(small.fullConcurrency - small.probes))
                require(isAdmitted == (counted < allowed), "beside \(counted) of \(allowed) calls another: \(isAdmitted)")
            }
        }

        private mutating func end(_ permit: CircuitBreaker.Permit, _ outcome: CircuitBreaker.Outcome) {
            beginWindow()
            let earlier = breaker.state
            breaker.advance(to: now)
            note(earlier, isFailure: false)
            let before = breaker
            breaker.end(permit, outcome, now: now)
            guard permit.phase == before.phaseNumber else { return }
            let isFailure = [.serverFault, .transportFault].contains(outcome)
            switch before.state {
            case .closed:
                if outcome == .success { successes += 1 }
                if isFailure { failures += 1 }
                transportFaults = outcome == .transportFault ? transportFaults + 1 : outcome == .excluded ? transportFaults : 0
                let isFailing = successes + failures >= small.minimumVolume && failures * 100 >= (successes + failures) * small.failurePercent
                let mustOpen = isFailure && (isFailing || transportFaults >= small.consecutiveTransportFaults)
                require((breaker.state == .open) == mustOpen, "\(failures) failures, \(successes) successes, and it is \(breaker.state)")
            case .halfOpen:
                if [.success, .clientFault].contains(outcome) { probesSucceeded += 1 }
                require((breaker.state == .open) == isFailure, "half-open became \(breaker.state) on \(outcome)")
                let mustClose = probesSucceeded >= small.probes
                require((breaker.state == .closed) == (mustClose && !isFailure), "\(breaker.state) after \(probesSucceeded) good probes")
            case .open: require(breaker == before, "open, and \(outcome) changes it")
            }
            note(before.state, isFailure: isFailure)
        }

        private mutating func note(_ before: CircuitBreaker.State, isFailure: Bool) {
            guard breaker.state != before else { return }
            switch breaker.state {
            case .open:
                (openSince, rampSince) = (now, nil)
                if isFailure { openings += 1 }
            case .closed: (rampSince, windowSince) = (now, now)
            case .halfOpen: break
            }
            (successes, failures, transportFaults, probesSucceeded) = (0, 0, 0, 0)
        }

        private mutating func require(_ isTrue: Bool, _ fault: String) {
            if !isTrue { self.fault = self.fault ?? fault }
        }

        func faults() -> [String] {
            [fault, lateOutcome(), withoutVerdict(), lostPermits(), recovery()].compactMap(\.self)
        }

        /// An outcome of an earlier phase changes nothing.
        private func lateOutcome() -> String? {
            for permit in underWay where permit.phase != breaker.phaseNumber {
                var unchanged = breaker
                unchanged.end(permit, .excluded, now: now)
                for outcome in CircuitBreaker.Outcome.allCases {
                    var changed = breaker
                    changed.end(permit, outcome, now: now)
                    guard changed == unchanged else { return "a late \(outcome) counts" }
                }
            }
            return nil
        }

        /// Half-open, what ends without a verdict makes room for as many probes.
        private func withoutVerdict() -> String? {
            guard breaker.state == .halfOpen else { return nil }
            var breaker = breaker
            for permit in underWay { breaker.end(permit, .excluded, now: now) }
            guard breaker.state == .halfOpen else { return nil }
            let admitted = (0..<small.probes + 1).count { _ in breaker.admit(now: now) != nil }
            return admitted == small.probes ? nil : "\(admitted) instead of \(small.probes) probes admitted after others without a verdict"
        }

        /// Even when no try under way ever ends, there comes a time when one is admitted.
        private func lostPermits() -> String? {
            var breaker = breaker
            let limit = now + small.probeLimit
            guard breaker.admit(now: limit) == nil else { return nil }
            return breaker.admit(now: limit + small.maximumOpenTime) == nil ? "shut for ever" : nil
        }

        /// When the callee is back it closes, and after the ramp it bounds nothing.
        private func recovery() -> String? {
            var (breaker, now) = (breaker, now)
            for _ in 0..<20 {
                now += .seconds(1)
                if let permit = breaker.admit(now: now) { breaker.end(permit, .success, now: now) }
            }
            guard breaker.state == .closed, breaker.openings == 0 else { return "still \(breaker.state) after 20 s of success" }
            return (0..<10).allSatisfy { _ in breaker.admit(now: now) != nil } ? nil : "closed, and it refuses"
        }
    }

    @Test("GW-17 over every order of calls, their ends and time: bounded probes, no late outcome counts, and it never stays shut")
    func everyOrder() {
        let exploration = Exploration(from: Model(), steps: 16, events: \.events, next: { $0.after($1) }, faults: { $0.faults() })
        #expect(exploration.fault == nil)
        #expect(exploration.states > 10_000)
    }

    /// A breaker with the numbers of the README.
    private struct Usual {
        var breaker = CircuitBreaker(CircuitBreakerSettings(fullConcurrency: 32), now: begin)
        var now = begin

        mutating func end(_ outcomes: CircuitBreaker.Outcome...) {
            for outcome in outcomes {
                guard let permit = breaker.admit(now: now) else { return }
                breaker.end(permit, outcome, now: now)
            }
        }
    }

    @Test("it opens after five tries in a row without an answer, whatever is excluded between them, but not when a 404 or a 500 is")
    func consecutiveFaults() {
        var usual = Usual()
        for _ in 0..<4 { usual.end(.transportFault, .excluded) }
        #expect(usual.breaker.state == .closed)
        usual.end(.transportFault)
        #expect(usual.breaker.state == .open)
        usual = Usual()
        for _ in 0..<3 { usual.end(.transportFault, .transportFault, .clientFault, .transportFault, .transportFault, .serverFault) }
        #expect(usual.breaker.state == .closed)
        usual = Usual()
        for _ in 0..<100 { usual.end(.clientFault, .excluded) }
        #expect(usual.breaker.state == .closed)
    }

    @Test("a callee that answers 404 to every probe is called in full again")
    func clientFaultsAreProofOfLife() {
        var usual = Usual()
        usual.end(.transportFault, .transportFault, .transportFault, .transportFault, .transportFault)
        #expect(usual.breaker.state == .open)
        usual.now += usual.breaker.settings.openTime(1)
        for _ in 0..<usual.breaker.settings.probes { usual.end(.clientFault) }
        #expect(usual.breaker.state == .closed)
    }

    @Test("half of twenty outcomes within ten seconds open it; of fewer, or of older ones, none do")
    func shareOfFailures() {
        var usual = Usual()
        for _ in 0..<9 { usual.end(.success, .serverFault) }
        #expect(usual.breaker.state == .closed)
        usual.now += .seconds(10)
        for _ in 0..<9 { usual.end(.success, .serverFault) }
        #expect(usual.breaker.state == .closed)
        usual.end(.success, .serverFault)
        #expect(usual.breaker.state == .open)
    }

    @Test("it stays open for 5 s, 10 s and so on up to 60 s; three good probes close it, and within 10 s all calls are let through again")
    func openTimesAndRamp() {
        var usual = Usual()
        for _ in 0..<5 { usual.end(.transportFault) }
        for seconds in [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 60] {
            usual.now += .seconds(seconds) - .milliseconds(1)
            #expect(usual.breaker.admit(now: usual.now) == nil)
            usual.now += .milliseconds(1)
            usual.end(.transportFault)
            #expect(usual.breaker.state == .open)
        }
        usual.now += .seconds(60)
        usual.end(.success, .success)
        #expect(usual.breaker.state == .halfOpen)
        usual.end(.success)
        #expect(usual.breaker.state == .closed)
        let atOnce = [0, 2, 4, 6, 8, 10].map { seconds in
            var breaker = usual.breaker
            return (0..<100).count { _ in breaker.admit(now: usual.now + .seconds(seconds)) != nil }
        }
        #expect(atOnce == [3, 8, 14, 20, 26, 100])
    }
}
