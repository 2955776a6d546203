/// One setting, declared once as a value: its name, meaning, default and what it accepts.
package struct Setting<Value: Sendable>: Sendable {
    /// The environment variable, in upper case.
    package let key: String
    /// One sentence on what the setting decides.
    package let summary: String
    /// What the value counts or measures, or nil for a text.
    package let unit: String?
    /// What is accepted, as the end of "expected …".
    package let expected: String
    package let isSecret: Bool
    /// Whether no value of the setting is a secret, so that a short refused one may be quoted; an address or a text may hold a password.
    package let isHarmless: Bool
    /// The value when the variable is not set or empty; nil makes it required.
    package let defaultValue: Value?

    private let parse: @Sendable (String) -> Value?
    private let render: @Sendable (Value) -> String?
    private var isUnsafe: @Sendable (Value) -> Bool = { _ in false }

    package init(
        key: String, summary: String, unit: String? = nil, expected: String, isSecret: Bool = false, isHarmless: Bool = false,
        default defaultValue: Value?, parse: @escaping @Sendable (String) -> Value?, render: @escaping @Sendable (Value) -> String?
    ) {
        self.key = key
        self.summary = summary
        self.unit = unit
        self.expected = expected
        self.isSecret = isSecret
        self.isHarmless = isHarmless
        self.defaultValue = defaultValue
        self.parse = parse
        self.render = render
    }

    /// The same setting without a need for it: nil when it is not set.
    package var optional: Setting<Value?> {
        let (parse, render, isUnsafe) = (parse, render, isUnsafe)
        return Setting<Value?>(
            key: key, summary: summary, unit: unit, expected: expected, isSecret: isSecret, isHarmless: isHarmless,
            default: .some(defaultValue), parse: { text in parse(text).map(Optional.some) }, render: { value in value.flatMap(render) }
        ).refusedInProduction { value in value.map(isUnsafe) ?? false }
    }

    /// The same setting, some of whose values only local and staging accept, whether they are set or come by default.
    package func refusedInProduction(where isUnsafe: @escaping @Sendable (Value) -> Bool) -> Self {
        var setting = self
        setting.isUnsafe = isUnsafe
        return setting
    }
}

/// What the reader and the `config` command need of a setting, whatever the type of its value.
package protocol SettingDeclaration: Sendable {
    var key: String { get }
    var summary: String { get }
    var unit: String? { get }
    var expected: String { get }
    var isSecret: Bool { get }
    var isHarmless: Bool { get }
    /// The default as it would be written; nil when there is none.
    var renderedDefault: String? { get }
    /// The value of a text from outside, nil when the variable is not set.
    func read(_ text: String?) -> Result<SettingReading, InvalidConfiguration>
}

/// A setting's value with what is shown of it.
package struct SettingReading: Sendable {
    let box: any Sendable
    /// The value in its written form, nil when there is none.
    let rendered: String?
    let isUnsafe: Bool
}

/// Keeps an optional value one value: cast directly, a missing one would vanish.
struct SettingBox<Value: Sendable>: Sendable {
    let value: Value
}

extension Setting: SettingDeclaration {
    package var renderedDefault: String? { defaultValue.flatMap(render) }

    package func read(_ text: String?) -> Result<SettingReading, InvalidConfiguration> {
        let value: Value
        if let text, !text.isEmpty {
            guard let parsed = parse(text) else {
                let quoted = isHarmless && Self.isQuotable(text) ? "=\(text)" : ""
                return .failure(InvalidConfiguration(ConfigurationProblem(key: key, explanation: "\(quoted) is not accepted: expected \(expected)")))
            }
            value = parsed
        } else if let defaultValue {
            value = defaultValue
        } else {
            return .failure(InvalidConfiguration(ConfigurationProblem(key: key, explanation: " is missing: expected \(expected)")))
        }
        return .success(SettingReading(box: SettingBox(value: value), rendered: render(value), isUnsafe: isUnsafe(value)))
    }

    /// Whether a refused text is a number or a word: whatever else it is may have been meant for another setting.
    private static func isQuotable(_ text: String) -> Bool {
        text.utf8.count <= maximumQuotedLength
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    private static var maximumQuotedLength: Int { 32 }
}
