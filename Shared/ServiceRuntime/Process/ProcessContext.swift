import CoreMetrics
package import Logging
package import Observability
import Tracing

/// What the runtime hands to a service's composition.
package struct ProcessContext: Sendable {
    /// The executable's name: `wallet-ledger`.
    package let service: String
    package let settings: ProcessSettings
    package let logger: Logger
    package let metrics: PrometheusRegistry
    /// Set by the composition's server once it listens, or by a ``ReadinessMark``; see ``Readiness/started()``.
    package let readiness: Readiness
    /// Nil when no spans are made.
    package let tracer: SpanTracer?
    /// Run by the process, before what it composes: so it ends after everything that makes spans.
    let spanExporter: SpanExporter?

    package init(
        service: String, settings: ProcessSettings, logger: Logger, metrics: PrometheusRegistry, readiness: Readiness = Readiness(),
        tracer: SpanTracer? = nil, spanExporter: SpanExporter? = nil
    ) {
        self.service = service
        self.settings = settings
        self.logger = logger
        self.metrics = metrics
        self.readiness = readiness
        self.tracer = tracer
        self.spanExporter = spanExporter
    }

    /// The context of a server, whose standard output is its log. Once per process.
    package static func ofServer(service: String, settings: ProcessSettings) -> ProcessContext {
        let context = bootstrap(service: service, settings: settings, output: .standardOutput)
        guard let url = settings.tracing.exportURL else { return context }
        let counters = SpanCounters(factory: context.metrics)
        let queue = SpanQueue(counters: counters)
        let tracer = SpanTracer(sampler: settings.tracing.sampler, queue: queue)
        let resource = SpanResource(service: service, settings)
        let exporter = SpanExporter(
            url: url, headers: settings.tracing.headers, resource: resource, queue: queue, counters: counters, logger: context.logger)
        // For libraries that know swift-distributed-tracing only; our own code is handed the tracer.
        InstrumentationSystem.bootstrap(tracer)
        return ProcessContext(
            service: service, settings: settings, logger: context.logger, metrics: context.metrics, readiness: context.readiness,
            tracer: tracer, spanExporter: exporter)
    }

    /// The context of a command that ends by itself, whose standard output is its result. Once per process.
    package static func ofCommand(service: String, settings: ProcessSettings) -> ProcessContext {
        bootstrap(service: service, settings: settings, output: .standardError)
    }

    /// Makes logs and metrics the process's own, for code that only knows swift-log and swift-metrics; from the main entry only.
    private static func bootstrap(service: String, settings: ProcessSettings, output: LogOutput) -> ProcessContext {
        let metrics = PrometheusRegistry()
        let level = settings.logLevel
        LoggingSystem.bootstrap { label in JSONLogHandler(label: label, service: service, level: level, output: output) }
        MetricsSystem.bootstrap(metrics)
        return ProcessContext(service: service, settings: settings, logger: Logger(label: service), metrics: metrics)
    }
}
