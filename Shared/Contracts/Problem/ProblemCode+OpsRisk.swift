extension ProblemCode {
    package static let alertNotOpen = Self("alert_not_open", status: 409, title: "The alert has already been resolved differently")

    /// The codes of ops-risk alone.
    package static let opsRisk: [Self] = [alertNotOpen]
}
