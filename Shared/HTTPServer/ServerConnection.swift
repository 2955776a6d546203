import NIOCore
import NIOHTTP1

/// One HTTP/1.1 connection of a server: passes on one request at a time, gives each one answer, and ends what takes too long or too much.
///
/// It stands right after the decoder. What comes here was read and parsed, but nobody has looked at it; see also
/// the extensions beside this file.
final class ServerConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum State {
        case idle
        /// A request has been passed on, in whole or in part, and its answer is not complete.
        case answering
        /// Requests wait, and other connections have their turn first.
        case paused
        /// The last answer has been written.
        case closing
    }

    let limits: ServerLimits
    let instruments: ServerInstruments
    let turns: TurnTaking
    /// What stands before this one, where a drain must be put.
    let decoder: any ChannelHandler
    /// Why this connection is not wanted at all.
    private let unwanted: LimitReason?

    var state = State.idle
    /// Of the request that is being answered, or was last.
    var request = RequestHeadFacts()
    /// Whether the end of that request has been passed on.
    var isRequestOver = true
    var isAnswerOver = false
    var isQuiescing = false
    var isInputClosed = false
    var timer: ConnectionTimer?
    var shutdown: Scheduled<Void>?
    var bodyPieces = 0
    /// What came after the end of the request that is being answered.
    var waiting = CircularBuffer<Arrival>()
    var answeredInARow = 0
    var isReadHeld = false
    var isHeadBegun = false
    private var isGarbled = false
    /// Since the last time that reading was complete.
    private var hasReadPart = false

    init(
        limits: ServerLimits, instruments: ServerInstruments, turns: TurnTaking, decoder: any ChannelHandler, unwanted: LimitReason?
    ) {
        self.limits = limits
        self.instruments = instruments
        self.turns = turns
        self.decoder = decoder
        self.unwanted = unwanted
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = ConnectionTimer(context.eventLoop) { [unowned self] wait in expire(wait, context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { endTimes() }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if let unwanted {
            instruments.refusedConnection(unwanted)
            return closeNow(context)
        }
        timer?.start(.firstHead, for: limits.headTime)
    }

    func channelInactive(context: ChannelHandlerContext) {
        endTimes()
        turns.end(self)
        waiting.removeAll()
        context.fireChannelInactive()
    }

    private func endTimes() {
        timer?.end()
        timer = nil
        shutdown?.cancel()
        shutdown = nil
    }

    // MARK: reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasReadPart = true
        if state == .idle { answeredInARow = 0 }
        take(.part(data), context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if state == .idle, !hasReadPart, !isHeadBegun {
            isHeadBegun = true
            if timer?.wait != .firstHead { timer?.start(.head, for: limits.headTime) }
        }
        hasReadPart = false
        waitForBody()
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as HTTPParserError:
            guard !isGarbled else { return }
            isGarbled = true
            take(.garbled(error), context)
        // More bytes after those.
        case is ByteToMessageDecoderError: break
        default: context.fireErrorCaught(error)
        }
    }

    /// Whoever reads behind this wants more, but not before they have had what waits, and nothing after the last request: what follows
    /// a request to upgrade would pile up in the decoder.
    func read(context: ChannelHandlerContext) {
        if isReadingHeld { isReadHeld = true } else { context.read() }
    }

    var isReadingHeld: Bool {
        switch state {
        case .idle, .closing: false
        case .answering: !waiting.isEmpty || (isRequestOver && request.closes)
        case .paused: true
        }
    }

    func waitForBody() {
        if state == .answering, !isRequestOver, timer?.wait == nil { timer?.start(.body, for: limits.bodyTime) }
    }

    // MARK: events

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            isInputClosed = true
            if state == .closing { return endOfInput(context) }
            if waiting.isEmpty, state != .paused { pass(.inputClosed, context) } else { waiting.append(.inputClosed) }
        case is ChannelShouldQuiesceEvent: quiesce(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !context.channel.isWritable {
            if state != .closing { timer?.start(.unreadAnswer, for: limits.unreadAnswerTime) }
        } else if timer?.wait == .unreadAnswer, state != .closing {
            timer?.stop()
            if state == .idle { timer?.start(.idle, for: limits.idleTime) }
            waitForBody()
            passWaiting(context)
        }
        context.fireChannelWritabilityChanged()
    }
}
