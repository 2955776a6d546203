import Mustache

/// A text that a page chooses when it is made; a template shows it by `{{>*member}}`.
struct PageText: Sendable, Hashable, MustacheCustomRepresentation {
    /// Its section and name in the files of `texts/`: `fault.wrong_code`.
    let key: String

    init(_ key: String) { self.key = key }

    var representation: Any? { key }

    /// Every text that is chosen this way. Those that a template names itself are known from the template.
    static let all =
        FormFault.Kind.allCases.map(\.text) + ErrorReason.allCases.flatMap { [$0.what, $0.todo] }
        + MessagePage.Kind.allCases.flatMap { [$0.title, $0.text] } + ScopeLine.known.map(ScopeLine.text) + [ScopeLine.otherText]
        + [RegisterPage.passwordLabel, NewPasswordPage.passwordLabel]
}
