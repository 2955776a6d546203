import Concurrency
import Testing

@Suite("Pauses between attempts")
struct BackoffTests {
    private let backoff = Backoff(first: .milliseconds(200), maximum: .seconds(30))

    @Test("they double up to the maximum, and never overflow")
    func ceiling() {
        #expect((1...4).map { backoff.ceiling(after: $0) } == [.milliseconds(200), .milliseconds(400), .milliseconds(800), .milliseconds(1_600)])
        for failures in [9, 100, Int.max] { #expect(backoff.ceiling(after: failures) == .seconds(30)) }
        #expect(backoff.ceiling(after: 0) == .milliseconds(200))
    }

    @Test("full jitter reaches below half of the pause, half jitter does not", arguments: [Backoff.Jitter.full, .half])
    func jitter(_ jitter: Backoff.Jitter) {
        let backoff = Backoff(first: .milliseconds(200), maximum: .seconds(30), jitter: jitter)
        let pauses = (0..<500).map { _ in backoff.pause(after: 3) }
        let ceiling = backoff.ceiling(after: 3)
        #expect(pauses.allSatisfy { $0 >= .zero && $0 <= ceiling })
        #expect(pauses.contains { $0 < ceiling / 2 } == (jitter == .full))
    }
}
