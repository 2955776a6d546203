import Crypto
import Fleetctl
import Foundation
import HTTPTypes
import RequestSigning
import Testing

@Suite("Rotation of signing keys: what each stage changes and when")
struct KeyRotationTests {
    typealias Pair = SigningKeyGenerator.Pair
    typealias Stage = KeyRotation.Stage

    static let start: Int64 = 1_790_000_000
    static let propagation: Int64 = 180
    static let mobile = Pair(caller: "mobile-bff", callee: "wallet-ledger")
    static let gateway = Pair(caller: "api-gateway", callee: "wallet-ledger")
    static let risk = Pair(caller: "wallet-ledger", callee: "ops-risk")
    static let all = [mobile, gateway, risk]

    /// A folder's files by service, and the stages done to them.
    struct Folder {
        var files: [String: SigningKeys]

        init(_ pairs: [Pair] = KeyRotationTests.all) throws {
            var generator = SystemRandomNumberGenerator()
            let keys = try SigningKeyGenerator.generate(pairs: pairs, now: start, using: &generator)
            files = Dictionary(uniqueKeysWithValues: keys.map { ($0.service, $0) })
        }

        @discardableResult
        mutating func rotate(_ stage: Stage, only pair: Pair? = nil, at now: Int64 = start, force: Bool = false) throws -> KeyRotation.Plan {
            var generator = SystemRandomNumberGenerator()
            let rotation = KeyRotation(stage: stage, only: pair, propagationSeconds: propagation, now: now, force: force)
            let plan = try rotation.plan(files, using: &generator)
            for keys in plan.files { files[keys.service] = keys }
            return plan
        }

        /// Whether the callee accepts at a time what the caller signed then, with the keys as they were in these two folders.
        static func accepts(_ pair: Pair, caller: Folder, callee: Folder, at now: Int64) throws -> Bool {
            let signer = RequestSigner(keys: SigningKeyStore(keys: try #require(caller.files[pair.caller])), callee: pair.callee)
            var request = SignableRequest(method: "GET", authority: "x", target: "/", headerFields: [:])
            try signer.sign(&request, body: nil, created: now)
            let verifier = RequestVerifier(
                keys: SigningKeyStore(keys: try #require(callee.files[pair.callee])), replayWindow: InProcessReplayWindow(startedAt: 0))
            return (try? verifier.verifyHead(request, now: now) { $0 == pair.caller }) != nil
        }
    }

    private static let afterAdd = start + propagation
    private static let afterSwitch = afterAdd + propagation + KeyRotation.lastRequestSeconds

    @Test("before and after every stage each side accepts the other, whichever of the two has read its file")
    func neighbours() throws {
        var folder = try Folder()
        var times = [Self.start, Self.afterAdd, Self.afterSwitch]
        for stage in Stage.allCases {
            let before = folder
            let now = times.removeFirst()
            let plan = try folder.rotate(stage, at: now)
            #expect(plan.pairs.count == 3 && plan.pairs.allSatisfy(\.changed))
            for pair in Self.all {
                for (caller, callee) in [(before, before), (before, folder), (folder, before), (folder, folder)] {
                    #expect(try Folder.accepts(pair, caller: caller, callee: callee, at: now), "\(pair) at \(stage)")
                }
            }
        }
        #expect(folder.files.values.allSatisfy { keys in keys.inbound.allSatisfy { $0.key.notAfter == nil } })
    }

    @Test("add changes callees only, switch callers only, drop callees only; the old key is accepted until it is dropped")
    func sides() throws {
        var folder = try Folder([Self.mobile, Self.gateway])
        let original = folder
        #expect(try folder.rotate(.add).files.map(\.service) == ["wallet-ledger"])
        #expect(try folder.rotate(.switch, at: Self.afterAdd).files.map(\.service) == ["api-gateway", "mobile-bff"])
        #expect(try Folder.accepts(Self.mobile, caller: original, callee: folder, at: Self.afterAdd))
        #expect(try folder.rotate(.drop, at: Self.afterSwitch).files.map(\.service) == ["wallet-ledger"])
        #expect(try !Folder.accepts(Self.mobile, caller: original, callee: folder, at: Self.afterSwitch))
        #expect(try Folder.accepts(Self.mobile, caller: folder, callee: folder, at: Self.afterSwitch))
    }

    @Test("a caller whose clock is behind by the skew signs with the new key at once")
    func clockBehind() throws {
        var folder = try Folder()
        try folder.rotate(.add)
        try folder.rotate(.switch, at: Self.afterAdd)
        #expect(try Folder.accepts(Self.mobile, caller: folder, callee: folder, at: Self.afterAdd - SignatureProfile.clockSkewSeconds))
    }

    @Test("a stage that is repeated changes nothing")
    func repeated() throws {
        var folder = try Folder()
        for (stage, now) in zip(Stage.allCases, [Self.start, Self.afterAdd, Self.afterSwitch]) {
            try folder.rotate(stage, at: now)
            let again = try folder.rotate(stage, at: now)
            #expect(again.files.isEmpty && again.pairs.allSatisfy { !$0.changed })
            #expect(KeyRotationSummary(stage: stage, plan: again).description.hasPrefix("\(stage.rawValue): nothing to do"))
        }
    }

    @Test("a stage out of order is refused and says which comes first")
    func order() throws {
        var folder = try Folder()
        #expect(throws: KeyRotation.Refusal.outOfOrder(Self.gateway, .single, asked: .switch)) { try folder.rotate(.switch, force: true) }
        #expect(try folder.rotate(.drop).files.isEmpty, "what was never added is dropped already")
        try folder.rotate(.add)
        #expect(throws: KeyRotation.Refusal.outOfOrder(Self.gateway, .added, asked: .drop)) { try folder.rotate(.drop, force: true) }
        try folder.rotate(.switch, only: Self.mobile, at: Self.afterAdd)
        let refusal = #expect(throws: KeyRotation.Refusal.self) { try folder.rotate(.add, force: true) }
        #expect(refusal == .outOfOrder(Self.mobile, .switched, asked: .add))
        #expect(refusal?.description.hasSuffix("--stage add is out of order, --stage drop comes first") == true)
        #expect(throws: KeyRotation.Refusal.outOfOrder(Self.gateway, .added, asked: .drop)) { try folder.rotate(.drop, force: true) }
    }

    @Test("switch waits until every callee has read its file, drop until no request under the old key is accepted; both name the time")
    func bounds() throws {
        var folder = try Folder()
        try folder.rotate(.add)
        #expect(throws: KeyRotation.Refusal.tooEarly(.switch, seconds: 1)) { try folder.rotate(.switch, at: Self.afterAdd - 1) }
        var forced = folder
        try forced.rotate(.switch, at: Self.start, force: true)
        let plan = try folder.rotate(.switch, at: Self.afterAdd)
        #expect(plan.next?.stage == .drop && plan.next?.from == Self.afterSwitch)
        #expect(throws: KeyRotation.Refusal.tooEarly(.drop, seconds: 230)) { try folder.rotate(.drop, at: Self.afterAdd) }
        #expect(throws: KeyRotation.Refusal.tooEarly(.drop, seconds: 1)) { try folder.rotate(.drop, at: Self.afterSwitch - 1) }
        #expect(try folder.rotate(.drop, at: Self.afterSwitch).next == nil)
    }

    @Test("the bound of drop covers the last request of a caller whose clock is ahead, to the second")
    func lastRequest() throws {
        let folder = try Folder()
        let signer = RequestSigner(
            keys: SigningKeyStore(keys: try #require(folder.files["mobile-bff"])), callee: "wallet-ledger",
            lifetime: SignatureProfile.maximumLifetimeSeconds)
        let verifier = RequestVerifier(
            keys: SigningKeyStore(keys: try #require(folder.files["wallet-ledger"])), replayWindow: InProcessReplayWindow(startedAt: 0))
        var request = SignableRequest(method: "GET", authority: "x", target: "/", headerFields: [:])
        try signer.sign(&request, body: nil, created: Self.start + SignatureProfile.clockSkewSeconds)
        let last = Self.start + KeyRotation.lastRequestSeconds
        #expect((try? verifier.verifyHead(request, now: last - 1) { _ in true }) != nil)
        #expect(throws: SignatureRejection.expired) { try verifier.verifyHead(request, now: last) { _ in true } }
    }

    @Test("what was interrupted between two files is completed by the same stage, and by no other")
    func interrupted() throws {
        var folder = try Folder()
        let before = folder
        try folder.rotate(.add)
        folder.files["ops-risk"] = before.files["ops-risk"]
        #expect(throws: KeyRotation.Refusal.outOfOrder(Self.risk, .single, asked: .switch)) { try folder.rotate(.switch, at: Self.afterAdd) }
        let rest = try folder.rotate(.add, at: Self.start + 5)
        #expect(rest.files.map(\.service) == ["ops-risk"] && rest.next?.from == Self.afterAdd + 5)
        #expect(throws: KeyRotation.Refusal.tooEarly(.switch, seconds: 5)) { try folder.rotate(.switch, at: Self.afterAdd) }
    }

    @Test("one pair is rotated without the others")
    func onePair() throws {
        var folder = try Folder()
        let before = folder
        let plan = try folder.rotate(.add, only: Self.mobile)
        #expect(plan.pairs.map(\.pair) == [Self.mobile] && plan.files.map(\.service) == ["wallet-ledger"])
        #expect(folder.files["wallet-ledger"]?.inbound.map(\.caller).sorted() == ["api-gateway", "mobile-bff", "mobile-bff"])
        try folder.rotate(.switch, only: Self.mobile, at: Self.afterAdd)
        #expect(try Folder.accepts(Self.gateway, caller: before, callee: folder, at: Self.afterAdd))
        #expect(throws: KeyRotation.Refusal.noPair(Pair(caller: "a", callee: "b"))) {
            try folder.rotate(.add, only: Pair(caller: "a", callee: "b"))
        }
    }

    @Test("files that do not belong together are refused")
    func broken() throws {
        var folder = try Folder([Self.mobile])
        folder.files["mobile-bff"] = try Folder([Self.mobile]).files["mobile-bff"]
        #expect(throws: KeyRotation.Refusal.broken(Self.mobile, "the caller signs with a key that the callee does not accept")) {
            try folder.rotate(.add)
        }
        folder.files["mobile-bff"] = nil
        #expect(throws: KeyRotation.Refusal.broken(Self.mobile, "the keys file of mobile-bff is missing")) { try folder.rotate(.add) }
        folder.files = [:]
        #expect(throws: KeyRotation.Refusal.noPair(nil)) { try folder.rotate(.add) }
    }

    @Test("the summary names pairs, ids and the next stage, and no secret")
    func summary() throws {
        var folder = try Folder([Self.mobile])
        let plan = try folder.rotate(.add)
        let summary = KeyRotationSummary(stage: .add, plan: plan)
        let ids = plan.pairs[0].acceptedKeyIDs
        #expect(
            summary.json
                == #"{"stage":"add","changed":true,"pairs":[{"pair":"mobile-bff:wallet-ledger","changed":true,"signing_keyid":"\#(ids[0])","#
                + #""accepted_keyids":["\#(ids[0])","\#(ids[1])"]}],"files":["wallet-ledger.keys.json"],"#
                + #""next":{"stage":"switch","from":"2026-09-21T14:16:20.000Z"}}"#)
        for keys in folder.files.values {
            for secret in keys.inbound.map(\.key.secret) + keys.outbound.map(\.key.secret) {
                let text = secret.withUnsafeBytes { Data($0).base64EncodedString() }
                #expect(!summary.description.contains(text) && !summary.json.contains(text))
            }
        }
    }
}
