import Contracts
import CoreMetrics
package import Logging
import Metrics
package import NIOCore
import NIOHTTP1
package import Observability
import Synchronization

/// What one server counts and logs of itself, whatever its routes do.
package final class ServerInstruments: Sendable {
    /// Whoever makes us refuse things must not fill the log as well: of each reason so many lines are written in this time.
    private static let logInterval = Duration.seconds(10)
    private static let linesPerInterval = 20
    /// Of a path that was refused, this much is logged.
    private static let loggedPathLength = 128

    private struct Lines {
        var since = ContinuousClock.now
        var written = 0
        /// Since the last one that was.
        var unwritten = 0
    }

    private let server: String
    private let logger: Logger
    private let open = Atomic<Int>(0)
    private let counters: [LimitReason: Counter]
    private let lines = Mutex<[LimitReason: Lines]>([:])

    /// - Parameter server: The label that tells a process's servers apart: `api`, `admin`.
    package init(server: String, metrics: PrometheusRegistry, logger: Logger) {
        self.server = server
        self.logger = logger
        metrics.describe("http_server_limited_total", "What a server itself refused, cut or held back, by reason.")
        counters = Dictionary(
            uniqueKeysWithValues: LimitReason.allCases.map { reason in
                let dimensions = [("server", server), ("reason", reason.rawValue)]
                return (reason, Counter(label: "http_server_limited_total", dimensions: dimensions, factory: metrics))
            })
        metrics.observe("http_server_connections", .gauge, "Open connections of a server.", labels: [("server", server)]) { [self] in
            Double(open.load(ordering: .relaxed))
        }
    }

    /// Names what the system refuses the server's listening socket.
    package func watch(_ listener: any Channel) async {
        try? await listener.eventLoop.submit { [self] in
            try listener.pipeline.syncOperations.addHandler(AcceptErrors(self), position: .first)
        }.get()
    }

    /// - Returns: How many connections are open with this one.
    func opened() -> Int { open.wrappingAdd(1, ordering: .relaxed).newValue }

    func closed() { open.wrappingSubtract(1, ordering: .relaxed) }

    func count(_ reason: LimitReason) { counters[reason]?.increment() }

    func refusedConnection(_ reason: LimitReason) {
        count(reason)
        log(.warning, "connection refused", reason, [:])
    }

    func notAccepted(_ error: IOError) {
        count(.descriptors)
        log(.warning, "no connection can be accepted", .descriptors, ["errno": "\(error.errnoCode)"])
    }

    func cut(_ reason: LimitReason) {
        count(reason)
        log(.info, "connection cut", reason, [:])
    }

    /// - Parameter head: nil where it could not be read.
    func refused(_ refusal: Refusal, _ head: HTTPRequestHead?, _ requestID: RequestID) {
        count(refusal.reason)
        var metadata: Logger.Metadata = [
            "request_id": "\(requestID)", "http.status": "\(refusal.code.status)", "problem.code": "\(refusal.code.rawValue)",
        ]
        if let head {
            metadata["http.method"] = "\(head.method.rawValue)"
            metadata["http.path"] = "\(head.uri.prefix { $0 != "?" }.prefix(Self.loggedPathLength))"
        }
        log(.info, "request refused", refusal.reason, metadata)
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ reason: LimitReason, _ metadata: Logger.Metadata) {
        guard logger.logLevel <= level, let unwritten = lineIsDue(reason) else { return }
        var metadata = metadata
        metadata["server"] = "\(server)"
        metadata["reason"] = "\(reason.rawValue)"
        if unwritten > 0 { metadata["unwritten_before"] = "\(unwritten)" }
        logger.log(level: level, message, metadata: metadata)
    }

    /// - Returns: How many lines have not been written since the last one; nil if this one shall not be either.
    private func lineIsDue(_ reason: LimitReason) -> Int? {
        lines.withLock { all in
            var state = all[reason] ?? Lines()
            defer { all[reason] = state }
            if ContinuousClock.now - state.since >= Self.logInterval { state = Lines(unwritten: state.unwritten) }
            guard state.written < Self.linesPerInterval else {
                state.unwritten += 1
                return nil
            }
            state.written += 1
            defer { state.unwritten = 0 }
            return state.unwritten
        }
    }
}
