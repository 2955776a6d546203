import Contracts
import NIOCore
import NIOHTTP1
import Observability

/// What goes out: one answer for each request, and nothing that its client could take for another.
extension ServerConnection {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Hummingbird answers 400 whenever reading fails, also when the request has its answer already: whoever reuses the connection
        // would take the second one for that to their next request.
        guard state == .answering, !isAnswerOver else {
            promise?.succeed()
            return
        }
        switch Self.unwrapOutboundIn(data) {
        case .head(let head) where head.status.code >= 200:
            // The rest of a request that is answered before its end would be in the way of the next one.
            if !isRequestOver || isQuiescing { request.closes = true }
            context.write(request.closes ? Self.wrapOutboundOut(.head(closing(head))) : data, promise: promise)
        case .body where request.isHead: promise?.succeed()
        case .head, .body: context.write(data, promise: promise)
        case .end:
            isAnswerOver = true
            // The encoder does not know HEAD, and would end an answer of unknown length by a chunk.
            if request.isHead { promise?.succeed() } else { context.write(data, promise: promise) }
        }
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        guard isAnswerOver else { return }
        isAnswerOver = false
        answered(context)
    }

    private func closing(_ head: HTTPResponseHead) -> HTTPResponseHead {
        var head = head
        head.headers.replaceOrAdd(name: "connection", value: "close")
        // So that the encoder makes no chunks for a client that knows none; the end of the connection is the end of the answer.
        if request.isOld { head.version = .http1_0 }
        return head
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if state == .answering, request.expectsContinue, !isRequestOver {
            request.expectsContinue = false
            context.writeAndFlush(Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        promise?.succeed()
    }

    /// Answers a request that goes no further, and ends the connection.
    ///
    /// - Parameter head: nil where it could not be read.
    func refuse(_ refusal: Refusal, _ head: HTTPRequestHead?, _ context: ChannelHandlerContext) {
        var random = SystemRandomNumberGenerator()
        let requestID = RequestID.of(header: head?.headers.first(name: "x-request-id"), using: &random)
        instruments.refused(refusal, head, requestID)
        let body = Problem(refusal.code, detail: refusal.detail, instance: requestID.text).wireBytes()
        let fields: HTTPHeaders = [
            "content-type": Problem.mediaType, "content-length": "\(body.count)", "x-request-id": requestID.text, "connection": "close",
        ]
        let status = HTTPResponseStatus(statusCode: refusal.code.status)
        context.write(Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: fields))), promise: nil)
        if head?.method != .HEAD {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            context.write(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.flush()
        beginClosing(context)
    }
}
