import TestSupport
import Testing

@testable import Egress

/// Mails that go over one connection, and what becomes of a mail when the server ends it.
@Suite("A connection for several mails")
struct SMTPConnectionTests {
    private typealias Script = ScriptedSMTPServer.Script

    @Test("mails one after the other go over one connection; it ends with a goodbye when nobody can send by it any more")
    func reused() async throws {
        let server = try ScriptedSMTPServer()
        do {
            let client = MailSamples.client(server.port)
            for number in 1...3 { #expect(await client.send(try MailSamples.mail(to: "anna\(number)@example.org")) == .accepted) }
        }
        #expect(try await eventually { server.commands.last == "QUIT" })
        #expect(server.clients == 1 && server.mails.count == 3)
        #expect(server.commands.filter { $0.hasPrefix("EHLO") }.count == 1)
        #expect(server.commands.filter { $0.hasPrefix("RCPT") } == (1...3).map { "RCPT TO:<anna\($0)@example.org>" })
    }

    @Test("over a connection with TLS and credentials too, which are shown once")
    func authenticated() async throws {
        var script = Script()
        script.replies["EHLO"] = .reply("250-scripted\r\n250 AUTH PLAIN")
        let server = try ScriptedSMTPServer(script)
        let client = MailSamples.client(server.port, credentials: .init(user: "florin", password: "hunter2"))
        for _ in 1...2 { #expect(await client.send(try MailSamples.mail()) == .accepted) }
        #expect(server.clients == 1 && server.commands.filter { $0.hasPrefix("AUTH") }.count == 1)

        let authority = try await TestAuthority()
        let encrypted = try await MailServer.start(encryption: .startTLS(try await authority.issue("mail", hosts: "DNS:localhost")))
        let trusting = MailSamples.client(encrypted.port, .startTLS, host: "localhost", authorities: authority.certificate)
        for _ in 1...3 { #expect(await trusting.send(try MailSamples.mail()) == .accepted) }
        #expect(try await encrypted.mails().count == 3)
    }

    enum Ending: CaseIterable {
        case closedAfterMail, closedAtNext, refusedAtNext
    }

    @Test("NT-01: a server that ends the connection between two mails costs the second nothing: it goes over a new one", arguments: Ending.allCases)
    func outlived(ending: Ending) async throws {
        var script = Script()
        script.mails = 1
        script.closesAfterLast = ending == .closedAfterMail
        script.beyond = ending == .refusedAtNext ? .reply("421 4.7.0 too many mails") : .close
        let server = try ScriptedSMTPServer(script)
        let client = MailSamples.client(server.port)
        for _ in 1...3 { #expect(await client.send(try MailSamples.mail()) == .accepted) }
        #expect(server.mails.count == 3 && server.clients == 3)
    }

    @Test("NT-01: a server that falls silent at the second mail has not taken it: it may be tried again, and the time-out is one for both tries")
    func silent() async throws {
        var script = Script()
        script.mails = 1
        script.beyond = .silence
        let server = try ScriptedSMTPServer(script)
        let client = MailSamples.client(server.port, timeout: .seconds(3))
        #expect(await client.send(try MailSamples.mail()) == .accepted)
        #expect(await client.send(try MailSamples.mail()) == .tryAgain(.timedOut))
        #expect(await client.send(try MailSamples.mail()) == .accepted)
        #expect(server.mails.count == 2)
    }

    @Test("a mail that is refused after it was announced is not sent again at once, and its connection not used again")
    func refused() async throws {
        var script = Script()
        script.replies["RCPT TO:<full@example.org>"] = .reply("450 4.2.1 full")
        let server = try ScriptedSMTPServer(script)
        let client = MailSamples.client(server.port)
        #expect(await client.send(try MailSamples.mail()) == .accepted)
        let outcome = await client.send(try MailSamples.mail(to: "full@example.org"))
        #expect(outcome == .tryAgain(.reply(SMTPReply(code: 450, enhanced: "4.2.1"))))
        #expect(server.clients == 1 && server.commands.filter { $0.hasPrefix("RCPT") }.count == 2)
        #expect(await client.send(try MailSamples.mail()) == .accepted)
        #expect(server.clients == 2)
    }

    @Test("NT-05: what a server offers is asked anew for a mail that needs SMTPUTF8")
    func international() async throws {
        var script = Script()
        script.replies["EHLO"] = .reply("250-scripted\r\n250 SMTPUTF8")
        let server = try ScriptedSMTPServer(script)
        let client = MailSamples.client(server.port)
        for address in ["anna@example.org", "jörg@example.org", "anna@example.org"] {
            #expect(await client.send(try MailSamples.mail(to: address)) == .accepted)
        }
        #expect(server.clients == 2)
    }
}
