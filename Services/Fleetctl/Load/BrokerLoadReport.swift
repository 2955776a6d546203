/// What `fleetctl load broker` prints: one line of JSON.
package struct BrokerLoadReport: Sendable, CustomStringConvertible {
    package let events: Int
    private let clock: LoadClock

    init(events: Int, _ clock: LoadClock) {
        self.events = events
        self.clock = clock
    }

    package var description: String {
        let divisor = Double(max(1, events))
        let seconds = clock.seconds
        let others = clock.measuredMicroseconds.map { "\(Self.rounded($0 / divisor))" }.joined(separator: ",")
        return """
            {"events":\(events),"seconds":\(Self.rounded(seconds)),"per_second":\(Self.rounded(seconds > 0 ? Double(events) / seconds : 0)),\
            "cpu_us_per_event":\(Self.rounded(clock.ownMicroseconds / divisor)),"measured_us_per_event":[\(others)]}
            """
    }

    private static func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
}

/// What a part of a run took: time, and processor time of this process and of others.
struct LoadClock: Sendable {
    private let processes: [Int]
    private var startedAt = ContinuousClock.now
    private var elapsed = Duration.zero
    private var before: [UInt64] = []
    private var after: [UInt64] = []
    private var ownBefore: UInt64 = 0
    private var ownAfter: UInt64 = 0

    /// Starts.
    init(_ processes: [Int]) {
        self.processes = processes
        start()
    }

    mutating func start() {
        before = processes.map(ProcessorTime.used(byTreeOf:))
        ownBefore = ProcessorTime.used
        startedAt = .now
    }

    /// Takes the time so far.
    mutating func stop() {
        elapsed = .now - startedAt
        ownAfter = ProcessorTime.used
        after = processes.map(ProcessorTime.used(byTreeOf:))
    }

    /// Somebody knows better how long it took.
    mutating func took(_ duration: Duration) { elapsed = duration }

    var seconds: Double { Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18 }
    var ownMicroseconds: Double { Double(ownAfter > ownBefore ? ownAfter - ownBefore : 0) / 1_000 }
    var measuredMicroseconds: [Double] { zip(before, after).map { $1 > $0 ? Double($1 - $0) / 1_000 : 0 } }
}
