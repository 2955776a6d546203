internal import BlockingCalls
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Runs one connection's jobs, one at a time, on a thread of its own, where blocking is harmless.
///
/// The thread ends with the executor.
final class ConnectionExecutor: SerialExecutor {
    /// What the thread keeps; it outlives the executor by one last look.
    private final class Jobs: Sendable {
        struct Queue {
            /// The executor is kept alive by its waiting jobs.
            var waiting: [(job: UnownedJob, executor: ConnectionExecutor)] = []
            var thread: pthread_t?
        }

        let queue = Mutex(Queue())
        let signal = DispatchSemaphore(value: 0)

        func next() -> (job: UnownedJob, executor: ConnectionExecutor)? {
            signal.wait()
            return queue.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
        }
    }

    private let jobs = Jobs()

    /// Nil when the system gives no thread.
    init?() {
        let jobs = jobs
        let isRunning = BlockingThread.start {
            jobs.queue.withLock { $0.thread = pthread_self() }
            while let (job, executor) = jobs.next() {
                job.runSynchronously(on: executor.asUnownedSerialExecutor())
            }
        }
        guard isRunning else { return nil }
    }

    // A signal without a job ends the thread.
    deinit { jobs.signal.signal() }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.queue.withLock { $0.waiting.append((job, self)) }
        jobs.signal.signal()
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    func checkIsolated() {
        let isOwnThread = jobs.queue.withLock { queue in queue.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
        precondition(isOwnThread, "a Postgres session was used outside of its connection's thread")
    }
}
