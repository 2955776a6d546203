import APIService
import Contracts
import FoundationEssentials
import Observability
import Postgres
import Sealing
import ServiceDatabase
import ServiceRuntime
import StrictJSON

/// The work of `identity users …`, apart from its command line.
struct UserCommands: Sendable {
    private static let connections = 2

    private let environment: [String: String]
    private let makeContext: ContextSource
    /// Results, for machines and people: standard output.
    private let print: @Sendable (_ line: String) -> Void
    private let reportError: @Sendable (_ line: String) -> Void

    init(
        environment: [String: String] = ProcessInfo.processInfo.environment, context: @escaping ContextSource = ProcessContext.ofCommand,
        print: @escaping @Sendable (_ line: String) -> Void = { line in Swift.print(line) },
        reportError: @escaping @Sendable (_ line: String) -> Void = StandardError.write(line:)
    ) {
        self.environment = environment
        makeContext = context
        self.print = print
        self.reportError = reportError
    }

    func createStaff(email: String, role: UserRole, name: String?, locale: String?, by person: String) async -> ProcessExit {
        await perform { users in
            let id = try await users.createStaff(
                email: email, role: role, name: name, locale: locale ?? UserAccount.defaultLocale, by: person)
            print("\(id)  created, invited by mail")
            return .success
        }
    }

    func grant(_ role: UserRole, to user: UserID, by person: String) async -> ProcessExit {
        await perform { users in
            let isNew = try await users.grant(role, to: user, by: person)
            print("\(user)  \(role.rawValue)  \(isNew ? "granted" : "unchanged")")
            return .success
        }
    }

    func revoke(_ role: UserRole, from user: UserID, by person: String) async -> ProcessExit {
        await perform { users in
            let wasHeld = try await users.revoke(role, from: user, by: person)
            print("\(user)  \(role.rawValue)  \(wasHeld ? "revoked" : "unchanged")")
            return .success
        }
    }

    func disable(_ user: UserID, by person: String) async -> ProcessExit {
        await perform { users in
            let isNew = try await users.disable(user, by: person)
            print("\(user)  \(isNew ? "disabled" : "unchanged")")
            return .success
        }
    }

    func list(email: String?, role: UserRole?, status: UserStatus?, limit: Int, json: Bool) async -> ProcessExit {
        await perform { users in
            for user in try await users.list(email: email, role: role, status: status, limit: limit) {
                print(json ? Self.json(user) : Self.line(user))
            }
            return .success
        }
    }

    private static func line(_ user: AdministerUsers.Listed) -> String {
        let roles = user.roles.isEmpty ? "-" : user.roles.map(\.rawValue).joined(separator: ",")
        return "\(user.account.userID)  \(user.account.status.rawValue)  \(roles)  \(user.account.createdAt)"
    }

    private static func json(_ user: AdministerUsers.Listed) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("user_id", user.account.userID.description)
            writer.member("status", user.account.status.rawValue)
            writer.name("roles")
            writer.array { writer in for role in user.roles { writer.string(role.rawValue) } }
            writer.member("created_at", user.account.createdAt.description)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func perform(_ work: @Sendable (AdministerUsers) async throws -> ProcessExit) async -> ProcessExit {
        await Identity.perform(environment: environment, context: makeContext, reportError: reportError) { settings, context in
            let messages = RequestMessage(sealingTo: try settings.sealingKey())
            return try await settings.database.withPool(as: "\(Identity.name) users", connections: Self.connections, context.logger) { pool in
                do {
                    return try await work(AdministerUsers(pool: pool, messages: messages, now: Timestamp.now))
                } catch let refusal as AdministerUsers.Refusal {
                    reportError("\(Identity.name): \(refusal.explanation)")
                    return .failure
                }
            }
        }
    }
}

extension AdministerUsers.Refusal {
    fileprivate var explanation: String {
        switch self {
        case .addressInvalid: "not an e-mail address"
        case .addressTaken(let user): "the address has an account, \(user); grant it the role instead"
        case .notStaff: "customers register themselves; give a role of staff"
        case .notFound: "there is no such user"
        case .notActive: "the user is not active"
        }
    }
}
