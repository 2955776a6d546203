/// One setting that is wrong, and what is expected instead; safe to log, for a secret's value is never in it.
package struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
    package let key: String
    package let explanation: String

    package init(key: String, explanation: String) {
        self.key = key
        self.explanation = explanation
    }

    /// An unsafe value that only other environments accept.
    package static func refusedInProduction(key: String, value: String) -> Self {
        Self(key: key, explanation: "=\(PlainLine.text(value)) is refused in production")
    }

    package var description: String { key + explanation }
}

/// Settings with which a process does not start; it ends with exit code 64 and one line.
package struct InvalidConfiguration: Error, Sendable, Hashable, CustomStringConvertible {
    /// At least one, in the order in which the settings are declared.
    package let problems: [ConfigurationProblem]

    package init(_ first: ConfigurationProblem, _ others: [ConfigurationProblem] = []) {
        self.problems = [first] + others
    }

    /// For a check that a single setting cannot express: `explanation` says what is expected.
    package init(key: String, _ explanation: String) {
        self.init(ConfigurationProblem(key: key, explanation: ": " + explanation))
    }

    /// For a setting that another one needs.
    package init(missing key: String, _ reason: String) {
        self.init(ConfigurationProblem(key: key, explanation: " is missing: " + reason))
    }

    /// One line: the first problem, and how many more there are.
    package var description: String {
        switch problems.count {
        case 1: problems[0].description
        case let count: "\(problems[0]) (and \(count - 1) more; the config command lists all)"
        }
    }
}
