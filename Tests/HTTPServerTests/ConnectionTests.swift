import Foundation
import HTTPServer
import Hummingbird
import HummingbirdCore
import NIOCore
import Synchronization
import TestSupport
import Testing

/// F6, GW-01, GW-02, GW-04, GW-05: what one connection may do, and that its client always gets the answer.
@Suite("Connections")
struct ConnectionTests {
    static let get = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test("requests that are sent without waiting are answered in order, each once")
    func pipelined() async throws {
        try await ToyServer.run { router in
            router.get("number/{number}") { _, context in "<\(try context.parameters.require("number"))>" }
        } _: { server in
            let count = 2_000
            let requests = (0..<count).map { "GET /number/\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined()
            let text = try await server.talk { socket in
                try socket.send(requests)
                socket.finishSending()
                return String(decoding: socket.receiveAll(), as: UTF8.self)
            }
            let numbers = text.components(separatedBy: "<").dropFirst().map { Int($0.prefix { $0 != ">" }) }
            #expect(numbers == (0..<count).map { $0 }, "\(numbers.count)")
            #expect(try #require(server.limited("pipelining")) > 0)
        }
    }

    @Test("whoever sends many requests at once does not keep the others waiting")
    func turns() async throws {
        let order = Mutex<[String]>([])
        let (isReady, isBusy, goesOn) = (Gate(), Gate(), Gate())
        try await ToyServer.run { router in
            router.get("many") { _, _ in
                // On the event loop: nobody else is served while this waits.
                if !isBusy.isSet {
                    isBusy.signal()
                    goesOn.wait()
                }
                order.withLock { $0.append("many") }
                return "many!"
            }
            router.get("one") { _, _ in
                order.withLock { $0.append("one") }
                return "one!"
            }
        } _: { server in
            async let one: Void = server.talk { socket in
                try socket.send("GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
                _ = socket.receive(until: "one!")
                isReady.signal()
                isBusy.wait()
                try socket.send("GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
                goesOn.signal()
                _ = socket.receive(until: "one!")
            }
            async let many: Void = server.talk { socket in
                isReady.wait()
                try socket.send(String(repeating: "GET /many HTTP/1.1\r\nHost: h\r\n\r\n", count: 200))
                _ = socket.receive(until: "many!", times: 200)
            }
            _ = try await (one, many)
            let before = order.withLock { $0.dropFirst().prefix { $0 == "many" }.count }
            #expect(before < 50, "\(before) before the other connection's one")
        }
    }

    @Test("several that flood the server with requests do not keep the others waiting either")
    func floods() async throws {
        let answered = Mutex(0)
        let isOver = Gate()
        try await ToyServer.run { router in
            router.get("many") { _, _ in
                // Eight of these take longer than the pause between two turns.
                let end = ContinuousClock.now + .microseconds(300)
                while ContinuousClock.now < end {}
                answered.withLock { $0 += 1 }
                return "many!"
            }
            router.get("one") { _, _ in "\(answered.withLock { $0 })!" }
        } _: { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        try await server.talk { socket in
                            while !isOver.isSet {
                                try socket.send(String(repeating: "GET /many HTTP/1.1\r\nHost: h\r\n\r\n", count: 400))
                                _ = socket.receive(until: "many!", times: 400)
                            }
                        }
                    }
                }
                #expect(try await eventually { answered.withLock { $0 > 400 } })
                let waits = try await server.talk { socket in
                    defer { isOver.signal() }
                    return try (0..<5).map { _ in
                        let before = answered.withLock { $0 }
                        try socket.send("GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
                        let number = socket.receive(until: "!").components(separatedBy: "\r\n\r\n").last.flatMap { Int($0.dropLast()) }
                        return (number ?? .max) - before
                    }
                }
                // A turn of each, and what a busy machine adds to one of them.
                #expect(waits.count { $0 < 300 } >= 3, "\(waits) answers to others before each")
                try await group.waitForAll()
            }
        }
    }

    @Test("a request for a tunnel is the last of its connection, whatever its target")
    func tunnel() async throws {
        try await ToyServer.run { server in
            for target in ["/hello", "h:443"] {
                let text = try await server.everything(after: "CONNECT \(target) HTTP/1.1\r\nHost: h\r\n\r\nGET /hello HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(answers(in: text).count == 1 && text.lowercased().contains("connection: close"), "\(text)")
            }
        }
    }

    @Test("a request that is answered before its end: the answer comes whole, the rest is read up to a bound")
    func drain() async throws {
        try await ToyServer.run { router in
            router.post("refused") { _, _ in Response(status: .contentTooLarge, body: ResponseBody(byteBuffer: ByteBuffer(string: "too large."))) }
        } _: { server in
            let block = [UInt8](repeating: 0x78, count: 65_536)
            let (text, blocks) = try await server.talk { socket in
                try socket.send("POST /refused HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n")
                let text = socket.receive(until: "too large.")
                var blocks = 0
                while blocks < 2_000, (try? socket.send(block)) != nil { blocks += 1 }
                return (text, blocks)
            }
            #expect(text.hasPrefix("HTTP/1.1 413 ") && text.lowercased().contains("connection: close") && text.hasSuffix("too large."), "\(text)")
            // What the system takes in by itself is a few MB.
            #expect(blocks < 1_000)
            #expect(server.limited("drain") == 1)
            #expect(try await eventually { server.connections == 0 })
        }
    }

    @Test("a body that waits to be asked for is asked for when somebody reads it, and not when it is refused by its head")
    func expectation() async throws {
        try await ToyServer.run { server in
            let fields = "HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
            let text = try await server.talk { socket in
                try socket.send("POST /length \(fields)")
                let asked = socket.receive(until: "\r\n\r\n")
                try socket.send("12345")
                return asked + socket.receive(until: "\r\n\r\n5")
            }
            let all = answers(in: text)
            #expect(all.count == 2 && all[0].hasPrefix("HTTP/1.1 100 ") && all[1].hasPrefix("HTTP/1.1 200 "), "\(text)")
            let refused = try await server.everything(after: "POST /nothing \(fields)")
            #expect(refused.hasPrefix("HTTP/1.1 404 ") && answers(in: refused).count == 1, "\(refused)")
            let unasked = try await server.talk { socket in
                try socket.send("POST /length \(fields)12345")
                return socket.receive(until: "\r\n\r\n5")
            }
            #expect(unasked.hasSuffix("\r\n\r\n5") && answers(in: unasked).last?.hasPrefix("HTTP/1.1 200 ") == true, "\(unasked)")
        }
    }

    @Test("an answer of unknown length: nothing follows HEAD's, and HTTP/1.0 gets no chunks")
    func unknownLength() async throws {
        try await ToyServer.run { router in
            for method in [HTTPRequest.Method.get, .head] {
                router.on("stream", method: method) { _, _ in
                    Response(
                        status: .ok,
                        body: ResponseBody { writer in
                            try await writer.write(ByteBuffer(string: "streamed"))
                            try await writer.finish(nil)
                        })
                }
            }
        } _: { server in
            let head = try await server.talk { socket in
                try socket.send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n\(Self.get)")
                return socket.receive(until: "hello")
            }
            let all = answers(in: head)
            #expect(all.count == 2 && all[0].hasSuffix("\r\n\r\n") && all[1].hasSuffix("hello"), "\(head)")
            let old = try await server.everything(after: "GET /stream HTTP/1.0\r\n\r\n")
            #expect(old.hasPrefix("HTTP/1.0 200 ") && old.hasSuffix("\r\n\r\nstreamed") && !old.lowercased().contains("chunked"), "\(old)")
        }
    }

    @Test("a connection beyond the bound is closed at once, and there is room again when another one has gone")
    func bound() async throws {
        try await ToyServer.run(TimeTests.limits { $0.connections = 2 }) { server in
            let first = try LoopbackSocket(port: server.port)
            let second = try LoopbackSocket(port: server.port)
            #expect(try await eventually { server.connections == 2 })
            #expect(try await server.talk { String(decoding: $0.receiveAll(), as: UTF8.self) }.isEmpty)
            #expect(server.limited("connections") == 1)
            try first.send(Self.get)
            #expect(try await server.talk { String(decoding: $0.receiveAll(), as: UTF8.self) }.isEmpty)
            second.reset()
            #expect(try await eventually { server.connections == 1 })
            #expect(try await server.hello().hasSuffix("hello"))
            #expect(first.receive(until: "hello").hasSuffix("hello"))
        }
    }

    @Test("an API that would take one of the last descriptors leaves it to the admin port")
    func descriptors() async throws {
        try await ToyServer.run(TimeTests.limits { $0.descriptorsLeftFree = 1 << 40 }) { api in
            #expect(try await api.talk { String(decoding: $0.receiveAll(), as: UTF8.self) }.isEmpty)
            #expect(api.limited("descriptors") == 1)
            try await ToyServer.run(.admin) { admin in
                let text = try await admin.hello()
                #expect(text.hasSuffix("hello"))
            }
        }
    }
}
