import Contracts
package import Observability

/// Bounds of what a setting may hold.
package enum SettingLimits {
    /// Longer than every address, path and key that a process needs.
    package static let maximumTextLength = 4_096
}

extension Setting where Value == Int {
    /// A whole number within a range; `unit` says what it counts.
    package static func integer(_ key: String, _ summary: String, in range: ClosedRange<Int>, unit: String, default value: Int?) -> Self {
        Setting(
            key: key, summary: summary, unit: unit, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            isHarmless: true, default: value, parse: { text in DecimalDigits.number(text).flatMap { range.contains($0) ? $0 : nil } },
            render: { String($0) })
    }

    /// A TCP port; 0 lets the system choose one.
    package static func port(_ key: String, _ summary: String, default value: Int?) -> Self {
        integer(key, summary, in: 0...65_535, unit: "TCP port", default: value)
    }
}

extension Setting where Value == Duration {
    /// A duration within a range, written `250ms`, `5s`, `2m` or `1h`.
    package static func duration(_ key: String, _ summary: String, in range: ClosedRange<Duration>, default value: Duration?) -> Self {
        let (low, high) = (DurationText.render(range.lowerBound), DurationText.render(range.upperBound))
        return Setting(
            key: key, summary: summary, unit: "duration", expected: "a duration from \(low) to \(high), like 250ms, 5s or 2m",
            isHarmless: true, default: value, parse: { text in DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil } },
            render: { DurationText.render($0) })
    }
}

extension Setting where Value == Bool {
    /// `true` or `false`.
    package static func flag(_ key: String, _ summary: String, default value: Bool?) -> Self {
        Setting(
            key: key, summary: summary, expected: "true or false", isHarmless: true, default: value, parse: { Bool($0) }, render: { String($0) })
    }
}

extension Setting where Value: RawRepresentable<String> & CaseIterable {
    /// One of the cases of an enum, by its raw value.
    package static func choice(_ key: String, _ summary: String, default value: Value?) -> Self {
        Setting(
            key: key, summary: summary, expected: Value.allCases.map(\.rawValue).joined(separator: " or "), isHarmless: true,
            default: value, parse: { Value(rawValue: $0) }, render: { $0.rawValue })
    }
}

extension Setting where Value == String {
    /// A text of 1 to ``SettingLimits/maximumTextLength`` bytes without control characters. It is shown, so an address in it holds no password.
    package static func text(_ key: String, _ summary: String, expected: String = "a text", default value: String?) -> Self {
        Setting(
            key: key, summary: summary, expected: expected, default: value,
            parse: { isPlain($0) && !($0.contains("://") && mayHoldSecret($0)) ? $0 : nil }, render: { $0 })
    }

    /// The path of a file or folder; whether it exists is found out by who opens it.
    package static func path(_ key: String, _ summary: String, default value: String?) -> Self {
        Setting(
            key: key, summary: summary, expected: "the path of a file or folder", default: value, parse: { isPath($0) ? $0 : nil }, render: { $0 })
    }

    /// A host's name or address, to listen on.
    package static func host(_ key: String, _ summary: String, default value: String?) -> Self {
        Setting(
            key: key, summary: summary, expected: "a host name or address", default: value,
            parse: { isPlain($0) && !$0.contains("/") && !mayHoldSecret($0) ? $0 : nil }, render: { $0 })
    }

    /// An address `scheme://host…` with one of the schemes; it must hold no password, for it is shown.
    package static func url(_ key: String, _ summary: String, schemes: [String], default value: String?) -> Self {
        Setting(
            key: key, summary: summary, expected: addressForm(schemes), default: value, parse: { isAddress($0, schemes) ? $0 : nil }, render: { $0 })
    }

    /// An address as ``url(_:_:schemes:default:)`` takes it, or the path of a file.
    package static func urlOrPath(_ key: String, _ summary: String, schemes: [String], default value: String?) -> Self {
        Setting(
            key: key, summary: summary, expected: "\(addressForm(schemes)), or the path of a file", default: value,
            parse: { isAddress($0, schemes) || isPath($0) ? $0 : nil }, render: { $0 })
    }

    private static func addressForm(_ schemes: [String]) -> String {
        "an address beginning with \(schemes.map { $0 + "://" }.joined(separator: " or ")), without password, query or fragment"
    }

    private static func isAddress(_ text: String, _ schemes: [String]) -> Bool {
        guard isPlain(text), let prefix = schemes.lazy.map({ $0 + "://" }).first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(prefix.count)
        return !rest.isEmpty && !rest.hasPrefix("/") && !mayHoldSecret(rest)
    }

    /// Whether an address has what passwords and tokens are put into: user information, a query or a fragment; or a space, which none has.
    private static func mayHoldSecret(_ address: some StringProtocol) -> Bool { address.contains { "@?# ".contains($0) } }

    private static func isPath(_ text: String) -> Bool { isPlain(text) && !text.contains("://") }

    fileprivate static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= SettingLimits.maximumTextLength && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

extension Setting where Value == Secret<String> {
    /// A credential, or an address that holds one: listed as `<set>` or `<unset>`, named in no error.
    package static func secret(
        _ key: String, _ summary: String, expected: String = "a secret", isAccepted: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Setting<Secret<String>> {
        Setting(
            key: key, summary: summary, expected: expected, isSecret: true, default: nil,
            parse: { text in Setting<String>.isPlain(text) && isAccepted(text) ? Secret(text) : nil }, render: { _ in SettingListing.set })
    }
}
