import Contracts
import StrictJSON
import TestSupport
import Testing

@Suite("Events: reading")
struct EventReadingTests {
    private static func event(_ changes: [(String, String?)] = [], more: String = "") -> [UInt8] {
        var members = [
            ("specversion", #""1.0""#), ("id", #""\#(Samples.eventID)""#), ("source", #""wallet-ledger""#),
            ("type", #""ledger.wallet.opened.v1""#), ("subject", #""\#(Samples.wallet)""#), ("time", #""2025-11-21T04:40:00.123Z""#),
            ("partitionkey", #""\#(Samples.wallet)""#), ("data", #"{"any":1}"#),
        ]
        for (name, value) in changes {
            members.removeAll { $0.0 == name }
            if let value { members.append((name, value)) }
        }
        return Array("{\(members.map { #""\#($0.0)":\#($0.1)"# }.joined(separator: ","))\(more)}".utf8)
    }

    private func fault(_ bytes: [UInt8]) -> EventFault? {
        do throws(EventFault) {
            _ = try EventEnvelope(reading: bytes).anyPayload()
            return nil
        } catch {
            return error
        }
    }

    @Test("an event with nothing but what is required is read, whatever else it has is ignored")
    func lenient() throws {
        let bare = try EventEnvelope(reading: Self.event())
        #expect(bare.id == Samples.eventID)
        #expect(bare.source == "wallet-ledger")
        #expect(bare.time == Samples.time)
        #expect(bare.traceparent == nil)
        #expect(bare.data["any"] == .number("1"))
        let schema = #","dataschema":"urn:florin:schema:ledger.wallet.opened.v1""#
        let more = schema + #","sequence":"7","flag":true,"another":{"a":[1,null]},"datacontenttype":null"#
        #expect(try EventEnvelope(reading: Self.event(more: more)) == bare)
        let finer = try EventEnvelope(reading: Self.event([("time", #""2025-11-21T05:40:00.123999+01:00""#)]))
        #expect(finer.time == Samples.time)
        #expect(try EventEnvelope(reading: Self.event([("datacontenttype", #""Application/JSON; charset=utf-8""#)])) == bare)
    }

    @Test(
        "a trace that is none is left out, and the event is read",
        arguments: [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true), ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\\n", false), ("", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false), ("00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01", false),
        ])
    func traces(text: String, isRead: Bool) throws {
        #expect(try EventEnvelope(reading: Self.event(more: #","traceparent":"\#(text)""#)).traceparent == (isRead ? text : nil))
        #expect(try EventEnvelope(reading: Self.event(more: #","traceparent":7"#)).traceparent == nil)
    }

    @Test(
        "an envelope without what is required, or with something else in its place, is refused and the member named",
        arguments: [
            ("specversion", [nil, "1.0", #""0.3""#, #""1.1""#, #""1.00""#, "null", #""""#]),
            ("id", [nil, "7", #""evt_x""#, #""01935a00-0000-7000-8000-000000000030""#, #""\#(Samples.wallet)""#]),
            ("source", [nil, #""""#, "[]", "\"a\\u0000\""]), ("type", [nil, #""""#, "{}", #""\#(String(repeating: "t", count: 256))""#]),
            ("subject", [nil, "1", #""""#]), ("time", [nil, "1763700000", #""2025-11-21""#, #""2025-02-29T00:00:00Z""#, #""""#]),
            ("partitionkey", [nil, "null", #""""#, "true"]), ("data", [nil, "null", "[]", #""{}""#, "1"]),
            ("datacontenttype", [#""text/xml""#, "1"]),
            ("dataschema", [#""https://example.org/x""#, #""urn:florin:schema:ledger.wallet.opened.v2""#, "1", #""""#]),
        ] as [(String, [String?])])
    func badEnvelope(name: String, values: [String?]) {
        for value in values {
            guard case .member("/\(name)", _)? = fault(Self.event([(name, value)])) else {
                Issue.record("\(name) \(value ?? "removed"): \(fault(Self.event([(name, value)]))?.description ?? "read")")
                continue
            }
        }
    }

    @Test(
        "what is no JSON object, or not unambiguous, is refused",
        arguments: ["", "null", "[]", "7", #""x""#, "{", #"{"specversion":"1.0","specversion":"1.0"}"#, "\u{FEFF}{}", "{}{}", "not json"])
    func noObject(text: String) {
        #expect(fault(Array(text.utf8)) != nil)
        let twice = Self.event(more: #","id":"\#(Samples.eventID)""#)
        guard case .notJSON(let error)? = fault(twice) else { return #expect(Bool(false)) }
        #expect(error.reason == .duplicateMember)
    }

    @Test("size and depth are bounded")
    func bounds() throws {
        func padded(_ size: Int) -> [UInt8] {
            let space = size - Self.event(more: #","pad":"""#).count
            return Self.event(more: #","pad":"\#(String(repeating: "x", count: space))""#)
        }
        #expect(padded(EventEnvelope.maximumBytes).count == EventEnvelope.maximumBytes)
        _ = try EventEnvelope(reading: padded(EventEnvelope.maximumBytes))
        #expect(fault(padded(EventEnvelope.maximumBytes + 1)) == .tooLarge(bytes: EventEnvelope.maximumBytes + 1))
        func nested(_ depth: Int) -> [UInt8] {
            Self.event(more: #","deep":\#(String(repeating: "[", count: depth))\#(String(repeating: "]", count: depth))"#)
        }
        _ = try EventEnvelope(reading: nested(JSONParser.maximumDepth - 1))
        guard case .notJSON(let error)? = fault(nested(JSONParser.maximumDepth)) else { return #expect(Bool(false)) }
        #expect(error.reason == .tooDeep)
    }

    @Test("an event cut at any byte is refused", arguments: Golden.names)
    func cut(name: String) throws {
        let bytes = try Golden.bytes(name)
        // Without its line feed it is whole.
        for count in 0..<(bytes.count - 1) {
            guard case .notJSON? = fault(Array(bytes[..<count])) else {
                Issue.record("cut at \(count)")
                return
            }
        }
        #expect(fault(Array(bytes.dropLast())) == nil)
    }

    @Test("a payload is read by its own type only")
    func types() throws {
        let transfer = try EventEnvelope(reading: Golden.bytes("ledger.transfer.posted.v1"))
        #expect(try transfer.payload(as: TransferPostedEvent.self) == Samples.posted)
        #expect(throws: EventFault.unsupportedType) { try transfer.payload(as: HoldChangedEvent.self) }
        #expect(throws: EventFault.unsupportedType) { try transfer.payload(as: RiskAlertRaisedEvent.self) }
        for type in ["ledger.transfer.posted.v2", "ledger.transfer.posted", "", "x"] where !type.isEmpty {
            let other = try EventEnvelope(reading: Self.event([("type", #""\#(type)""#)]))
            #expect(throws: EventFault.unsupportedType) { try other.payload(as: TransferPostedEvent.self) }
            #expect(throws: EventFault.unsupportedType) { try other.anyPayload() }
        }
    }

    @Test("a fault names members and rules, and never a value", arguments: Golden.names)
    func silent(name: String) throws {
        let marker = "S3CRET"
        let golden = try JSONParser.parse(Golden.bytes(name))
        var refused = 0
        for altered in AlteredJSON.all(of: golden) {
            let text = String(decoding: altered.bytes, as: UTF8.self)
            for place in [#""x""#, #""another""#] {
                guard let fault = fault(Array(text.replacing(place, with: "\"\(marker)\"").utf8)) else { continue }
                refused += 1
                #expect(!fault.description.contains(marker))
                #expect(!fault.description.contains("01jdd0"), "\(fault)")
            }
        }
        #expect(refused > 200)
    }
}
