package import Contracts

/// How a keyed request was decided.
package enum RecordedOutcome: Sendable, Hashable {
    /// A posting, captures included.
    case posted(TransferID)
    case walletOpened(WalletID)
    case walletChanged(WalletID, version: Int64)
    /// `requestID` is the id under which it was first refused, so that the repeated answer is the same to the byte.
    case refused(Refusal, requestID: String)
    /// An atomic batch of so many transfers; see `TransferID.batchItem(_:)`.
    case batchPosted(first: TransferID, count: Int)
    /// An independent batch; its items have keys of their own.
    case batchTaken
    case holdPlaced(HoldID)
    case holdVoided(HoldID)
}
