import ArgumentParser
import Contracts
import FoundationEssentials
import ServiceRuntime

/// `identity users`: the accounts that operators make and end.
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Create staff, grant and revoke roles, disable and list users.",
        discussion: "Each act is recorded with who asked for it. Exit codes: 0 done, 1 refused, 3 the database cannot be reached, 64 wrong usage.",
        subcommands: [CreateStaff.self, Grant.self, Revoke.self, Disable.self, List.self])

    /// Who asks, for the record.
    struct Requester: ParsableArguments {
        @Option(
            name: .customLong("requested-by"),
            help: "Who asks for it, recorded. Default: user and host; required where the environment names no user, as in a pod.")
        var requestedBy: String?

        func validate() throws { try OperatorText.validate(note: nil, person: requestedBy) }

        func person() throws -> String {
            try OperatorText.person(named: requestedBy, ProcessInfo.processInfo.environment, isRecorded: true)
        }
    }

    struct CreateStaff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a member of staff, who is invited by mail to set a password.")

        @Option(help: "Their e-mail address.") var email: String
        @Option(help: "Their role: support, risk-analyst, auditor or admin.", transform: Named.role) var role: UserRole
        @Option(help: "Their name.") var name: String?
        @Option(help: "The language of their mails, such as en or de.") var locale: String?
        @OptionGroup var requester: Requester

        func validate() throws {
            guard name.map({ (1...100).contains($0.unicodeScalars.count) && PlainLine.text($0) == $0 }) ?? true else {
                throw ValidationError("--name must be one line of 1 to 100 characters")
            }
            guard locale.map({ $0.wholeMatch(of: /[a-z]{2}(-[A-Z]{2})?/) != nil }) ?? true else {
                throw ValidationError("--locale must be a language such as en or en-GB")
            }
        }

        func run() async throws {
            try await UserCommands().createStaff(email: email, role: role, name: name, locale: locale, by: try requester.person()).exit()
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Grant a user a role. Their sessions end: they sign in again with it.")

        @Option(help: "The user (usr_...).", transform: Named.user) var user: UserID
        @Option(help: "The role: customer, support, risk-analyst, auditor or admin.", transform: Named.role) var role: UserRole
        @OptionGroup var requester: Requester

        func run() async throws { try await UserCommands().grant(role, to: user, by: try requester.person()).exit() }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a role from a user, whose sessions and tokens end.")

        @Option(help: "The user (usr_...).", transform: Named.user) var user: UserID
        @Option(help: "The role: customer, support, risk-analyst, auditor or admin.", transform: Named.role) var role: UserRole
        @OptionGroup var requester: Requester

        func run() async throws { try await UserCommands().revoke(role, from: user, by: try requester.person()).exit() }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Disable a user, whose sessions and tokens end.")

        @Option(help: "The user (usr_...).", transform: Named.user) var user: UserID
        @OptionGroup var requester: Requester

        func run() async throws { try await UserCommands().disable(user, by: try requester.person()).exit() }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List users by id, status and roles, the latest first.")
        private static let limits = 1...1_000

        @Option(help: "Only the user with this e-mail address.") var email: String?
        @Option(help: "Only users with this role.", transform: Named.role) var role: UserRole?
        @Option(help: "Only users with this status: active, disabled or deleted.", transform: Named.status) var status: UserStatus?
        @Option(help: "Maximum number of users.") var limit = 100
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard Self.limits.contains(limit) else { throw ValidationError("--limit must be 1 to \(Self.limits.upperBound)") }
            guard email == nil || (role == nil && status == nil) else { throw ValidationError("--email finds one user; give no other filter") }
        }

        func run() async throws {
            try await UserCommands().list(email: email, role: role, status: status, limit: limit, json: json).exit()
        }
    }
}

/// What the options name, read once.
private enum Named {
    @Sendable static func user(_ text: String) throws -> UserID {
        guard let id = UserID(text) else { throw ValidationError("must be a user's id (usr_...)") }
        return id
    }

    @Sendable static func role(_ text: String) throws -> UserRole { try choice(text) }

    @Sendable static func status(_ text: String) throws -> UserStatus { try choice(text) }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Choice {
        guard let choice = Choice(rawValue: text) else {
            throw ValidationError("must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }
}
