import HTTPTypes
import Testing

@testable import Identity

@Suite("The network that a person's request comes from")
struct ClientNetworkTests {
    @Test(
        "is the /24 or the /64 of what the gateway says, an IPv4 address in IPv6's clothes included",
        arguments: [
            (#"ip="203.0.113.7""#, "203.0.113.0/24"), (#"ip="2001:db8:1:2:3::4""#, "2001:db8:1:2::/64"),
            (#"port=1, ip=203.0.113.255"#, "203.0.113.0/24"),
            (#"ip="::ffff:203.0.113.7""#, "203.0.113.0/24"), (#"ip="::FFFF:cb00:7107""#, "203.0.113.0/24"),
            (#"ip="::203.0.113.7""#, "0:0:0:0::/64"),
            (#"ip="::1""#, "0:0:0:0::/64"), (#"ip="203.0.113""#, "unknown"), (#"ip="""#, "unknown"), ("", "unknown"),
        ])
    func network(field: String, network: String) {
        var headers = HTTPFields()
        headers[HTTPField.Name("florin-client")!] = field
        #expect(ClientNetwork.of(headers) == network)
    }
}
