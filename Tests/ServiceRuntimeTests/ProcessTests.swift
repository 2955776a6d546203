import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Observability
@testable import ServiceRuntime

enum Composition {
    /// What the services below do when they are composed; one value per task, so that tests do not meet.
    @TaskLocal static var compose: @Sendable (ProcessContext) async throws -> ComposedProcess = { _ in
        ComposedProcess(services: [], healthChecks: [])
    }
}

struct ExampleService: FlorinService {
    static let name = "example"

    static func compose(_ settings: ExampleSettings, _ context: ProcessContext) async throws -> ComposedProcess {
        try await Composition.compose(context)
    }
}

@Suite("Process")
struct ProcessTests {
    struct Broken: Error, CustomStringConvertible {
        let description = "broken\nin two lines"
    }

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func context(_ service: String, _ settings: ProcessSettings) -> ProcessContext {
        ProcessContext(service: service, settings: settings, logger: quiet, metrics: PrometheusRegistry())
    }

    /// Serves with the composition given; the code and the lines that an operator would see.
    private func serve(
        _ changes: [String: String] = [:], _ compose: @escaping @Sendable (ProcessContext) async throws -> ComposedProcess
    ) async -> (ProcessExit, [String]) {
        let journal = Journal()
        let environment = ExampleSettings.minimum.merging(["ADMIN_PORT": "0"]) { $1 }.merging(changes) { $1 }
        let status = await Composition.$compose.withValue(compose) {
            await ExampleService.serve(environment: environment, context: Self.context, trapsSignals: false, reportError: { journal.note($0) })
        }
        return (status, journal.all)
    }

    @Test("a drain takes the services in reverse order, each after the one before has ended, and readiness goes first")
    func drainOrder() async throws {
        let journal = Journal()
        let readiness = Readiness()
        readiness.started()
        let steps = ["pool", "writer", "server"].map { name in
            ShutdownStep(name) {
                journal.note("\(name) ends, \(readiness.phase)")
                await Task.yield()
                journal.note("\(name) ended")
            }
        }
        let group = ProcessGroup(
            services: steps, readiness: readiness, drainDelay: .zero, drainTimeout: .seconds(30), trapsSignals: false, logger: Self.quiet)
        async let running: Void = group.run()
        await group.drain()
        try await running
        #expect(
            journal.all == [
                "server ends, draining", "server ended", "writer ends, draining", "writer ended", "pool ends, draining", "pool ended",
            ])
    }

    @Test("a drain that takes too long is cut short, and what comes after it is still closed")
    func drainTimeout() async throws {
        let journal = Journal()
        let slow = ShutdownStep("slow") {
            // Ends by cancellation only.
            await untilCancelled()
            journal.note("slow cancelled: \(Task.isCancelled)")
        }
        let group = ProcessGroup(
            services: [ShutdownStep("pool") { journal.note("pool closed") }, slow], readiness: Readiness(), drainDelay: .zero,
            drainTimeout: .milliseconds(100), trapsSignals: false, logger: Self.quiet)
        async let running: Void = group.run()
        await group.drain()
        _ = try? await running
        #expect(Set(journal.all) == ["slow cancelled: true", "pool closed"])
    }

    /// A service whose thread is stuck in a call that notices nothing, until somebody lets it go.
    private struct Stuck: Service, CustomStringConvertible {
        /// When it ends anyway, so that a test fails that nobody lets it go in.
        private static let limit = DispatchTimeInterval.seconds(20)

        let released = DispatchSemaphore(value: 0)
        let description = "stuck"

        func run() async throws {
            try? await gracefulShutdown()
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { [released] in
                    _ = released.wait(timeout: .now() + Self.limit)
                    continuation.resume()
                }
            }
        }
    }

    struct Fails: Service {
        func run() async throws { throw Broken() }
    }

    @Test("a service that does not end although it was cancelled is cut off, and the log names it", .timeLimit(.minutes(1)))
    func cutOff() async throws {
        let log = try LogCapture()
        let (stuck, journal) = (Stuck(), Journal())
        let group = ProcessGroup(
            services: [stuck, ShutdownStep("pool") {}], readiness: Readiness(), drainDelay: .zero, drainTimeout: .milliseconds(100),
            trapsSignals: false, logger: log.logger(level: .error), cancellationTimeout: .milliseconds(100)
        ) {
            journal.note("cut off")
            stuck.released.signal()
        }
        async let running: Void = group.run()
        await group.drain()
        _ = try? await running
        let line = try #require(try log.lines().first { $0["message"] as? String == "cut off" })
        #expect(line["services"] as? String == "stuck")
        // More than one thread may find that the time is over; a process ends with the first.
        #expect(journal.all.first == "cut off")
    }

    @Test("the same for one that was held back until what it needs had answered", .timeLimit(.minutes(1)))
    func cutOffHeld() async throws {
        let log = try LogCapture()
        let stuck = Stuck()
        let logger = log.logger(level: .error)
        let group = ProcessGroup(
            services: [], held: PrerequisiteGate(prerequisites: [], services: [stuck, Fails()], logger: logger), readiness: Readiness(),
            drainDelay: .zero, drainTimeout: .seconds(60), trapsSignals: false, logger: logger, cancellationTimeout: .milliseconds(100)
        ) { stuck.released.signal() }
        await #expect(throws: (any Error).self) { try await group.run() }
        let line = try #require(try log.lines().first { $0["message"] as? String == "cut off" })
        #expect((line["services"] as? String)?.contains("stuck") == true)
    }

    @Test("the same when another service has failed and nobody drains", .timeLimit(.minutes(1)))
    func cutOffAfterFailure() async throws {
        let (stuck, journal) = (Stuck(), Journal())
        let group = ProcessGroup(
            services: [stuck, Fails()], readiness: Readiness(), drainDelay: .zero, drainTimeout: .seconds(60), trapsSignals: false,
            logger: Self.quiet, cancellationTimeout: .milliseconds(100)
        ) {
            journal.note("cut off")
            stuck.released.signal()
        }
        await #expect(throws: (any Error).self) { try await group.run() }
        // More than one thread may find that the time is over; a process ends with the first.
        #expect(journal.all.first == "cut off")
    }

    @Test("a variable of OpenTelemetry that is set and has no effect is a warning, without its value")
    func unknownTelemetry() async throws {
        let log = try LogCapture()
        let environment = ExampleSettings.minimum.merging([
            "ADMIN_PORT": "0", "OTEL_EXPORTER_OTLP_CERTIFICATE": "hunter2", "OTEL_BSP_SCHEDULE_DELAY": "", "OTEL_TRACES_SAMPLER": "always_off",
        ]) { $1 }
        let compose: @Sendable (ProcessContext) async throws -> ComposedProcess = { _ in throw Broken() }
        _ = await Composition.$compose.withValue(compose) {
            await ExampleService.serve(
                environment: environment,
                context: { service, settings in
                    ProcessContext(service: service, settings: settings, logger: log.logger(), metrics: PrometheusRegistry())
                }, trapsSignals: false, reportError: { _ in })
        }
        let warnings = log.text().split(separator: "\n").filter { $0.contains(#""level":"warning""#) }
        #expect(warnings.count == 1 && warnings[0].contains("OTEL_EXPORTER_OTLP_CERTIFICATE"), "\(warnings)")
        #expect(!log.text().contains("hunter2"))
    }

    @Test("a bad setting ends the process with 64 and one line, before anything is composed")
    func badConfiguration() async {
        let composed = Journal()
        let (status, lines) = await serve(["EXAMPLE_BATCH_LIMIT": "0"]) { _ in
            composed.note("composed")
            return ComposedProcess(services: [], healthChecks: [])
        }
        #expect(status == .usage)
        #expect(status.rawValue == 64)
        #expect(lines == ["example: EXAMPLE_BATCH_LIMIT=0 is not accepted: expected a whole number from 1 to 256"])
        #expect(composed.all.isEmpty)
    }

    @Test("a bad secret ends the process without telling it")
    func badSecret() async {
        let (status, lines) = await serve(["EXAMPLE_DATABASE_URL": "hunter2"]) { _ in ComposedProcess(services: [], healthChecks: []) }
        #expect(status == .usage)
        #expect(lines == ["example: EXAMPLE_DATABASE_URL is not accepted: expected an address beginning with postgres://"])
    }

    @Test("what cannot be reached is named, and the process ends with 3")
    func unreachable() async {
        let (status, lines) = await serve { _ in throw UnreachableDependency("Postgres at 127.0.0.1:5432", reason: "connection refused") }
        #expect(status == .unreachable)
        #expect(status.rawValue == 3)
        #expect(lines == ["example: cannot reach Postgres at 127.0.0.1:5432: connection refused"])
    }

    @Test("what the composition finds wrong with the configuration ends the process with 64")
    func lateConfiguration() async {
        let (status, lines) = await serve { _ in throw InvalidConfiguration(key: "EXAMPLE_DATABASE_URL", "the database is stamped identity") }
        #expect(status == .usage)
        #expect(lines == ["example: EXAMPLE_DATABASE_URL: the database is stamped identity"])
    }

    @Test("any other error ends the process with 1")
    func failure() async {
        let (status, lines) = await serve { _ in throw Broken() }
        #expect(status == .failure)
        #expect(lines.count == 1)
    }

    @Test("an admin port that is taken is named, what was composed is closed, and the process ends with 3")
    func portTaken() async throws {
        let listener = try BoundPort()
        let journal = Journal()
        let (status, lines) = await serve(["ADMIN_PORT": "\(listener.port)"]) { _ in
            ComposedProcess(services: [ShutdownStep("pool") { journal.note("pool closed") }], healthChecks: [])
        }
        #expect(status == .unreachable)
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("example: cannot listen on 127.0.0.1:\(listener.port): ") == true)
        #expect(journal.all == ["pool closed"])
    }

    @Test("a command's own exit code is kept")
    func perform() async {
        let status = await ExampleService.perform(environment: ExampleSettings.minimum, context: Self.context) { settings, context in
            settings.batchLimit == 64 && context.service == "example" ? .success : .failure
        }
        #expect(status == .success)
    }

    @Test("a line stays one line", arguments: ["a\nb", "a\r\nb", "a\u{2028}b", "a\u{1B}[0mb", "a\u{202E}b"])
    func plainLine(text: String) {
        let line = PlainLine.text(text)
        #expect(line.hasPrefix("a\u{FFFD}"))
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{2028}" && $0 != "\u{202E}" })
    }
}

/// A port of the loopback address that is listened on.
final class BoundPort: Sendable {
    let port: Int
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 1) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        try #require(result == 0)
        self.descriptor = descriptor
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
