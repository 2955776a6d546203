import Contracts
import HTTPService
import HTTPTypes
import ServiceRuntime

extension Problem {
    init(_ refusal: ResolveRefusal, requestID: String) {
        switch refusal {
        case .notFound: self.init(.notFound, instance: requestID)
        case .resolvedOtherwise: self.init(.alertNotOpen, instance: requestID)
        }
    }
}
