import NIOCore

/// One keep-alive connection with at most one request in flight.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let run: LoadRun
    private var context: ChannelHandlerContext?
    /// What has come of an answer whose end has not; empty when answers come in one piece, as they do nearly always.
    private var pending = ByteBuffer()
    private var sentAt: UInt64 = 0
    private var hasRequest = false

    init(run: LoadRun) {
        self.run = run
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        run.join(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// Sends the run's next request, if there is one.
    func send(now: UInt64) {
        guard let context, let request = run.take(for: self, now: now) else { return }
        hasRequest = true
        sentAt = now
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func close() {
        context?.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if pending.readableBytes > 0 {
            pending.writeBuffer(&bytes)
            swap(&pending, &bytes)
            pending.clear()
        }
        switch bytes.withUnsafeReadableBytes(AnswerScanner.scan) {
        case .incomplete:
            pending = bytes
        case .malformed:
            context.close(promise: nil)
        case .answer(let status, let head, let body):
            // One request is in flight, so more bytes than its answer answer nothing that was asked.
            guard hasRequest, bytes.readableBytes == head + body else {
                context.close(promise: nil)
                return
            }
            hasRequest = false
            let now = ProcessorTime.monotonic
            bytes.withUnsafeReadableBytes { bytes in
                run.answered(status: status, body: UnsafeRawBufferPointer(rebasing: bytes[head...]), sentAt: sentAt, now: now)
            }
            send(now: now)
            run.finishWhenIdle()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        run.lost(self, hadRequest: hasRequest)
        hasRequest = false
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
