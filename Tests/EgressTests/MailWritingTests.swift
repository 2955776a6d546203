import Egress
import Foundation
import TestSupport
import Testing

@Suite("What a mail is written from")
struct MailWritingTests {
    @Test(
        "NT-03: a line break or another control character in a text of the header is refused, never cleaned",
        arguments: ["\r\n", "\n", "\r", "\u{0}", "\u{B}", "\u{85}", "\u{2028}", "\u{2029}", "\u{7F}"])
    func injection(character: String) {
        let bad = "Anna\(character)Bcc: x@example.net"
        #expect(throws: MailFault.lineBreak) { try MailSamples.mail(subject: bad) }
        #expect(throws: MailFault.lineBreak) { try MailSamples.mail(fromName: bad) }
        #expect(MailAddress("anna\(character)@example.org") == nil)
        #expect(MailAddress("anna@example.org\(character)Bcc: x@example.net") == nil)
        #expect(MailAddress("anna@exämple.org\(character)") == nil)
    }

    @Test(
        "an address is a dot-atom and a domain, which goes out in lower case and A-labels",
        arguments: [
            ("Anna.B+tag@Example.ORG", "Anna.B+tag@example.org"), ("a@localhost", "a@localhost"), ("o'hara_x@a-b.example", "o'hara_x@a-b.example"),
            ("anna@bücher.example", "anna@xn--bcher-kva.example"), ("anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
            ("anna@例え.テスト", "anna@xn--r8jz45g.xn--zckzah"), ("jörg@example.org", "jörg@example.org"),
            ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ])
    func addresses(text: String, wire: String) {
        #expect(MailAddress(text)?.text == wire)
    }

    @Test(
        "NT-05: what is no address is refused",
        arguments: [
            "", "anna", "@example.org", "anna@", "anna@@example.org", "a b@example.org", ".a@example.org", "a.@example.org", "a..b@example.org",
            "\"a b\"@example.org", "a@[127.0.0.1]", "a@127.0.0.1", "x@xn--$.example", "a@-b.example", "a@b-.example", "a@b..example", "a@.example",
            "a@b_c.example", "a<b@example.org", "a@exa mple.org", "a@bü cher.example", "a@bü/cher.example", "a@bücher.example:25",
            "a\u{200B}b@example.org",
            "\(String(repeating: "x", count: 65))@example.org", "a@\(String(repeating: "x", count: 64)).example",
            "a@\(Array(repeating: String(repeating: "x", count: 60), count: 5).joined(separator: "."))",
        ])
    func noAddress(text: String) {
        #expect(MailAddress(text) == nil)
    }

    @Test("no line of the header is longer than 78 characters, nor than 76 with an encoded word (RFC 2047, section 2)")
    func headerLines() async throws {
        let server = try ScriptedSMTPServer()
        let texts = [
            String(repeating: "ü", count: 100), String(repeating: "€", count: 100), String(repeating: "\"", count: 60),
            String(repeating: "a", count: 60), String(repeating: "a b", count: 40),
        ]
        let client = MailSamples.client(server.port)
        for text in texts { #expect(await client.send(try MailSamples.mail(subject: text, fromName: text)) == .accepted) }
        #expect(server.mails.count == texts.count)
        for mail in server.mails {
            let head = String(decoding: mail, as: UTF8.self).components(separatedBy: "\r\n").prefix { !$0.isEmpty }
            #expect(head.allSatisfy { $0.utf8.count <= ($0.contains("=?") ? 76 : 78) }, "\(head)")
        }
    }

    @Test("what only looks like an encoded word is encoded, so that nobody decodes it")
    func encodedWords() async throws {
        let server = try ScriptedSMTPServer()
        let mail = try MailSamples.mail(subject: "=?UTF-8?B?QmNj?=")
        #expect(await MailSamples.client(server.port).send(mail) == .accepted)
        let text = String(decoding: try #require(server.mails.first), as: UTF8.self)
        #expect(!text.contains("QmNj") && text.contains("Subject: =?UTF-8?B?"))
    }
}
