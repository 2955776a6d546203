import Contracts
import HTTPService
import HTTPTypes
import ServiceRuntime

/// Holds: placing, capturing, voiding, reading.
struct HoldRoutes {
    let holds: ManageHolds

    private static let payers = [LedgerGrants.user, LedgerGrants.clientWrites]

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/holds", grants: Self.payers) { request in
                let (origin, key) = try RequestOrigin.keyed(request)
                return try Answer(await holds.place(try request.decode(), origin, key: key))
            },
            Endpoint(.get, "/v1/holds/{id}", grants: [LedgerGrants.user, LedgerGrants.clientReads, LedgerGrants.staff]) { request in
                let body = try await holds.hold(try request.identifier(), try request.access, until: request.deadline)
                guard let body else { throw Problem(.notFound) }
                return Answer(.ok, body)
            },
            Endpoint(.post, "/v1/holds/{id}/capture", grants: Self.payers) { request in
                let (origin, key) = try RequestOrigin.keyed(request)
                let body: CaptureHoldRequest = try request.decode()
                return try Answer(await holds.capture(try request.identifier(), body, origin, key: key))
            },
            Endpoint(.post, "/v1/holds/{id}/void", grants: Self.payers + [LedgerGrants.staff]) { request in
                let (origin, key) = try RequestOrigin.keyed(request)
                let _: VoidHoldRequest = try request.decode()
                return try Answer(await holds.void(try request.identifier(), origin, key: key))
            },
        ]
    }
}
