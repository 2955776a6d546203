import Contracts
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import Logging
import Observability
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// The samples, served with their real headers.
struct SampleRoutes {
    let renderer: PageRenderer

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/pages", access: .public, handler: names),
            Endpoint(.get, "/pages/{name}", access: .public, handler: page),
            Endpoint(.post, "/sent", access: .public(from: "https://id.florin.example"), body: .form, handler: sent)
                .showingRefusals(renderer.refusal),
        ]
    }

    private func names(_: PublicRequest) async throws -> Answer { .html(PageSample.all.map(\.name).joined(separator: "\n")) }

    private func page(_ request: PublicRequest) async throws -> Answer {
        guard let sample = PageSample.named(request.parameters.get("name") ?? "") else { throw Problem(ProblemCode.notFound) }
        return renderer.answer(sample.page, in: PageLanguage(headers: request.headers))
    }

    private func sent(_: PublicRequest) async throws -> Answer { .redirect(to: "/pages/sign-in") }
}

/// A real server of some endpoints, for as long as the process lives.
enum PageServer {
    static let samples = Task { try await start(SampleRoutes(renderer: PageFolder.renderer()).endpoints) }

    /// - Parameter port: 0 lets the system choose one.
    /// - Returns: The port, on the loopback address.
    static func start(
        _ endpoints: [Endpoint], port: Int = 0, mapError: @escaping @Sendable (any Error) -> Problem? = { _ in nil }
    ) async throws -> Int {
        let logger = Logger(label: "pages") { _ in SwiftLogNoOpLogHandler() }
        let pipeline = EndpointPipeline(logger: logger, metrics: PrometheusRegistry(), mapError: mapError)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = APIServer(
            host: "127.0.0.1", port: port, eventLoops: 1, responder: pipeline.responder(of: endpoints), metrics: PrometheusRegistry(), logger: logger,
            onListening: { listening.yield($0) })
        Task {
            try? await server.run()
            listening.finish()
        }
        guard let port = await ports.first(where: { _ in true }) else { throw ServedProcess.NotServing(description: "the pages are not served") }
        return port
    }
}

/// Chromium, Debian's, and axe, from PyPI.
enum PageBrowser {
    private static let folder = RepositoryRoot.path("Tests/IdentityTests/Pages/browser")
    private static let environment = RepositoryRoot.path(".local/python-pages/venv")

    /// Runs one of the scripts and returns what it printed.
    static func run(_ script: String, _ arguments: [String]) async throws -> [Substring] {
        try await Shell.run(
            ["/usr/bin/env", "PYTHONDONTWRITEBYTECODE=1", "\(environment)/bin/python", "\(folder)/\(script)"] + arguments
        ).split(separator: "\n")
    }

    static func axe() throws -> String {
        let libraries = try FileManager.default.contentsOfDirectory(atPath: "\(environment)/lib")
        return "\(environment)/lib/\(try #require(libraries.first { $0.hasPrefix("python") }))/site-packages/axe_playwright_python/axe.min.js"
    }

    /// It needs pip's settings from the environment.
    static func install() async throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium") else { throw Missing() }
        try await Shell.run(
            ["/bin/bash", RepositoryRoot.path("infra/local/venv.sh"), "python-pages", "\(folder)/requirements.txt"],
            environment: ProcessInfo.processInfo.environment)
    }

    private struct Missing: Error {}
}

@Suite(.enabled("Chromium and axe can be had") { await OutsideTool.isAvailable(PageBrowser.install) })
struct PageBrowserTests {
    @Test func `ID-07: every page in every state, language, width and colour scheme is accessible in a real browser`() async throws {
        try await PageBrowser.install()
        let port = try await PageServer.samples.value
        // `make pages` names a folder for the pictures.
        let gallery = ProcessInfo.processInfo.environment["FLORIN_PAGES"].map { [$0] } ?? []
        let report = try await PageBrowser.run("visit.py", ["http://127.0.0.1:\(port)", try PageBrowser.axe()] + gallery)
        #expect(report.dropLast() == [])
        #expect(report.last == "visited \(PageSample.all.count * 10)")
    }
}

@Suite struct PageRefusalTests {
    @Test func `a form from another site is answered with a page, in the browser's language`() async throws {
        let request = """
            POST /sent HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nAccept-Language: de\r\nConnection: close\r\n\
            Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b
            """
        let answer = try await HTTPSocket.exchange(Array(request.utf8), port: try await PageServer.samples.value)
        #expect(answer.status == 403)
        #expect(answer.fields["content-type"] == "text/html; charset=utf-8")
        #expect(answer.fields["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
        let html = String(decoding: answer.body, as: UTF8.self)
        #expect(html.contains(#"<html lang="de">"#))
        #expect(html.contains("<dd>\(answer.fields["x-request-id"] ?? "-")</dd>"))
    }
}
