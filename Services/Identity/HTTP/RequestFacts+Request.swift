import Contracts
import HTTPService
import Observability

extension RequestFacts {
    /// Of a signed request, whose caller hands on where its user is. What the user keeps on their device stays with the caller.
    init<Identity>(_ request: EndpointRequest<Identity>) {
        self.init(
            origin: AttemptOrigin(deviceHash: nil, network: ClientNetwork.of(request.headers)), traceparent: request.trace.traceparent,
            deadline: request.deadline)
    }
}
