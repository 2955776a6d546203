import Testing

@testable import Notification

@Suite("The language of a message")
struct MessageLanguageTests {
    @Test(
        "the first part of a tag decides, and English stands in for languages without texts",
        arguments: [
            ("de", MessageLanguage.german), ("de-CH", .german), ("DE_at", .german), ("en", .english), ("en-GB", .english), ("fr", .english),
            ("", .english), ("den", .english), ("x-de", .english),
        ])
    func languages(tag: String, language: MessageLanguage) {
        #expect(MessageLanguage(locale: tag) == language)
    }
}
