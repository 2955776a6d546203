import Foundation
import TestSupport
import Testing

@testable import Identity

@Suite struct NewPasswordTests {
    private static let list = PasswordBlocklist(lines: ["#!comment: none", "", "password", "Sunshine", "qwerty", "abcdefghijklmnopqrst", "12345"])

    private func prepare(_ text: String, email: String? = nil, hasSecondFactor: Bool = false) throws(PasswordFault) -> PreparedPassword {
        try NewPassword.prepare(text, email: email.flatMap { EmailAddress($0) }, hasSecondFactor: hasSecondFactor, blocklist: Self.list)
    }

    @Test func `alone a password has 15 characters or more, beside a second factor 8; characters are code points`() throws {
        #expect(throws: PasswordFault.tooShort(minimum: 15)) { try prepare("horse battery!") }
        #expect(!NewPassword.isShort(try prepare("horse battery!!")))
        #expect(throws: PasswordFault.tooShort(minimum: 8)) { try prepare("7 chars", hasSecondFactor: true) }
        #expect(NewPassword.isShort(try prepare("8 chars!", hasSecondFactor: true)))
        #expect(throws: PasswordFault.tooShort(minimum: 15)) { try prepare("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}") }
        #expect(
            !NewPassword.isShort(
                try prepare(
                    "\u{1F600}\u{1F601}\u{1F602}\u{1F603}\u{1F604}\u{1F605}\u{1F606}\u{1F607}\u{1F608}\u{1F609}\u{1F610}\u{1F611}\u{1F612}\u{1F613}\u{1F614}"
                )))
    }

    @Test(
        "what everybody tries first is refused",
        arguments: [
            "password", "PASSWORD", "sunshine", "password2026", "!!sunshine!!", "passwordpassword", "aaaaaaaaaaaaaaaa", "1234567890123456",
            "0987654321098765", "abcdefghijklmnopqrst",
            "abcabcabcabcabc", "qwertyqwertyqwerty", "Password123456789", "zyxwvutsrqponmlk", "12121212",
        ]
    ) func common(text: String) {
        #expect(throws: PasswordFault.common) { try prepare(text, hasSecondFactor: true) }
    }

    @Test(
        "what only holds a common word is not",
        arguments: [
            "correct horse battery", "my password is long", "314159265358979", "passwordsunshine", "mañana por la mañana", "qwe-qwe-asd-asd!",
        ]
    ) func uncommon(text: String) throws {
        _ = try prepare(text)
    }

    @Test func `the account's own address is no password of it`() throws {
        #expect(throws: PasswordFault.common) { try prepare("Ana.Garcia@Example.com", email: "ana.garcia@example.com") }
        #expect(throws: PasswordFault.common) { try prepare("ana-maria.garcia", email: "Ana-Maria.Garcia@example.com") }
        _ = try prepare("ana-maria.garcia", email: "someone@example.com")
    }

    @Test func `the list that is shipped is sorted, in lower case, and each line of it is a word of its own`() throws {
        let text = try String(contentsOfFile: RepositoryRoot.path("infra/identity/passwords.txt"), encoding: .utf8)
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#!comment:") }
        let list = PasswordBlocklist(lines: text.split(separator: "\n"))
        #expect(list.count == lines.count && list.count > 3_000)
        #expect(lines.allSatisfy { $0 == $0.lowercased() })
        #expect(zip(lines, lines.dropFirst()).allSatisfy { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        #expect(list.covers(try PreparedPassword("Password1")))
        #expect(try !list.covers(PreparedPassword("correct horse battery staple")))
    }
}
