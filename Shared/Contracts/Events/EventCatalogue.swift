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
    package static let entries: [Entry] = [
        entries(of: WalletEventType.self), entries(of: TransferEventType.self), entries(of: HoldEventType.self), entries(of: RiskEventType.self),
        entries(of: AccountEventType.self), entries(of: CredentialEventType.self), entries(of: SessionEventType.self),
        entries(of: MessageEventType.self),
    ].flatMap { $0 }.sorted { $0.type < $1.type }

    private static func entries<Name: EventType>(of: Name.Type) -> [Entry] { Name.allCases.map { Entry($0) } }

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
        if let type = WalletEventType(rawValue: type) {
            switch type {
            case .opened: return try payload(as: WalletOpenedEvent.self)
            case .statusChanged: return try payload(as: WalletStatusChangedEvent.self)
            }
        }
        if TransferEventType(rawValue: type) != nil { return try payload(as: TransferPostedEvent.self) }
        if HoldEventType(rawValue: type) != nil { return try payload(as: HoldChangedEvent.self) }
        if let type = RiskEventType(rawValue: type) {
            switch type {
            case .alertRaised: return try payload(as: RiskAlertRaisedEvent.self)
            case .alertResolved: return try payload(as: RiskAlertResolvedEvent.self)
            }
        }
        if MessageEventType(rawValue: type) != nil { return try payload(as: MessageRequestedEvent.self) }
        return try identityPayload()
    }

    private func identityPayload() throws(EventFault) -> any EventPayload {
        if let type = AccountEventType(rawValue: type) {
            switch type {
            case .registered: return try payload(as: UserRegisteredEvent.self)
            case .recovered: return try payload(as: AccountRecoveredEvent.self)
            }
        }
        if let type = CredentialEventType(rawValue: type) {
            switch type {
            case .mfaChanged: return try payload(as: MFAChangedEvent.self)
            case .signInFailed: return try payload(as: SignInFailedEvent.self)
            }
        }
        if let type = SessionEventType(rawValue: type) {
            switch type {
            case .started: return try payload(as: SessionStartedEvent.self)
            case .revoked: return try payload(as: SessionRevokedEvent.self)
            }
        }
        throw .unsupportedType
    }
}
