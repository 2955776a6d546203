import Egress
import Observability
import Tracing
import WorkQueue

/// The span of handing one mail to the server, where its trace is sampled: a child of the processing of the event that asked for it.
struct DeliverySpan {
    private let span: RecordedSpan

    init?(_ claim: WorkClaim, _ purpose: String, to server: SMTPServer, _ tracer: SpanTracer?) {
        guard let tracer, let parent = claim.trace else { return nil }
        var random = SystemRandomNumberGenerator()
        let trace = tracer.context(childOf: parent, using: &random)
        guard trace.isSampled else { return nil }
        span = tracer.span("send mail", .client, as: trace, childOf: parent)
        span.attributes = [
            "network.protocol.name": "smtp", "server.address": .string(server.host), "server.port": .int64(Int64(server.port)),
            "florin.message.kind": .string(purpose), "florin.work.attempt": .int64(Int64(claim.attempt)),
        ]
    }

    /// What became of the mail, in words of ours: nothing of whom it goes to or what it says.
    func end(_ outcome: MailOutcome) {
        switch outcome {
        case .accepted: note("accepted", nil)
        case .rejected(let reason): note("rejected", reason)
        case .tryAgain(let reason): note("try_again", reason)
        case .unknown(let reason): note("unknown", reason)
        }
        span.end()
    }

    private func note(_ name: String, _ reason: MailReason?) {
        span.attributes["florin.mail.outcome"] = name
        guard let reason else { return }
        span.attributes["error.type"] = "\(reason)"
        span.setStatus(SpanStatus(code: .error))
    }
}
