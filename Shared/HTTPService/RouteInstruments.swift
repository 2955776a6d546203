import CoreMetrics
import HTTPTypes
import Metrics
import Synchronization

/// Rate, errors and duration of one route; made once, so that a request costs no look-up by label.
final class RouteInstruments: Sendable {
    private let factory: any MetricsFactory
    private let duration: Timer
    private let dimensions: [(String, String)]
    private let counters = Mutex<[Int: Counter]>([:])

    convenience init(_ endpoint: Endpoint, _ factory: any MetricsFactory) {
        self.init(route: endpoint.path, method: endpoint.method.rawValue, factory)
    }

    /// Those of everything that is no route: one label, whatever somebody makes up.
    static func unrouted(_ factory: any MetricsFactory) -> RouteInstruments {
        RouteInstruments(route: "unrouted", method: "any", factory)
    }

    private init(route: String, method: String, _ factory: any MetricsFactory) {
        self.factory = factory
        dimensions = [("route", route), ("method", method)]
        duration = Timer(label: "http_server_request_seconds", dimensions: dimensions, factory: factory)
    }

    func record(status: Int, since started: ContinuousClock.Instant) {
        duration.record(duration: ContinuousClock.now - started)
        let counter = counters.withLock { counters in
            if let known = counters[status] { return known }
            let counter = Counter(label: "http_server_requests_total", dimensions: dimensions + [("status", String(status))], factory: factory)
            counters[status] = counter
            return counter
        }
        counter.increment()
    }
}
