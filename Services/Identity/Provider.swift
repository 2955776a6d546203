import AccessTokens
import Contracts
import HTTPService
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime

/// The OpenID Provider's part of the composition: keys, the gate, tokens, and the endpoints of programs.
package struct Provider: Sendable {
    let keys: SigningKeyRing
    /// For everybody in the process who verifies the process's own tokens.
    let keySet: JSONWebKeySet
    let gate: TokenGate
    let issueCode: IssueCode
    let verifiers: AudienceVerifiers
    let readHint: ReadIDTokenHint
    private let routes: ProviderRoutes
    private let discovery: DiscoveryRoutes
    private let now: @Sendable () -> Timestamp

    init(
        issuer: String, pool: PostgresPool, box: SecretBox, schedule: SigningKeySchedule = .standard, clock: ClockWitness,
        metrics registry: PrometheusRegistry, logger: Logger, now: @escaping @Sendable () -> Timestamp
    ) {
        self.now = now
        keys = SigningKeyRing(pool: pool, box: box, schedule: schedule, clock: clock, logger: logger, now: now)
        keySet = keys.keySet()
        gate = TokenGate(now: now)
        issueCode = IssueCode(gate: gate, now: now)
        verifiers = AudienceVerifiers(issuer: issuer, keys: keySet)
        readHint = ReadIDTokenHint(issuer: issuer, keys: keys)
        let metrics = ProviderMetrics(registry, keys: keys)
        let mint = TokenMint(issuer: issuer, keys: keys, now: now)
        routes = ProviderRoutes(
            verifyClient: VerifyClient(pool: pool, now: now), redeemCode: RedeemCode(pool: pool, gate: gate, mint: mint, now: now),
            refreshTokens: RefreshTokens(pool: pool, gate: gate, mint: mint, metrics: metrics, now: now),
            issueClientToken: IssueClientToken(mint: mint),
            introspect: IntrospectToken(pool: pool, gate: gate, verifiers: verifiers, issuer: issuer, now: now),
            revoke: RevokeToken(pool: pool, now: now), describeUser: DescribeUser(pool: pool, gate: gate), verifiers: verifiers, issuer: issuer,
            metrics: metrics, logger: logger, now: now)
        discovery = DiscoveryRoutes(issuer: issuer, keys: keys)
    }

    var endpoints: [Endpoint] { discovery.endpoints + routes.endpoints }

    /// Nothing is served before there is a key to sign with, and the process's own verifiers know it.
    var prerequisite: Prerequisite { Prerequisite("signing keys") { try await prepare() } }

    /// - Throws: `UnreachableDependency` while there is no key to sign with yet; `InvalidConfiguration` where the keys file opens none.
    func prepare() async throws {
        do {
            try await keys.refresh()
        } catch let error as PostgresError where error.isOutage || error.isTimeout {
            throw UnreachableDependency("the signing keys", reason: "\(error)")
        }
        guard !keys.isLocked else {
            throw InvalidConfiguration(
                key: IdentityConfiguration.secretKeysFile.key, "opens none of the signing keys in the database whose turn it is")
        }
        guard keys.canSign else {
            throw UnreachableDependency("a signing key", reason: "by this process's clock there is none whose turn it is")
        }
        try await keySet.refresh(now: now().seconds)
    }
}
