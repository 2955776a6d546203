import ArgumentParser
import Contracts
import EventBroker
import EventConsumption
import Foundation
import Observability
import Postgres
import ServiceRuntime
import TestSupport
import Testing
import Tracing
import WorkQueue

@testable import Notification

@Suite("From a request to a mail")
struct DeliveryTests {
    private static let content = MessageContent(
        address: "anna@example.org", name: "Annabella", code: "481516", link: "https://florin.example/verify")

    @Test("a requested message arrives once, in its language, under a Message-ID of its own, and its text is erased")
    func delivered() async throws {
        let (fixture, server) = (try await NotificationFixture(), try await MailServer.start())
        let request = try fixture.request(Self.content, locale: "de-CH")
        try await fixture.accept([request])
        #expect(try await fixture.texts() == 1)
        try await fixture.run(fixture.lanes(smtpPort: server.port)) { try await fixture.states() == [.done: 1] }
        let mails = try await server.mails()
        let mail = try #require(mails.first)
        #expect(mails.count == 1)
        #expect(mail.header("Subject") == "Bestätigen Sie Ihre E-Mail-Adresse")
        #expect(mail.header("Message-ID") == "<\(request.message.messageID)@florin.example>")
        #expect(mail.text?.contains("481516") == true && mail.html?.contains("481516") == true)
        #expect(try await fixture.texts() == 0)
    }

    @Test("a message that is asked for again is sent once, by whatever event")
    func once() async throws {
        let fixture = try await NotificationFixture()
        let id = MessageID(UUID())
        let request = try fixture.request(Self.content, messageID: id)
        let again = try fixture.request(Self.content, messageID: id)
        try await fixture.accept([request, again])
        try await fixture.accept([again, request])
        #expect(try await fixture.states() == [.waiting: 1])
    }

    @Test("NT-03: a line break in a name or an address that comes by an event is a dead letter and no mail")
    func injection() async throws {
        let (fixture, server) = (try await NotificationFixture(), try await MailServer.start())
        let texts = [
            #"{"address":"anna@example.org","name":"Anna\r\nBcc: x@example.net"}"#, #"{"address":"anna@example.org\r\nBcc: x@example.net"}"#,
            #"{"address":"anna@example.org\nx","code":"1"}"#,
        ]
        try await fixture.accept(texts.map { try fixture.request(sealing: Array($0.utf8)) })
        try await fixture.run(fixture.lanes(smtpPort: server.port)) { try await fixture.states() == [.dead: 3] }
        #expect(try await server.mails().isEmpty)
        let desk = DeadLetterDesk(fixture.environment(smtpPort: server.port))
        #expect(await desk.commands.list(DeadLetterFilter(), json: true) == .success)
        let lines = desk.lines()
        #expect(lines.count == 3 && lines.allSatisfy { $0.contains("\"poison\"") && !$0.contains("Bcc") }, "\(lines)")
    }

    @Test("NT-05: an address that is none is refused without an attempt, and one that the server can't take with its reason")
    func addresses() async throws {
        let (fixture, server) = (try await NotificationFixture(), try await MailServer.start())
        try await fixture.accept([
            try fixture.request(MessageContent(address: "x@xn--$.example")), try fixture.request(MessageContent(address: "jörg@bücher.example")),
            try fixture.request(MessageContent(address: "anna@bücher.example")),
        ])
        try await fixture.run(fixture.lanes(smtpPort: server.port)) { try await fixture.states() == [.dead: 2, .done: 1] }
        #expect(try await server.mails().first?.header("X-RcptTo") == "anna@xn--bcher-kva.example")
        let desk = DeadLetterDesk(fixture.environment(smtpPort: server.port))
        _ = await desk.commands.list(DeadLetterFilter(), json: true)
        let text = desk.lines().joined()
        #expect(text.contains("address_invalid") && text.contains("address_unsupported") && !text.contains("cher"))
    }

    @Test("what was sealed for another event or changed is a dead letter; a key that is missing is waited for")
    func opening() async throws {
        let (fixture, server) = (try await NotificationFixture(), try await MailServer.start())
        let (good, other) = (try fixture.request(Self.content), try fixture.request(Self.content))
        let moved = RequestedMessage(eventID: other.eventID, requestedAt: good.requestedAt, message: good.message)
        try await fixture.accept([moved])
        try await fixture.run(fixture.lanes(smtpPort: server.port)) { try await fixture.states() == [.dead: 1] }
        let stranger = try await NotificationFixture()
        let foreign = try stranger.request(Self.content)
        let unknown = MessageRequestedEvent(
            messageID: foreign.message.messageID, purpose: .registrationCode, userID: nil, locale: "en", expiresAt: nil,
            sealed: SealedText(
                keyID: "two", encapsulatedKey: foreign.message.sealed.encapsulatedKey, ciphertext: foreign.message.sealed.ciphertext))
        try await fixture.accept([RequestedMessage(eventID: foreign.eventID, requestedAt: foreign.requestedAt, message: unknown)])
        try await fixture.run(fixture.lanes(smtpPort: server.port)) { try await fixture.states() == [.dead: 2] }
        let desk = DeadLetterDesk(fixture.environment(smtpPort: server.port))
        _ = await desk.commands.list(DeadLetterFilter(), json: true)
        let lines = desk.lines()
        #expect(lines.contains { $0.contains("\"poison\"") && $0.contains("does not open") })
        #expect(lines.contains { $0.contains("\"transient\"") && $0.contains("not in the keys file") && $0.contains("\"attempts\":3") })
        #expect(try await server.mails().isEmpty)
    }

    @Test("NT-12: a code whose mail dies is in no list, row or log; replayed after its time it expires, and nothing is sent")
    func secrecy() async throws {
        let fixture = try await NotificationFixture()
        let server = try await MailServer.start()
        server.stop()
        try await fixture.accept([try fixture.request(Self.content)])
        try await fixture.run(fixture.lanes(smtpPort: server.port)) { try await fixture.states() == [.dead: 1] }
        let desk = DeadLetterDesk(fixture.environment(smtpPort: server.port))
        #expect(await desk.commands.list(DeadLetterFilter(), json: true) == .success)
        let seen = desk.lines().joined() + fixture.log.text + (try await fixture.dump())
        #expect(seen.contains("registration_code"))
        for secret in ["481516", "anna@example.org", "Annabella", "florin.example/verify"] { #expect(!seen.contains(secret), "\(secret)") }

        try await fixture.asOwner(
            "ALTER TABLE work_items DISABLE TRIGGER USER", "ALTER TABLE deliveries DISABLE TRIGGER USER",
            "UPDATE work_items SET expires_at = now() - interval '1 second'", "UPDATE deliveries SET expires_at = now() - interval '1 second'",
            "ALTER TABLE work_items ENABLE TRIGGER USER", "ALTER TABLE deliveries ENABLE TRIGGER USER")
        let erased = try await fixture.pool.withTransaction { session in try DeliveryStore().eraseExpired(session, atMost: 100) }
        #expect(erased == 1)
        #expect(try await fixture.texts() == 0)
        try await server.start()
        #expect(try await desk.commands.replay(DeadLetterFilter(), Self.replayOptions(), isForced: true, json: false) == .failure)
        #expect(desk.lines().joined(separator: "\n").contains("  expired\n"))
        #expect(try await fixture.states() == [.expired: 1])
        #expect(try await server.mails().isEmpty)
    }

    @Test("NT-01: a server that stores the mail and says nothing leaves it unknown; only force sends it again, under the same Message-ID")
    func unknown() async throws {
        let fixture = try await NotificationFixture()
        var script = ScriptedSMTPServer.Script()
        script.end = .close
        let silent = try ScriptedSMTPServer(script)
        try await fixture.accept([try fixture.request(Self.content)])
        try await fixture.run(fixture.lanes(smtpPort: silent.port)) { try await fixture.states() == [.unknown: 1] }
        #expect(silent.mails.count == 1)
        let desk = DeadLetterDesk(fixture.environment(smtpPort: silent.port))
        #expect(await desk.commands.list(DeadLetterFilter(kind: .unknown), json: true) == .success)
        #expect(desk.lines().count == 1)
        #expect(try await desk.commands.replay(DeadLetterFilter(), Self.replayOptions(), isForced: false, json: false) == .failure)
        #expect(desk.lines().contains { $0.contains("doubtful") })
        #expect(try await fixture.states() == [.unknown: 1])
        #expect(try await desk.commands.replay(DeadLetterFilter(), Self.replayOptions(), isForced: true, json: false) == .success)
        let friendly = try ScriptedSMTPServer()
        try await fixture.run(fixture.lanes(smtpPort: friendly.port)) { try await fixture.states() == [.done: 1] }
        func messageID(_ server: ScriptedSMTPServer) -> Substring? {
            server.mails.first.flatMap { mail in
                String(decoding: mail, as: UTF8.self).split(separator: "\r\n").first { $0.hasPrefix("Message-ID: ") }
            }
        }
        #expect(messageID(silent) != nil && messageID(silent) == messageID(friendly))
    }

    /// Of two deliveries the one whose event was sampled has a `DeliverySpan`, the other has none.
    @Test("the trace of a request goes on to its mail: the call's span is a child of the event's, log lines name it, and neither tells the text")
    func traced() async throws {
        let fixture = try await NotificationFixture()
        var script = ScriptedSMTPServer.Script()
        script.replies["RCPT"] = .reply("550 5.1.1 no anna@example.org here")
        let server = try ScriptedSMTPServer(script)
        let spans = SpanQueue(counters: SpanCounters(factory: PrometheusRegistry()))
        let tracer = SpanTracer(sampler: TraceSampler(.parentBasedAlwaysOff), queue: spans)
        let (asked, untraced) = (try fixture.request(Self.content), try fixture.request(Self.content))
        let traced = RequestedMessage(
            eventID: asked.eventID, requestedAt: asked.requestedAt, message: asked.message,
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        try await fixture.accept([traced, untraced])
        try await fixture.run(fixture.lanes(smtpPort: server.port, tracer: tracer)) { try await fixture.states() == [.dead: 2] }
        let taken = spans.take(atMost: 3)
        let span = try #require(taken.first)
        #expect(taken.count == 1)
        #expect(span.trace.traceID == "0af7651916cd43dd8448eb211c80319c" && span.parentSpanID == 0xb7ad_6b71_6920_3331 && span.kind == .client)
        #expect(span.attributes.get("florin.mail.outcome") == "rejected" && span.attributes.get("error.type") == "550 5.1.1")
        #expect(span.status?.code == .error)
        #expect(!String(reflecting: span).contains("anna"))
        #expect(fixture.log.text.components(separatedBy: "0af7651916cd43dd8448eb211c80319c").count == 2)
    }

    @Test("a dead letter that is discarded loses its text and leaves the list")
    func discarded() async throws {
        let fixture = try await NotificationFixture()
        var script = ScriptedSMTPServer.Script()
        script.replies["RCPT"] = .reply("550 5.1.1 no such user")
        let server = try ScriptedSMTPServer(script)
        try await fixture.accept([try fixture.request(Self.content)])
        try await fixture.run(fixture.lanes(smtpPort: server.port)) { try await fixture.states() == [.dead: 1] }
        let desk = DeadLetterDesk(fixture.environment(smtpPort: server.port))
        #expect(await desk.commands.discard(DeadLetterFilter(), by: "ops", note: "wrong address", isDryRun: true, json: false) == .success)
        #expect(try await fixture.states() == [.dead: 1])
        #expect(await desk.commands.discard(DeadLetterFilter(), by: "ops", note: "wrong address", isDryRun: false, json: false) == .success)
        #expect(try await fixture.states() == [.discarded: 1])
        #expect(try await fixture.texts() == 0)
        _ = desk.lines()
        // One that is named must be there; an empty list is none's mistake.
        #expect(await desk.commands.discard(DeadLetterFilter(id: 1), by: "ops", note: "again", isDryRun: false, json: false) == .failure)
        #expect(desk.lines().contains { $0.contains(DeadLetterText.noneOpen) })
        #expect(try await desk.commands.replay(DeadLetterFilter(id: 1), Self.replayOptions(), isForced: true, json: false) == .failure)
        #expect(try await desk.commands.replay(DeadLetterFilter(), Self.replayOptions(), isForced: true, json: false) == .success)
    }

    private static func replayOptions() throws -> ConsumerReplayOptions {
        try ConsumerReplayOptions.parse(["--requested-by", "ops"])
    }

    @Test("a notice has an end as well, and a code's own end counts when it is sooner")
    func ends() throws {
        let requestedAt = Timestamp(microsecondsSinceUnixEpoch: 1_000_000_000)
        func end(_ own: Int64?) -> Int64 {
            let message = MessageRequestedEvent(
                messageID: MessageID(UUID()), purpose: .newDevice, userID: nil, locale: "en",
                expiresAt: own.map { Timestamp(microsecondsSinceUnixEpoch: $0) }, sealed: SealedText(keyID: "a", encapsulatedKey: [], ciphertext: []))
            return DeliveryEnd.of(message, requestedAt: requestedAt, maximumAge: .seconds(600)).microsecondsSinceUnixEpoch
        }
        #expect(end(nil) == 1_600_000_000)
        #expect(end(1_200_000_000) == 1_200_000_000)
        #expect(end(9_000_000_000) == 1_600_000_000)
    }
}
