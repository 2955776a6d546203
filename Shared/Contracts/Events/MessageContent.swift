internal import StrictJSON

/// What is sealed in a ``MessageRequestedEvent``: whom the message goes to, and what only that person may read.
///
/// A reader ignores members that it does not know. No text of it holds a control character, so none can end a line of a mail's header.
package struct MessageContent: Sendable, Hashable {
    /// An e-mail address as its owner wrote it.
    package let address: String
    package let name: String?
    package let code: String?
    package let link: String?
    package let details: MessageDetails?

    private static let addressLength = 3...254
    private static let nameLength = 1...200
    private static let codeLength = 1...64
    private static let linkLength = 1...2_048

    package init(address: String, name: String? = nil, code: String? = nil, link: String? = nil, details: MessageDetails? = nil) {
        self.address = address
        self.name = name
        self.code = code
        self.link = link
        self.details = details
    }

    /// - Throws: ``RequestFault``, which names members and repeats no value.
    package init(bytes: some Collection<UInt8>) throws(RequestFault) {
        guard let value = try? JSONParser.parse(bytes) else {
            throw RequestFault(.malformedRequest, pointer: "", detail: "Must be JSON.")
        }
        var object = try JSONObjectReader(value)
        address = try object.string("address", length: Self.addressLength)
        name = try object.optionalString("name", length: Self.nameLength)
        code = try object.optionalString("code", length: Self.codeLength)
        link = try object.optionalString("link", length: Self.linkLength)
        details = try MessageDetails(reading: &object, member: "details")
    }

    /// What is to be sealed.
    package func wireBytes() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("address", address)
            if let name { writer.member("name", name) }
            if let code { writer.member("code", code) }
            if let link { writer.member("link", link) }
            if let details {
                writer.name("details")
                details.encode(into: &writer)
            }
        }
        return writer.bytes
    }
}

/// What happened, where, by which device, and when.
package struct MessageDetails: Sendable, Hashable {
    /// What became of a second factor.
    package enum FactorChange: String, Sendable, Hashable, CaseIterable {
        case totpAdded = "totp_added"
        case totpRemoved = "totp_removed"
        case recoveryCodesReplaced = "recovery_codes_replaced"
        case recoveryCodeUsed = "recovery_code_used"
    }

    /// The browser or app, like `Firefox on Windows`.
    package let device: String?
    package let place: String?
    package let at: Timestamp?
    package let change: FactorChange?

    private static let textLength = 1...200

    package init(device: String? = nil, place: String? = nil, at: Timestamp? = nil, change: FactorChange? = nil) {
        self.device = device
        self.place = place
        self.at = at
        self.change = change
    }

    fileprivate init?(reading parent: inout JSONObjectReader, member: String) throws(RequestFault) {
        guard let value = parent.take(member), value != .null else { return nil }
        var object = try JSONObjectReader(value, pointer: parent.pointer(to: member))
        device = try object.optionalString("device", length: Self.textLength)
        place = try object.optionalString("place", length: Self.textLength)
        at = try object.optionalTime("at")
        change = try object.optionalChoice("change")
    }

    fileprivate func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            if let device { writer.member("device", device) }
            if let place { writer.member("place", place) }
            if let at { writer.member("at", at.description) }
            if let change { writer.member("change", change.rawValue) }
        }
    }
}
