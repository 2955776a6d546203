import Contracts
import Foundation
import Testing

@testable import Notification

@Suite("What mails say")
struct MessageTemplatesTests {
    private static let kinds = MessageLanguage.allCases.flatMap { language in MessagePurpose.allCases.map { (language, $0) } }
    private let templates: MessageTemplates

    init() throws { templates = try MessageTemplates() }

    private func delivery(_ purpose: MessagePurpose, _ language: MessageLanguage) -> Delivery {
        Delivery(
            id: MessageID(UUID()), eventID: EventID(UUID()), purpose: purpose, language: language,
            expiresAt: Timestamp(microsecondsSinceUnixEpoch: 1_763_700_000_123_000), sealed: nil)
    }

    @Test("every kind has texts of its own in every language, and each renders with all values and with none", arguments: kinds)
    func complete(language: MessageLanguage, purpose: MessagePurpose) throws {
        let texts = MessageTexts.of(language)
        #expect(texts.messages.count == MessagePurpose.allCases.count)
        #expect(texts.changes.count == MessageDetails.FactorChange.allCases.count)
        #expect(Set(texts.messages.values.map(\.subject)).count == MessagePurpose.allCases.count)
        let full = MessageContent(
            address: "anna@example.org", name: "Anna", code: "481516", link: "https://florin.example/verify?a=1&b=2",
            details: MessageDetails(
                device: "Firefox", place: "Bern", at: Timestamp(microsecondsSinceUnixEpoch: 1_763_700_000_123_000), change: .totpAdded))
        let rendered = templates.render(delivery(purpose, language), full)
        for part in [rendered.text, rendered.html] {
            for value in ["Anna", "481516", "Firefox", "Bern", "2025-11-21 04:40 UTC"] { #expect(part.contains(value), "\(value)") }
            #expect(!part.contains("{{") && !part.contains("}}"))
        }
        #expect(rendered.text.contains("https://florin.example/verify?a=1&b=2"))
        #expect(rendered.html.contains("lang=\"\(language.rawValue)\"") && rendered.html.contains("verify?a=1&amp;b=2"))
        let bare = templates.render(delivery(purpose, language), MessageContent(address: "a@b"))
        for part in [bare.text, bare.html] { #expect(!part.contains("{{") && !part.contains("481516")) }
        #expect(!bare.html.contains("<a ") && bare.text.contains(texts.labels.greeting))
    }

    @Test("NT-12: a subject has no value of the message in it", arguments: kinds)
    func subjects(language: MessageLanguage, purpose: MessagePurpose) {
        let content = MessageContent(address: "anna@example.org", name: "Annabella", code: "481516", link: "https://florin.example")
        let rendered = templates.render(delivery(purpose, language), content)
        #expect(rendered.subject == templates.render(delivery(purpose, language), MessageContent(address: "b@c")).subject)
    }

    @Test("a value is text in HTML, whatever it looks like, and is left as it is in the text")
    func escaping() {
        let content = MessageContent(address: "a@b", name: "<script>alert(\"1\")</script> & {{code}}", code: "1")
        let rendered = templates.render(delivery(.registrationCode, .english), content)
        #expect(!rendered.html.contains("<script>") && rendered.html.contains("&lt;script&gt;"))
        #expect(rendered.text.contains("Hello <script>alert(\"1\")</script> & {{code}},"))
    }

    @Test("languages say it differently")
    func languages() {
        let content = MessageContent(address: "a@b", code: "1")
        let (english, german) = (
            templates.render(delivery(.registrationCode, .english), content), templates.render(delivery(.registrationCode, .german), content)
        )
        #expect(english.subject == "Confirm your e-mail address" && german.subject == "Bestätigen Sie Ihre E-Mail-Adresse")
        #expect(german.text.contains("Ihr Code: 1") && german.text.contains("Gültig bis: "))
    }

    @Test(
        "a used recovery code is named",
        arguments: [
            (MessageLanguage.english, "Change: A recovery code was used"), (.german, "Änderung: Ein Wiederherstellungscode wurde verwendet"),
        ])
    func usedRecoveryCode(language: MessageLanguage, line: String) {
        let content = MessageContent(address: "a@b", details: MessageDetails(change: .recoveryCodeUsed))
        let rendered = templates.render(delivery(.mfaChanged, language), content)
        #expect(rendered.text.contains(line) && rendered.html.contains(line.split(separator: ": ")[1]))
    }
}
