import ServiceRuntime
import Testing

@testable import Identity

@Suite struct IdentityConfigurationTests {
    private static let good = [
        "FLORIN_ENVIRONMENT": "staging", "IDENTITY_DATABASE_URL": "postgres://identity@db/identity", "REDIS_URL": "rediss://redis",
        "TOKEN_ISSUER": "https://id.example",
    ]

    private func load(_ changes: [String: String]) throws -> IdentityConfiguration {
        try IdentityConfiguration.load(environment: Self.good.merging(changes) { $1 }).service
    }

    @Test(arguments: ["https://id.example", "https://id.example:8443", "http://127.0.0.1:8101", "http://localhost", "https://[2001:db8::1]:444"])
    func `the issuer is an origin as browsers write it`(issuer: String) {
        #expect(throws: Never.self) { try load(["TOKEN_ISSUER": issuer]) }
    }

    @Test(arguments: [
        "https://id.example/", "https://id.example/path", "https://ID.example", "https://id.example:443", "http://id.example:80",
        "https://id.example:0", "https://id.example:08443", "https://id.example:", "https://id.exämple", "https://[::1", "https://[]",
        "https://[::A]", "https://:8443",
    ])
    func `an issuer under which no form would be accepted or no address found is refused at the start`(issuer: String) {
        let error = #expect(throws: InvalidConfiguration.self) { try load(["TOKEN_ISSUER": issuer]) }
        #expect(error?.description.contains("TOKEN_ISSUER") == true && error?.description.contains("origin") == true)
    }

    @Test func `in production the issuer is https, for its cookies are Secure`() throws {
        let production = ["FLORIN_ENVIRONMENT": "production"]
        #expect(throws: Never.self) { try load(production) }
        let error = #expect(throws: InvalidConfiguration.self) { try load(production.merging(["TOKEN_ISSUER": "http://id.example"]) { $1 }) }
        #expect(error?.description == "TOKEN_ISSUER: http:// is refused in production")
    }
}
