import Contracts
import Egress
import Observability
import Postgres
import WorkQueue

/// Sends the mail of a piece of work that was claimed, once.
struct SendDelivery: Sendable {
    let pool: PostgresPool
    let composer: MailComposer
    let client: SMTPClient
    /// Nil where no spans are made.
    let tracer: SpanTracer?
    let now: @Sendable () -> Timestamp

    func callAsFunction(_ claim: WorkClaim) async -> WorkOutcome {
        let delivery: Delivery?
        do {
            delivery = try await pool.withSession { session in try DeliveryStore().find(session, item: claim.id) }
        } catch {
            return .again("its delivery could not be read: \(error)")
        }
        guard let delivery else { return .poison("there is no delivery") }
        do throws(MailComposer.Failure) {
            let mail = try composer.mail(for: delivery, at: now())
            let span = DeliverySpan(claim, delivery.purpose.rawValue, to: client.server, tracer)
            let outcome = await client.send(mail)
            span?.end(outcome)
            return Self.outcome(outcome)
        } catch {
            switch error {
            case .keyMissing: return .again("its text is sealed to a key that is not in the keys file")
            case .unreadable(let reason): return .poison(reason)
            case .addressInvalid: return .refused("address_invalid")
            }
        }
    }

    private static func outcome(_ outcome: MailOutcome) -> WorkOutcome {
        switch outcome {
        case .accepted: .done
        case .rejected(let reason): .refused("\(reason)")
        case .tryAgain(let reason): .again("\(reason)")
        case .unknown(let reason): .unknown("\(reason)")
        }
    }
}
