import NIOCore

/// One keep-alive connection with at most one request in flight.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let run: LoadRun
    private var context: ChannelHandlerContext?
    /// What has come of an answer whose end has not; empty when answers come in one piece, as they do nearly always.
    private var pending = ByteBuffer()
    /// When the piece of work began, and which it is, while it has no complete answer.
    private var begunAt: UInt64 = 0
    private var piece: Int?

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

    /// Begins the run's next piece of work, if there is one.
    func send(now: UInt64) {
        guard let context, let (piece, request, begunAt) = run.take(for: self, now: now) else { return }
        self.piece = piece
        self.begunAt = begunAt
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
            guard let piece, bytes.readableBytes == head + body else {
                context.close(promise: nil)
                return
            }
            let now = ProcessorTime.monotonic
            let next = bytes.withUnsafeReadableBytes { bytes in
                run.answered(piece, status: status, body: UnsafeRawBufferPointer(rebasing: bytes[head...]), begunAt: begunAt, now: now)
            }
            if let next { return context.writeAndFlush(wrapOutboundOut(next), promise: nil) }
            self.piece = nil
            send(now: now)
            run.finishWhenIdle()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        run.lost(self, hadRequest: piece != nil)
        piece = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
