package import EventBroker
internal import FoundationEssentials
package import Postgres
package import ServiceDatabase
package import ServiceRuntime

/// A service that works a queue off; the same queue serves its lanes and the commands over its dead letters.
package protocol WorkQueueService: DatabaseService {
    static func workQueue(_ settings: Settings) -> WorkQueue

    /// What the service writes of its own when work goes to a state.
    static func settled(_ session: PostgresSession, _ ids: [Int64], _ state: WorkState) throws
}

/// The dead letters of a work queue as its service's commands list, replay and discard them: work that was given up or may have been done.
package struct WorkDeadLetters<Service: WorkQueueService>: Sendable {
    private let environment: [String: String]
    private let makeContext: ContextSource
    private let print: @Sendable (_ line: String) -> Void
    private let reportError: @Sendable (_ line: String) -> Void

    private static var connections: Int { 1 }

    package init(
        environment: [String: String], context: @escaping ContextSource = ProcessContext.ofCommand,
        print: @escaping @Sendable (_ line: String) -> Void,
        reportError: @escaping @Sendable (_ line: String) -> Void = StandardError.write(line:)
    ) {
        self.environment = environment
        makeContext = context
        self.print = print
        self.reportError = reportError
    }

    package func list(_ filter: DeadLetterFilter, json: Bool) async -> ProcessExit {
        await perform { queue, pool in
            let letters = try await pool.withSession { session in try queue.deadLetters(session, filter) }
            for line in DeadLetterText.listing(letters, of: queue.name, limit: filter.limit, json: json) { print(line) }
            return .success
        }
    }

    /// - Parameter person: Recorded with each that is replayed.
    package func replay(
        _ filter: DeadLetterFilter, by person: String, note: String?, isForced: Bool, isDryRun: Bool, json: Bool
    ) async -> ProcessExit {
        await perform { queue, pool in
            let results = try await pool.withTransaction { session in
                try queue.deadLetters(session, filter).map { letter in
                    guard !isDryRun else { return (letter: letter, result: WorkQueue.Replayed?.none) }
                    let result = try queue.replay(session, letter.id, by: person, note: note, isForced: isForced)
                    if result == .expired { try Service.settled(session, [letter.id], .expired) }
                    return (letter: letter, result: WorkQueue.Replayed?.some(result))
                }
            }
            for (letter, result) in results {
                let label = result?.rawValue ?? "would be replayed"
                print(json ? DeadLetterText.json(letter, result: label) : "\(DeadLetterText.name(letter))  \(label)")
            }
            if !json { print(Self.summary(results.map(\.result))) }
            if results.contains(where: { $0.result == .doubtful }) {
                reportError("\(Service.name): some may have been done; look at the other side first, then use --force")
            }
            return found(filter, results.count) && results.allSatisfy { $0.result == nil || $0.result == .replayed } ? .success : .failure
        }
    }

    private static func summary(_ results: [WorkQueue.Replayed?]) -> String {
        guard !results.isEmpty else { return "nothing to replay" }
        let counts = WorkQueue.Replayed.allCases.map { result in "\(results.count { $0 == result }) \(result.rawValue)" }
        return "\(counts.joined(separator: ", ")), of \(results.count)"
    }

    package func discard(
        _ filter: DeadLetterFilter, by person: String, note: String, isDryRun: Bool, json: Bool
    ) async -> ProcessExit {
        await perform { queue, pool in
            let letters = try await pool.withTransaction { session in
                let letters = try queue.deadLetters(session, filter)
                guard !isDryRun else { return letters }
                return try letters.filter { letter in
                    guard try queue.discard(session, letter.id, by: person, note: note) else { return false }
                    try Service.settled(session, [letter.id], .discarded)
                    return true
                }.map { $0.discarded(note: note) }
            }
            for letter in letters { print(json ? DeadLetterText.json(letter) : DeadLetterText.table([letter]).last ?? "") }
            return found(filter, letters.count) ? .success : .failure
        }
    }

    /// Whether one is there if one was named; otherwise says so.
    private func found(_ filter: DeadLetterFilter, _ count: Int) -> Bool {
        guard filter.namesOne, count == 0 else { return true }
        reportError("\(Service.name): \(DeadLetterText.noneOpen)")
        return false
    }

    private func perform(_ work: @Sendable (WorkQueue, PostgresPool) async throws -> ProcessExit) async -> ProcessExit {
        await Service.perform(environment: environment, context: makeContext, reportError: reportError) { settings, context in
            try await settings.database.withPool(as: "\(Service.name) dead letters", connections: Self.connections, context.logger) { pool in
                try await work(Service.workQueue(settings), pool)
            }
        }
    }
}
