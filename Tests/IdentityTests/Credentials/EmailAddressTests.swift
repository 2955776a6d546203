import Testing

@testable import Identity

@Suite struct EmailAddressTests {
    @Test(
        "ID-10: one mailbox has one key, however it is typed",
        arguments: [
            ("Ana@Example.COM", "ana@example.com"), (" ana@example.com ", "ana@example.com"), ("\u{A0}ANA@EXAMPLE.com\n", "ana@example.com"),
            ("I.Ilk@example.com", "i.ilk@example.com"), ("o'neill+tag@example.com", "o'neill+tag@example.com"),
            ("Jose\u{301}@example.com", "jos\u{E9}@example.com"), ("JOS\u{C9}@example.com", "jos\u{E9}@example.com"),
            ("ana@B\u{DC}CHER.example", "ana@xn--bcher-kva.example"), ("ana@bu\u{308}cher.example", "ana@xn--bcher-kva.example"),
            ("ana@XN--BCHER-KVA.example", "ana@xn--bcher-kva.example"), ("ana@例え\u{3002}テスト", "ana@xn--r8jz45g.xn--zckzah"),
            ("\u{212A}elvin@example.com", "kelvin@example.com"), ("ana@fa\u{DF}.example", "ana@xn--fa-hia.example"),
            ("用户@example.com", "用户@example.com"),
        ]
    ) func keys(typed: String, key: String) throws {
        let address = try #require(EmailAddress(typed))
        #expect(address.key.utf8.elementsEqual(key.utf8), "\(address.key)")
        #expect(try #require(EmailAddress(address.key)).key.utf8.elementsEqual(key.utf8), "a key is its own key")
    }

    @Test func `what is sent to is what was typed, without the space around it`() throws {
        let address = try #require(EmailAddress(" Ana@Example.COM\t"))
        #expect(address.typed == "Ana@Example.COM")
        // A capital sharp s is ss to some who resolve names.
        for domain in ["fa\u{DF}.example", "FA\u{1E9E}\u{3002}example"] {
            #expect(EmailAddress("Jos\u{E9}.A@\(domain)")?.typed == "Jos\u{E9}.A@xn--fa-hia.example")
        }
        let other = try #require(EmailAddress("ANA@example.com"))
        #expect(address == other && Set([address, other]).count == 1)
    }

    @Test(
        "what mail can't be sent to, or what could be read in two ways, is no address",
        arguments: [
            "", "ana", "@example.com", "ana@", "ana@@example.com", "a@b@example.com", "ana@localhost", "ana@.example.com", "ana@example..com",
            "ana@example.com.", ".ana@example.com", "ana.@example.com", "a..na@example.com", "\"ana\"@example.com", "ana@[127.0.0.1]",
            "ana@127.0.0.1", "ana b@example.com", "ana@exa mple.com", "ana\r\nBcc: x@example.com", "ana\u{0}@example.com", "ana@example.com\u{0}x",
            "ana\u{200B}@example.com", "a\u{202E}na@example.com", "ana@ex\u{AD}ample.com", "ana@-example.com", "ana@example-.com", "ana@ab--c.com",
            "ana@exa_mple.com", "ana@ex\u{2024}com", "<ana@example.com>", "ana@example.com,bob@example.com", "ana@\u{301}x.example",
            "ana@\(String(repeating: "a", count: 64)).com", "\(String(repeating: "a", count: 65))@example.com",
            "a@\(String(repeating: "abcdefghi.", count: 25))com", String(repeating: "a", count: 2_000),
            "ana@\(String(repeating: "ü", count: 60)).com",
            // Other ways to write "site" and "fi": the mail would go there.
            "ana@\u{17F}ite.example", "ana@\u{FF33}ite.example", "ana@\u{FF53}\u{FF49}te.example", "ana@\u{FB01}x.example", "ana@s\u{2071}te.example",
            "ana@\u{1D42C}ite.example",
        ]
    ) func refused(typed: String) {
        #expect(EmailAddress(typed) == nil)
    }
}
