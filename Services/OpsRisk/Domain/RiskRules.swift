package import Contracts

/// The rules by which debits are judged.
package struct RiskRules: Sendable, Hashable {
    package let highValue: HighValueRule
    package let velocity: VelocityRule

    package init(highValue: HighValueRule, velocity: VelocityRule) {
        self.highValue = highValue
        self.velocity = velocity
    }
}

/// What a rule found, before it is known whether an alert of it was raised already.
package struct RuleMatch: Sendable, Hashable {
    package let finding: RiskFinding
    /// The debit at which the rule matched.
    package let debit: CustomerDebit
    /// Of a velocity alert; there is one alert per window at most.
    package let window: DebitWindow?

    package init(finding: RiskFinding, debit: CustomerDebit, window: DebitWindow? = nil) {
        self.finding = finding
        self.debit = debit
        self.window = window
    }
}
