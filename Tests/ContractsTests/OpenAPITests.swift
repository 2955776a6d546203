import Contracts
import Fleet
import Foundation
import StrictJSON
import Testing

typealias JSONObject = [String: any Sendable]

/// The OpenAPI document of a service.
struct OpenAPIDocument {
    static let services = Set(Fleet.services.filter { $0.api != nil }.map(\.name) + ["identity"]).sorted()
    /// Those of services that have problems of their own.
    private static let ownCodes = [
        "wallet-ledger": ProblemCode.walletLedger, "ops-risk": ProblemCode.opsRisk,
        "identity": ProblemCode.doors + ProblemCode.oauth + ProblemCode.accounts,
    ]
    /// How many operations each has.
    static let operationCounts = ["wallet-ledger": 22, "ops-risk": 2, "identity": 33]

    /// The problems that a service can answer with.
    static func codes(of service: String) -> [ProblemCode] { ProblemCode.common + (ownCodes[service] ?? []) }

    let root: JSONObject

    init(of service: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "Shared/Contracts/OpenAPI/\(service).json"))
        self.root = try #require(try JSONSerialization.jsonObject(with: data) as? JSONObject)
    }

    func object(_ path: String...) throws -> JSONObject {
        var current = root
        for name in path { current = try #require(current[name] as? JSONObject, "\(path)") }
        return current
    }

    func schema(_ name: String) throws -> JSONObject { try object("components", "schemas", name) }
}

@Suite("OpenAPI documents")
struct OpenAPITests {
    private let ledger: OpenAPIDocument
    private let risk: OpenAPIDocument

    init() throws {
        ledger = try OpenAPIDocument(of: "wallet-ledger")
        risk = try OpenAPIDocument(of: "ops-risk")
    }

    @Test("each is version 3.1 and has every code of its service, each with its row in the table", arguments: OpenAPIDocument.services)
    func codes(of service: String) throws {
        let document = try OpenAPIDocument(of: service)
        #expect((document.root["openapi"] as? String)?.hasPrefix("3.1.") == true)
        #expect(try document.schema("ProblemCode")["enum"] as? [String] == OpenAPIDocument.codes(of: service).map(\.rawValue))
        let description = try #require(try document.object("info")["description"] as? String)
        for code in OpenAPIDocument.codes(of: service) {
            #expect(description.contains("| `\(code.rawValue)` | \(code.status) | \(code.title) |"))
        }
    }

    @Test("their values are those of the contracts")
    func enumerations() throws {
        #expect(try ledger.schema("KnownCurrency")["enum"] as? [String] == Currency.all.map(\.code))
        #expect(try ledger.schema("ActiveCurrency")["enum"] as? [String] == Currency.active.map(\.code))
        #expect(try ledger.schema("WalletStatus")["enum"] as? [String] == WalletStatus.allCases.map(\.rawValue))
        #expect(try ledger.schema("PostingKind")["enum"] as? [String] == PostingKind.allCases.map(\.rawValue))
        #expect(try ledger.schema("HoldStatus")["enum"] as? [String] == HoldStatus.allCases.map(\.rawValue))
        #expect((try ledger.schema("Amount")["maximum"] as? NSNumber)?.int64Value == MinorUnits.maximum)
        #expect((try ledger.schema("Amount")["minimum"] as? NSNumber)?.int64Value == 1)
        #expect(try risk.schema("RiskRule")["enum"] as? [String] == RiskRule.allCases.map(\.rawValue))
        #expect(try risk.schema("RiskResolution")["enum"] as? [String] == RiskResolution.allCases.map(\.rawValue))
        #expect(try risk.schema("RiskAlertStatus")["enum"] as? [String] == RiskAlertStatus.allCases.map(\.rawValue))
    }

    @Test("what both have is the same in both, but for the codes, of which each service has its own")
    func shared() throws {
        for part in ["schemas", "parameters", "headers", "responses"] {
            let (ours, others) = (try ledger.object("components", part), try risk.object("components", part))
            for name in Set(ours.keys).intersection(others.keys) where name != "ProblemCode" {
                let (left, right) = (ours[name] as? NSDictionary, others[name] as? NSDictionary)
                #expect(left != nil && left == right, "\(part)/\(name)")
            }
        }
    }

    @Test(
        "an answer's schema has the members that the body has",
        arguments: [
            ("WalletOpened", Samples.openedBody.wireBytes()), ("Wallet", Samples.walletBody.wireBytes()), ("Balance", Samples.balance.wireBytes()),
            ("WalletChange", Samples.changeBody.wireBytes()), ("Entry", Samples.entry.wireBytes()),
            ("Transfer", Samples.captureTransfer.wireBytes()), ("Hold", Samples.hold.wireBytes()),
            ("HoldCaptured", Samples.captured.wireBytes()), ("HoldVoided", Samples.voided.wireBytes()),
            ("TransferBatch", Samples.batch.wireBytes()),
            ("EntryPage", PageBody(items: [Samples.entry], nextCursor: "c").wireBytes()),
            ("WalletPage", PageBody(items: [Samples.walletBody], nextCursor: "c").wireBytes()),
            ("TransferPage", PageBody(items: [Samples.transfer], nextCursor: "c").wireBytes()),
            ("PastBalance", Samples.pastBalance.wireBytes()), ("Statement", Samples.statement.wireBytes()),
            (
                "Problem",
                Problem(.notFound, detail: "d", instance: "i", errors: [FieldError(pointer: "/a", detail: "x")]).wireBytes()
            ),
        ])
    func answers(name: String, body: [UInt8]) throws {
        let members = try #require(try JSONParser.parse(body).objectValue).map(\.name)
        let properties = try #require(try ledger.schema(name)["properties"] as? JSONObject)
        #expect(Set(members) == Set(properties.keys))
    }

    @Test("a transfer's required members are those that every transfer has")
    func required() throws {
        let members = try #require(try JSONParser.parse(Samples.bareTransfer.wireBytes()).objectValue).map(\.name)
        #expect(try ledger.schema("Transfer")["required"] as? [String] == members)
        let problem = try #require(try JSONParser.parse(Problem(.notFound).wireBytes()).objectValue).map(\.name)
        #expect(try ledger.schema("Problem")["required"] as? [String] == problem)
    }

    @Test("an alert's schema has every member that an alert may have, and requires those that each has")
    func alerts() throws {
        func names(_ body: some WireEncodable) throws -> Set<String> {
            Set(try #require(try JSONParser.parse(body.wireBytes()).objectValue).map(\.name))
        }
        let (open, resolved) = (try names(Samples.openAlert), try names(Samples.alert))
        let properties = try #require(try risk.schema("RiskAlert")["properties"] as? JSONObject)
        #expect(Set(properties.keys) == open.union(resolved))
        #expect(Set(try #require(try risk.schema("RiskAlert")["required"] as? [String])) == open.intersection(resolved))
        let page = try names(PageBody(items: [Samples.alert], nextCursor: "c"))
        #expect(Set(try #require(try risk.schema("RiskAlertPage")["properties"] as? JSONObject).keys) == page)
    }

    @Test("a request's schema is closed, and each of its members is known to the reader")
    func requests() throws {
        try check("OpenWalletRequest", OpenWalletRequest.self)
        try check("TransferRequest", TransferRequest.self)
        try check("FundingRequest", FundingRequest.self)
        try check("RefundRequest", RefundRequest.self)
        try check("FreezeWalletRequest", FreezeWalletRequest.self)
        try check("ReasonRequest", ReasonRequest.self)
        try check("OverdraftLimitRequest", OverdraftLimitRequest.self)
        try check("TransferBatchRequest", TransferBatchRequest.self)
        try check("PlaceHoldRequest", PlaceHoldRequest.self)
        try check("CaptureHoldRequest", CaptureHoldRequest.self)
        try check("VoidHoldRequest", VoidHoldRequest.self)
        try check("ResolveRiskAlertRequest", ResolveRiskAlertRequest.self, in: risk)
        let identity = try OpenAPIDocument(of: "identity")
        try check("RegisterUserRequest", RegisterUserRequest.self, in: identity)
        try check("VerifyEmailRequest", VerifyEmailRequest.self, in: identity)
        try check("RecoveryRequest", RecoveryRequest.self, in: identity)
        try check("CompleteRecoveryRequest", CompleteRecoveryRequest.self, in: identity)
        try check("ChangeProfileRequest", ChangeProfileRequest.self, in: identity)
        try check("ResolveUserRequest", ResolveUserRequest.self, in: identity)
        try check("RenameDeviceRequest", RenameDeviceRequest.self, in: identity)
    }

    /// Reads a body with all the schema's members and one besides: only that one may be unknown.
    private func check<Body: WireDecodable>(_ name: String, _ type: Body.Type, in document: OpenAPIDocument? = nil) throws {
        let schema = try (document ?? ledger).schema(name)
        #expect(schema["additionalProperties"] as? Bool == false)
        let values = [
            "owner_id": #""\#(Samples.owner)""#, "currency": #""EUR""#, "source_wallet_id": #""\#(Samples.wallet)""#,
            "destination_wallet_id": #""\#(Samples.other)""#, "wallet_id": #""\#(Samples.wallet)""#, "amount": "1", "reference": #""r""#,
            "block": #""all""#, "reason": #""r""#, "resolution": #""confirmed""#, "note": #""n""#, "limit": "1", "expires_in": "60", "final": "true",
            "mode": #""atomic""#, "email": #""a@example.com""#, "password": #""p""#, "new_password": #""p""#, "name": #""Ana""#, "locale": #""de""#,
            "flow": #""f""#, "code": #""123456""#, "second_factor": #""654321""#,
            "transfers": #"[{"source_wallet_id":"\#(Samples.wallet)","destination_wallet_id":"\#(Samples.other)","amount":1,"currency":"EUR"}]"#,
        ]
        let schemas = try #require(schema["properties"] as? JSONObject)
        let properties = schemas.keys.sorted()
        let members = try properties.map { #""\#($0)":\#(try #require(values[$0]))"# }
        #expect(throws: Never.self, "\(name)") { try Body(wireBytes: Array("{\(members.joined(separator: ","))}".utf8)) }
        let other = #"{\#((members + [#""another":1"#]).joined(separator: ","))}"#
        #expect { try Body(wireBytes: Array(other.utf8)) } throws: { ($0 as? RequestFault)?.errors.map(\.pointer) == ["/another"] }
        // Without a required member it is refused, without any other it is not.
        let required = Set(schema["required"] as? [String] ?? [])
        for left in properties {
            let others = members.filter { !$0.hasPrefix(#""\#(left)""#) }
            func isRead(_ members: [String]) -> Bool { (try? Body(wireBytes: Array("{\(members.joined(separator: ","))}".utf8))) != nil }
            // Members that stand together: all of them with values, or none.
            let together = (schema["anyOf"] as? [JSONObject])?.compactMap { $0["required"] as? [String] } ?? []
            let isDependent = together.contains { $0.contains(left) }
            let isOptional = !required.contains(left)
            #expect(isRead(others) == (isOptional && !isDependent), "\(name) without \(left)")
            // null says that it is left out, and the document says where that may be said.
            #expect(isRead(others + [#""\#(left)":null"#]) == isRead(others), "\(name) with \(left) null")
            #expect(Self.takesNull(schemas[left]) == isOptional, "\(name) with \(left) null")
        }
    }

    private static func takesNull(_ schema: Any?) -> Bool {
        let schema = schema as? JSONObject
        if let choices = schema?["anyOf"] as? [JSONObject] { return choices.contains { takesNull($0) } }
        return schema?["type"] as? String == "null" || (schema?["type"] as? [String])?.contains("null") == true
    }

    @Test(
        "every operation has an id of its own, and every refusal is a problem whose codes have that status, or an error of OAuth",
        arguments: OpenAPIDocument.services)
    func operations(of service: String) throws {
        let document = try OpenAPIDocument(of: service)
        var ids: [String] = []
        let responses = try document.object("components", "responses")
        for (path, item) in try document.object("paths") {
            for (method, operation) in try #require(item as? JSONObject) {
                let operation = try #require(operation as? JSONObject)
                ids.append(try #require(operation["operationId"] as? String, "\(method) \(path)"))
                for (status, response) in try #require(operation["responses"] as? JSONObject) where ["4", "5"].contains(status.first) {
                    var response = try #require(response as? JSONObject)
                    if let reference = response["$ref"] as? String {
                        response = try #require(responses[String(reference.split(separator: "/").last ?? "")] as? JSONObject)
                    }
                    let content = try #require(response["content"] as? JSONObject)
                    // A page, for a person.
                    if content["text/html"] != nil { continue }
                    if path.hasPrefix("/oauth2/"), let media = content["application/json"] as? JSONObject {
                        let parts = try #require((media["schema"] as? JSONObject)?["allOf"] as? [JSONObject])
                        #expect(parts.first?["$ref"] as? String == "#/components/schemas/OAuthError", "\(method) \(path) \(status)")
                        continue
                    }
                    let media = try #require(content[Problem.mediaType] as? JSONObject, "\(method) \(path) \(status)")
                    let parts = try #require((media["schema"] as? JSONObject)?["allOf"] as? [JSONObject])
                    let code = try #require((parts.last?["properties"] as? JSONObject)?["code"] as? JSONObject)
                    for code in try #require(code["enum"] as? [String]) {
                        let known = OpenAPIDocument.codes(of: service).first { $0.rawValue == code }
                        #expect(known.map { String($0.status) } == status, "\(method) \(path) \(code)")
                    }
                }
            }
        }
        #expect(ids.count == OpenAPIDocument.operationCounts[service])
        #expect(Set(ids).count == ids.count)
    }

    @Test(
        "each route is there with every status that it can answer, and takes a key where one is needed",
        arguments: [
            ("post /v1/wallets", "201", "OptionalIdempotencyKey"), ("get /v1/wallets/{id}", "200", nil),
            ("get /v1/wallets", "200", nil), ("get /v1/transfers", "200", nil), ("get /v1/wallets/{id}/statement", "200", nil),
            ("get /v1/wallets/{id}/balance", "200", nil), ("get /v1/wallets/{id}/entries", "200", nil),
            ("post /v1/wallets/{id}/freeze", "200", "OptionalIdempotencyKey"),
            ("post /v1/wallets/{id}/unfreeze", "200", "OptionalIdempotencyKey"),
            ("post /v1/wallets/{id}/close", "200", "OptionalIdempotencyKey"),
            ("put /v1/wallets/{id}/overdraft-limit", "200", "OptionalIdempotencyKey"),
            ("post /v1/transfers", "201", "RequiredIdempotencyKey"), ("get /v1/transfers/{id}", "200", nil),
            ("post /v1/transfers/{id}/refunds", "201", "RequiredIdempotencyKey"), ("post /v1/deposits", "201", "RequiredIdempotencyKey"),
            ("post /v1/withdrawals", "201", "RequiredIdempotencyKey"), ("get /v1/risk/alerts", "200", nil),
            ("post /v1/risk/alerts/{id}/resolve", "200", "OptionalIdempotencyKey"),
        ] as [(String, String, String?)])
    func statuses(route: String, success: String, key: String?) throws {
        let parts = route.split(separator: " ").map(String.init)
        let document = parts[1].hasPrefix("/v1/risk/") ? risk : ledger
        let operation = try document.object("paths", parts[1], parts[0])
        var expected: Set = [success, "400", "401", "403", "404", "405", "413", "500", "503"]
        if parts[0] != "get" { expected.formUnion(["409", "415", "422"]) }
        #expect(Set(try #require(operation["responses"] as? JSONObject).keys) == expected)
        let parameters = try #require(operation["parameters"] as? [JSONObject]).compactMap { $0["$ref"] as? String }
        let keys = parameters.filter { $0.hasSuffix("IdempotencyKey") }
        #expect(keys == (key.map { ["#/components/parameters/\($0)"] } ?? []))
    }
}
