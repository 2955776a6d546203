import Concurrency
import Contracts
import Egress
import EventBroker
import Foundation
import Logging
import Observability
import Postgres
import Sealing
import ServiceDatabase
import ServiceLifecycle
import ServiceRuntime
import Synchronization
import TestSupport
import WorkQueue

@testable import Notification

/// A database of notification, keys of its own, and what works on them without a broker.
struct NotificationFixture {
    static let migrations =
        ["consumption", "workqueue"].map { MigrationFolder(namespace: $0, path: RepositoryRoot.path("migrations/shared/\($0)")) }
        + [MigrationFolder(namespace: "notification", path: RepositoryRoot.path("migrations/notification"))]

    let database: TestDatabase
    let pool: PostgresPool
    let folder: TemporaryFolder
    let sealing: SealingKey
    let keys: OpeningKeys
    let log: ServiceLog

    init() async throws {
        database = try await PostgresServer.shared().makeDatabase(service: "notification", migrations: Self.migrations)
        pool = PostgresPool(
            configuration: try PostgresConfiguration(url: database.servingURL),
            options: PoolOptions(maximumConnections: 8, acquireTimeout: .seconds(30)))
        folder = try TemporaryFolder("notification")
        let (privatePath, publicPath) = ("\(folder.path)/sealing.json", "\(folder.path)/sealing.public.json")
        try SealingKeyGenerator(privatePath: privatePath, publicPath: publicPath).make(id: "one")
        sealing = try SealingKey(file: publicPath)
        keys = try OpeningKeys(file: privatePath)
        log = try ServiceLog(of: "notification")
        let secret = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        try Data(#"{"keys":[{"keyid":"test","secret":"\#(secret)"}]}"#.utf8).write(to: URL(filePath: "\(folder.path)/dead-letter.keys.json"))
    }

    /// As the processes of this database have it.
    func environment(smtpPort: Int) -> [String: String] {
        [
            "FLORIN_ENVIRONMENT": "local", "NOTIFICATION_DATABASE_URL": database.servingURL, "RABBITMQ_URL": "amqp://u:p@127.0.0.1:1",
            "DEAD_LETTER_KEYS_FILE": "\(folder.path)/dead-letter.keys.json", "SEALING_KEYS_FILE": "\(folder.path)/sealing.json",
            "MIGRATIONS_DIRECTORY": RepositoryRoot.path("migrations"), "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "\(smtpPort)",
            "SMTP_SECURITY": "none", "MAIL_FROM": "noreply@florin.example", "ADMIN_PORT": "0",
        ]
    }

    static func queue(attempts: Int = 3) -> WorkQueue {
        WorkQueue(
            name: "deliveries",
            policy: WorkPolicy(
                maximumAttempts: attempts, backoff: Backoff(first: .zero, maximum: .zero), lease: .seconds(600), isRepeatable: false))
    }

    /// A request for a message, sealed as identity does.
    func request(
        _ content: MessageContent, purpose: MessagePurpose = .registrationCode, locale: String = "en", expiresIn: Duration = .seconds(900),
        eventID: EventID = EventID(UUID()), messageID: MessageID = MessageID(UUID())
    ) throws -> RequestedMessage {
        try request(sealing: content.wireBytes(), purpose: purpose, locale: locale, expiresIn: expiresIn, eventID: eventID, messageID: messageID)
    }

    func request(
        sealing bytes: [UInt8], purpose: MessagePurpose = .registrationCode, locale: String = "en", expiresIn: Duration = .seconds(900),
        eventID: EventID = EventID(UUID()), messageID: MessageID = MessageID(UUID())
    ) throws -> RequestedMessage {
        let now = Timestamp.now()
        let expiresAt = Timestamp(microsecondsSinceUnixEpoch: now.microsecondsSinceUnixEpoch + expiresIn.components.seconds * 1_000_000)
        let message = MessageRequestedEvent(
            messageID: messageID, purpose: purpose, userID: nil, locale: locale, expiresAt: expiresAt,
            sealed: try sealing.seal(bytes, boundTo: eventID))
        return RequestedMessage(eventID: eventID, requestedAt: now, message: message)
    }

    func accept(_ requests: [RequestedMessage], _ queue: WorkQueue = Self.queue()) async throws {
        let accept = AcceptMessages(queue: queue, maximumAge: .seconds(3_600))
        try await pool.withTransaction { session in try accept(requests, session) }
    }

    /// The lanes as the composition makes them.
    func lanes(
        _ queue: WorkQueue = Self.queue(), smtpPort: Int, keys: OpeningKeys? = nil, timeout: Duration = .seconds(60), tracer: SpanTracer? = nil
    ) throws -> WorkLanes {
        guard let address = MailAddress("noreply@florin.example") else { throw NotReached() }
        let composer = MailComposer(
            keys: keys ?? self.keys, templates: try MessageTemplates(), sender: MailSender(address: address, name: "Florin"))
        let server = SMTPServer(
            host: "127.0.0.1", port: smtpPort, security: .none, authorities: nil, credentials: nil, clientName: "florin.example", timeout: timeout)
        let send = SendDelivery(pool: pool, composer: composer, client: SMTPClient(server), tracer: tracer, now: Timestamp.now)
        return WorkLanes(
            queue, lanes: 2, pool: pool, metrics: WorkMetrics(queue, PrometheusRegistry()), poll: .milliseconds(5),
            logger: log.logger(level: .debug), settled: NotificationService.settled, perform: { claim in await send(claim) })
    }

    /// Runs lanes until the condition holds, and then lets them finish what they have in hand.
    func run(_ lanes: WorkLanes, until condition: @Sendable () async throws -> Bool) async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [.init(service: lanes)], logger: quiet))
        let isReached = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let isReached = try await eventually(condition)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return isReached
        }
        guard isReached else { throw NotReached() }
    }

    struct NotReached: Error {}

    func states() async throws -> [WorkState: Int] {
        let rows = try await pool.withSession { session in
            try session.query("SELECT state, count(*) FROM work_items GROUP BY state").map { try $0.decode(String.self, Int64.self) }
        }
        return Dictionary(uniqueKeysWithValues: rows.compactMap { name, count in WorkState(rawValue: name).map { ($0, Int(count)) } })
    }

    /// How many deliveries still have their text.
    func texts() async throws -> Int64 {
        try await pool.withSession { session in
            try session.query("SELECT count(*) FROM deliveries WHERE ciphertext IS NOT NULL")[0].decode(Int64.self)
        }
    }

    func asOwner(_ statements: String...) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.ownerURL))
        try await connection.withSession { session in
            for statement in statements { try session.execute(PostgresQuery(unsafeSQL: statement)) }
        }
        await connection.close()
    }

    /// Everything in the database that an operator or a backup shows, as text.
    func dump() async throws -> String {
        let rows = try await pool.withSession { session in
            try session.query("SELECT to_jsonb(w)::text || to_jsonb(d)::text FROM work_items w JOIN deliveries d ON d.work_item = w.id")
                .map { try $0.decode(String.self) }
        }
        return rows.joined(separator: "\n")
    }
}

/// The dead-letter commands with what they printed.
struct DeadLetterDesk {
    let commands: NotificationDeadLetters
    private let printed: PrintedLines

    final class PrintedLines: Sendable {
        private let lines = Mutex<[String]>([])

        func add(_ line: String) { lines.withLock { $0.append(line) } }

        func take() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    init(_ environment: [String: String], _ family: DeadLetterFamily = .deliveries) {
        let printed = PrintedLines()
        self.printed = printed
        commands = NotificationDeadLetters(
            family, environment: environment,
            context: { service, settings in
                ProcessContext(
                    service: service, settings: settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                    metrics: PrometheusRegistry())
            }, print: printed.add, reportError: printed.add)
    }

    func lines() -> [String] { printed.take() }
}
