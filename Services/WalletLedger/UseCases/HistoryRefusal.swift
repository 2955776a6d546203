package import Contracts

/// Why a question about the past has no answer yet.
package enum HistoryRefusal: Error, Hashable {
    /// The time is younger than a batch may take; `newest` is the latest that may be asked for by now.
    case atTooRecent(parameter: String, newest: Timestamp)
    /// A batch that began before that time is still open, longer than any should be.
    case unsettled
}
