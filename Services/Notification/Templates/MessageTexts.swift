import Contracts

/// What the mails of one language say; a file per language.
struct MessageTexts: Sendable {
    /// What one kind of message says, in plain text: no values are put into it, so that none can be mistaken for words of ours.
    struct Message: Sendable {
        let subject: String
        let paragraphs: [String]
        /// Of the link, where the message has one.
        let linkLabel: String
        /// What to do when it was not the reader who did it.
        let closing: String
    }

    struct Labels: Sendable {
        let greeting: String
        /// Before a name and a comma.
        let greetingBeforeName: String
        let code: String
        let validUntil: String
        let device: String
        let place: String
        let time: String
        let change: String
        let signature: String
    }

    let labels: Labels
    let messages: [MessagePurpose: Message]
    let changes: [MessageDetails.FactorChange: String]

    static func of(_ language: MessageLanguage) -> MessageTexts {
        switch language {
        case .english: .english
        case .german: .german
        }
    }
}
