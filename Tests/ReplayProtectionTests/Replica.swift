import Logging
import Observability
import Redis
import RequestSigning
import ServiceLifecycle
import ServiceRuntime
import Synchronization
import Testing

@testable import ReplayProtection

/// One of a service's replicas, as far as its replay window goes: composed as in the process, with what it logs and counts.
struct Replica {
    static var now: Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }

    let protection: ReplayProtection
    let lines: Lines
    let metrics: PrometheusRegistry
    var logger: Logger { Logger(label: "test") { [lines] _ in LineHandler(lines: lines) } }

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Lends replicas of a service that share a Redis, running, and ends them.
    static func with(
        _ count: Int, _ url: String, service: String = "wallet-ledger", environment: [String: String] = ["REDIS_TIMEOUT": "5s"],
        clock: @escaping @Sendable () -> Int64 = { Replica.now }, _ body: ([Replica]) async throws -> Void
    ) async throws {
        var replicas: [Replica] = []
        for _ in 0..<count { replicas.append(try await Replica(url, service: service, environment: environment, clock: clock)) }
        let running = replicas.flatMap(\.protection.services)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in running { group.addTask { try await service.run() } }
            do { try await body(replicas) } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    /// - Parameters:
    ///   - environment: Patient unless told otherwise, for a machine with much else to do.
    ///   - clock: The process's while it connects, in seconds since the Unix epoch.
    init(
        _ url: String, service: String = "wallet-ledger", environment: [String: String] = ["REDIS_TIMEOUT": "5s"],
        clock: @escaping @Sendable () -> Int64 = { Replica.now }
    ) async throws {
        let values = try SettingsReader(environment: environment.merging(["REDIS_URL": url]) { $1 }).read(
            ReplayWindowSettings.declared)
        let lines = Lines()
        let metrics = PrometheusRegistry()
        let settings = try ReplayWindowSettings(values)
        let target = try ReplayProtection.target(settings, service: service, authorities: nil)
        protection = try await ReplayProtection.compose(
            target, service: service, timeout: settings.timeout, logger: Logger(label: "test") { _ in LineHandler(lines: lines) }, metrics: metrics,
            now: clock)
        self.lines = lines
        self.metrics = metrics
    }

    /// Why a request is not let in, nil when it is.
    func refusal(of caller: VerifiedCaller, isRepeatable: Bool, now: Int64 = Replica.now) async -> SignatureRejection? {
        do throws(SignatureRejection) {
            try await protection.window.admit(caller, isRepeatable: isRepeatable, now: now)
            return nil
        } catch {
            return error
        }
    }

    /// The value of a counter.
    func count(_ name: String) -> Int {
        metrics.render().split(separator: "\n").first { $0.hasPrefix("\(name) ") }.flatMap { Int($0.dropFirst(name.count + 1)) } ?? 0
    }

    func isHealthy() async -> Bool { await HealthReport.make(phase: .ready, checks: protection.healthChecks).status == "ok" }

    /// A request that was signed just now, by a clock that is a little ahead.
    static func request(
        _ nonce: String, keyID: String = "mobile-bff.wallet-ledger.1", created: Int64 = Replica.now + 3, lifetime: Int64 = 20
    ) -> VerifiedCaller {
        VerifiedCaller(caller: "mobile-bff", keyID: keyID, nonce: nonce, created: created, expires: created + lifetime, expectedDigest: nil)
    }

    /// What was logged, as `level: message`.
    final class Lines: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func count(_ text: String) -> Int { all.count { $0.contains(text) } }

        fileprivate func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private struct LineHandler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.add("\(event.level): \(event.message) \(event.metadata ?? [:])")
        }
    }
}
