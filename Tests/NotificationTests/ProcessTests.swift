import AMQP
import Contracts
import EventBroker
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing
import WorkQueue

@testable import Notification

/// The executable, started by the test, which may therefore kill it.
private final class NotificationProcess: Sendable {
    private let process = Mutex<pid_t>(0)

    init(_ environment: [String: String], output: String) throws {
        let inherited = ProcessInfo.processInfo.environment.filter { ["PATH", "LD_LIBRARY_PATH"].contains($0.key) }
        let started = try Shell.spawn(
            [RepositoryRoot.path(".build/debug/notification"), "serve"], environment: environment.merging(inherited) { $1 }, input: nil,
            output: output)
        process.withLock { $0 = started }
    }

    deinit { end(SIGKILL) }

    /// - Returns: The wait status.
    @discardableResult
    func end(_ signal: Int32) -> Int32 {
        process.withLock { process in
            guard process > 0 else { return 0 }
            kill(process, signal)
            var status: Int32 = 0
            while waitpid(process, &status, 0) == -1, errno == EINTR {}
            process = 0
            return status
        }
    }
}

/// From an event at the broker to a mail, in the process as it is shipped; one queue, so one test at a time.
@Suite("notification as a process", .serialized)
struct ProcessTests {
    private func publish(_ requests: [RequestedMessage], _ broker: RabbitMQServer) async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let topology = try #require(EventTopology.consumer(of: "notification")).topology
        let publisher = try AMQPPublisher(
            configuration: AMQPConfiguration(url: broker.url()), name: "identity-relay", topology: topology, logger: quiet)
        let outcomes = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await publisher.run() }
            let publications = try requests.map { request in
                let envelope = try EventEnvelope(request.message, id: request.eventID, time: request.requestedAt, traceparent: request.traceparent)
                return EventMessage.publication(
                    envelope: envelope.wireBytes(), id: envelope.id, type: envelope.type, source: envelope.source, time: envelope.time)
            }
            let outcomes = await publisher.publish(publications)
            group.cancelAll()
            return outcomes
        }
        #expect(outcomes.allSatisfy { $0 == .confirmed }, "\(Set(outcomes))")
    }

    private func environment(_ fixture: NotificationFixture, _ broker: RabbitMQServer, smtpPort: Int) throws -> [String: String] {
        fixture.environment(smtpPort: smtpPort).merging([
            "RABBITMQ_URL": broker.url(), "ADMIN_PORT": "\(try FreePort.any())", "LOG_LEVEL": "info", "SMTP_TIMEOUT": "30s",
        ]) { $1 }
    }

    @Test("a request at the broker becomes a mail; on SIGTERM the process ends with 0, and no code or address is in its log")
    func flow() async throws {
        let (fixture, server, broker) = (try await NotificationFixture(), try await MailServer.start(), try await RabbitMQServer.shared())
        let output = "\(fixture.folder.path)/notification.log"
        let process = try NotificationProcess(try environment(fixture, broker, smtpPort: server.port), output: output)
        let content = MessageContent(address: "anna@example.org", name: "Annabella", code: "481516")
        let asked = try fixture.request(content, purpose: .recoveryCodeMail, locale: "de")
        let request = RequestedMessage(
            eventID: asked.eventID, requestedAt: asked.requestedAt, message: asked.message,
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
        try await publish([request, request], broker)
        #expect(try await eventually(within: .seconds(60)) { try await server.mails().count == 1 })
        #expect(try await server.mails().first?.header("Subject") == "Setzen Sie Ihr Passwort zurück")
        #expect(try await eventually { try await fixture.states() == [.done: 1] })
        #expect(try await fixture.dump().contains("00-0af7651916cd43dd8448eb211c80319c-"), "the trace of the event is lost")
        #expect(process.end(SIGTERM) == 0)
        let log = try String(contentsOfFile: output, encoding: .utf8)
        #expect(log.contains("\"message\":\"stopped\"") || log.contains("stopped"))
        for secret in ["481516", "anna@example.org", "Annabella"] { #expect(!log.contains(secret), "\(secret)") }
        #expect(try await server.mails().count == 1)
    }

    @Test("killed again and again while it sends: no message is lost, no mail is sent twice, and at most one in each lane is in doubt")
    func killed() async throws {
        let (fixture, server, broker) = (try await NotificationFixture(), try await MailServer.start(), try await RabbitMQServer.shared())
        let settings = try environment(fixture, broker, smtpPort: server.port)
        let output = "\(fixture.folder.path)/notification.log"
        let requests = try (0..<60).map { try fixture.request(MessageContent(address: "anna\($0)@example.org", code: "1")) }
        let kills = 3
        var process = try NotificationProcess(settings, output: output)
        try await publish(requests, broker)
        for kill in 1...kills {
            _ = try await eventually(within: .seconds(60)) { try await fixture.states()[.done, default: 0] >= kill * 12 }
            process.end(SIGKILL)
            process = try NotificationProcess(settings, output: output)
        }
        // What the killed had in hand is still under their leases, and nobody else's.
        let isOver = try await eventually(within: .seconds(90)) {
            let states = try await fixture.states()
            return states[.waiting, default: 0] == 0 && states.values.reduce(0, +) == requests.count
                && states[.working, default: 0] + states[.unknown, default: 0] <= kills * 4
        }
        let states = try await fixture.states()
        #expect(isOver, "\(states)")
        #expect(process.end(SIGTERM) == 0)
        let ended = try await fixture.states()
        let sent = try await server.mails().compactMap { $0.header("Message-ID") }
        #expect(Set(sent).count == sent.count, "a mail was sent twice")
        #expect(sent.count >= ended[.done, default: 0])
        #expect(ended[.done, default: 0] + ended[.working, default: 0] + ended[.unknown, default: 0] == requests.count, "\(ended)")
    }
}
