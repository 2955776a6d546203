import NIOCore

/// Says that the system gave us no connection, most often because the process has no descriptor left: NIO pauses then, and says nothing.
final class AcceptErrors: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let instruments: ServerInstruments

    init(_ instruments: ServerInstruments) {
        self.instruments = instruments
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError { instruments.notAccepted(error) }
        context.fireErrorCaught(error)
    }
}
