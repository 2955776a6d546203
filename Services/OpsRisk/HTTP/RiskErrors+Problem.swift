import Contracts
import HTTPService
import HTTPTypes
import ServiceRuntime

extension Answer {
    /// - Throws: ``Problem`` for what is not decided by the alert itself.
    init(_ answer: ResolveAnswer) throws {
        switch answer {
        case .resolved(let body, let isReplay): self.init(.ok, body, extraHeaders: isReplay ? Self.replayed : [])
        case .refused(let requestID, let isReplay):
            self.init(Problem(.alertNotOpen, instance: requestID), extraHeaders: isReplay ? Self.replayed : [])
        case .unknown: throw Problem(.notFound)
        case .keyReused(let pointer): throw Problem.keyReused(pointer)
        case .inProgress: throw Problem(.requestInProgress, retryAfterSeconds: 1)
        }
    }
}
