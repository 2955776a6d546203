import BlockingCalls
import Glibc
import TestSupport
import Testing

struct BlockingThreadTests {
    @Test func `a hundred that block at once each have a thread, and hold up nobody`() async throws {
        let (started, finish) = ((0..<100).map { _ in Gate() }, Gate())
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 0..<100 {
                group.addTask {
                    await BlockingThread.run {
                        started[number].signal()
                        finish.wait()
                        return number
                    }
                }
            }
            #expect(try await eventually { started.allSatisfy(\.isSet) })
            for _ in 0..<100 { finish.signal() }
            var numbers: Set<Int> = []
            for try await number in group { if let number { numbers.insert(number) } }
            #expect(numbers == Set(0..<100))
        }
    }

    /// SIGTERM has to reach the thread that waits for it.
    @Test func `the thread takes no signals, and the one that starts it keeps its own`() async {
        let own = Self.blocked()
        let isBlocked = await BlockingThread.run { Self.blocked() }
        #expect(isBlocked == [SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD])
        #expect(Self.blocked() == own && own != isBlocked)
    }

    private static func blocked() -> [Int32] {
        var mask = sigset_t()
        pthread_sigmask(SIG_SETMASK, nil, &mask)
        return [SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD].filter { sigismember(&mask, $0) == 1 }
    }
}
