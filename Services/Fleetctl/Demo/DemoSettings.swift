import FoundationEssentials
package import ServiceClient
package import ServiceRuntime

/// Where the demo finds the fleet: the variables that `make demo` sets.
package struct DemoSettings: Sendable {
    package let environmentName: String
    package let ledger: ServiceAddress
    package let opsRisk: ServiceAddress
    package let identity: ServiceAddress
    package let ledgerExecutable: String
    /// `infra/local/fleet.sh`, by which commands of the fleet's services are run as those services.
    package let fleetCommand: String
    /// Where the fleet keeps the process ids of its servers.
    package let runDirectory: String
    package let keysDirectory: String
    /// The serving role's URL of wallet-ledger's own database. A secret.
    package let ledgerDatabaseURL: String
    /// The serving role's URL of another service's database, ops-risk's. A secret.
    package let foreignDatabaseURL: String
    /// The owner's URL of ops-risk's database. A secret.
    package let opsRiskOwnerDatabaseURL: String

    /// Reads the variables and the file of databases.
    ///
    /// - Parameter readFile: the content of a file, or nil when it cannot be read.
    /// - Throws: ``InvalidConfiguration`` naming the variable.
    package init(environment: [String: String], readFile: (String) -> String?) throws(InvalidConfiguration) {
        func value(_ name: String) throws(InvalidConfiguration) -> String {
            guard let value = environment[name], !value.isEmpty else {
                throw Self.invalid(name, " is not set; `make demo` sets it")
            }
            return value
        }
        environmentName = environment["FLORIN_ENVIRONMENT"] ?? "production"
        func address(_ name: String) throws(InvalidConfiguration) -> ServiceAddress {
            let text = try value(name)
            guard let address = try? ServiceAddress(text) else { throw InvalidConfiguration(key: name, "expected http://host:port") }
            return address
        }
        ledger = try address("FLORIN_LEDGER_URL")
        opsRisk = try address("FLORIN_OPS_RISK_URL")
        identity = try address("FLORIN_IDENTITY_URL")
        fleetCommand = try value("FLORIN_FLEET_COMMAND")
        runDirectory = try value("FLORIN_RUN_DIRECTORY")
        ledgerExecutable = try value("FLORIN_LEDGER_EXECUTABLE")
        keysDirectory = try value("FLORIN_KEYS_DIRECTORY")
        let file = try value("FLORIN_DATABASES_FILE")
        guard let text = readFile(file) else { throw InvalidConfiguration(key: "FLORIN_DATABASES_FILE", "\(file) cannot be read") }
        let urls = Self.variables(in: text)
        func url(_ name: String) throws(InvalidConfiguration) -> String {
            guard let url = urls[name] else { throw Self.invalid(file, " has no \(name)") }
            return url
        }
        ledgerDatabaseURL = try url("WALLET_LEDGER_SERVING_URL")
        foreignDatabaseURL = try url("OPS_RISK_SERVING_URL")
        opsRiskOwnerDatabaseURL = try url("OPS_RISK_OWNER_URL")
    }

    private static func invalid(_ key: String, _ explanation: String) -> InvalidConfiguration {
        InvalidConfiguration(ConfigurationProblem(key: key, explanation: explanation))
    }

    /// The environment in which the ledger's executable would serve, if nothing in it were wrong.
    ///
    /// It has the port of the ledger that is up: should a violation pass unseen, there still is no second ledger.
    package var ledgerEnvironment: [String: String] {
        let release = ledgerExecutable.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        return [
            "FLORIN_ENVIRONMENT": environmentName,
            "LEDGER_DATABASE_URL": ledgerDatabaseURL,
            "INTERNAL_AUTH_KEYS_FILE": "\(keysDirectory)/wallet-ledger.keys.json",
            "REPLAY_WINDOW": "in-process",
            "INTERNAL_TLS": "off",
            "TOKEN_ISSUER": "http://\(identity.authority)",
            "TOKEN_JWKS": "http://\(identity.authority)/oauth2/jwks",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": ledger.authority.split(separator: ":").last.map(String.init) ?? "",
            "MIGRATIONS_DIRECTORY": "\(release)/migrations",
        ]
    }

    /// The `NAME=value` lines of a file.
    package static func variables(in text: String) -> [String: String] {
        var variables: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { continue }
            variables[String(parts[0])] = String(parts[1])
        }
        return variables
    }
}
