import CoreMetrics
import Observability

/// What a process counts of its calls to one callee; every series is there from the start.
struct OutboundMetrics: Sendable {
    enum Outcome: String, CaseIterable {
        case success
        case clientError = "client_error"
        case serverError = "server_error"
        case unreachable
        case connectionLost = "connection_lost"
        case timedOut = "timed_out"
        case deadlineExceeded = "deadline_exceeded"
        case responseTooLarge = "response_too_large"
        case unsignable
        case cancelled
        case tooManyCalls = "too_many_calls"
        case circuitOpen = "circuit_open"
    }

    private let calls: [Outcome: Counter]

    init(_ registry: PrometheusRegistry, callee: String) {
        let callee = ("callee", callee)
        calls = Dictionary(
            uniqueKeysWithValues: Outcome.allCases.map { outcome in
                (outcome, Counter(label: "outbound_calls_total", dimensions: [callee, ("outcome", outcome.rawValue)], factory: registry))
            })
        for counter in calls.values { counter.increment(by: 0) }
        registry.describe(
            "outbound_calls_total",
            "Calls to other services, by callee and outcome; too_many_calls and circuit_open were refused before anything was sent.")
    }

    /// Shows the state of the bulkhead, the budget and the breaker at each scrape.
    static func observe(_ admission: CalleeAdmission, _ registry: PrometheusRegistry, callee: String) {
        let labels = [("callee", callee)]
        registry.observe("outbound_calls_under_way", .gauge, "Calls in flight, by callee.", labels: labels) {
            Double(admission.statistics.underWay)
        }
        registry.observe("outbound_calls_waiting", .gauge, "Calls that wait for their turn, by callee.", labels: labels) {
            Double(admission.statistics.waiting)
        }
        registry.observe("outbound_retries_total", .counter, "Retries made, by callee.", labels: labels) {
            Double(admission.statistics.totalRetries)
        }
        registry.observe(
            "outbound_retries_refused_total", .counter, "Retries not made because the budget for them was used up, by callee.", labels: labels
        ) {
            Double(admission.statistics.totalRefusedRetries)
        }
        registry.observe(
            "outbound_circuit_state", .gauge, "The circuit breaker, by callee: 0 closed, 1 half-open, 2 open.", labels: labels
        ) {
            switch admission.statistics.circuit {
            case .closed: 0
            case .halfOpen: 1
            case .open: 2
            }
        }
    }

    func ended(_ result: Result<ServiceResponse, ServiceClientError>) { calls[Outcome(result)]?.increment() }
}

extension OutboundMetrics.Outcome {
    fileprivate init(_ result: Result<ServiceResponse, ServiceClientError>) {
        switch result {
        case .success(let response):
            self = response.status < 400 ? .success : response.status < 500 ? .clientError : .serverError
        case .failure(let error):
            self =
                switch error.kind {
                case .unreachable: .unreachable
                case .connectionLost: .connectionLost
                case .timedOut: .timedOut
                case .deadlineExceeded: .deadlineExceeded
                case .responseTooLarge: .responseTooLarge
                case .unsignable: .unsignable
                case .cancelled: .cancelled
                case .tooManyCalls: .tooManyCalls
                case .circuitOpen: .circuitOpen
                }
        }
    }
}
