import Configuration

/// Reads declared settings from environment variables handed in; nothing below a command reads the process's own.
package struct SettingsReader: Sendable {
    private let reader: ConfigReader

    /// - Parameter environment: Variables by name. An empty one counts as not set.
    package init(environment: [String: String]) {
        self.reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment))
    }

    /// Reads and checks every setting, then what production refuses.
    ///
    /// - Throws: ``InvalidConfiguration`` with all problems, in the order of declaration.
    package func read(_ declared: [any SettingDeclaration]) throws(InvalidConfiguration) -> SettingValues {
        var readings: [String: SettingReading] = [:]
        var problems: [ConfigurationProblem] = []
        for (setting, outcome) in outcomes(of: declared) {
            precondition(readings[setting.key] == nil, "\(setting.key) is declared twice")
            switch outcome {
            case .success(let reading): readings[setting.key] = reading
            case .failure(let invalid): problems += invalid.problems
            }
        }
        if let first = problems.first { throw InvalidConfiguration(first, Array(problems.dropFirst())) }
        return SettingValues(readings: readings)
    }

    /// What became of each setting, for the `config` command, which shows the bad ones among the good.
    func outcomes(of declared: [any SettingDeclaration]) -> [(any SettingDeclaration, Result<SettingReading, InvalidConfiguration>)] {
        let environment = environment
        return declared.map { setting in
            let outcome = setting.read(text(of: setting))
            // A secret has no unsafe values: naming one would tell it.
            guard environment == .production, !setting.isSecret, case .success(let reading) = outcome, reading.isUnsafe else {
                return (setting, outcome)
            }
            let problem = ConfigurationProblem.refusedInProduction(key: setting.key, value: reading.rendered ?? "")
            return (setting, .failure(InvalidConfiguration(problem)))
        }
    }

    /// An environment that cannot be read counts as production here; it is a problem of its own where it is declared.
    private var environment: FlorinEnvironment {
        text(of: FlorinEnvironment.setting).flatMap(FlorinEnvironment.init(rawValue:)) ?? .production
    }

    private func text(of setting: some SettingDeclaration) -> String? {
        // LEDGER_BATCH_LIMIT is the key ledger.batch.limit, which the provider spells as the variable again.
        let key = ConfigKey(setting.key.lowercased().split(separator: "_").map(String.init))
        return reader.string(forKey: key, isSecret: setting.isSecret)
    }
}
