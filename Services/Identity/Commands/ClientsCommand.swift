import APIService
import ArgumentParser
import Contracts
import FoundationEssentials
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime

/// `identity clients`: the relying parties, apps and machines that may ask for tokens.
struct ClientsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "Register and manage OAuth clients.",
        discussion: "Exit codes: 0 done, 1 refused, 3 the database cannot be reached, 64 wrong usage or configuration.",
        subcommands: [Add.self, List.self, Rotate.self, Disable.self, Enable.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Register a client; a confidential one's secret is printed once.")

        @Argument(help: "Its id: lower-case letters, digits and hyphens.") var id: String
        @Option(help: "Its name, as people are shown it.") var name: String
        @Flag(help: "It keeps no secret: an app in a browser or on a device.") var `public` = false
        @Flag(help: "It is one of ours: it may sign people in itself, and asks no consent.") var firstParty = false
        @Option(help: "An address that codes are sent to, compared byte by byte. May be repeated.") var redirectUri: [String] = []
        @Option(help: "An address that people are sent to after they signed out. May be repeated.") var postLogoutRedirectUri: [String] = []
        @Option(help: "authorization_code, refresh_token or client_credentials. May be repeated.") var grant: [GrantType] = []
        @Option(help: "A scope that it can be given. May be repeated.") var scope: [String] = []
        @Option(help: "The audience of its access tokens.") var audience = OAuthClient.defaultAudience
        @Option(help: "The audience whose tokens it may introspect.") var introspects: String?

        func run() async throws {
            let client = OAuthClient(
                id: id, name: name, isConfidential: !`public`, isFirstParty: firstParty, redirectURIs: redirectUri,
                postLogoutRedirectURIs: postLogoutRedirectUri, grants: Set(grant), scopes: scope, audience: audience, introspects: introspects)
            try await ClientsCommand.perform("add") { pool in
                let secret = try await RegisterClient(pool: pool, now: Timestamp.now)(client)
                StandardError.write(line: "registered \(client.id)")
                if let secret { print(secret) }
            }.exit()
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List all clients.")

        func run() async throws {
            try await ClientsCommand.perform("list") { pool in
                for client in try await pool.withSession({ session in try ClientStore().all(session) }) { print(client.line) }
            }.exit()
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Give a client a new secret, printed once; the present one stays good for a while.")

        @Argument(help: "The client's id.") var id: String
        @Option(help: "Hours for which the present secret stays good.") var overlapHours = 24

        func validate() throws {
            guard (0...720).contains(overlapHours) else { throw ValidationError("--overlap-hours must be 0 to 720") }
        }

        func run() async throws {
            let (id, overlap) = (id, Duration.seconds(overlapHours * 3_600))
            try await ClientsCommand.perform("rotate") { pool in
                print(try await RotateClientSecret(pool: pool, now: Timestamp.now)(id, overlap: overlap))
            }.exit()
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Disable a client: from now on it gets no token, nor does anybody through it.")

        @Argument(help: "The client's id.") var id: String

        func run() async throws {
            let id = id
            try await ClientsCommand.perform("disable") { pool in
                try await DisableClient(pool: pool, now: Timestamp.now)(id, isDisabled: true)
            }.exit()
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "enable", abstract: "Enable a client that was disabled.")

        @Argument(help: "The client's id.") var id: String

        func run() async throws {
            let id = id
            try await ClientsCommand.perform("enable") { pool in
                try await DisableClient(pool: pool, now: Timestamp.now)(id, isDisabled: false)
            }.exit()
        }
    }

    private static func perform(
        _ command: String, _ work: @escaping @Sendable (PostgresPool) async throws -> Void
    ) async -> ProcessExit {
        await Identity.perform(environment: ProcessInfo.processInfo.environment) { settings, context in
            try await settings.database.withPool(as: "identity clients \(command)", connections: 1, context.logger) { pool in try await work(pool) }
            return .success
        }
    }
}

extension GrantType: ExpressibleByArgument {}

extension OAuthClient {
    /// One line of the list, in columns that a script can split at tabs.
    fileprivate var line: String {
        let kind = [isConfidential ? "confidential" : "public", isFirstParty ? "first-party" : nil, disabledAt.map { "disabled \($0)" }]
        return [
            id, kind.compactMap(\.self).joined(separator: ","), grants.map(\.rawValue).sorted().joined(separator: ","),
            scopes.joined(separator: " "), redirectURIs.joined(separator: " "), name,
        ].joined(separator: "\t")
    }
}
