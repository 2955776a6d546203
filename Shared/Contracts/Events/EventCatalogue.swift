/// Every event type of the fleet.
///
/// The topology binds by it and names the types that nobody consumes; the AsyncAPI document, the schemas and the golden files are
/// compared with it, so that none is forgotten.
package enum EventCatalogue {
    package struct Entry: Sendable, Hashable {
        /// `ledger.transfer.posted.v1`, also the routing key.
        package let type: String
        /// The service that publishes it, which is its `source`.
        package let producer: String

        init(_ type: some EventType) {
            self.type = type.rawValue
            producer = type.producer
        }

        /// The first word, which all types of one producer share: `ledger`.
        package var area: Substring { EventCatalogue.area(of: type) }

        /// What the versions of an event have in common: `ledger.transfer.posted`.
        package var family: String { String(type[..<(type.lastIndex(of: ".") ?? type.endIndex)]) }

        /// 1 and up; 0 of a type that is not named by the rule.
        package var version: Int {
            let last = type.split(separator: ".").last ?? ""
            return last.hasPrefix("v") ? Int(last.dropFirst()) ?? 0 : 0
        }
    }

    /// In the order of their types.
    package static let entries: [Entry] = (LedgerEventType.allCases.map { Entry($0) } + RiskEventType.allCases.map { Entry($0) })
        .sorted { $0.type < $1.type }

    /// Who alone publishes events of a type, also of one that is newer than this catalogue; `nil` when the first word of the type is
    /// nobody's.
    package static func producer(of type: String) -> String? {
        entries.first { $0.area.utf8.elementsEqual(area(of: type).utf8) }?.producer
    }

    private static func area(of type: String) -> Substring { type.prefix { $0 != "." } }

    package static func entry(_ type: String) -> Entry? {
        entries.first { $0.type == type }
    }

    /// The highest version of a family, or `nil` when there is no such family. Older ones are published beside it until every consumer
    /// is bound to the new one.
    package static func newestVersion(of family: String) -> Int? {
        entries.filter { $0.family == family }.map(\.version).max()
    }
}

extension EventEnvelope {
    /// The payload of any type of the catalogue: for tools that show events and for tests. A consumer asks for its own by
    /// ``payload(as:)``.
    ///
    /// - Throws: ``EventFault``: `unsupportedType` when the catalogue has no such type, otherwise what is wrong with `data`.
    package func anyPayload() throws(EventFault) -> any EventPayload {
        if let type = LedgerEventType(rawValue: type) {
            switch type {
            case .walletOpened: return try payload(as: WalletOpened.self)
            case .walletStatusChanged: return try payload(as: WalletChangeBody.self)
            case .transferPosted, .transferRefunded: return try payload(as: TransferPosted.self)
            case .holdPlaced, .holdCaptured, .holdVoided, .holdExpired: return try payload(as: HoldChanged.self)
            }
        }
        if let type = RiskEventType(rawValue: type) {
            switch type {
            case .alertRaised: return try payload(as: RiskAlertRaised.self)
            case .alertResolved: return try payload(as: RiskAlertResolved.self)
            }
        }
        throw .unsupportedType
    }
}
