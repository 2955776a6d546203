import Contracts
import HTTPService
import Postgres

/// The sign-in's part of the composition: flows, sessions, and the pages of people.
struct SignIn: Sendable {
    private let pages: SignInRoutes
    private let signOut: SignOutRoutes
    private let challenge: ChallengeRoutes
    private let sessions: SessionRoutes

    init(
        issuer: String, pool: PostgresPool, pages: PageRenderer, provider: Provider, verifyPassword: VerifyPassword,
        verifySecondFactor: VerifySecondFactor, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp
    ) {
        let tell = TellOfNewDevice(messages)
        let steps = SignInSteps(
            pool: pool, issuer: issuer, issueCode: provider.issueCode, readHint: provider.readHint, tell: tell, now: now)
        self.pages = SignInRoutes(
            issuer: issuer, pages: pages, steps: steps, enterPassword: EnterPassword(steps: steps, verify: verifyPassword),
            enterSecondFactor: EnterSecondFactor(steps: steps, verify: verifySecondFactor), giveConsent: GiveConsent(steps: steps))
        signOut = SignOutRoutes(issuer: issuer, pages: pages, signOut: SignOut(pool: pool, readHint: provider.readHint, now: now))
        challenge = ChallengeRoutes(
            verifyClient: VerifyClient(pool: pool, now: now),
            answer: AnswerChallenge(
                pool: pool, verifyPassword: verifyPassword, verifySecondFactor: verifySecondFactor, issueCode: provider.issueCode,
                tell: tell, now: now))
        sessions = SessionRoutes(sessions: ManageSessions(pool: pool, now: now))
    }

    var endpoints: [Endpoint] { pages.endpoints + signOut.endpoints + challenge.endpoints + sessions.endpoints }
}
