import Contracts
import StrictJSON
import TestSupport
import Testing

@Suite("Events: payloads")
struct EventPayloadTests {
    @Test("500 generated events of each type are written and read as the same", arguments: GeneratedEvents.typeNames)
    func roundTrip(type: String) async throws {
        var events = GeneratedEvents(seed: 4)
        var different: Set<[UInt8]> = []
        for _ in 0..<500 {
            let envelope = try events.envelope(type)
            #expect(envelope.type == type)
            let bytes = envelope.wireBytes()
            different.insert(bytes)
            let read = try EventEnvelope(reading: bytes)
            #expect(read == envelope)
            try checkSame(try read.anyPayload(), as: envelope)
            await Task.yield()
        }
        #expect(different.count == 500)
    }

    private func checkSame<Payload: EventPayload>(_ payload: Payload, as envelope: EventEnvelope) throws {
        #expect(try JSONParser.parse(payload.wireBytes()) == envelope.data)
        #expect(try envelope.payload(as: Payload.self) == payload)
        #expect(payload.type.rawValue == envelope.type)
        #expect(payload.subject == envelope.subject)
        #expect(payload.partitionKey == envelope.partitionKey)
    }

    @Test("members that a payload does not know are ignored at every level", arguments: Golden.names)
    func added(name: String) throws {
        let golden = try JSONParser.parse(Golden.bytes(name))
        let payload = try EventEnvelope(reading: Golden.bytes(name)).anyPayload().wireBytes()
        let additions = AlteredJSON.all(of: golden).filter { $0.change == "added" && $0.pointer.hasSuffix("/another") }
        #expect(additions.count >= 2)
        for addition in additions {
            #expect(try EventEnvelope(reading: addition.bytes).anyPayload().wireBytes() == payload, "\(addition.pointer)")
        }
    }

    /// What a golden file has that a reader can do without.
    private static let optional: Set = [
        "/datacontenttype", "/dataschema", "/traceparent", "/data/owner_id", "/data/reference", "/data/resolved_by", "/data/hold_id",
        "/data/legs/0/balance_after", "/data/legs/1/balance_after", "/data/user_id", "/data/expires_at",
    ]

    @Test("without one of its required members an event is refused, and the member is named", arguments: Golden.names)
    func missing(name: String) throws {
        let golden = try JSONParser.parse(Golden.bytes(name))
        let required = AlteredJSON.all(of: golden).filter { $0.change == "removed" && $0.value != golden }
        for altered in required where !altered.pointer.contains(/legs\/[01]$/) {
            let isOfHold = name.contains("hold") && ["/data/hold_id", "/data/expires_at"].contains(altered.pointer)
            let isOfUser = !name.contains("message") && altered.pointer == "/data/user_id"
            let isOptional = Self.optional.contains(altered.pointer) && !isOfHold && !isOfUser
            do {
                _ = try EventEnvelope(reading: altered.bytes).anyPayload()
                #expect(isOptional, "\(altered.pointer)")
            } catch {
                #expect(!isOptional, "\(altered.pointer): \(error)")
                guard case .member(let pointer, "Required.") = error else {
                    Issue.record("\(altered.pointer): \(error)")
                    continue
                }
                #expect(pointer == altered.pointer)
            }
        }
    }

    @Test(
        "a payload that contradicts itself, its type or its bounds is refused at that member",
        arguments: [
            ("ledger.transfer.posted.v1", #""kind":"transfer""#, #""kind":"refund""#, "/data/kind"),
            ("ledger.transfer.posted.v1", #""kind":"transfer""#, #""kind":"loan""#, "/data/kind"),
            ("ledger.transfer.posted.v1", #""amount":1250,"c"#, #""amount":0,"c"#, "/data/amount"),
            ("ledger.transfer.posted.v1", #""amount":1250,"c"#, #""amount":1250.0,"c"#, "/data/amount"),
            ("ledger.transfer.posted.v1", #""amount":1250,"c"#, #""amount":"1250","c"#, "/data/amount"),
            ("ledger.transfer.posted.v1", #""amount":1250,"c"#, #""amount":9007199254740992,"c"#, "/data/amount"),
            ("ledger.transfer.posted.v1", #""EUR""#, #""eur""#, "/data/currency"),
            ("ledger.transfer.posted.v1", #""amount":-1250"#, #""amount":1250"#, "/data/legs/0/amount"),
            ("ledger.transfer.posted.v1", #""amount":1250,"b"#, #""amount":-1250,"b"#, "/data/legs/1/amount"),
            ("ledger.transfer.posted.v1", #""wallet_version":3"#, #""wallet_version":0"#, "/data/legs/1/wallet_version"),
            ("ledger.transfer.posted.v1", #""wallet_version":3"#, #""wallet_version":null"#, "/data/legs/1/wallet_version"),
            ("ledger.transfer.posted.v1", #""balance_after":8750"#, #""balance_after":99999999999999999999"#, "/data/legs/0/balance_after"),
            ("ledger.transfer.refunded.v1", #""kind":"refund""#, #""kind":"deposit""#, "/data/kind"),
            ("ledger.hold.placed.v1", #""status":"open""#, #""status":"ajar""#, "/data/status"),
            ("ledger.hold.placed.v1", #""remaining_amount":1250"#, #""remaining_amount":-1"#, "/data/remaining_amount"),
            ("ledger.wallet.opened.v1", #""owner_id":"usr_"#, #""owner_id":"wal_"#, "/data/owner_id"),
            ("ledger.wallet.status_changed.v1", #""reason":"r""#, #""reason":"""#, "/data/reason"),
            ("ledger.transfer.posted.v1", #""subject":"trf_01jdd00000e00800000000000g""#, #""subject":"trf_01jdd00000e00800000000000h""#, "/subject"),
            (
                "ledger.transfer.posted.v1", #""partitionkey":"wal_01jdd00000e008000000000001""#,
                #""partitionkey":"wal_01jdd00000e008000000000002""#, "/partitionkey"
            ),
            ("risk.alert.raised.v1", #""rule":"high_value""#, #""rule":"velocity""#, "/data/count"),
            ("risk.alert.raised.v1", #""threshold":1000"#, #""threshold":0"#, "/data/threshold"),
            ("risk.alert.resolved.v1", #""resolution":"false_positive""#, #""resolution":"open""#, "/data/resolution"),
            ("identity.session.revoked.v1", #""reason":"ended_by_user""#, #""reason":"boredom""#, "/data/reason"),
            ("identity.session.revoked.v1", #""sid":"ses_"#, #""sid":"usr_"#, "/data/sid"),
            ("identity.session.started.v1", #""new_device":true"#, #""new_device":"true""#, "/data/new_device"),
            ("identity.sign_in.failed.v1", #""factor":"password""#, #""factor":"passkey""#, "/data/factor"),
            ("identity.mfa.changed.v1", #""change":"totp_enrolled""#, #""change":"totp""#, "/data/change"),
            ("identity.account.recovered.v1", #""multi_factor":true"#, #""multi_factor":1"#, "/data/multi_factor"),
            ("identity.message.requested.v1", #""kind":"recovery_code_mail""#, #""kind":"greeting""#, "/data/kind"),
            ("identity.message.requested.v1", #""locale":"de-CH""#, #""locale":"""#, "/data/locale"),
            ("identity.message.requested.v1", #""encapsulated_key":"AAEC"#, #""encapsulated_key":"AAE"#, "/data/sealed/encapsulated_key"),
            ("identity.message.requested.v1", #""ciphertext":"QEFC"#, #""ciphertext":"QEF-"#, "/data/sealed/ciphertext"),
            ("identity.message.requested.v1", #""user_id":"usr_"#, #""user_id":"msg_"#, "/data/user_id"),
        ])
    func contradictions(name: String, part: String, replacement: String, pointer: String) throws {
        let text = String(decoding: try Golden.bytes(name), as: UTF8.self)
        let changed = text.replacing(part, with: replacement)
        #expect(changed != text)
        let envelope = try EventEnvelope(reading: Array(changed.utf8))
        #expect {
            try envelope.anyPayload()
        } throws: { error in
            guard case .member(let found, _)? = error as? EventFault else { return false }
            return found == pointer
        }
    }
}
