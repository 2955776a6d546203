import Egress
import Foundation
import TestSupport
import Testing

/// What becomes of a mail, by everything that a server can do; the server is real and its script ours.
@Suite("The outcome of a mail")
struct SMTPOutcomeTests {
    private typealias Script = ScriptedSMTPServer.Script

    private func send(
        _ script: Script, to address: String = "anna@example.org", timeout: Duration = .seconds(60)
    ) async throws -> (
        MailOutcome, ScriptedSMTPServer
    ) {
        let server = try ScriptedSMTPServer(script)
        return (await MailSamples.client(server.port, timeout: timeout).send(try MailSamples.mail(to: address)), server)
    }

    @Test("a mail that the server takes over is accepted, and the client says goodbye")
    func accepted() async throws {
        let (outcome, server) = try await send(Script())
        #expect(outcome == .accepted)
        #expect(try await eventually { server.commands.last == "QUIT" })
        #expect(
            server.commands.prefix(4) == [
                "EHLO florin.example", "MAIL FROM:<noreply@florin.example>", "RCPT TO:<anna@example.org>", "DATA",
            ])
        #expect(server.mails.count == 1 && server.clients == 1)
    }

    @Test("a server that takes the mail and then never answers the goodbye holds nobody up")
    func silentGoodbye() async throws {
        var script = Script()
        script.replies["QUIT"] = .silence
        let clock = ContinuousClock()
        var outcome: MailOutcome?
        let took = try await clock.measure { outcome = try await send(script).0 }
        #expect(outcome == .accepted)
        // libcurl would wait for two minutes.
        #expect(took < .seconds(60))
    }

    @Test(
        "a permanent refusal of the recipient, of the data or of the mail itself is final",
        arguments: [
            ("RCPT", "550 5.1.1 no such user", "550 5.1.1"), ("RCPT", "553 anna@example.org is no mailbox here", "553"),
            ("DATA", "554 5.7.1 no", "554 5.7.1"), ("end", "550-5.7.1 looks like\r\n550 5.7.1 spam", "550 5.7.1"),
        ])
    func rejected(verb: String, reply: String, reason: String) async throws {
        var script = Script()
        if verb == "end" { script.end = .reply(reply) } else { script.replies[verb] = .reply(reply) }
        let (outcome, _) = try await send(script)
        guard case .rejected(let why) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(why.description == reason)
    }

    @Test(
        "NT-01: what fails before the body, or is refused for now, may be tried again, and so may what is wrong with the server or our account",
        arguments: [
            ("greeting", "554 5.3.2 not now", "554 5.3.2"), ("greeting", "421 busy", "421"), ("MAIL", "451 4.3.0 later", "451 4.3.0"),
            ("MAIL", "530 5.7.0 authentication required", "530 5.7.0"), ("RCPT", "450 4.2.1 full", "450 4.2.1"),
            ("DATA", "421 4.3.2 down", "421 4.3.2"),
            ("end", "452 4.3.1 no room", "452 4.3.1"),
        ])
    func later(verb: String, reply: String, reason: String) async throws {
        var script = Script()
        switch verb {
        case "end": script.end = .reply(reply)
        case "greeting": script.greeting = .reply(reply)
        default: script.replies[verb] = .reply(reply)
        }
        let (outcome, _) = try await send(script)
        guard case .tryAgain(let why) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(why.description == reason)
    }

    @Test(
        "NT-01: a connection that is lost before the body ends is no doubt",
        arguments: ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
    func lostEarly(verb: String) async throws {
        var script = Script()
        if verb == "greeting" { script.greeting = .close } else { script.replies[verb] = .close }
        let (outcome, server) = try await send(script)
        guard case .tryAgain = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(server.mails.isEmpty)
    }

    @Test("NT-01: nobody listens, or the name does not exist: to be tried again")
    func nobody() async throws {
        let mail = try MailSamples.mail()
        #expect(await MailSamples.client(try FreePort.any()).send(mail) == .tryAgain(.noConnection))
        #expect(await MailSamples.client(25, host: "no-such-host.invalid").send(mail) == .tryAgain(.noConnection))
    }

    @Test("NT-01: the server stores the mail and keeps silent until our time-out: unknown, one stored mail, one connection")
    func silence() async throws {
        var script = Script()
        script.end = .silence
        let (outcome, server) = try await send(script, timeout: .seconds(5))
        #expect(outcome == .unknown(.timedOut))
        #expect(server.mails.count == 1 && server.clients == 1)
    }

    @Test("NT-01: the server stores the mail and closes without a word: unknown, one stored mail, one connection")
    func closed() async throws {
        var script = Script()
        script.end = .close
        let (outcome, server) = try await send(script)
        guard case .unknown = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(server.mails.count == 1 && server.clients == 1)
    }

    @Test("a server that keeps silent before the body is waited for until the time-out, and the mail may be tried again")
    func silentEarly() async throws {
        var script = Script()
        script.replies["RCPT"] = .silence
        let (outcome, server) = try await send(script, timeout: .seconds(2))
        #expect(outcome == .tryAgain(.timedOut))
        #expect(server.mails.isEmpty)
    }

    @Test("refused credentials are told, not shown, and are no fault of the mail's")
    func credentials() async throws {
        var script = Script()
        script.replies["EHLO"] = .reply("250-scripted\r\n250 AUTH PLAIN")
        script.replies["AUTH"] = .reply("535 5.7.8 wrong")
        let server = try ScriptedSMTPServer(script)
        let client = MailSamples.client(server.port, credentials: .init(user: "florin", password: "hunter2"))
        let outcome = await client.send(try MailSamples.mail())
        #expect(outcome == .tryAgain(.credentialsRefused))
        #expect(!String(reflecting: outcome).contains("hunter2"))
        #expect(server.commands.contains { $0.hasPrefix("AUTH PLAIN") } && !server.commands.contains { $0.hasPrefix("MAIL") })
    }

    @Test("with good credentials the mail is sent after them")
    func authenticated() async throws {
        var script = Script()
        script.replies["EHLO"] = .reply("250-scripted\r\n250 AUTH PLAIN")
        let server = try ScriptedSMTPServer(script)
        let client = MailSamples.client(server.port, credentials: .init(user: "florin", password: "hunter2"))
        #expect(await client.send(try MailSamples.mail()) == .accepted)
        // NUL florin NUL hunter2.
        #expect(server.commands.joined(separator: " ").contains("AGZsb3JpbgBodW50ZXIy"))
    }

    @Test("without the STARTTLS that we demand nothing is sent")
    func noSTARTTLS() async throws {
        let server = try ScriptedSMTPServer()
        #expect(await MailSamples.client(server.port, .startTLS).send(try MailSamples.mail()) == .tryAgain(.noTLS))
        #expect(!server.commands.contains { $0.hasPrefix("MAIL") })
    }

    @Test("NT-05: a domain goes out in A-labels, and a local part that is not ASCII ends before MAIL FROM when SMTPUTF8 is not offered")
    func international() async throws {
        let (outcome, server) = try await send(Script(), to: "anna@bücher.example")
        #expect(outcome == .accepted)
        #expect(server.commands.contains("RCPT TO:<anna@xn--bcher-kva.example>"))
        let (refused, other) = try await send(Script(), to: "jörg@bücher.example")
        #expect(refused == .rejected(.addressUnsupported))
        #expect("\(MailReason.addressUnsupported)" == "address_unsupported")
        #expect(!other.commands.contains { $0.hasPrefix("MAIL") })
    }

    @Test("NT-05: where SMTPUTF8 is offered the local part goes out as it is")
    func smtpUTF8() async throws {
        var script = Script()
        script.replies["EHLO"] = .reply("250-scripted\r\n250-SMTPUTF8\r\n250 8BITMIME")
        let (outcome, server) = try await send(script, to: "jörg@bücher.example")
        #expect(outcome == .accepted)
        #expect(server.commands.contains("RCPT TO:<jörg@xn--bcher-kva.example>"))
        #expect(server.commands.contains { $0.hasPrefix("MAIL FROM:") && $0.hasSuffix("SMTPUTF8") })
        let mail = String(decoding: try #require(server.mails.first), as: UTF8.self)
        #expect(mail.contains("\r\nTo: <jörg@xn--bcher-kva.example>\r\n"))
    }

    @Test("NT-04: nothing but CRLF ends a line, no line is longer than 78 characters, and a line that is a dot arrives as one")
    func lines() async throws {
        let server = try ScriptedSMTPServer()
        let text = "First\n.\n..two\r\nOld Mac\rEnd: " + String(repeating: "Wörter ", count: 430) + "\n"
        let mail = try MailSamples.mail(text: text, html: "<p>\n.\n</p>")
        #expect(await MailSamples.client(server.port).send(mail) == .accepted)
        let bytes = try #require(server.mails.first)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { #expect(index > 0 && bytes[index - 1] == UInt8(ascii: "\r")) }
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\r") {
            #expect(index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n"))
        }
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 0x80 } })
        #expect(lines.contains("=2E") && lines.contains("=2E.two"))
    }
}
