import Contracts
import StrictJSON
import Testing

@Suite("What is sealed in a message")
struct MessageContentTests {
    private static let full = MessageContent(
        address: "anna@example.org", name: "Anna", code: "123456", link: "https://florin.example",
        details: MessageDetails(device: "Firefox", place: "Bern", at: Samples.time, change: .totpRemoved))

    @Test("it is read as it was written, with all members and with the address alone, and unknown members are ignored")
    func roundTrip() throws {
        for content in [Self.full, MessageContent(address: "a@b"), MessageContent(address: "a@b", details: MessageDetails())] {
            #expect(try MessageContent(bytes: content.wireBytes()) == content)
        }
        for addition in AlteredJSON.all(of: try JSONParser.parse(Self.full.wireBytes())) where addition.change == "added" {
            #expect(try MessageContent(bytes: addition.bytes) == Self.full)
        }
    }

    @Test(
        "NT-03: a line break or NUL in a text is refused at its member, and no value is repeated",
        arguments: ["address", "name", "code", "link"], ["\r\n", "\n", "\r", "\u{0}", "\u{7F}"])
    func lineBreaks(member: String, character: String) {
        let bad = "anna@example.org\(character)Bcc: x@example.net"
        let content = MessageContent(
            address: member == "address" ? bad : "a@b", name: member == "name" ? bad : nil, code: member == "code" ? bad : nil,
            link: member == "link" ? bad : nil)
        let fault = #expect(throws: RequestFault.self) { try MessageContent(bytes: content.wireBytes()) }
        #expect(fault?.errors.first?.pointer == "/\(member)")
        #expect(fault.map { "\($0)".contains("Bcc") } == false)
    }

    @Test("what is not JSON, has no address or a change that nobody knows is refused")
    func refused() {
        for text in ["", "{}", "[]", #"{"address":""}"#, #"{"address":"a@b","details":{"change":"x"}}"#, #"{"address":"a@b","details":[]}"#] {
            #expect(throws: RequestFault.self) { try MessageContent(bytes: Array(text.utf8)) }
        }
    }
}
