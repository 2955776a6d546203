package import StrictJSON

/// The answer to `GET /v1/me` and `PATCH /v1/me`.
package struct ProfileBody: WireBody {
    package let id: UserID
    /// As it was typed; always proven.
    package let email: String
    package let name: String?
    package let locale: String
    package let roles: [UserRole]
    package let createdAt: Timestamp

    private static let roleCount = 0...UserRole.allCases.count

    package init(id: UserID, email: String, name: String?, locale: String, roles: [UserRole], createdAt: Timestamp) {
        self.id = id
        self.email = email
        self.name = name
        self.locale = locale
        self.roles = roles
        self.createdAt = createdAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        email = try object.text("email")
        name = try object.optionalText("name")
        locale = try object.text("locale")
        roles = try object.choices("roles", count: Self.roleCount)
        createdAt = try object.time("created_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("email", email)
            if let name { writer.member("name", name) }
            writer.member("locale", locale)
            writer.name("roles")
            writer.array { writer in for role in roles { writer.string(role.rawValue) } }
            writer.member("created_at", createdAt.description)
        }
    }
}

/// `PATCH /v1/me`. What is left out stays as it is; address and roles can't be changed by their owner.
package struct ChangeProfileRequest: WireRequest {
    package let name: String?
    package let locale: String?

    package init(name: String? = nil, locale: String? = nil) {
        self.name = name
        self.locale = locale
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        name = try object.optionalPersonName()
        locale = try object.optionalLocale()
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            if let name { writer.member("name", name) }
            if let locale { writer.member("locale", locale) }
        }
    }
}
