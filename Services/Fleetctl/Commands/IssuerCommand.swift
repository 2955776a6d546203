import AccessTokens
import ArgumentParser
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// `fleetctl issuer`: tokens for tests and benchmark, where identity is not up; refused in production.
struct IssuerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issuer", abstract: "Issue access tokens for tests and benchmark; refused in production.",
        discussion: "Needs FLORIN_ENVIRONMENT=local or staging; the default is production.",
        subcommands: [Init.self, Token.self])

    private static let exitCodeUsage: Int32 = 64

    /// What this process runs as, production unless it says otherwise.
    private static var environment: String {
        ProcessInfo.processInfo.environment["FLORIN_ENVIRONMENT"] ?? "production"
    }

    /// Runs an action of the issuer; what it refuses is one line on standard error and exit code 64.
    private static func reporting(_ action: (_ environment: String) async throws(LocalTokenIssuerError) -> Void) async throws {
        do throws(LocalTokenIssuerError) {
            try await action(environment)
        } catch {
            let line = Array("fleetctl issuer: \(error)\n".utf8)
            _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            throw ExitCode(exitCodeUsage)
        }
    }

    /// `fleetctl issuer init`: a key pair and its public key set in a directory.
    struct Init: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Make a key pair and its public key set; an existing key is kept.")

        @Option(help: "Folder of the private key (mode 0600) and the public key set.")
        var directory: String

        func run() async throws {
            try await IssuerCommand.reporting { environment throws(LocalTokenIssuerError) in
                _ = try LocalTokenIssuer.create(directory: directory, environment: environment)
                print(LocalTokenIssuer.keySetPath(in: directory))
            }
        }
    }

    /// `fleetctl issuer token`: one token, alone on standard output.
    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "token", abstract: "Print one access token.")

        @Option(help: "The folder prepared by 'init'.")
        var directory: String

        @Option(help: ArgumentHelp("The person the token stands for.", valueName: "usr_…"))
        var user: String?

        @Option(help: "The client the token stands for, or with --user the client that obtained it.")
        var client: String?

        @Option(help: "The scopes, separated by spaces.")
        var scope: String = ""

        @Option(parsing: .upToNextOption, help: "The roles of a member of staff.")
        var role: [String] = []

        @Option(help: "How long the token lives, in seconds.")
        var lifetime: Int64 = LocalTokenIssuer.defaultLifetime

        @Option(help: "How the person was authenticated (acr); auth_time is set to now with it.")
        var acr: String?

        @Option(help: "The issuer named in the token.")
        var issuer: String = LocalTokenIssuer.defaultIssuer

        @Option(help: "The audience named in the token.")
        var audience: String = LocalTokenIssuer.defaultAudience

        func validate() throws {
            guard user != nil || client != nil else { throw ValidationError("Give --user or --client.") }
            guard user?.hasPrefix(Principal.userPrefix) ?? true else {
                throw ValidationError("A user begins with \(Principal.userPrefix).")
            }
        }

        func run() async throws {
            try await IssuerCommand.reporting { environment throws(LocalTokenIssuerError) in
                let now = Int64(Date().timeIntervalSince1970)
                let local = try LocalTokenIssuer(directory: directory, environment: environment, issuer: issuer, audience: audience)
                let token = try await local.token(
                    for: user.map(Principal.user) ?? .client(client ?? ""), clientID: client,
                    scopes: scope.split(separator: " ").map(String.init), roles: role, lifetime: lifetime, authenticationContext: acr,
                    authenticatedAt: acr == nil ? nil : now, now: now)
                print(token)
            }
        }
    }
}
