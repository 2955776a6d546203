import Contracts
import Foundation
import Testing

@testable import Identity

/// The state machine of a sign-in, on every order of posts, repeats and steps back that a browser could come up with.
@Suite struct SignInProgressTests {
    private static let start = Timestamp(microsecondsSinceUnixEpoch: 1_796_000_000_000_000)
    private static let user = UUID(uuidString: "01900000-0000-7000-8000-000000000001")!

    /// What can be posted to a flow, whatever page it is posted from, and time passing.
    private enum Post: CaseIterable {
        case password, wrongCode, oneTimePassword, recoveryCode, consent, denial, minutesPass
    }

    /// One person and one request.
    struct Scene: Hashable, CustomTestStringConvertible {
        let hasSecondFactor: Bool
        let isShort: Bool
        let needsConsent: Bool
        let demand: SignInDemand
        let session: Authentication?

        var testDescription: String {
            "second factor \(hasSecondFactor), short \(isShort), consent \(needsConsent), \(demand), session \(session?.amr ?? [])"
        }
    }

    /// How a flow came to be where it is.
    private struct Path: Hashable {
        var progress: SignInProgress
        var now: Timestamp
        /// What was accepted, in its order.
        var accepted: [Post] = []
    }

    static let scenes: [Scene] = {
        let flags = [false, true]
        let old = Authentication(
            user: user, generation: 1, amr: ["pwd"], authenticatedAt: start.adding(seconds: -100), secondFactorAt: nil)
        let sessions: [Authentication?] = [nil, old, old.adding(.oneTimePassword, at: start)]
        let demands = [
            SignInDemand(), SignInDemand(isFresh: true), SignInDemand(maximumAge: 0), SignInDemand(maximumAge: 99), SignInDemand(maximumAge: 100),
            SignInDemand(needsSecondFactor: true),
        ]
        return flags.flatMap { hasSecondFactor in
            flags.flatMap { isShort in
                flags.flatMap { needsConsent in
                    demands.flatMap { demand in
                        sessions.map {
                            Scene(
                                hasSecondFactor: hasSecondFactor, isShort: isShort, needsConsent: needsConsent, demand: demand, session: $0)
                        }
                    }
                }
            }
        }
    }()

    private func take(_ post: Post, _ path: Path, _ scene: Scene) throws(SignInMisstep) -> Path {
        var next = path
        let (progress, now) = (path.progress, path.now)
        switch post {
        case .minutesPass:
            next.now = now.adding(seconds: 240)
            return next
        case .password:
            let proof = PasswordProof(user: Self.user, generation: 1, hasSecondFactor: scene.hasSecondFactor, isShort: scene.isShort)
            next.progress = try progress.entered(proof, needsConsent: scene.needsConsent, at: now)
        case .wrongCode: next.progress = try progress.enteredWrongCode(at: now)
        case .oneTimePassword: next.progress = try progress.entered(.oneTimePassword, needsConsent: scene.needsConsent, at: now)
        case .recoveryCode: next.progress = try progress.entered(.recoveryCode, needsConsent: scene.needsConsent, at: now)
        case .consent: next.progress = try progress.consented(at: now)
        case .denial: next.progress = try progress.denied(at: now)
        }
        next.accepted.append(post)
        return next
    }

    /// What must be true wherever a flow stands.
    private func faults(of path: Path, _ scene: Scene) -> [String] {
        var faults: [String] = []
        let (progress, accepted) = (path.progress, path.accepted)
        func require(_ isTrue: Bool, _ fault: String) { if !isTrue { faults.append("\(fault): \(accepted) -> \(progress.step)") } }
        let hadSession = scene.session != nil && progress.proved?.authenticatedAt == scene.session?.authenticatedAt
        let codes = accepted.count { $0 == .oneTimePassword || $0 == .recoveryCode }
        if let authentication = progress.authentication {
            require(accepted.contains(.password) || hadSession, "signed in without a password")
            if scene.hasSecondFactor || scene.demand.needsSecondFactor {
                require(codes == 1 || (hadSession && scene.session?.isMultiFactor == true), "signed in without the second factor")
                require(authentication.isMultiFactor, "says less than was verified")
            }
            if !scene.hasSecondFactor, !hadSession {
                require(!scene.isShort, "signed in by a short password alone")
                require(authentication.amr == ["pwd"], "says more than was verified")
            }
            require(!(scene.demand.isFresh || scene.demand.maximumAge == 0) || accepted.contains(.password), "not asked anew")
            require(scene.demand.maximumAge != 99 || accepted.contains(.password), "older than it may be")
        }
        if progress.step == .finished { require(!scene.needsConsent || accepted.contains(.consent), "finished without consent") }
        require(accepted.count { $0 == .wrongCode } <= SignInProgress.maximumWrongCodes, "more wrong codes than a flow takes")
        require(codes <= 1 && accepted.count { $0 == .password } <= 1 && accepted.count { $0 == .consent } <= 1, "a step was taken twice")
        return faults
    }

    @Test(arguments: scenes)
    func `ID-01: no order of posts, repeats, steps back and waiting reaches the end on another way`(scene: Scene) {
        let opening = SignInProgress(
            scene.demand, session: scene.session, hasSecondFactor: scene.hasSecondFactor, needsConsent: scene.needsConsent, now: Self.start,
            expiresAt: Self.start.adding(seconds: 600))
        var seen: Set<Path> = [Path(progress: opening, now: Self.start)]
        var frontier = seen
        var finished = 0
        // Longer than any way through: each step is left once, and after three waits everything has expired.
        for _ in 0..<12 where !frontier.isEmpty {
            var next: Set<Path> = []
            for path in frontier {
                #expect(faults(of: path, scene) == [])
                let hasEnded = path.progress.step == .finished || path.progress.step == .refused
                let hasExpired = path.now >= path.progress.expiresAt
                for post in Post.allCases where post != .minutesPass || !hasExpired {
                    guard let moved = try? take(post, path, scene) else { continue }
                    #expect(post == .minutesPass || !(hasEnded || hasExpired), "moved after its end")
                    if seen.insert(moved).inserted { next.insert(moved) }
                }
            }
            finished += frontier.count { $0.progress.step == .finished }
            frontier = next
        }
        #expect(frontier.isEmpty, "there are longer ways than were looked at")
        // Whoever can end it does: the exploration is not empty.
        let canFinish = scene.hasSecondFactor || (!scene.demand.needsSecondFactor && !scene.isShort) || opening.authentication != nil
        #expect((finished > 0) == canFinish)
    }

    private func opened(_ demand: SignInDemand = SignInDemand(), session: Authentication? = nil, hasSecondFactor: Bool = false) -> SignInProgress {
        SignInProgress(
            demand, session: session, hasSecondFactor: hasSecondFactor, needsConsent: false, now: Self.start,
            expiresAt: Self.start.adding(seconds: 600))
    }

    private func password(hasSecondFactor: Bool) -> PasswordProof {
        PasswordProof(user: Self.user, generation: 1, hasSecondFactor: hasSecondFactor, isShort: false)
    }

    @Test func `ID-04: a step that is posted again is out of order, and changes nothing`() throws {
        let waiting = try opened().entered(password(hasSecondFactor: true), needsConsent: false, at: Self.start)
        #expect(waiting.step == .secondFactor)
        #expect(throws: SignInMisstep.outOfOrder) { try waiting.entered(password(hasSecondFactor: true), needsConsent: false, at: Self.start) }
        #expect(throws: SignInMisstep.outOfOrder) { try waiting.consented(at: Self.start) }
    }

    @Test func `ID-05: an account with a second factor is not signed in by its password, whoever demands what`() throws {
        let waiting = try opened().entered(password(hasSecondFactor: true), needsConsent: false, at: Self.start)
        #expect(waiting.authentication == nil)
        let session = Authentication(user: Self.user, generation: 1, amr: ["pwd"], authenticatedAt: Self.start, secondFactorAt: nil)
        #expect(opened(session: session, hasSecondFactor: true).step == .secondFactor)
        let done = try waiting.entered(.recoveryCode, needsConsent: false, at: Self.start)
        #expect(done.authentication?.amr == ["pwd", "recovery_code"])
        #expect(done.authentication?.acr == Authentication.multiFactor)
    }

    @Test func `ID-21: max_age is judged to the microsecond, and 0 asks even who signed in just now`() {
        func asks(_ maximumAge: Int64, age: Int64) -> Bool { SignInDemand(maximumAge: maximumAge).asksPassword(after: age) }
        #expect(!asks(10, age: 10_000_000))
        #expect(asks(10, age: 10_000_001))
        #expect(asks(0, age: 0))
        #expect(!asks(1, age: 1))
        #expect(!asks(.max, age: 1_000_000_000_000))
        #expect(!SignInDemand().asksPassword(after: 1_000_000_000_000))
    }

    @Test func `the fifth wrong code ends a flow`() throws {
        var progress = try opened().entered(password(hasSecondFactor: true), needsConsent: false, at: Self.start)
        for _ in 1..<SignInProgress.maximumWrongCodes { progress = try progress.enteredWrongCode(at: Self.start) }
        #expect(progress.step == .secondFactor)
        progress = try progress.enteredWrongCode(at: Self.start)
        #expect(progress.step == .refused)
        #expect(throws: SignInMisstep.outOfOrder) { try progress.entered(.oneTimePassword, needsConsent: false, at: Self.start) }
    }

    @Test func `a demand for two factors of somebody who has one is refused, not ignored`() throws {
        let next = try opened(SignInDemand(needsSecondFactor: true)).entered(password(hasSecondFactor: false), needsConsent: false, at: Self.start)
        #expect(next.step == .refused)
    }
}
