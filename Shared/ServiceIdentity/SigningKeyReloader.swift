internal import Concurrency
package import CoreMetrics
package import Logging
import Metrics
package import RequestSigning
import ServiceLifecycle

/// Looks once a second whether the keys file was replaced; one that can't be used keeps the old keys, and is logged and counted.
///
/// A service that accepts signed requests and one that sends them run it alike.
package struct SigningKeyReloader: Service {
    /// A file that was replaced is in use after this long at most, and the time to read it.
    package static let interval = Duration.seconds(1)

    private let keys: SigningKeyStore
    private let logger: Logger
    private let metrics: any MetricsFactory
    private let failures: Counter

    package init(keys: SigningKeyStore, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory) {
        self.keys = keys
        self.logger = logger
        self.metrics = metrics
        failures = Counter(label: "signing_keys_reload_failures_total", dimensions: [], factory: metrics)
    }

    package func run() async throws {
        failures.increment(by: 0)
        var accepted = recordAccepted(instead: [])
        var complaint: String?
        await Periodic.run(every: Self.interval) {
            do throws(SigningKeysError) {
                if try keys.reloadIfChanged() {
                    logger.info("signing keys were replaced")
                    accepted = recordAccepted(instead: accepted)
                }
                complaint = nil
            } catch {
                failures.increment()
                // Each look is counted; the log hears of each cause once.
                guard complaint != error.description else { return }
                complaint = error.description
                logger.error("signing keys can't be read; keeping the old ones", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Tells how many keys of each caller are accepted, by which an operator sees that every replica has read the file of a stage.
    ///
    /// - Parameter earlier: The callers told of before; those that are gone are told of as having none.
    private func recordAccepted(instead earlier: Set<String>) -> Set<String> {
        let inbound = keys.current.inbound
        let callers = Set(inbound.map(\.caller))
        for caller in callers.union(earlier) {
            Gauge(label: "signing_keys_inbound", dimensions: [("caller", caller)], factory: metrics)
                .record(inbound.count { $0.caller == caller })
        }
        return callers
    }
}
