/// What a person may do. Staff have another role than `customer`.
package enum UserRole: String, Sendable, Hashable, CaseIterable {
    case customer
    case support
    case riskAnalyst = "risk-analyst"
    case auditor
    case admin

    package var isOfStaff: Bool { self != .customer }
}
