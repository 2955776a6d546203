import Contracts
import EncryptionKeys
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import Logging
import Observability
import Postgres
import Sealing
import ServiceDatabase
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// All of identity's pages on a real server and database, with a client that a browser can be sent to, and the mails as they are read.
struct JourneyService {
    private static let quiet = Logger(label: "journeys") { _ in SwiftLogNoOpLogHandler() }

    private let folder: TemporaryFolder
    private let credentials: CredentialFixture
    private let openingKeys: OpeningKeys
    private let origin: String
    private let callback: String
    private let home: String

    init() async throws {
        folder = try TemporaryFolder("journeys")
        credentials = try await CredentialFixture()
        let (privatePath, publicPath) = ("\(folder.path)/private.json", "\(folder.path)/public.json")
        try SealingKeyGenerator(privatePath: privatePath, publicPath: publicPath).make(id: "test")
        openingKeys = try OpeningKeys(file: privatePath)
        let port = try FreePort.any()
        (origin, callback, home) = (
            "http://127.0.0.1:\(port)", "http://127.0.0.1:\(try FreePort.any())/callback", "http://127.0.0.1:\(try FreePort.any())/home"
        )
        let (pool, clock, registry) = (credentials.identity.pool, credentials.identity.clock, PrometheusRegistry())
        let now: @Sendable () -> Timestamp = { clock.now }
        let provider = Provider(
            issuer: origin, pool: pool, box: credentials.secrets, clock: ClockWitness(), metrics: registry, logger: Self.quiet, now: now)
        try await provider.keys.refresh()
        let pages = try PageRenderer(directory: PageFolder.path, issuer: origin)
        let messages = RequestMessage(sealingTo: try SealingKey(file: publicPath))
        let signIn = SignIn(
            issuer: origin, pool: pool, pages: pages, provider: provider, verifyPassword: credentials.verifyPassword,
            verifySecondFactor: credentials.verifySecondFactor, messages: messages, now: now)
        let accounts = Accounts(
            issuer: origin, pages: pages, pool: pool, hasher: credentials.hasher, blocklist: PasswordBlocklist(lines: [String]()),
            box: credentials.secrets,
            attempts: credentials.attempts, verifySecondFactor: credentials.verifySecondFactor, messages: messages, now: now)
        let isPage = { (endpoint: Endpoint) in !endpoint.path.hasPrefix("/v1/") }
        _ = try await PageServer.start(
            (provider.endpoints + signIn.endpoints + accounts.endpoints).filter(isPage), port: port, mapError: identityProblem)
        _ = try await RegisterClient(pool: pool, now: now)(
            OAuthClient(
                id: "corner-shop", name: "Corner Shop", isConfidential: false, isFirstParty: false, redirectURIs: [callback],
                postLogoutRedirectURIs: [home], grants: [.authorizationCode, .refreshToken],
                scopes: ["openid", "profile", "email", "offline_access", "wallet"]))
    }

    /// Drives a browser through it.
    ///
    /// - Returns: What it found.
    func drive() async throws -> [Substring] {
        let mails = try await PageServer.start([Endpoint(.get, "/mails/{address}", access: .public, handler: mail)])
        let user = try await credentials.makeUser("two-factors@example.com")
        let secret = try await credentials.enrol(user)
        for name in ["plain", "script"] { _ = try await credentials.makeUser("forgetful-\(name)@example.com") }
        let settings: [String: Any] = [
            "origin": origin, "mails": "http://127.0.0.1:\(mails)/mails",
            "client": ["id": "corner-shop", "callback": callback, "home": home],
            "person": ["email": "two-factors@example.com", "password": CredentialFixture.password, "code": credentials.code(secret)],
        ]
        let file = "\(folder.path)/settings.json"
        try JSONSerialization.data(withJSONObject: settings).write(to: URL(filePath: file))
        return try await PageBrowser.run("drive.py", [file])
    }

    /// The code of the latest mail to an address.
    private func mail(_ request: PublicRequest) async throws -> Answer {
        let address = request.parameters.get("address") ?? ""
        guard let code = try await credentials.identity.mailedCode(to: address, opening: openingKeys) else { throw Problem(ProblemCode.notFound) }
        return .html(code)
    }
}

@Suite(.enabled("Chromium can be had") { await OutsideTool.isAvailable(PageBrowser.install) })
struct PageJourneyTests {
    @Test func `people go through the pages in a real browser, without script and with it`() async throws {
        try await PageBrowser.install()
        let report = try await JourneyService().drive()
        #expect(report == ["driven"])
    }
}
