/// A language that messages are written in.
package enum MessageLanguage: String, Sendable, Hashable, CaseIterable {
    case english = "en"
    case german = "de"

    package static let fallback = english

    /// The language of a BCP 47 tag, by its first part; the fallback where there are no texts in it.
    package init(locale: String) {
        let primary = locale.prefix { $0 != "-" && $0 != "_" }.lowercased()
        self = Self(rawValue: primary) ?? .fallback
    }
}
