import NIOCore
package import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
package import TransportSecurity

/// A real HTTP/1.1 server on a port of its own that does with each request what its script says.
package final class ScriptedServer: Sendable {
    package enum Step: Sendable {
        case answer(Int, headers: [(String, String)] = [], body: String = "")
        /// Closes the connection without an answer.
        case drop
        /// Promises a body and closes before it is complete.
        case breakOff
        /// Sends the head and a part of the body, and keeps the connection open.
        case stall
        /// Sends the head and then, every now and then, a byte, without an end.
        case trickle
        /// Sends nothing and keeps the connection open.
        case hang
    }

    package struct Received: Sendable {
        package let method: String
        package let target: String
        package let headers: HTTPHeaders
        package let body: [UInt8]
    }

    private let script: Mutex<[Step]>
    private let requests = Mutex<[Received]>([])

    private init(_ script: [Step]) {
        self.script = Mutex(script)
    }

    /// The requests so far, in order.
    package var received: [Received] { requests.withLock { $0 } }

    /// Runs a server for the time of the body, which gets its port.
    ///
    /// - Parameter certificate: what to serve HTTPS with.
    package static func running(
        _ script: [Step], certificate: ServerCertificate? = nil, _ body: (_ server: ScriptedServer, _ port: Int) async throws -> Void
    ) async throws {
        let server = ScriptedServer(script)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let certificate { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(ScriptHandler(server: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(server, channel.localAddress?.port ?? 0)
        } catch {
            try? await channel.close().get()
            throw error
        }
        try await channel.close().get()
    }

    /// Notes a request; what comes after the end of the script is answered 500.
    fileprivate func next(_ request: Received) -> Step {
        requests.withLock { $0.append(request) }
        return script.withLock { $0.isEmpty ? .answer(500) : $0.removeFirst() }
    }
}

private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: ScriptedServer
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(server: ScriptedServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let bytes): body += Array(bytes.readableBytesView)
        case .end:
            guard let head else { return }
            let request = ScriptedServer.Received(method: head.method.rawValue, target: head.uri, headers: head.headers, body: body)
            perform(server.next(request), context)
        }
    }

    private func perform(_ step: ScriptedServer.Step, _ context: ChannelHandlerContext) {
        switch step {
        case .answer(let status, let headers, let body):
            var fields = HTTPHeaders(headers)
            fields.replaceOrAdd(name: "content-length", value: String(body.utf8.count))
            context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .init(statusCode: status), headers: fields))), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .drop: context.close(promise: nil)
        case .breakOff, .stall:
            let fields: HTTPHeaders = ["content-length": "100"]
            context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: fields))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "half")))), promise: nil)
            if case .breakOff = step { context.close(promise: nil) }
        case .trickle:
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["transfer-encoding": "chunked"])
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            trickle(context)
        case .hang: break
        }
    }

    private func trickle(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: ".")))), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { self.trickle(context) }
    }
}
