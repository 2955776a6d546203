import Contracts
import Crypto
import EncryptionKeys
import Foundation
import Observability
import Postgres
import Sealing
import StrictJSON
import TestSupport

@testable import Identity

/// What accounts are made of, on a database of their own: passwords are hashed cheaply, mails are read with notification's key.
struct AccountFixture {
    let base: IdentityFixture
    let box: SecretBox
    let hasher: PasswordHasher
    let messages: RequestMessage
    let verifyPassword: VerifyPassword
    let register: RegisterUser
    let verifyEmail: VerifyEmail
    let completeRecovery: RecoverAccount
    let flows: MailedFlows
    let users: AdministerUsers
    private let blocklist = PasswordBlocklist(lines: ["passwordpassword"])
    private let attempts: AttemptCounter
    private let verifySecondFactor: VerifySecondFactor
    private let openingKeys: OpeningKeys

    static let password = "correct horse battery staple"

    /// A mail that was asked for, as notification reads it.
    struct Mail {
        let purpose: MessagePurpose
        let user: UserID?
        let locale: String
        let expiresAt: Timestamp?
        let content: MessageContent
    }

    init(connections: Int = 8, isPooled: Bool = false) async throws {
        base = try await IdentityFixture(connections: connections, isPooled: isPooled)
        let folder = try TemporaryFolder("sealing")
        let (privatePath, publicPath) = ("\(folder.path)/private.json", "\(folder.path)/public.json")
        try SealingKeyGenerator(privatePath: privatePath, publicPath: publicPath).make(id: "test")
        openingKeys = try OpeningKeys(file: privatePath)
        messages = RequestMessage(sealingTo: try SealingKey(file: publicPath))
        box = SecretBox(EncryptionKeys([EncryptionKeys.Key(id: "test", secret: SymmetricKey(size: .bits256))])!)
        hasher = PasswordHasher(cost: ScryptCost(logN: 4, r: 8, p: 1)!, threads: 4, waiting: 200, patience: .seconds(60))
        let (pool, clock) = (base.pool, base.clock)
        let now: @Sendable () -> Timestamp = { clock.now }
        attempts = AttemptCounter(pool: pool, metrics: PrometheusRegistry(), now: now)
        verifySecondFactor = VerifySecondFactor(pool: pool, secrets: box, attempts: attempts, messages: messages, now: now)
        verifyPassword = VerifyPassword(pool: pool, hasher: hasher, attempts: attempts)
        let verifyCode = VerifyMailedCode(pool: pool, box: box, attempts: attempts, now: now)
        flows = MailedFlows(pool: pool, box: box, messages: messages, now: now)
        register = RegisterUser(flows: flows, hasher: hasher, blocklist: blocklist)
        verifyEmail = VerifyEmail(verify: verifyCode, now: now)
        completeRecovery = RecoverAccount(
            pool: pool, verifyCode: verifyCode, verifySecondFactor: verifySecondFactor, hasher: hasher, blocklist: blocklist, messages: messages,
            now: now)
        users = AdministerUsers(pool: pool, messages: messages, now: now)
    }

    var clock: TestClock { base.clock }

    /// The routes, on all this.
    func accounts(issuer: String) throws -> Accounts {
        let clock = base.clock
        return Accounts(
            issuer: issuer, pages: try PageRenderer(directory: RepositoryRoot.path("Services/Identity/Pages"), issuer: issuer), pool: base.pool,
            hasher: hasher, blocklist: blocklist, box: box, attempts: attempts, verifySecondFactor: verifySecondFactor, messages: messages,
            now: { clock.now })
    }

    /// The routes of what people sign in with, on the same.
    var credentials: Credentials {
        let clock = base.clock
        return Credentials(
            pool: base.pool, verifyPassword: verifyPassword, hasher: hasher, blocklist: blocklist, box: box, attempts: attempts, messages: messages,
            now: { clock.now })
    }

    /// A request from a network of its own, so that budgets don't meet.
    static func facts(_ network: String = "\(UUID())") -> RequestFacts {
        RequestFacts(origin: AttemptOrigin(deviceHash: nil, network: network), deadline: .now + .seconds(60))
    }

    /// All mails that were asked for, in order.
    func mails() async throws -> [Mail] {
        let rows = try await base.query(
            "SELECT event_id, data FROM outbox_events WHERE type = 'identity.message.requested.v1' ORDER BY id"
        ) { row in try row.decode(UUID.self, String.self) }
        return try rows.map { id, data in
            var object = try JSONObjectReader(JSONParser.parse(Array(data.utf8)))
            let event = try MessageRequestedEvent(reading: &object, type: .requested)
            let content = try MessageContent(bytes: try openingKeys.open(event.sealed, boundTo: EventID(id)))
            return Mail(purpose: event.purpose, user: event.userID, locale: event.locale, expiresAt: event.expiresAt, content: content)
        }
    }

    /// The code of the latest mail to an address.
    func code(to address: String) async throws -> String? {
        try await mails().last { $0.content.address == address && $0.content.code != nil }?.content.code
    }

    /// Registers and enters the code.
    func makeUser(_ email: String, password: String = AccountFixture.password) async throws -> UserID {
        let begun = try await register(RegisterUserRequest(email: email, password: password, name: "Ana"), Self.facts())
        let code = try await code(to: email) ?? ""
        return try await verifyEmail(VerifyEmailRequest(flow: begun.handle.text, code: code), Self.facts())
    }

    func signsIn(_ email: String, _ password: String) async throws -> Bool {
        guard let address = EmailAddress(email) else { return false }
        do {
            _ = try await verifyPassword(
                password, for: address, from: AttemptOrigin(deviceHash: nil, network: "\(UUID())"), until: .now + .seconds(60))
            return true
        } catch CredentialRefusal.wrong {
            return false
        }
    }

    /// A code that is not the right one.
    static func wrong(_ code: String) -> String { code == "000000" ? "000001" : "000000" }
}
