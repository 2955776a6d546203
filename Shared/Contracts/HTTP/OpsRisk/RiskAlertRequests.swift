package import StrictJSON

/// What an operator may add to a resolution: 1 to 500 characters.
private let noteLength = 1...500

/// `POST /v1/risk/alerts/{id}/resolve`.
package struct ResolveRiskAlertRequest: WireRequest {
    package let resolution: RiskResolution
    package let note: String?

    package init(resolution: RiskResolution, note: String? = nil) {
        self.resolution = resolution
        self.note = note
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        resolution = try object.choice("resolution")
        note = try object.optionalString("note", length: noteLength)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("resolution", resolution.rawValue)
            if let note { writer.member("note", note) }
        }
    }
}
