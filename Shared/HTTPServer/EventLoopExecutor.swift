import HummingbirdCore
package import Logging
package import NIOCore

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

/// HTTP/1.1 whose connections stay on their event loop; see ``EventLoopExecutor``.
package struct PinnedHTTP1Channel: ServerChildChannel {
    package typealias Value = OneAnswerHTTP1Channel.Value

    let wrapped: OneAnswerHTTP1Channel

    package init(wrapped: OneAnswerHTTP1Channel) {
        self.wrapped = wrapped
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        wrapped.setup(channel: channel, logger: logger)
    }

    package func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await wrapped.handle(value: value, logger: logger)
        }
    }
}
