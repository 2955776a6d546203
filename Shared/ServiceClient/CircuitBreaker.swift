/// Stops calling a callee that fails, and finds out with a few probes when it is back.
///
/// A pure state machine: time is passed in and never goes back. Closed, it counts outcomes; open, it admits nothing until its time is over;
/// half-open, it admits a few probes at once. When enough of them succeed it closes, and the calls at once grow from that few to all of them.
struct CircuitBreaker: Hashable, Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What a try says about the callee.
    enum Outcome: Hashable, Sendable, CaseIterable {
        case success
        /// Answered, and the fault is the request's: 4xx.
        case clientFault
        /// Answered 5xx.
        case serverFault
        /// No answer: unreachable, connection lost, timed out.
        case transportFault
        /// Nothing: the caller went away, or the request was not sent.
        case excluded

        var isFailure: Bool { self == .serverFault || self == .transportFault }
    }

    /// Permission for one try, to be given back by ``end(_:_:now:)`` exactly once, whatever comes of it.
    struct Permit: Hashable, Sendable {
        /// An outcome counts only in the phase that admitted its try.
        let phase: Int
    }

    enum State: Hashable, Sendable {
        case closed, halfOpen, open
    }

    private enum Phase: Hashable {
        case closed(Closed)
        case open(until: Instant)
        case halfOpen(HalfOpen)
    }

    private struct Closed: Hashable {
        var windowBegin: Instant
        var successes = 0
        var failures = 0
        /// Without an answer in between.
        var transportFaults = 0
        var underWay = 0
        /// Nil once all calls are let through again.
        var rampBegin: Instant?
    }

    private struct HalfOpen: Hashable {
        var underWay = 0
        var successes = 0
        /// When the latest probe was admitted.
        var latestProbe: Instant
    }

    let settings: CircuitBreakerSettings
    private var phase: Phase
    private(set) var phaseNumber = 0
    /// How often it has opened since it last was closed for good.
    private(set) var openings = 0

    init(_ settings: CircuitBreakerSettings, now: Instant) {
        self.settings = settings
        phase = .closed(Closed(windowBegin: now))
    }

    var state: State {
        switch phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// - Returns: Nil when the callee is not to be called now.
    mutating func admit(now: Instant) -> Permit? {
        advance(to: now)
        switch phase {
        case .closed(var closed):
            guard closed.underWay < allowed(in: closed, now: now) else { return nil }
            closed.underWay += 1
            phase = .closed(closed)
        case .open: return nil
        case .halfOpen(var halfOpen):
            guard halfOpen.underWay < settings.probes else { return nil }
            halfOpen.underWay += 1
            halfOpen.latestProbe = now
            phase = .halfOpen(halfOpen)
        }
        return Permit(phase: phaseNumber)
    }

    /// Takes the outcome of an admitted try.
    mutating func end(_ permit: Permit, _ outcome: Outcome, now: Instant) {
        advance(to: now)
        guard permit.phase == phaseNumber else { return }
        switch phase {
        case .closed(var closed):
            closed.underWay -= 1
            count(outcome, in: &closed)
            phase = .closed(closed)
            if outcome.isFailure, mustOpen(closed) { open(now: now) }
        case .open: break
        case .halfOpen(var halfOpen):
            // Given back whatever the outcome, so that a probe without a verdict makes room for the next.
            halfOpen.underWay -= 1
            phase = .halfOpen(halfOpen)
            switch outcome {
            // The request's fault is an answer too: a callee whose answers are mostly 404 would never be called in full again.
            case .success, .clientFault:
                halfOpen.successes += 1
                phase = .halfOpen(halfOpen)
                if halfOpen.successes >= settings.probes { enter(.closed(Closed(windowBegin: now, rampBegin: now))) }
            case .serverFault, .transportFault: open(now: now)
            case .excluded: break
            }
        }
    }

    /// What time alone changes.
    mutating func advance(to now: Instant) {
        switch phase {
        case .closed(var closed):
            if now - closed.windowBegin >= settings.window { (closed.windowBegin, closed.successes, closed.failures) = (now, 0, 0) }
            if let begin = closed.rampBegin, now - begin >= settings.ramp {
                closed.rampBegin = nil
                openings = 0
            }
            phase = .closed(closed)
        case .open(let until):
            if now >= until { enter(.halfOpen(HalfOpen(latestProbe: now))) }
        case .halfOpen(let halfOpen):
            // Nobody is waited for any longer, and nobody else gets in: the probes are lost.
            if halfOpen.underWay >= settings.probes, now - halfOpen.latestProbe >= settings.probeLimit {
                enter(.open(until: now + settings.openTime(openings)))
            }
        }
    }

    private func allowed(in closed: Closed, now: Instant) -> Int {
        guard let begin = closed.rampBegin else { return Int.max }
        return settings.probes + Int((now - begin) / settings.ramp * Double(max(0, settings.fullConcurrency - settings.probes)))
    }

    private func count(_ outcome: Outcome, in closed: inout Closed) {
        switch outcome {
        case .success:
            closed.successes += 1
            closed.transportFaults = 0
        case .clientFault: closed.transportFaults = 0
        case .serverFault:
            closed.failures += 1
            closed.transportFaults = 0
        case .transportFault:
            closed.failures += 1
            closed.transportFaults += 1
        case .excluded: break
        }
    }

    private func mustOpen(_ closed: Closed) -> Bool {
        if closed.transportFaults >= settings.consecutiveTransportFaults { return true }
        let volume = closed.successes + closed.failures
        return volume >= settings.minimumVolume && closed.failures * 100 >= volume * settings.failurePercent
    }

    private mutating func open(now: Instant) {
        openings += 1
        enter(.open(until: now + settings.openTime(openings)))
    }

    private mutating func enter(_ phase: Phase) {
        self.phase = phase
        phaseNumber += 1
    }
}
