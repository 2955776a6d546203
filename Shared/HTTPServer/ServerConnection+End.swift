import NIOCore
import NIOHTTP1

/// How a connection ends: after its last answer, when its time is over, or with the server.
extension ServerConnection {
    /// The last answer is on its way. Its client has a while to read it, and what they still send is thrown away (RFC 9112, section 9.6).
    func beginClosing(_ context: ChannelHandlerContext) {
        state = .closing
        turns.end(self)
        timer?.start(.unreadAnswer, for: limits.unreadAnswerTime)
        let drain = BoundedDrain(bytes: limits.drainBytes) { [instruments] in instruments.cut(.drain) }
        try? context.pipeline.syncOperations.addHandler(drain, position: .before(decoder))
        let written = context.eventLoop.makePromise(of: Void.self)
        context.close(mode: .output, promise: written)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            guard case .success = result, !isInputClosed else { return closeNow(context) }
            timer?.start(.drain, for: limits.drainTime)
        }
    }

    /// The client has read everything, or has gone.
    func endOfInput(_ context: ChannelHandlerContext) {
        if timer?.wait == .drain { closeNow(context) }
    }

    func closeNow(_ context: ChannelHandlerContext) {
        if state == .answering, !isRequestOver {
            // Whoever reads the body would take the end of the connection for the end of the body.
            isRequestOver = true
            context.fireErrorCaught(BodyFault.cutOff)
        }
        state = .closing
        turns.end(self)
        context.close(promise: nil)
    }

    /// Whoever answers requests closes as well; from the last answer on the drain decides when.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard state == .closing else { return context.close(mode: mode, promise: promise) }
        if let promise { context.channel.closeFuture.cascade(to: promise) }
    }

    func expire(_ wait: ConnectionTimer.Wait, _ context: ChannelHandlerContext) {
        switch wait {
        case .firstHead where !isHeadBegun, .idle, .drain: closeNow(context)
        case .firstHead, .head: refuse(.headTooSlow, nil, context)
        case .body: loseBody(.bodyTooSlow, BodyFault.tooSlow, context)
        case .unreadAnswer:
            instruments.cut(.unreadAnswer)
            closeNow(context)
        }
    }

    /// The server shuts down: a connection without a request ends now, another one after its answer, and each of them in time.
    func quiesce(_ context: ChannelHandlerContext) {
        guard !isQuiescing else { return }
        isQuiescing = true
        shutdown = context.eventLoop.assumeIsolated().scheduleTask(in: limits.shutdownTime) { [self] in
            instruments.cut(.shutdown)
            closeNow(context)
        }
        guard state == .idle else { return }
        // Nobody waits for an answer where nothing was ever asked; a TLS handshake that does not end would hold up what is closed gently.
        if timer?.wait == .firstHead { closeNow(context) } else { beginClosing(context) }
    }
}
