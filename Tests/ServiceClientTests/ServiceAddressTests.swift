import HTTPTypes
import ServiceClient
import Testing

@Suite("Service addresses and retries")
struct ServiceAddressTests {
    @Test(
        "an address is scheme, host and port",
        arguments: [
            ("http://127.0.0.1:8103", "127.0.0.1:8103"), ("https://wallet-ledger.florin.svc", "wallet-ledger.florin.svc"),
            ("http://Ledger:80/", "ledger:80"), ("http://[::1]:8103", "[::1]:8103"),
        ])
    func accepted(text: String, authority: String) throws {
        #expect(try ServiceAddress(text).authority == authority)
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "ledger:8103", "ftp://ledger", "http://", "http://ledger/v1", "http://ledger?x", "http://user:pass@ledger", "http://ledger:0",
            "http://ledger:65536", "http://ledger:", "http://led ger", "http://[::1", "http://[::1]x", "http://ledger:80:81", "http://é",
        ])
    func refused(text: String) {
        #expect(throws: ServiceAddress.Invalid.self) { try ServiceAddress(text) }
    }

    @Test("full jitter stays within its bound and spreads")
    func jitter() {
        let pauses = (0..<200).map { _ in RetryPolicy.fullJitter(.milliseconds(50)) }
        #expect(pauses.allSatisfy { $0 >= .zero && $0 <= .milliseconds(50) })
        #expect(Set(pauses).count > 100)
    }

    @Test(
        "Retry-After counts seconds; anything else is ignored", arguments: [("0", 0), ("7", 7), ("", nil), ("-1", nil), ("1.5", nil), ("soon", nil)])
    func retryAfter(value: String, seconds: Int?) {
        #expect(ServiceResponse(status: 503, headerFields: [.retryAfter: value], body: []).retryAfterSeconds == seconds)
    }
}
