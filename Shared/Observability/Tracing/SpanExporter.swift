import AsyncHTTPClient
import Concurrency
import HTTPTypes
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Sends the spans that wait in the queue to a receiver by OTLP/HTTP with JSON: in batches, at an interval, and what is left at the end.
///
/// Nothing waits for it: what it can't deliver is dropped and counted, and a receiver that is down costs a log line when it goes and
/// one when it comes back.
package struct SpanExporter: Service, CustomStringConvertible {
    /// Spans per request at most, the default of OpenTelemetry's batch processor.
    package static let batchLimit = 512
    /// No answer of a receiver is larger; of a larger one only the status counts.
    private static let maximumAnswerBytes = 65_536

    private let url: String
    private let headers: Secret<OTLPHeaders>
    private let encoder: OTLPTraceEncoder
    private let queue: SpanQueue
    private let counters: SpanCounters
    private let timing: SpanExportTiming
    private let logger: Logger

    /// - Parameter url: The whole address, `http://collector:4318/v1/traces`.
    package init(
        url: String, headers: Secret<OTLPHeaders> = Secret(OTLPHeaders()), resource: SpanResource, queue: SpanQueue,
        counters: SpanCounters, timing: SpanExportTiming = SpanExportTiming(), logger: Logger
    ) {
        self.url = url
        self.headers = headers
        encoder = OTLPTraceEncoder(resource: resource)
        self.queue = queue
        self.counters = counters
        self.timing = timing
        self.logger = logger
    }

    package var description: String { "span exporter" }

    /// Exports until the drain reaches it, which is after everything that makes spans; then sends what is left, within a bound.
    package func run() async throws {
        let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: Self.clientConfiguration)
        await cancelWhenGracefulShutdown {
            var isFailing = false
            while (try? await ContinuousClock().sleep(for: timing.interval)) != nil {
                await exportAll(by: client, &isFailing)
            }
        }
        await TimeLimit.within(timing.shutdownLimit) {
            var isFailing = false
            await exportAll(by: client, &isFailing)
        }
        counters.dropped(queue.take(atMost: .max).count, .shutdown)
        try? await client.shutdown()
    }

    private static var clientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        // A redirect would carry the secret fields to where they do not belong.
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        // Spans about sending spans would never end.
        configuration.tracing.tracer = nil
        return configuration
    }

    /// Sends what waits, batch after batch, until nothing does or the task is cancelled.
    private func exportAll(by client: HTTPClient, _ isFailing: inout Bool) async {
        while !Task.isCancelled {
            let spans = queue.take(atMost: Self.batchLimit)
            guard !spans.isEmpty else { return }
            await deliver(spans, by: client, &isFailing)
        }
    }

    private func deliver(_ spans: [SpanData], by client: HTTPClient, _ isFailing: inout Bool) async {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        for field in headers.reveal().fields { request.headers.add(name: field.name.rawName, value: field.value) }
        request.headers.replaceOrAdd(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: encoder.encode(spans)))
        for tries in 1... {
            switch await send(request, by: client) {
            case .accepted(let rejected):
                counters.exported(max(spans.count - rejected, 0))
                counters.dropped(rejected, .rejected)
                note(rejected > 0 ? "some spans were rejected" : nil, &isFailing)
                return
            case .refused(let status):
                counters.dropped(spans.count, .rejected)
                note("status \(status)", &isFailing)
                return
            case .unavailable(let reason, let retryAfter):
                note(reason, &isFailing)
                guard let pause = pause(afterTries: tries, retryAfter: retryAfter) else {
                    counters.dropped(spans.count, .unavailable)
                    return
                }
                guard (try? await ContinuousClock().sleep(for: pause)) != nil else { return queue.putBack(spans) }
            case .interrupted: return queue.putBack(spans)
            }
        }
    }

    /// How long to wait before the next try; nil when there is to be none.
    private func pause(afterTries tries: Int, retryAfter: Duration?) -> Duration? {
        guard tries < timing.maximumTries else { return nil }
        let pause = Backoff(first: timing.firstPause, maximum: timing.maximumPause).pause(after: tries)
        guard let retryAfter else { return pause }
        return retryAfter <= timing.maximumPause ? retryAfter + pause : nil
    }

    private func send(_ request: HTTPClientRequest, by client: HTTPClient) async -> OTLPAnswer {
        let answer = await TimeLimit.within(timing.requestTimeout) {
            do {
                let response = try await client.execute(request, deadline: .distantFuture)
                let body = try? await response.body.collect(upTo: Self.maximumAnswerBytes)
                return OTLPAnswer(
                    status: Int(response.status.code), retryAfter: response.headers["retry-after"].first,
                    body: body.map { Array($0.readableBytesView) } ?? [])
            } catch {
                // Of an error only its type is certain to hold no secret.
                return .unavailable(reason: "no answer (\(type(of: error)))", retryAfter: nil)
            }
        }
        if Task.isCancelled { return .interrupted }
        return answer ?? .unavailable(reason: "no answer in time", retryAfter: nil)
    }

    /// Logs a change only: a receiver may be down for days.
    private func note(_ failure: String?, _ isFailing: inout Bool) {
        switch (failure, isFailing) {
        case (let failure?, false): logger.info("spans can't be delivered", metadata: ["otel.reason": "\(failure)"])
        case (nil, true): logger.info("spans are delivered again")
        case (_?, true), (nil, false): break
        }
        isFailing = failure != nil
    }
}
