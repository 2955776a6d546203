import FoundationEssentials
package import ServiceClient

/// Where the demo finds the fleet: the variables that `make demo` sets.
package struct DemoSettings: Sendable {
    /// What is missing or unusable, in one line.
    package struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    package let environmentName: String
    package let ledger: ServiceAddress
    package let ledgerExecutable: String
    package let keysDirectory: String
    package let issuerDirectory: String
    /// The serving role's URL of wallet-ledger's own database. A secret.
    package let ledgerDatabaseURL: String
    /// The serving role's URL of another service's database. A secret.
    package let foreignDatabaseURL: String

    /// Reads the variables and the file of databases.
    ///
    /// - Parameter readFile: the content of a file, or nil when it cannot be read.
    /// - Throws: ``Invalid`` naming the variable.
    package init(environment: [String: String], readFile: (String) -> String?) throws(Invalid) {
        func value(_ name: String) throws(Invalid) -> String {
            guard let value = environment[name], !value.isEmpty else {
                throw Invalid(description: "\(name) is not set; `make demo` sets it")
            }
            return value
        }
        environmentName = environment["FLORIN_ENVIRONMENT"] ?? "production"
        do {
            ledger = try ServiceAddress(try value("FLORIN_LEDGER_URL"))
        } catch let error as Invalid {
            throw error
        } catch {
            throw Invalid(description: "FLORIN_LEDGER_URL: expected http://host:port")
        }
        ledgerExecutable = try value("FLORIN_LEDGER_EXECUTABLE")
        keysDirectory = try value("FLORIN_KEYS_DIRECTORY")
        issuerDirectory = try value("FLORIN_ISSUER_DIRECTORY")
        let file = try value("FLORIN_DATABASES_FILE")
        guard let text = readFile(file) else { throw Invalid(description: "FLORIN_DATABASES_FILE: \(file) cannot be read") }
        let urls = Self.variables(in: text)
        guard let own = urls["WALLET_LEDGER_SERVING_URL"] else {
            throw Invalid(description: "\(file) has no WALLET_LEDGER_SERVING_URL")
        }
        guard let foreign = urls["OPS_RISK_SERVING_URL"] else { throw Invalid(description: "\(file) has no OPS_RISK_SERVING_URL") }
        ledgerDatabaseURL = own
        foreignDatabaseURL = foreign
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
            "TOKEN_ISSUER": "http://127.0.0.1:8101",
            "TOKEN_JWKS": "\(issuerDirectory)/jwks.json",
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
