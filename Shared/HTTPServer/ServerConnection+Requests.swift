import NIOCore
import NIOHTTP1

/// One request at a time, in the order in which they came.
extension ServerConnection {
    enum Arrival {
        /// An ``InboundIn``, as it came: it is passed on without being wrapped anew.
        case part(NIOAny)
        case garbled(HTTPParserError)
        case inputClosed
    }

    /// Passes on what belongs to the present request, or begins one, and keeps the rest.
    func take(_ next: Arrival, _ context: ChannelHandlerContext) {
        switch state {
        case .closing: break
        case .paused: waiting.append(next)
        case .answering where isRequestOver: waiting.append(next)
        case .answering, .idle: pass(next, context)
        }
    }

    func pass(_ next: Arrival, _ context: ChannelHandlerContext) {
        switch next {
        case .part(let part): pass(part, context)
        case .garbled(let error) where state == .answering: loseBody(.malformed, error, context)
        case .garbled(let error): refuse(error == .headerOverflow ? .headTooLarge : .unreadable, nil, context)
        case .inputClosed: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }

    private func pass(_ part: NIOAny, _ context: ChannelHandlerContext) {
        switch Self.unwrapInboundIn(part) {
        case .head(let head):
            do {
                request = try RequestHeadRules.check(head, targetBytes: limits.targetBytes)
            } catch {
                return refuse(error, head, context)
            }
            state = .answering
            isRequestOver = false
            isHeadBegun = false
            bodyPieces = 0
            if timer?.wait != .unreadAnswer { timer?.stop() }
        case .body:
            bodyPieces += 1
            guard bodyPieces <= limits.bodyPieces else { return loseBody(.bodyInPieces, BodyFault.inTooManyPieces, context) }
            request.expectsContinue = false
        case .end:
            isRequestOver = true
            if timer?.wait == .body { timer?.stop() }
        }
        context.fireChannelRead(part)
    }

    /// Whoever reads the body gets the error, so that the route refuses the request as it refuses any other.
    func loseBody(_ reason: LimitReason, _ error: any Error, _ context: ChannelHandlerContext) {
        instruments.count(reason)
        request.closes = true
        isRequestOver = true
        context.fireErrorCaught(error)
    }

    /// The answer is complete and on its way.
    func answered(_ context: ChannelHandlerContext) {
        guard !request.closes, !isQuiescing else { return beginClosing(context) }
        guard !waiting.isEmpty else {
            state = .idle
            turns.end(self)
            if context.channel.isWritable { timer?.start(.idle, for: limits.idleTime) }
            return
        }
        state = .paused
        guard context.channel.isWritable else { return }
        answeredInARow += 1
        guard answeredInARow >= limits.requestsInARow else { return passWaiting(context) }
        answeredInARow = 0
        instruments.count(.pipelining)
        turns.wait(self) { [self] in passWaiting(context) }
    }

    /// Begins the next one of the requests that wait; reading goes on once none is left.
    func passWaiting(_ context: ChannelHandlerContext) {
        guard state == .paused, context.channel.isWritable else { return turns.end(self) }
        state = .idle
        while state != .closing, let next = waiting.first {
            if state == .answering, isRequestOver {
                // The last that can come; no request is behind it.
                guard case .inputClosed = next else { break }
            }
            waiting.removeFirst()
            pass(next, context)
        }
        if state == .idle { timer?.start(.idle, for: limits.idleTime) }
        // What has begun and is not here in whole is its client's to continue.
        if state != .answering || !isRequestOver { turns.end(self) }
        waitForBody()
        context.fireChannelReadComplete()
        guard isReadHeld, !isReadingHeld else { return }
        isReadHeld = false
        context.read()
    }
}
