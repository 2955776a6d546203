import Contracts
import Foundation
import Idempotency
import Postgres
import ServiceDatabase
import StrictJSON
import Synchronization
import TestSupport

/// A toy service: boxes that hold up to ``FillBox/limit``, in a database with nothing but `migrations/shared/idempotency` and its own table.
struct BoxService {
    static let migrations = [
        MigrationFolder(namespace: "idempotency", path: RepositoryRoot.path("migrations/shared/idempotency")),
        MigrationFolder(namespace: "identity", path: RepositoryRoot.path("Tests/IdempotencyTests/migrations")),
    ]

    let database: TestDatabase
    /// Of each replica its own.
    let pools: [PostgresPool]

    init(_ path: DatabasePath, replicas: Int = 1) async throws {
        let database = try await PostgresServer.shared().makeDatabase(service: "identity", migrations: Self.migrations)
        let configuration = try await PostgresConfiguration(url: path.servingURL(database))
        self.database = database
        pools = (0..<replicas).map { _ in
            PostgresPool(configuration: configuration, options: PoolOptions(maximumConnections: 4, acquireTimeout: .seconds(30)))
        }
    }

    func replica(_ index: Int = 0, midway: @escaping @Sendable (PostgresSession) throws -> Void = { _ in }) -> FillBox {
        FillBox(pool: pools[index], midway: midway)
    }

    func newBox() async throws -> UUID {
        let id = UUID()
        try await pools[0].withSession { session in _ = try session.execute("INSERT INTO boxes (id) VALUES (\(id))") }
        return id
    }

    /// What the box holds, and what its fillings add up to.
    func content(_ box: UUID) async throws -> (content: Int64, filled: Int64) {
        try await pools[0].withSession { session in
            try session.query(
                "SELECT content, coalesce((SELECT sum(amount) FROM fillings WHERE box_id = b.id), 0)::bigint FROM boxes b WHERE id = \(box)")[0]
                .decode(Int64.self, Int64.self)
        }
    }

    func keys() async throws -> Int64 {
        try await pools[0].withSession { session in try session.query("SELECT count(*) FROM idempotency_keys")[0].decode(Int64.self) }
    }

    /// Runs a statement as the owner of the database.
    func asOwner(_ statements: String...) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.ownerURL))
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await connection.withSession { session in
                    for statement in statements { _ = try session.execute(PostgresQuery(unsafeSQL: statement)) }
                })
        } catch {
            outcome = .failure(error)
        }
        await connection.close()
        try outcome.get()
    }
}

enum FillRefusal: String, Sendable, Hashable {
    case noSuchBox = "no_such_box"
    case full = "box_full"
}

struct Filling: Sendable, Hashable {
    let id: UUID
    let contentAfter: Int64
}

enum BoxOutcome: Hashable, Sendable {
    case filled(UUID)
    case refused(FillRefusal, requestID: String)
    /// Of another route, which the toy lacks.
    case emptied(UUID)
}

extension BoxOutcome: IdempotentOutcome {
    var refusal: (reason: FillRefusal, requestID: String)? {
        if case .refused(let reason, let requestID) = self { (reason, requestID) } else { nil }
    }

    var stored: StoredOutcome {
        switch self {
        case .filled(let id): StoredOutcome(1, subject: id)
        case .refused(let reason, let requestID): StoredOutcome(2, refusal: reason.rawValue, refusedRequestID: requestID)
        case .emptied(let id): StoredOutcome(3, subject: id)
        }
    }

    init?(_ stored: StoredOutcome) {
        switch (stored.kind, stored.subject, stored.refusal.flatMap(FillRefusal.init), stored.refusedRequestID) {
        case (1, let id?, nil, nil): self = .filled(id)
        case (2, nil, let reason?, let requestID?): self = .refused(reason, requestID: requestID)
        case (3, let id?, nil, nil): self = .emptied(id)
        default: return nil
        }
    }
}

typealias FillAnswer = IdempotentAnswer<Filling, FillRefusal>

/// The use case of the toy.
struct FillBox: Sendable {
    static let limit: Int64 = 10

    private let idempotent: IdempotentTransaction<BoxOutcome>
    private let midway: @Sendable (PostgresSession) throws -> Void

    /// - Parameter midway: Runs in each decision, when the box is filled and nothing is recorded.
    init(pool: PostgresPool, midway: @escaping @Sendable (PostgresSession) throws -> Void) {
        idempotent = IdempotentTransaction(pool: pool)
        self.midway = midway
    }

    static func key(_ text: String) -> IdempotencyKey { IdempotencyKey(caller: "mobile-bff", principal: "usr_1", key: text) }

    static func fingerprint(_ box: UUID, _ amount: Int64, note: String? = nil, route: String = "POST /v1/boxes/{id}/fill") -> RequestFingerprint {
        RequestFingerprint(route: route) { members in
            members.member("id", box.uuidString)
            members.member("amount", amount)
            members.member("note", ifPresent: note)
        }
    }

    func callAsFunction(
        _ box: UUID, _ amount: Int64, note: String? = nil, route: String = "POST /v1/boxes/{id}/fill", key: String?,
        requestID: String = UUID().uuidString, begun: @escaping @Sendable () -> Void = {}
    ) async throws -> FillAnswer {
        try await idempotent(key.map(Self.key), Self.fingerprint(box, amount, note: note, route: route), requestID: requestID, until: nil) {
            session in
            begun()
            let limit = Self.limit
            let content: Int64? = try session.query("SELECT content FROM boxes WHERE id = \(box)").first?.decode(Int64.self)
            guard content != nil else { return .refusedForNow(.noSuchBox) }
            let filled = try session.query(
                "UPDATE boxes SET content = content + \(amount) WHERE id = \(box) AND content + \(amount) <= \(limit) RETURNING content")
            guard let row = filled.first else { return .refused(.full) }
            let filling = Filling(id: UUID(), contentAfter: try row.decode(Int64.self))
            try session.execute(
                "INSERT INTO fillings (id, box_id, amount, content_after) VALUES (\(filling.id), \(box), \(amount), \(filling.contentAfter))")
            try midway(session)
            return .done(filling, .filled(filling.id))
        } recall: { session, outcome in
            guard case .filled(let id) = outcome else { return nil }
            let row = try session.query("SELECT content_after FROM fillings WHERE id = \(id)")[0]
            return Filling(id: id, contentAfter: try row.decode(Int64.self))
        }
    }
}

extension IdempotentAnswer {
    var body: Body? {
        if case .done(let body, _) = self { body } else { nil }
    }

    var isReplay: Bool {
        switch self {
        case .done(_, let isReplay), .refused(_, _, let isReplay): isReplay
        case .keyReused, .inProgress: false
        }
    }
}
