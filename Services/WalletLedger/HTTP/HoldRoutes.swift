import Contracts
import HTTPService
import HTTPTypes
import ServiceRuntime

/// Holds: placing, capturing, voiding, reading.
struct HoldRoutes {
    let holds: ManageHolds

    private static let payers = TokenAccess.signedWithToken([LedgerGrants.user, LedgerGrants.clientWrites])
    private static let payersAndStaff = TokenAccess.signedWithToken([LedgerGrants.user, LedgerGrants.clientWrites, LedgerGrants.staff])
    private static let readers = TokenAccess.signedWithToken(LedgerGrants.readers)

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/holds", access: Self.payers, body: .json, keepsKey: true, handler: place),
            Endpoint(.get, "/v1/holds/{id}", access: Self.readers, handler: hold),
            Endpoint(.post, "/v1/holds/{id}/capture", access: Self.payers, body: .json, keepsKey: true, handler: capture),
            Endpoint(.post, "/v1/holds/{id}/void", access: Self.payersAndStaff, body: .json, keepsKey: true, handler: void),
        ]
    }

    private func place(_ request: AuthenticatedRequest) async throws -> Answer {
        let (origin, key) = try RequestOrigin.keyed(request)
        return try Answer(await holds.place(try request.decode(PlaceHoldRequest.self), origin, key: key))
    }

    private func hold(_ request: AuthenticatedRequest) async throws -> Answer {
        let body = try await holds.hold(try request.identifier(), try request.access, until: request.deadline)
        guard let body else { throw Problem(.notFound) }
        return Answer(.ok, body)
    }

    private func capture(_ request: AuthenticatedRequest) async throws -> Answer {
        let (origin, key) = try RequestOrigin.keyed(request)
        let body = try request.decode(CaptureHoldRequest.self)
        return try Answer(await holds.capture(try request.identifier(), body, origin, key: key))
    }

    private func void(_ request: AuthenticatedRequest) async throws -> Answer {
        let (origin, key) = try RequestOrigin.keyed(request)
        _ = try request.decode(VoidHoldRequest.self)
        return try Answer(await holds.void(try request.identifier(), origin, key: key))
    }
}
