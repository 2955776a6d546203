import Contracts
import Egress
import Postgres
import WorkQueue

/// Sends the mail of a piece of work that was claimed, once.
struct SendDelivery: Sendable {
    let pool: PostgresPool
    let composer: MailComposer
    let client: SMTPClient
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
            return Self.outcome(await client.send(try composer.mail(for: delivery, at: now())))
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
