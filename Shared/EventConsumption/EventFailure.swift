package import EventBroker
internal import ServiceRuntime

/// Why an event could not be applied, and so what becomes of it.
///
/// A handler throws one where it knows; what else it throws counts as transient. The reason is stored and logged: it must say nothing of
/// what the event holds.
package struct EventFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package typealias Kind = DeadLetterClass

    package let kind: Kind
    package let reason: String

    /// Longer reasons are cut.
    package static let maximumReasonCharacters = 500

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = String(PlainLine.text(reason).prefix(Self.maximumReasonCharacters))
    }

    package static func transient(_ reason: String) -> EventFailure { EventFailure(.transient, reason) }
    package static func poison(_ reason: String) -> EventFailure { EventFailure(.poison, reason) }
    package static func refused(_ reason: String) -> EventFailure { EventFailure(.refused, reason) }
    package static func unsupported(_ reason: String) -> EventFailure { EventFailure(.unsupported, reason) }
    package static func forged(_ reason: String) -> EventFailure { EventFailure(.forged, reason) }

    package var description: String { "\(kind.rawValue): \(reason)" }
}
