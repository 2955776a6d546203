import Contracts
import HTTPTypes
import ServiceRuntime

extension TransferRejection {
    var code: ProblemCode {
        switch self {
        case .notFound: .notFound
        case .sameWallet: .sameWallet
        case .currencyMismatch: .currencyMismatch
        case .walletFrozen: .walletFrozen
        case .walletClosed: .walletClosed
        case .insufficientFunds: .insufficientFunds
        case .balanceOutOfRange: .balanceOutOfRange
        case .refundExceedsOriginal: .refundExceedsOriginal
        case .referenceExists: .referenceExists
        case .balanceNotZero: .balanceNotZero
        case .overdraftInUse: .overdraftInUse
        }
    }
}

extension Problem {
    init(_ refusal: HistoryRefusal) {
        switch refusal {
        case .atTooRecent(let parameter, let newest):
            self.init(RequestFault(.atTooRecent, pointer: "/\(parameter)", detail: "Must not be later than \(newest), by now."))
        case .unsettled: self.init(.unavailable, retryAfterSeconds: 1)
        }
    }
}

/// Marks the answer to a repeated request.
private let replayed = [HTTPField(name: .idempotencyReplayed, value: "true")]

private func refusal(_ rejection: TransferRejection, requestID: String, conflict: TransferID? = nil, isReplay: Bool) -> Answer {
    let detail = conflict.map { "The reference belongs to transfer \($0)." }
    return Answer(Problem(rejection.code, detail: detail, instance: requestID), extraHeaders: isReplay ? replayed : [])
}

private func keyReused(_ pointer: String) -> Problem {
    Problem(
        .idempotencyKeyReused, errors: [FieldError(pointer: pointer, detail: "Differs from the request that the key was first used for.")])
}

extension Answer {
    /// - Throws: ``Problem`` for what is no outcome of the money itself.
    init(_ outcome: PostingOutcome) throws {
        switch outcome {
        case .posted(let body, let isReplay): self.init(.created, body, extraHeaders: isReplay ? replayed : [])
        case .refused(let rejection, let requestID, let conflict, let isReplay):
            self = refusal(rejection, requestID: requestID, conflict: conflict, isReplay: isReplay)
        case .keyReused(let pointer): throw keyReused(pointer)
        case .failed(.overloaded(let seconds)): throw Problem(.overloaded, retryAfterSeconds: seconds)
        case .failed(.outcomeUnknown): throw Problem(.outcomeUnknown, retryAfterSeconds: 1)
        case .failed(.unavailable): throw Problem(.unavailable, retryAfterSeconds: 1)
        case .failed(.internalError): throw Problem(.internalError)
        }
    }

    /// - Throws: ``Problem`` for what is no outcome of the wallet itself.
    init<Body: WireEncodable>(_ answer: KeyedAnswer<Body>, status: HTTPResponse.Status) throws {
        switch answer {
        case .done(let body, let isReplay): self.init(status, body, extraHeaders: isReplay ? replayed : [])
        case .refused(let rejection, let requestID, let isReplay): self = refusal(rejection, requestID: requestID, isReplay: isReplay)
        case .keyReused(let pointer): throw keyReused(pointer)
        case .inProgress: throw Problem(.requestInProgress, retryAfterSeconds: 1)
        }
    }
}
