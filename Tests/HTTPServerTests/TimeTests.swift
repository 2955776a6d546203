import Foundation
import HTTPServer
import Hummingbird
import HummingbirdCore
import NIOCore
import TestSupport
import Testing
import TransportSecurity

/// GW-12, GW-13, GW-14, F6: what takes too long ends, however often a byte comes.
@Suite("Times")
struct TimeTests {
    static func limits(_ change: (inout ServerLimits) -> Void) -> ServerLimits {
        var limits = ServerLimits.api
        limits.drainTime = .milliseconds(100)
        change(&limits)
        return limits
    }

    @Test("a head in single bytes is refused when its time is over, the first of a connection and a later one", arguments: [false, true])
    func slowHead(isLater: Bool) async throws {
        try await ToyServer.run(Self.limits { $0.headTime = .milliseconds(200) }) { server in
            let text = try await server.talk { socket in
                if isLater {
                    try socket.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n")
                    _ = socket.receive(until: "hello")
                }
                try socket.send("GET /hello HTTP/1.1\r\nHost: h\r\nx: ")
                return socket.dribble()
            }
            #expect(text.hasPrefix("HTTP/1.1 408 ") && text.contains("request_timeout") && answers(in: text).count == 1, "\(text)")
            #expect(server.limited("head_too_slow") == 1)
        }
    }

    @Test("a body in single bytes is refused when its time is over, by the route that reads it")
    func slowBody() async throws {
        try await ToyServer.run(Self.limits { $0.bodyTime = .milliseconds(200) }) { server in
            let text = try await server.talk { socket in
                try socket.send("POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n")
                return socket.dribble()
            }
            #expect(text.hasPrefix("HTTP/1.1 408 ") && answers(in: text).count == 1, "\(text)")
            #expect(text.lowercased().contains("connection: close"))
            #expect(server.limited("body_too_slow") == 1)
        }
    }

    @Test("a body in too many pieces is refused")
    func pieces() async throws {
        try await ToyServer.run(Self.limits { $0.bodyPieces = 100 }) { server in
            let text = try await server.everything(
                after: "POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: "1\r\nx\r\n", count: 101))
            #expect(text.hasPrefix("HTTP/1.1 400 ") && answers(in: text).count == 1, "\(text)")
            #expect(server.limited("body_in_pieces") == 1)
        }
    }

    @Test("a connection without a request is closed, in its TLS handshake too", arguments: ["", "\u{16}\u{3}\u{1}\u{2}"])
    func silent(beginning: String) async throws {
        let certificate = beginning.isEmpty ? nil : try await ServerCertificate.ofTest()
        try await ToyServer.run(Self.limits { $0.headTime = .milliseconds(200) }, certificate: certificate) { server in
            let socket = try LoopbackSocket(port: server.port)
            try socket.send(beginning)
            // By the server: a receiver that gives up would find the connection counted.
            #expect(socket.receive().isEmpty)
            #expect(try await eventually { server.connections == 0 })
            socket.finishSending()
        }
    }

    @Test("an idle connection is closed, one that waits for its answer is not")
    func idle() async throws {
        let times = Self.limits { $0.idleTime = .milliseconds(100) }
        try await ToyServer.run(times) { router in
            router.get("later") { _, _ in
                try await Task.sleep(for: .milliseconds(500))
                return "later"
            }
        } _: { server in
            let text = try await server.talk { socket in
                try socket.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\nGET /later HTTP/1.1\r\nHost: h\r\n\r\n")
                return String(decoding: socket.receiveAll(), as: UTF8.self)
            }
            #expect(answers(in: text).count == 2 && text.hasSuffix("later"), "\(text)")
            #expect(try await eventually { server.connections == 0 })
        }
    }

    @Test("an answer that nobody reads is cut")
    func unread() async throws {
        let size = 64_000_000
        try await ToyServer.run(Self.limits { $0.unreadAnswerTime = .milliseconds(200) }) { router in
            router.get("large") { _, _ in
                Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(repeating: 0x78, count: size)))
            }
        } _: { server in
            let socket = try LoopbackSocket(port: server.port)
            try socket.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await eventually { server.limited("unread_answer") == 1 })
            #expect(try await eventually { server.connections == 0 })
            #expect(socket.receiveAll().count < size)
        }
    }
}
