package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1

/// Gives a request whose body turns out not to be HTTP one answer.
///
/// Hummingbird answers 400 whenever reading fails, also when the request has been answered by its head: whoever reuses the connection
/// would take the second answer for that to their next request. A head that can't be read has no answer yet and keeps that 400.
final class OneAnswerPerRequest: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Requests without a complete answer.
    private var unanswered = 0
    private var isReadingBody = false
    /// Nothing that comes later can be read; the server closes once all is answered.
    private var isGarbled = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            isReadingBody = true
        case .body: break
        case .end: isReadingBody = false
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, !isGarbled {
            isGarbled = true
            if !isReadingBody { unanswered += 1 }
        }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard unanswered > 0 else {
            promise?.succeed()
            return
        }
        switch Self.unwrapOutboundIn(data) {
        case .head(var head) where isGarbled && unanswered == 1:
            head.headers.replaceOrAdd(name: "connection", value: "close")
            context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            unanswered -= 1
            context.write(data, promise: promise)
        case .head, .body: context.write(data, promise: promise)
        }
    }
}

/// HTTP/1.1 with one answer per request; see ``OneAnswerPerRequest``.
package struct OneAnswerHTTP1Channel: ServerChildChannel {
    package typealias Value = HTTP1Channel.Value

    let wrapped: HTTP1Channel

    package init(wrapped: HTTP1Channel) {
        self.wrapped = wrapped
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        wrapped.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(OneAnswerPerRequest(), position: .after(decoder))
            return value
        }
    }

    package func handle(value: Value, logger: Logger) async {
        await wrapped.handle(value: value, logger: logger)
    }
}
