import Concurrency
import TestSupport
import Testing

@testable import WorkQueue

@Suite("What becomes of work after an attempt")
struct WorkPolicyTests {
    private func policy(attempts: Int = 3, isRepeatable: Bool = false) -> WorkPolicy {
        WorkPolicy(maximumAttempts: attempts, backoff: Backoff(), lease: .seconds(60), isRepeatable: isRepeatable)
    }

    @Test("done is done, refused and unreadable is dead at once, and what failed for now waits until its attempts are used up")
    func steps() {
        let policy = policy()
        #expect(policy.step(after: .done, attempt: 1) == WorkStep(state: .done, failure: nil))
        #expect(policy.step(after: .refused("r"), attempt: 1) == WorkStep(state: .dead, failure: WorkFailure(.refused, "r")))
        #expect(policy.step(after: .poison("p"), attempt: 1) == WorkStep(state: .dead, failure: WorkFailure(.poison, "p")))
        #expect(policy.step(after: .again("a"), attempt: 2) == WorkStep(state: .waiting, failure: WorkFailure(.transient, "a")))
        #expect(policy.step(after: .again("a"), attempt: 3) == WorkStep(state: .dead, failure: WorkFailure(.transient, "a")))
    }

    @Test("NT-01: what may have been done is unknown at every attempt, and is tried again only where repeating does no harm", arguments: 1...3)
    func unknown(attempt: Int) {
        #expect(policy().step(after: .unknown("u"), attempt: attempt) == WorkStep(state: .unknown, failure: WorkFailure(.unknown, "u")))
        let repeated = policy(isRepeatable: true).step(after: .unknown("u"), attempt: attempt)
        #expect(repeated == WorkStep(state: attempt < 3 ? .waiting : .dead, failure: WorkFailure(.transient, "u")))
    }

    @Test("a reason is one line of bounded length, and never empty")
    func reasons() {
        #expect(WorkFailure(.refused, "a\nb").reason == "a\u{FFFD}b")
        #expect(WorkFailure(.refused, "").reason == "no reason given")
        #expect(WorkFailure(.refused, String(repeating: "x", count: 2_000)).reason.count == 500)
    }
}
