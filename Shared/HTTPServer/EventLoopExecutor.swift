import NIOCore

/// Runs the tasks of a connection on the event loop that reads and writes it.
///
/// Otherwise each request crosses to the concurrent pool and back, and with all cores busy every crossing can cost a scheduler tick.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        eventLoop.execute { job.runSynchronously(on: executor) }
    }
}
