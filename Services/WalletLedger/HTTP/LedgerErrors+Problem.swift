import Contracts
import HTTPService
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
        case .captureExceedsHold: .captureExceedsHold
        case .holdNotOpen: .holdNotOpen
        case .referenceExists: .referenceExists
        case .balanceNotZero: .balanceNotZero
        case .overdraftInUse: .overdraftInUse
        case .walletLimitReached: .walletLimitReached
        }
    }
}

extension Problem {
    init(_ refusal: HistoryRefusal) {
        switch refusal {
        case .atTooRecent(let parameter, let newest):
            self.init(RequestFault(.atTooRecent, pointer: "/\(parameter)", detail: "Must not be later than \(newest)."))
        case .unsettled: self.init(.unavailable, retryAfterSeconds: 1)
        }
    }
}

extension Problem {
    init(_ refusal: Refusal, requestID: String) {
        self.init(refusal.rejection.code, detail: refusal.conflict.map { "The reference belongs to transfer \($0)." }, instance: requestID)
        if let item = refusal.item {
            let reason = refusal.earlierItem.map { "Same reference as /transfers/\($0)" } ?? "Refused"
            errors = [FieldError(pointer: "/transfers/\(item)", detail: "\(reason); nothing in the batch was posted.")]
        }
    }

    init(_ failure: PostingFailure) {
        switch failure {
        case .overloaded(let seconds): self.init(.overloaded, retryAfterSeconds: seconds)
        case .outcomeUnknown: self.init(.outcomeUnknown, retryAfterSeconds: 1)
        case .unavailable: self.init(.unavailable, retryAfterSeconds: 1)
        case .internalError: self.init(ProblemCode.internalError)
        }
    }
}

extension TransferBatchItemBody {
    init(_ outcome: PostingOutcome, index: Int) {
        switch outcome {
        case .posted(let body, _): self = .posted(body.id)
        case .refused(let refusal, let requestID, _): self = .problem(Problem(refusal, requestID: requestID))
        case .keyReused(let pointer): self = .problem(.keyReused("/transfers/\(index)\(pointer)"))
        case .failed(let failure): self = .problem(Problem(failure))
        case .batchPosted, .holdPlaced, .holdCaptured, .holdEnded: self = .problem(Problem(.internalError))
        }
    }
}

extension Answer {
    /// - Throws: ``Problem`` for what is no outcome of the money itself.
    init(_ outcome: PostingOutcome) throws {
        switch outcome {
        case .posted(let body, let isReplay): self.init(.created, body, isReplay: isReplay)
        case .holdPlaced(let body, let isReplay): self.init(.created, body, isReplay: isReplay)
        case .holdCaptured(let body, let isReplay): self.init(.created, body, isReplay: isReplay)
        case .holdEnded(let body, let isReplay): self.init(.ok, body, isReplay: isReplay)
        case .refused(let refusal, let requestID, let isReplay):
            self.init(Problem(refusal, requestID: requestID), isReplay: isReplay)
        case .keyReused(let pointer): throw Problem.keyReused(pointer)
        case .failed(let failure): throw Problem(failure)
        // A batch has an answer of its own.
        case .batchPosted: throw Problem(.internalError)
        }
    }

    /// - Throws: ``Problem`` for what is no outcome of the money itself.
    init(_ outcome: TransferBatchOutcome) throws {
        switch outcome {
        case .posted(let ids, let isReplay):
            self.init(.created, TransferBatchBody(mode: .atomic, results: ids.map { .posted($0) }), isReplay: isReplay)
        case .decided(let outcomes, let isReplay):
            let results = outcomes.enumerated().map { TransferBatchItemBody($1, index: $0) }
            self.init(.ok, TransferBatchBody(mode: .independent, results: results), isReplay: isReplay)
        case .refused(let refusal, let requestID, let isReplay):
            self.init(Problem(refusal, requestID: requestID), isReplay: isReplay)
        case .keyReused(let pointer): throw Problem.keyReused(pointer)
        case .failed(let failure): throw Problem(failure)
        }
    }
}
