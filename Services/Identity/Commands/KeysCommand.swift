import APIService
import ArgumentParser
import Contracts
import FoundationEssentials
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime

/// `identity keys`: the keys that sign tokens. They rotate on schedule; this is for looking, and for emergencies.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "List and rotate the keys that sign tokens.",
        discussion: "Exit codes: 0 done, 1 failed, 3 the database cannot be reached, 64 wrong usage or configuration.",
        subcommands: [List.self, Rotate.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the keys with their times.")

        func run() async throws {
            try await KeysCommand.perform("list") { pool, _ in
                let keys = try await pool.withSession { session in try SigningKeyStore().all(session) }
                let current = SigningKeySchedule.signing(keys.map(\.life), at: Timestamp.now())
                for (index, key) in keys.enumerated() { print(KeysCommand.line(key.id, key.life, index == current ? "signing" : "")) }
            }.exit()
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Make a new key, which signs as soon as everybody can know it.",
            discussion: """
                With --emergency it signs at once and every other key is withdrawn: each access token, ID token and logout hint that was signed \
                before is refused, processes of this service go on signing with a withdrawn key for up to 15 seconds, and who keeps the key set \
                without looking again for an unknown key refuses new tokens for up to 5 minutes. Refresh tokens stay good.
                """)

        @Flag(help: "Withdraw every other key, at once.") var emergency = false

        func run() async throws {
            let occasion = emergency ? RotateSigningKeys.Occasion.emergency : .early
            try await KeysCommand.perform("rotate") { pool, box in
                let rotate = RotateSigningKeys(pool: pool, box: box, clock: ClockWitness(), now: Timestamp.now)
                guard let made = try await rotate(occasion) else { return }
                print(KeysCommand.line(made.id, made.life, "new"))
            }.exit()
        }
    }

    private static func line(_ id: String, _ life: SigningKeyLife, _ state: String) -> String {
        [
            id, "published \(life.publishAt)", "signs \(life.signFrom) to \(life.signUntil)", "retired \(life.retireAt)", state,
        ].joined(separator: "\t")
    }

    private static func perform(
        _ command: String, _ work: @escaping @Sendable (PostgresPool, SecretBox) async throws -> Void
    ) async -> ProcessExit {
        await Identity.perform(environment: ProcessInfo.processInfo.environment) { settings, context in
            let box = try settings.secretBox()
            try await settings.database.withPool(as: "identity keys \(command)", connections: 1, context.logger) { pool in
                try await work(pool, box)
            }
            return .success
        }
    }
}
