package import Contracts

/// An alert as it is kept.
package struct RiskAlert: Sendable, Hashable {
    package let id: AlertID
    package let finding: RiskFinding
    package let debit: CustomerDebit
    package let raisedAt: Timestamp
    /// Nil while it is open; final.
    package var resolution: RiskAlertResolutionBody?

    package init(id: AlertID, finding: RiskFinding, debit: CustomerDebit, raisedAt: Timestamp, resolution: RiskAlertResolutionBody? = nil) {
        self.id = id
        self.finding = finding
        self.debit = debit
        self.raisedAt = raisedAt
        self.resolution = resolution
    }

    /// What becomes of the alert when an operator asks for a resolution.
    package enum Outcome: Sendable, Hashable {
        case resolve
        /// It is resolved in this very way already.
        case unchanged
        /// It is resolved otherwise.
        case refused
    }

    package func outcome(of request: ResolveRiskAlertRequest) -> Outcome {
        guard let resolution else { return .resolve }
        return resolution.resolution == request.resolution && resolution.note == request.note ? .unchanged : .refused
    }
}

extension RiskAlert {
    package var body: RiskAlertBody {
        RiskAlertBody(
            id: id, finding: finding, walletID: debit.walletID, transferID: debit.transferID, money: debit.money, occurredAt: debit.occurredAt,
            raisedAt: raisedAt, resolution: resolution)
    }

    package var raisedEvent: RiskAlertRaisedEvent {
        RiskAlertRaisedEvent(
            alertID: id, finding: finding, walletID: debit.walletID, transferID: debit.transferID, money: debit.money,
            occurredAt: debit.occurredAt, raisedAt: raisedAt)
    }
}
