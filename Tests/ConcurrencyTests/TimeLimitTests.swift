import Concurrency
import Synchronization
import TestSupport
import Testing

@Suite("Time limit")
struct TimeLimitTests {
    @Test("work that ends before its limit gives its value")
    func inTime() async {
        #expect(await TimeLimit.within(.seconds(60)) { 7 } == 7)
    }

    @Test("work that outlasts its limit is cancelled, waited for and gives nothing")
    func tooLate() async {
        let wasCancelled = Mutex(false)
        let value = await TimeLimit.within(.milliseconds(1)) {
            await untilCancelled()
            wasCancelled.withLock { $0 = Task.isCancelled }
            return 7
        }
        #expect(value == nil)
        #expect(wasCancelled.withLock { $0 })
    }

    @Test("a caller that is cancelled ends the work before its limit")
    func cancelled() async {
        let task = Task {
            await TimeLimit.within(.seconds(600)) {
                await untilCancelled()
                return Task.isCancelled
            }
        }
        task.cancel()
        // Either child may be first to notice: the work says that it was cancelled, the limit gives nothing.
        #expect(await task.value ?? true)
    }
}
