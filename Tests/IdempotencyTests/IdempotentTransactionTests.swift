import Foundation
import Idempotency
import Postgres
import ServiceDatabase
import Synchronization
import TestSupport
import Testing

@Suite("Requests with a key, against a database")
struct IdempotentTransactionTests {
    @Test("what was done is answered again and not repeated", arguments: DatabasePath.allCases)
    func done(_ path: DatabasePath) async throws {
        let service = try await BoxService(path)
        let (box, fill) = (try await service.newBox(), service.replica())
        let first = try await fill(box, 4, key: "k")
        #expect(first.body?.contentAfter == 4 && !first.isReplay)
        _ = try await fill(box, 5, key: "another")
        for _ in 0..<2 {
            let again = try await fill(box, 4, key: "k")
            #expect(again.body == first.body && again.isReplay)
        }
        #expect(try await service.content(box) == (9, 9))
    }

    @Test("a refusal is final for its key, says that it is a repeat, and names the request that was refused first", arguments: DatabasePath.allCases)
    func refused(_ path: DatabasePath) async throws {
        let service = try await BoxService(path)
        let (box, fill) = (try await service.newBox(), service.replica())
        _ = try await fill(box, 8, key: "first")
        #expect(try await fill(box, 4, key: "k", requestID: "req-1") == .refused(.full, requestID: "req-1", isReplay: false))
        try await service.asOwner("UPDATE boxes SET content = 0")
        // A client that sends the same request again may send the same request id.
        for requestID in ["req-1", "req-2"] {
            #expect(try await fill(box, 4, key: "k", requestID: requestID) == .refused(.full, requestID: "req-1", isReplay: true))
        }
        #expect(try await fill(box, 4, key: "another").body?.contentAfter == 4)
    }

    @Test("what a decision wrote before it refused is not kept, whether the refusal is or not", arguments: DatabasePath.allCases, [true, false])
    func writtenBeforeRefused(_ path: DatabasePath, isFinal: Bool) async throws {
        let service = try await BoxService(path)
        let box = try await service.newBox()
        let idempotent = IdempotentTransaction<BoxOutcome>(pool: service.pools[0])
        let answer: FillAnswer = try await idempotent(FillBox.key("k"), FillBox.fingerprint(box, 4), requestID: "req-1", until: nil) { session in
            try session.execute("UPDATE boxes SET content = 4 WHERE id = \(box)")
            return isFinal ? .refused(.full) : .refusedForNow(.full)
        } recall: { _, _ in
            nil
        }
        #expect(answer == .refused(.full, requestID: "req-1", isReplay: false))
        #expect(try await service.content(box) == (0, 0))
        #expect(try await service.keys() == (isFinal ? 1 : 0))
    }

    @Test("another request with the key is refused by what differs, and does nothing", arguments: DatabasePath.allCases)
    func reused(_ path: DatabasePath) async throws {
        let service = try await BoxService(path)
        let (box, other, fill) = (try await service.newBox(), try await service.newBox(), service.replica())
        let first = try await fill(box, 4, key: "k")
        #expect(try await fill(box, 5, key: "k") == .keyReused(pointer: "/amount"))
        #expect(try await fill(other, 4, key: "k") == .keyReused(pointer: "/id"))
        #expect(try await fill(box, 4, note: "n", key: "k") == .keyReused(pointer: "/note"))
        #expect(try await fill(box, 4, route: "DELETE /v1/boxes/{id}", key: "k") == .keyReused(pointer: "/route"))
        #expect(try await fill(box, 4, key: "k").body == first.body)
        #expect(try await service.content(box) == (4, 4))
        #expect(try await service.content(other) == (0, 0))
        #expect(try await service.keys() == 1)
    }

    @Test("what does not exist yet leaves the key free; without a key each request is one of its own", arguments: DatabasePath.allCases)
    func free(_ path: DatabasePath) async throws {
        let service = try await BoxService(path)
        let (box, fill) = (try await service.newBox(), service.replica())
        #expect(try await fill(UUID(), 4, key: "k", requestID: "req-1") == .refused(.noSuchBox, requestID: "req-1", isReplay: false))
        #expect(try await fill(box, 4, key: "k").body?.contentAfter == 4)
        for expected: Int64 in [6, 8] { #expect(try await fill(box, 2, key: nil).body?.contentAfter == expected) }
        #expect(try await fill(box, 9, key: nil, requestID: "req-2") == .refused(.full, requestID: "req-2", isReplay: false))
        #expect(try await service.keys() == 1)
    }

    @Test("two replicas that have both found no record: one commits, the other runs again and finds it", arguments: DatabasePath.allCases)
    func collision(_ path: DatabasePath) async throws {
        let service = try await BoxService(path, replicas: 2)
        let box = try await service.newBox()
        let runs = Mutex(0)
        let gates = (Gate(), Gate())
        // Each one's first run waits for the other's, when both have looked for the record.
        let meet: @Sendable (_ own: Gate, _ other: Gate) -> Void = { own, other in
            let run = runs.withLock { runs in
                runs += 1
                return runs
            }
            guard run <= 2 else { return }
            own.signal()
            other.wait()
        }
        async let one = service.replica(0)(box, 4, key: "k", begun: { meet(gates.0, gates.1) })
        async let two = service.replica(1)(box, 4, key: "k", begun: { meet(gates.1, gates.0) })
        let answers = [try await one, try await two]
        #expect(answers.count { $0.isReplay } == 1)
        #expect(answers[0].body != nil && answers[0].body == answers[1].body)
        #expect(runs.withLock { $0 } == 2)
        #expect(try await service.content(box) == (4, 4))
        #expect(try await service.keys() == 1)
    }

    @Test("many at once on two replicas are done once, and the same for all", arguments: DatabasePath.allCases)
    func storm(_ path: DatabasePath) async throws {
        let service = try await BoxService(path, replicas: 2)
        let box = try await service.newBox()
        let answers = try await withThrowingTaskGroup(of: FillAnswer.self) { group in
            for index in 0..<24 {
                group.addTask {
                    let fill = service.replica(index % 2)
                    // A machine that is slow enough has it undecided for longer than is waited: whoever is told so asks again.
                    while true {
                        let answer = try await fill(box, 4, key: "k")
                        if answer != .inProgress { return answer }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count { !$0.isReplay } == 1)
        #expect(Set(answers.map(\.body)).count == 1 && answers[0].body?.contentAfter == 4)
        #expect(try await service.content(box) == (4, 4))
    }

    @Test(
        "what another request holds up for too long, by its key or by a lock, is in progress, and does nothing", arguments: DatabasePath.allCases,
        ["key", "lock"])
    func undecided(_ path: DatabasePath, _ by: String) async throws {
        let service = try await BoxService(path)
        let (box, fill) = (try await service.newBox(), service.replica())
        let key = FillBox.key("k")
        let statement =
            by == "lock"
            ? "SELECT FROM boxes WHERE id = '\(box)' FOR UPDATE"
            : """
            INSERT INTO idempotency_keys (id, caller, principal, key, request, outcome, created_at)
            VALUES ('\(key.id)', '\(key.caller)', '\(key.principal)', '\(key.key)', '{}', 1, now())
            """
        try await service.database.server.holding(statement, database: service.database.name) {
            let answer = try await fill(box, 4, key: "k")
            #expect(answer == .inProgress)
        }
        #expect(try await service.content(box) == (0, 0))
        let later = try await fill(box, 4, key: "k")
        #expect(later.body?.contentAfter == 4 && !later.isReplay)
    }

    @Test("what breaks between the effect and the record leaves neither, and the repeat does it", arguments: DatabasePath.allCases)
    func crash(_ path: DatabasePath) async throws {
        struct Crash: Error {}
        let service = try await BoxService(path, replicas: 2)
        let box = try await service.newBox()
        await #expect(throws: Crash.self) { _ = try await service.replica(0) { _ in throw Crash() }(box, 4, key: "k") }
        let lost = service.replica(0) { session in
            _ = try session.query("SELECT pg_terminate_backend(pg_backend_pid())")
        }
        let error = await #expect(throws: PostgresError.self) { _ = try await lost(box, 4, key: "k") }
        #expect(error?.kind != .commitOutcomeUnknown)
        #expect(try await service.content(box) == (0, 0))
        #expect(try await service.keys() == 0)
        let again = try await service.replica(1)(box, 4, key: "k")
        #expect(again.body?.contentAfter == 4 && !again.isReplay)
    }

    @Test("a connection lost in COMMIT is an outcome that nobody knows, and the same key tells it", arguments: DatabasePath.allCases)
    func lostCommit(_ path: DatabasePath) async throws {
        let service = try await BoxService(path, replicas: 2)
        let box = try await service.newBox()
        let fill = service.replica(0) { session in _ = try session.execute("INSERT INTO lost_commits VALUES (NULL)") }
        let error = await #expect(throws: PostgresError.self) { _ = try await fill(box, 4, key: "k") }
        #expect(error?.kind == .commitOutcomeUnknown)
        // This one was rolled back: a repeat is the first that is done.
        let again = try await service.replica(1)(box, 4, key: "k")
        #expect(again.body?.contentAfter == 4 && !again.isReplay)
        #expect(try await service.content(box) == (4, 4))
        // An answer that was committed and lost is the same to the repeat, wherever it arrives.
        let replayed = try await service.replica(0)(box, 4, key: "k")
        #expect(replayed.body == again.body && replayed.isReplay)
    }

    @Test("an outcome of a release that knows more is not answered by guess, and of another route by none", arguments: DatabasePath.allCases)
    func otherVersions(_ path: DatabasePath) async throws {
        let service = try await BoxService(path)
        let (box, fill) = (try await service.newBox(), service.replica())
        let store = IdempotencyStore<BoxOutcome>()
        let key = FillBox.key("other")
        try await service.pools[0].withTransaction { session in
            try store.insert(session, key, IdempotencyRecord(FillBox.fingerprint(box, 4), .emptied(box)))
        }
        #expect(try await fill(box, 4, key: "other") == .keyReused(pointer: "/route"))
        _ = try await fill(box, 4, key: "newer")
        try await service.asOwner(
            "ALTER TABLE idempotency_keys DISABLE TRIGGER USER", "UPDATE idempotency_keys SET outcome = 99 WHERE key = 'newer'",
            "ALTER TABLE idempotency_keys ENABLE TRIGGER USER")
        await #expect(throws: UnreadableIdempotencyRecord.self) { _ = try await fill(box, 4, key: "newer") }
        #expect(try await service.content(box) == (4, 4))
    }
}
