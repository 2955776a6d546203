import Contracts

extension Problem {
    init(_ refusal: FactorRefusal) {
        switch refusal {
        case .notEnrolled: self.init(ProblemCode.secondFactorMissing)
        case .passwordTooShort: self.init(ProblemCode.passwordTooShort)
        }
    }
}
