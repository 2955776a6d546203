import Foundation
import TestSupport
import Testing

/// Every setting that names a file or folder, of every executable and command that reads it.
@Suite("Files that can't be used")
struct FileSettingTests {
    struct Use: Sendable, CustomTestStringConvertible {
        let executable: String
        var command = ["serve"]
        let setting: String
        var isFolder = false

        var testDescription: String { "\(executable) \(command.joined(separator: " ")): \(setting)" }
    }

    private static let api = [
        "INTERNAL_AUTH_KEYS_FILE", "TOKEN_JWKS", "INTERNAL_TLS_CERTIFICATE_FILE", "INTERNAL_TLS_KEY_FILE", "INTERNAL_TLS_CA_FILE", "REDIS_CA_FILE",
    ]
    private static let replay = ["replay-dead-letters", "--note", "test", "--requested-by", "test"]

    static let uses =
        ["wallet-ledger", "ops-risk"].flatMap { executable in api.map { Use(executable: executable, setting: $0) } }
        + [
            Use(executable: "ops-risk", setting: "DEAD_LETTER_KEYS_FILE"), Use(executable: "ops-risk", setting: "RABBITMQ_CA_FILE"),
            Use(executable: "ops-risk", command: replay, setting: "RABBITMQ_CA_FILE"),
            Use(executable: "ops-risk", command: replay, setting: "DEAD_LETTER_KEYS_FILE"),
            Use(executable: "ops-risk", command: ["replay-dead-letters", "--plan"], setting: "DEAD_LETTER_KEYS_FILE"),
            Use(executable: "outbox-relay", setting: "RABBITMQ_CA_FILE"),
            Use(executable: "wallet-ledger", setting: "MIGRATIONS_DIRECTORY", isFolder: true),
            Use(executable: "wallet-ledger", command: ["migrate"], setting: "MIGRATIONS_DIRECTORY", isFolder: true),
            Use(executable: "ops-risk", setting: "MIGRATIONS_DIRECTORY", isFolder: true),
            Use(executable: "ops-risk", command: ["migrate"], setting: "MIGRATIONS_DIRECTORY", isFolder: true),
            Use(executable: "outbox-relay", setting: "MIGRATIONS_DIRECTORY", isFolder: true),
        ]

    /// Complete and good, but nobody answers at the addresses.
    private func environment(_ folder: String) async throws -> [String: String] {
        _ = try LedgerFleet.writeCredentials(to: folder)
        let authority = try await TestAuthority()
        let issued = try await authority.issue("server", hosts: "IP:127.0.0.1")
        for (file, name) in [(authority.certificate, "ca.crt"), (issued.certificate, "tls.crt"), (issued.key, "tls.key")] {
            try FileManager.default.copyItem(atPath: file, toPath: "\(folder)/\(name)")
        }
        try #"{"keys":[{"keyid":"test","secret":"\#(Data(repeating: 7, count: 32).base64EncodedString())"}]}"#
            .write(toFile: "\(folder)/dead.json", atomically: false, encoding: .utf8)
        return [
            "FLORIN_ENVIRONMENT": "local", "REPLAY_WINDOW": "redis", "REDIS_URL": "rediss://127.0.0.1:1", "REDIS_CA_FILE": "\(folder)/ca.crt",
            "INTERNAL_TLS": "own", "INTERNAL_TLS_CERTIFICATE_FILE": "\(folder)/tls.crt", "INTERNAL_TLS_KEY_FILE": "\(folder)/tls.key",
            "INTERNAL_TLS_CA_FILE": "\(folder)/ca.crt", "TOKEN_ISSUER": "http://127.0.0.1:1", "TOKEN_JWKS": "\(folder)/jwks.json",
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "1", "ADMIN_PORT": "2", "MIGRATIONS_DIRECTORY": RepositoryRoot.path("migrations"),
            "RABBITMQ_URL": "amqps://wallet-ledger-relay:p@127.0.0.1:1", "RABBITMQ_CA_FILE": "\(folder)/ca.crt",
            "DEAD_LETTER_KEYS_FILE": "\(folder)/dead.json",
            "OUTBOX_SOURCE": "wallet-ledger",
        ]
    }

    @Test("the setting is named in one line, exit 64, before anything is connected to", arguments: uses)
    func refused(use: Use) async throws {
        let folder = try TemporaryFolder("files")
        var environment = try await environment(folder.path)
        environment["INTERNAL_AUTH_KEYS_FILE"] = "\(folder.path)/\(use.executable).keys.json"
        environment[use.executable == "ops-risk" ? "OPS_RISK_DATABASE_URL" : "LEDGER_DATABASE_URL"] = "postgres://u:p@127.0.0.1:1/none"
        for (what, path) in try paths(use, in: folder.path) {
            let run = try LedgerProcess.run(
                use.command, of: RepositoryRoot.path(".build/debug/\(use.executable)"), environment: environment.merging([use.setting: path]) { $1 })
            #expect(run.code == 64, "\(what): \(run.code)")
            #expect(run.output.contains("\(use.executable): \(use.setting): "), "\(what): \(run.output)")
            #expect(run.output.split(separator: "\n").count == 1, "\(what): \(run.output)")
        }
    }

    /// What can't be used, by what it is.
    private func paths(_ use: Use, in folder: String) throws -> [(what: String, path: String)] {
        let files = [("empty", ""), ("garbage", "\u{0}garbage {"), ("JSON of something else", "[]")]
        for (name, content) in files { try content.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8) }
        try FileManager.default.createDirectory(atPath: "\(folder)/folder", withIntermediateDirectories: true)
        var paths = [("missing", "\(folder)/missing"), ("a folder", "\(folder)/folder")] + files.map { ($0.0, "\(folder)/\($0.0)") }
        if use.isFolder { paths.removeLast(2) }
        // The superuser reads everything.
        if geteuid() != 0 {
            let path = "\(folder)/unreadable"
            try FileManager.default.copyItem(atPath: "\(folder)/ca.crt", toPath: path)
            try FileManager.default.setAttributes([.posixPermissions: 0o000], ofItemAtPath: path)
            paths.append(("unreadable", path))
        }
        return paths
    }

    @Test("the keys of another service are not this one's", arguments: ["wallet-ledger", "ops-risk"])
    func foreignKeys(executable: String) async throws {
        let folder = try TemporaryFolder("files")
        var environment = try await environment(folder.path)
        environment["INTERNAL_AUTH_KEYS_FILE"] = "\(folder.path)/\(executable == "ops-risk" ? "wallet-ledger" : "ops-risk").keys.json"
        environment[executable == "ops-risk" ? "OPS_RISK_DATABASE_URL" : "LEDGER_DATABASE_URL"] = "postgres://u:p@127.0.0.1:1/none"
        let run = try LedgerProcess.run(["serve"], of: RepositoryRoot.path(".build/debug/\(executable)"), environment: environment)
        let complaint = "INTERNAL_AUTH_KEYS_FILE: can't be used: it holds the keys of another service"
        #expect(run.code == 64 && run.output.contains(complaint), "\(run.output)")
    }

    @Test("no executable quotes a password that stands in a setting", arguments: ["wallet-ledger", "ops-risk", "outbox-relay"])
    func passwords(executable: String) async throws {
        let folder = try TemporaryFolder("files")
        let good = try await environment(folder.path)
        let database = executable == "ops-risk" ? "OPS_RISK_DATABASE_URL" : "LEDGER_DATABASE_URL"
        let program = RepositoryRoot.path(".build/debug/\(executable)")
        let names = Array(good.keys) + [database, "OTEL_EXPORTER_OTLP_ENDPOINT", "ADMIN_HOST", "TOKEN_AUDIENCE"]
        let all = Dictionary(uniqueKeysWithValues: names.map { ($0, "https://user:s3cret@host.example/path") })
        for command in ["config", "serve"] {
            let run = try LedgerProcess.run([command], of: program, environment: all)
            #expect(run.code == 64 && !run.output.contains("s3cret"), "\(run.output)")
        }
        for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", executable == "outbox-relay" ? "RABBITMQ_URL" : "TOKEN_ISSUER"] {
            var environment = good.merging([database: "postgres://u:p@127.0.0.1:1/none"]) { $1 }
            environment[name] = "ftp://user:s3cret@host.example"
            let run = try LedgerProcess.run(["serve"], of: program, environment: environment)
            #expect(run.code == 64 && run.output.contains(name) && !run.output.contains("s3cret"), "\(run.output)")
        }
    }
}
