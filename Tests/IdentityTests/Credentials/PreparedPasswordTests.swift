import Testing

@testable import Identity

@Suite struct PreparedPasswordTests {
    @Test(
        "RFC 8265, section 4.3: what is prepared to what",
        arguments: [
            ("correct horse battery staple", "correct horse battery staple"), ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
            ("\u{3C0}\u{DF}\u{E5}", "\u{3C0}\u{DF}\u{E5}"), ("Jack of \u{2666}s", "Jack of \u{2666}s"), ("foo\u{1680}bar", "foo bar"),
            ("my\u{A0}cat\u{3000}", "my cat "), ("  two  ", "  two  "), ("ma\u{303}e", "m\u{E3}e"), ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"),
            ("\u{2126}", "\u{3A9}"), ("می\u{200C}خواهم", "می\u{200C}خواهم"),
        ]
    ) func prepared(typed: String, expected: String) throws {
        let password = try PreparedPassword(typed)
        #expect(password.text.utf8.elementsEqual(expected.utf8))
        #expect(try PreparedPassword(password.text).text.utf8.elementsEqual(expected.utf8), "what is prepared stays as it is")
    }

    @Test func `ID-11: a password is the same from a keyboard that composes and from one that does not`() throws {
        let composed = try PreparedPassword("p\u{E4}sswort-mit-l\u{E4}nge")
        let decomposed = try PreparedPassword("pa\u{308}sswort-mit-la\u{308}nge")
        #expect(composed.text.utf8.elementsEqual(decomposed.text.utf8))
    }

    @Test(
        "ID-11: what can't be typed, or can't be seen, is refused and not left out",
        arguments: [
            "my cat is a \tby", "P\u{0}x", "P\u{7F}", "P\u{85}", "P\u{200B}x", "P\u{FEFF}", "P\u{FFFF}", "P\u{E000}", "P\u{2028}x", "P\u{1100}",
            "P\u{640}",
        ])
    func unusable(typed: String) {
        #expect(throws: PasswordFault.unusableCharacter) { try PreparedPassword(typed) }
    }

    @Test func `ID-11: what is too long is refused, never cut; the limits are within`() throws {
        #expect(throws: PasswordFault.empty) { try PreparedPassword("") }
        let longest = String(repeating: "x", count: PreparedPassword.maximumCodePoints)
        #expect(try PreparedPassword(longest).text == longest)
        #expect(throws: PasswordFault.tooLong) { try PreparedPassword(longest + "x") }
        #expect(try PreparedPassword(String(repeating: "\u{1F600}", count: 256)).text.utf8.count == PreparedPassword.maximumBytes)
        #expect(throws: PasswordFault.tooLong) { try PreparedPassword(String(repeating: "\u{1F600}", count: 257)) }
        #expect(throws: PasswordFault.tooLong) { try PreparedPassword(String(repeating: "x", count: 1_000_000)) }
        // One code point that becomes three: within the limit as typed, beyond it as hashed.
        #expect(throws: PasswordFault.tooLong) { try PreparedPassword(String(repeating: "\u{FB2C}", count: 256)) }
    }

    @Test func `a password shows in no text of it`() throws {
        let password = try PreparedPassword("correct horse battery")
        #expect(!"\(password) \(String(reflecting: password)) \(Mirror(reflecting: password).children)".contains("horse"))
        var text = ""
        dump(password, to: &text)
        #expect(!text.contains("horse"))
    }
}
