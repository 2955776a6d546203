package import HTTPTypes

/// A language that the pages are written in; its raw value is the page's `lang` and the name of the file with its texts.
package enum PageLanguage: String, Sendable, CaseIterable {
    case english = "en"
    case german = "de"

    /// How many languages of a request are looked at.
    static let mostTags = 20

    /// The first of these languages that the authorization request (`ui_locales`, OpenID Connect Core 3.1.2.1) asks for, otherwise the
    /// one that the browser prefers, otherwise English.
    package init(uiLocales: String? = nil, headers: HTTPFields) {
        let asked = (uiLocales ?? "").split(separator: " ").prefix(Self.mostTags).map(String.init)
        let accepted = Self.preferences(headers[values: .acceptLanguage].joined(separator: ","))
        self = (asked + accepted).lazy.compactMap(Self.init(tag:)).first ?? .english
    }

    /// By a tag's primary language (RFC 5646): `de-AT` is German.
    private init?(tag: String) {
        self.init(rawValue: tag.prefix { $0 != "-" }.lowercased())
    }

    /// The tags of `Accept-Language` (RFC 9110, section 12.5.4), the most wanted first; without those that are not wanted at all.
    private static func preferences(_ field: String) -> [String] {
        let ranges = field.split(separator: ",").prefix(mostTags).enumerated().compactMap { position, range -> (tag: String, weight: Double, Int)? in
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let tag = parts.first, let weight = weight(parts.dropFirst().first), weight > 0 else { return nil }
            return (tag, weight, position)
        }
        return ranges.sorted { ($0.weight, -$0.2) > ($1.weight, -$1.2) }.map(\.tag)
    }

    /// Nil for what is no weight from 0 to 1.
    private static func weight(_ parameter: String?) -> Double? {
        guard let parameter else { return 1 }
        guard parameter.lowercased().hasPrefix("q="), let weight = Double(parameter.dropFirst(2)), (0...1).contains(weight) else { return nil }
        return weight
    }
}
