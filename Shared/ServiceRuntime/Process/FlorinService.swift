import HTTPServer
import Logging
import Observability
import ServiceLifecycle

/// A service as the runtime sees it: a name, a configuration and a composition.
package protocol FlorinService: Sendable {
    associatedtype Settings: ServiceConfiguration

    /// The executable's name: `wallet-ledger`.
    static var name: String { get }

    /// Looks at the environment before anything is read from it, so that what must not be there is named first.
    ///
    /// - Throws: ``InvalidConfiguration`` when the process may not start with it.
    static func inspect(_ environment: [String: String], reportError: @Sendable (_ line: String) -> Void) throws(InvalidConfiguration)

    /// Builds every object once, in order of dependency; what has to be asked before a request is taken becomes a ``Prerequisite``.
    ///
    /// - Throws: ``InvalidConfiguration`` (exit 64), or any other error (exit 1) whose description is safe to log.
    static func compose(_ settings: Settings, _ context: ProcessContext) async throws -> ComposedProcess
}

/// How contexts come about: ``ProcessContext/ofServer(service:settings:)`` in a process, a plain one in a test.
package typealias ContextSource = @Sendable (_ service: String, _ settings: ProcessSettings) -> ProcessContext

extension FlorinService {
    package static func inspect(_: [String: String], reportError _: @Sendable (_ line: String) -> Void) throws(InvalidConfiguration) {}

    /// Runs the service until SIGTERM or SIGINT has drained it; what ends it early is one line on standard error.
    package static func serve(
        environment: [String: String], context makeContext: ContextSource = ProcessContext.ofServer, trapsSignals: Bool = true,
        reportError: @Sendable (_ line: String) -> Void = StandardError.write(line:)
    ) async -> ProcessExit {
        await perform(environment: environment, context: makeContext, reportError: reportError) { settings, context in
            for variable in TracingSettings.unknown(in: environment) {
                context.logger.warning("a variable of OpenTelemetry has no effect", metadata: ["setting": "\(PlainLine.text(variable))"])
            }
            ProcessMetrics.observe(context.metrics, service: name, version: context.settings.version)
            context.metrics.observe("process_starting", .gauge, "1 while the process starts or waits for what it needs, otherwise 0.") {
                context.readiness.phase == .starting ? 1 : 0
            }
            let process = try await compose(settings, context)
            let admin = AdminServer(
                host: context.settings.adminHost, port: context.settings.adminPort, readiness: context.readiness,
                checks: process.healthChecks, limits: .admin.ending(within: context.settings.drainTimeout), metrics: context.metrics,
                logger: context.logger)
            let exporters: [any Service] = context.spanExporter.map { [$0] } ?? []
            let held = PrerequisiteGate(prerequisites: process.prerequisites, services: process.serving, logger: context.logger)
            let group = ProcessGroup(
                services: [admin] + exporters + process.services, held: held, readiness: context.readiness,
                drainDelay: context.settings.drainDelay, drainTimeout: context.settings.drainTimeout, trapsSignals: trapsSignals,
                logger: context.logger)
            context.logger.info("starting", metadata: ["environment": "\(context.settings.environment)"])
            try await group.run()
            context.logger.info("stopped")
            return .success
        }
    }

    /// Reads the configuration and does something once with it, `migrate` say; an error is one line on standard error.
    package static func perform(
        environment: [String: String], context makeContext: ContextSource = ProcessContext.ofCommand,
        reportError: @Sendable (_ line: String) -> Void = StandardError.write(line:),
        _ work: @Sendable (Settings, ProcessContext) async throws -> ProcessExit
    ) async -> ProcessExit {
        await ProcessExit.ending(name, reportError: reportError) {
            try inspect(environment, reportError: reportError)
            let (processSettings, settings) = try Settings.load(environment: environment)
            return try await work(settings, makeContext(name, processSettings))
        }
    }
}
