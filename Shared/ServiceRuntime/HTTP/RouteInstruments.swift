import HTTPTypes
import Metrics
import Synchronization

/// Rate, errors and duration of one route; made once, so that a request costs no look-up by label.
final class RouteInstruments: Sendable {
    private let duration: Timer
    private let dimensions: [(String, String)]
    private let counters = Mutex<[Int: Counter]>([:])

    init(_ endpoint: Endpoint) {
        dimensions = [("route", endpoint.path), ("method", endpoint.method.rawValue)]
        duration = Timer(label: "http_server_request_seconds", dimensions: dimensions)
    }

    func record(status: Int, since started: ContinuousClock.Instant) {
        duration.record(duration: ContinuousClock.now - started)
        let counter = counters.withLock { counters in
            if let known = counters[status] { return known }
            let counter = Counter(label: "http_server_requests_total", dimensions: dimensions + [("status", String(status))])
            counters[status] = counter
            return counter
        }
        counter.increment()
    }
}
