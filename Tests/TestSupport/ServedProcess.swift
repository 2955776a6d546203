package import Observability
package import ServiceRuntime
internal import Synchronization

/// A service as `serve` composes it, in this process, until the process ends.
package enum ServedProcess {
    package struct NotServing: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// Starts a service and returns once it is ready.
    ///
    /// - Throws: ``NotServing`` with what it complained of.
    package static func start<Service: FlorinService>(
        _: Service.Type, environment: [String: String], within limit: Duration = .seconds(60), log: ServiceLog, tracer: SpanTracer?,
        metrics: PrometheusRegistry
    ) async throws {
        let readiness = Readiness()
        let ending = Ending()
        Task {
            let exit = await Service.serve(
                environment: environment,
                context: { service, settings in
                    ProcessContext(
                        service: service, settings: settings, logger: log.logger(level: settings.logLevel), metrics: metrics,
                        readiness: readiness, tracer: tracer)
                }, trapsSignals: false, reportError: { line in ending.note(line) })
            ending.note("ended with \(exit)")
        }
        let isReady = try await eventually(within: limit) {
            if let text = ending.text { throw NotServing(description: text) }
            return readiness.phase == .ready
        }
        guard isReady else { throw NotServing(description: "not ready in time") }
    }

    private final class Ending: Sendable {
        private let lines = Mutex<[String]>([])

        var text: String? { lines.withLock { $0.isEmpty ? nil : $0.joined(separator: "; ") } }

        func note(_ line: String) { lines.withLock { $0.append(line) } }
    }
}
