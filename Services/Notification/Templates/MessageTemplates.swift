import Contracts
import Mustache

/// Writes messages from their texts and layouts.
struct MessageTemplates: Sendable {
    struct Rendered: Sendable, Hashable {
        /// Never with a value of the message: subjects show on locked screens and in logs.
        let subject: String
        let text: String
        let html: String
    }

    private let text: MustacheTemplate
    private let html: MustacheTemplate

    /// - Throws: When a layout is no mustache, which a test would have found.
    init() throws {
        text = try MustacheTemplate(string: MailLayout.text)
        html = try MustacheTemplate(string: MailLayout.html)
    }

    func render(_ delivery: Delivery, _ content: MessageContent) -> Rendered {
        let texts = MessageTexts.of(delivery.language)
        guard let message = texts.messages[delivery.purpose] else { preconditionFailure("no text for \(delivery.purpose.rawValue)") }
        let details = Self.details(content, expiresAt: delivery.expiresAt, texts)
        var values: [String: Any] = [
            "language": delivery.language.rawValue, "subject": message.subject, "paragraphs": message.paragraphs, "closing": message.closing,
            "signature": texts.labels.signature, "codeLabel": texts.labels.code, "linkLabel": message.linkLabel,
            "greeting": content.name.map { "\(texts.labels.greetingBeforeName) \($0)," } ?? texts.labels.greeting,
            "hasDetails": !details.isEmpty, "details": details.map { ["label": $0.label, "value": $0.value] },
        ]
        if let code = content.code { values["code"] = code }
        if let link = content.link { values["link"] = link }
        return Rendered(subject: message.subject, text: text.render(values), html: html.render(values))
    }

    private static func details(
        _ content: MessageContent, expiresAt: Timestamp, _ texts: MessageTexts
    ) -> [(label: String, value: String)] {
        let (labels, details) = (texts.labels, content.details)
        let values = [
            (labels.validUntil, content.code.map { _ in minute(expiresAt) }), (labels.change, details?.change.flatMap { texts.changes[$0] }),
            (labels.device, details?.device), (labels.place, details?.place), (labels.time, details?.at.map(minute)),
        ]
        return values.compactMap { label, value in value.map { (label, $0) } }
    }

    /// `2026-11-30 11:15 UTC`, which reads alike in every language.
    private static func minute(_ time: Timestamp) -> String {
        let text = time.description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }
}
