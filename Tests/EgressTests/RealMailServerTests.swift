import Egress
import Foundation
import TestSupport
import Testing

/// Mails as another implementation takes and reads them: aiosmtpd and Python's `email` package.
@Suite("A mail at a real server")
struct RealMailServerTests {
    private static let text = "Grüße, Anna.\n\n.\n.. two dots\nTrailing space \n" + String(repeating: "lang ", count: 600) + "\nEnd = end\n"

    @Test("NT-04: header and both texts come out as they went in, whatever is in them")
    func content() async throws {
        let server = try await MailServer.start()
        let subject = "Ihr Code für Florin – " + String(repeating: "läuft bald ab ", count: 8) + "=?UTF-8?"
        let mail = try MailSamples.mail(
            subject: subject, text: Self.text, html: "<p>Grüße &amp; <b>mehr</b></p>\n", fromName: "Florin \"Wallet\" Zürich")
        #expect(await MailSamples.client(server.port).send(mail) == .accepted)
        let received = try #require(try await server.mails().first)
        #expect(received.header("Subject") == subject)
        #expect(received.header("From")?.contains("noreply@florin.example") == true)
        #expect(received.header("From")?.contains("Zürich") == true)
        #expect(received.header("To") == "anna@example.org" || received.header("To") == "<anna@example.org>")
        #expect(received.header("Message-ID") == "<msg_1@florin.example>")
        #expect(received.header("Auto-Submitted") == "auto-generated")
        #expect(received.header("Date") == "Fri, 21 Nov 2025 04:40:00 +0000")
        #expect(received.text == Self.text)
        #expect(received.html == "<p>Grüße &amp; <b>mehr</b></p>\n")
    }

    @Test("NT-05: with SMTPUTF8 a local part that is not ASCII arrives, without it nothing does")
    func utf8() async throws {
        let mail = try MailSamples.mail(to: "jörg@bücher.example")
        let able = try await MailServer.start(offersUTF8: true)
        #expect(await MailSamples.client(able.port).send(mail) == .accepted)
        #expect(try await able.mails().first?.raw.contains("jörg@xn--bcher-kva.example") == true)
        let unable = try await MailServer.start()
        #expect(await MailSamples.client(unable.port).send(mail) == .rejected(.addressUnsupported))
        #expect(try await unable.mails().isEmpty)
    }

    @Test("over STARTTLS and over TLS the server's certificate must be the configured authority's and name the host")
    func encrypted() async throws {
        let (authority, stranger) = (try await TestAuthority(), try await TestAuthority())
        let issued = try await authority.issue("mail", hosts: "DNS:localhost")
        let mail = try MailSamples.mail()
        for (encryption, security) in [(MailServer.Encryption.startTLS(issued), SMTPServer.Security.startTLS), (.implicit(issued), .tls)] {
            let server = try await MailServer.start(encryption: encryption)
            func send(to host: String, trusting authorities: String?) async -> MailOutcome {
                await MailSamples.client(server.port, security, host: host, authorities: authorities).send(mail)
            }
            #expect(await send(to: "localhost", trusting: stranger.certificate) == .tryAgain(.untrustedCertificate))
            #expect(await send(to: "localhost", trusting: nil) == .tryAgain(.untrustedCertificate))
            #expect(await send(to: "127.0.0.1", trusting: authority.certificate) == .tryAgain(.untrustedCertificate))
            #expect(try await server.mails().isEmpty)
            #expect(await send(to: "localhost", trusting: authority.certificate) == .accepted)
            #expect(try await server.mails().count == 1)
        }
    }

    @Test("many at once each have a connection and a thread of their own")
    func together() async throws {
        let server = try await MailServer.start()
        let client = MailSamples.client(server.port)
        let mail = try MailSamples.mail()
        let outcomes = await withTaskGroup(of: MailOutcome.self) { group in
            for _ in 0..<16 { group.addTask { await client.send(mail) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.allSatisfy { $0 == .accepted })
        #expect(try await server.mails().count == 16)
    }
}
