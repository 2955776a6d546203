import Concurrency
import Synchronization
import Testing

@Suite("Abandonable work")
struct AbandonableWorkTests {
    private struct Failed: Error {}

    @Test("its value and its error are the caller's")
    func outcome() async throws {
        #expect(try await AbandonableWork.outcome { 7 } == 7)
        await #expect(throws: Failed.self) { try await AbandonableWork.outcome { throw Failed() } }
    }

    @Test("a cancelled caller leaves work behind that does not notice its own cancellation")
    func abandoned() async throws {
        let (begun, hasBegun) = AsyncStream<Void>.makeStream()
        let release = Mutex<CheckedContinuation<Void, Never>?>(nil)
        let (ended, hasEnded) = AsyncStream<Bool>.makeStream()
        let caller = Task {
            try await AbandonableWork.outcome {
                await withCheckedContinuation { continuation in
                    release.withLock { $0 = continuation }
                    hasBegun.yield()
                }
                hasEnded.yield(Task.isCancelled)
            }
        }
        for await _ in begun { break }
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
        // Only now does the work go on: the caller did not wait for it, and it was cancelled.
        release.withLock { $0 }?.resume()
        for await wasCancelled in ended {
            #expect(wasCancelled)
            break
        }
    }
}
