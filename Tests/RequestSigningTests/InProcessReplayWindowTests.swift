import RequestSigning
import Testing

@Suite("In-process replay window")
struct InProcessReplayWindowTests {
    private static let start: Int64 = 1_000_000

    private func use(_ nonce: String, keyID: String = "key", created: Int64, lifetime: Int64 = 20) -> VerifiedCaller {
        VerifiedCaller(caller: "mobile-bff", keyID: keyID, nonce: nonce, created: created, expires: created + lifetime, expectedDigest: nil)
    }

    private func refusal(_ window: InProcessReplayWindow, _ use: VerifiedCaller, now: Int64) -> SignatureRejection? {
        do throws(SignatureRejection) {
            try window.admit(use, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test("a nonce is admitted once per key, whatever else the second signature says")
    func once() {
        let window = InProcessReplayWindow(startedAt: Self.start)
        let now = Self.start + 5
        #expect(refusal(window, use("a", created: now), now: now) == nil)
        #expect(refusal(window, use("a", created: now), now: now) == .replayed)
        #expect(refusal(window, use("a", created: now + 3, lifetime: 30), now: now + 3) == .replayed)
        #expect(refusal(window, use("b", created: now), now: now) == nil)
        #expect(refusal(window, use("a", keyID: "other", created: now), now: now) == nil)
        // The boundary between key id and nonce is part of the pair.
        #expect(refusal(window, use("ya", keyID: "ke", created: now), now: now) == nil)
        #expect(window.count == 4)
    }

    @Test("a nonce is remembered through the skew and forgotten when its signature cannot pass any more")
    func forgetting() {
        let window = InProcessReplayWindow(startedAt: Self.start)
        let created = Self.start + 5
        let old = use("a", created: created)
        #expect(refusal(window, old, now: created) == nil)
        #expect(refusal(window, old, now: created + 29) == .replayed)
        #expect(window.count == 1)
        #expect(refusal(window, old, now: created + 30) == .expired)
        #expect(window.count == 0)
        #expect(refusal(window, use("a", created: created + 30), now: created + 30) == nil)
    }

    @Test("a clock that goes back does not reopen what was forgotten")
    func clockGoesBack() {
        let window = InProcessReplayWindow(startedAt: Self.start)
        let created = Self.start + 5
        let old = use("a", created: created)
        #expect(refusal(window, old, now: created) == nil)
        #expect(refusal(window, use("a", keyID: "key", created: created + 40), now: created + 40) == nil)
        #expect(refusal(window, old, now: created) == .replayed)
    }

    @Test("a clock that was an hour ahead, at the start or for a moment, refuses nothing new for longer than the skew once it is right again")
    func clockWasAhead() {
        let hour: Int64 = 3_600
        let skew = SignatureProfile.clockSkewSeconds
        let atStart = InProcessReplayWindow(startedAt: Self.start + hour)
        let later = InProcessReplayWindow(startedAt: Self.start)
        let admitted = use("before", created: Self.start + 5)
        #expect(refusal(later, admitted, now: Self.start + 5) == nil)
        #expect(refusal(later, use("ahead", created: Self.start + hour), now: Self.start + hour) == nil)
        for window in [atStart, later] {
            let right = Self.start + 8
            // What the clock that was ahead made it forget is refused.
            #expect(refusal(window, admitted, now: right) == .replayed)
            for second in 1...30 as ClosedRange<Int64> {
                let request = use("n\(second)", created: right + skew + second)
                #expect(refusal(window, request, now: right + second) == nil)
                #expect(refusal(window, request, now: right + second) == .replayed)
            }
            #expect(refusal(window, use("current", created: right + 31), now: right + 31) == nil)
        }
        #expect(later.count <= 32)
    }

    @Test("a clock that jitters by less than the skew begins nothing anew")
    func jitter() {
        let window = InProcessReplayWindow(startedAt: Self.start)
        let old = use("a", created: Self.start + 20)
        #expect(refusal(window, old, now: Self.start + 20) == nil)
        #expect(refusal(window, use("b", created: Self.start + 11), now: Self.start + 11) == nil)
        #expect(refusal(window, old, now: Self.start + 11) == .replayed)
        #expect(window.count == 2)
    }

    @Test("what was signed up to the second of the start is refused")
    func startOfWindow() {
        let window = InProcessReplayWindow(startedAt: Self.start)
        #expect(refusal(window, use("a", created: Self.start - 1), now: Self.start) == .replayed)
        #expect(refusal(window, use("b", created: Self.start), now: Self.start + 1) == .replayed)
        #expect(refusal(window, use("c", created: Self.start + 1), now: Self.start + 1) == nil)
        #expect(window.count == 1)
    }

    @Test("a full window refuses without forgetting anything, and takes new nonces once old ones are due")
    func full() {
        let window = InProcessReplayWindow(startedAt: Self.start, capacity: 3)
        let now = Self.start + 5
        for nonce in ["a", "b", "c"] { #expect(refusal(window, use(nonce, created: now), now: now) == nil) }
        #expect(refusal(window, use("d", created: now), now: now) == .replayWindowUnavailable)
        #expect(refusal(window, use("a", created: now), now: now) == .replayed)
        #expect(refusal(window, use("d", created: now + 29), now: now + 29) == .replayWindowUnavailable)
        #expect(window.count == 3)
        for nonce in ["d", "e", "f"] { #expect(refusal(window, use(nonce, created: now + 30), now: now + 30) == nil) }
        #expect(window.count == 3)
    }

    @Test("a signature that outlives the clock check's bound is refused")
    func tooLong() {
        let window = InProcessReplayWindow(startedAt: Self.start)
        #expect(refusal(window, use("a", created: Self.start + 1, lifetime: 100), now: Self.start + 1) == .invalid(.lifetime))
    }

    @Test("a pause longer than the ring of seconds forgets everything due and nothing else")
    func longPause() {
        let window = InProcessReplayWindow(startedAt: Self.start)
        for second in 1...200 as ClosedRange<Int64> {
            #expect(refusal(window, use("n\(second)", created: Self.start + second), now: Self.start + second) == nil)
        }
        #expect(window.count <= 200)
        let later = Self.start + 100_000
        for index in 0..<2_000 { #expect(refusal(window, use("m\(index)", created: later), now: later) == nil) }
        #expect(window.count == 2_000)
        for index in 0..<2_000 { #expect(refusal(window, use("m\(index)", created: later), now: later) == .replayed) }
    }

    @Test("of many tasks with one nonce exactly one is admitted")
    func concurrent() async {
        let window = InProcessReplayWindow(startedAt: Self.start)
        let now = Self.start + 1
        let admitted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<500).count { refusal(window, use("n\($0)", created: now), now: now) == nil }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 500)
        #expect(window.count == 500)
    }
}
