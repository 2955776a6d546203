internal import Concurrency
package import CoreMetrics
package import Logging
import Metrics
import Observability
import ServiceLifecycle
import TransportSecurity

/// Looks once a second whether certificate, key or authorities were replaced; what can't be used keeps the old, and is logged and counted.
package struct CertificateReloader: Service {
    private static let interval = Duration.seconds(1)

    private let material: InternalTLS.Material
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private let expiry: Gauge
    private let certificateFailures: Counter
    private let authorityFailures: Counter

    /// - Parameter now: Seconds since the Unix epoch.
    package init(
        material: InternalTLS.Material, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory,
        now: @escaping @Sendable () -> Int64 = { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }
    ) {
        self.material = material
        self.logger = logger
        self.now = now
        expiry = Gauge(label: "tls_certificate_expiry_seconds", factory: metrics)
        certificateFailures = Counter(label: "tls_reload_failures_total", dimensions: [("file", "certificate")], factory: metrics)
        authorityFailures = Counter(label: "tls_reload_failures_total", dimensions: [("file", "authorities")], factory: metrics)
    }

    package func run() async throws {
        for failures in [certificateFailures, authorityFailures] { failures.increment(by: 0) }
        var certificateComplaint: String?
        var authorityComplaint: String?
        expiry.record(material.certificate.expiresAt)
        await Periodic.run(every: Self.interval) {
            look(certificateFailures, &certificateComplaint, "the TLS certificate was replaced") { () throws(CertificateFileError) in
                try material.certificate.reloadIfChanged(now: now())
            }
            look(authorityFailures, &authorityComplaint, "the TLS authorities were replaced") { () throws(CertificateFileError) in
                try material.authorities.reloadIfChanged()
            }
            expiry.record(material.certificate.expiresAt)
        }
    }

    /// Each look that fails is counted; the log hears of each cause once.
    private func look(
        _ failures: Counter, _ complaint: inout String?, _ success: Logger.Message, _ reload: () throws(CertificateFileError) -> Bool
    ) {
        do {
            if try reload() { logger.info(success, metadata: ["tls.expires_at": "\(material.certificate.expiresAt)"]) }
            complaint = nil
        } catch {
            failures.increment()
            guard complaint != error.description else { return }
            complaint = error.description
            logger.error("TLS files can't be used; keeping the old ones", metadata: ["error": "\(error)"])
        }
    }
}
