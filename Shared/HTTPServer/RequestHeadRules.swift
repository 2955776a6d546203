import NIOHTTP1

/// What the connection has to know about a request that it passes on.
struct RequestHeadFacts: Equatable {
    /// The connection ends after the answer.
    var closes = false
    /// The client waits for `100 Continue` before it sends the body.
    var expectsContinue = false
    var isHead = false
    /// An HTTP/1.0 client, which knows no chunks.
    var isOld = false
}

/// The rules of HTTP/1.1 for the head of a request that NIO's decoder leaves to us; RFC 9110 and 9112.
enum RequestHeadRules {
    static func check(_ head: HTTPRequestHead, targetBytes: Int) throws(Refusal) -> RequestHeadFacts {
        guard head.version.major == 1, head.version.minor <= 1 else { throw .version }
        guard head.uri.utf8.count <= targetBytes else { throw .targetTooLong }
        var facts = RequestHeadFacts()
        facts.isHead = head.method == .HEAD
        facts.isOld = head.version.minor == 0
        // What follows a request for a tunnel is no request.
        facts.closes = head.method == .CONNECT
        try checkFields(of: head, &facts)
        try check(target: head.uri, head.method)
        return facts
    }

    /// One walk over all fields: most are told apart from those that matter by the length of their names.
    private static func checkFields(of head: HTTPRequestHead, _ facts: inout RequestHeadFacts) throws(Refusal) {
        var hosts = 0
        var codings = 0
        var isUpgrade = false
        var hasUpgrade = false
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 4 where name.isField("host"):
                hosts += 1
                guard !value.isEmpty, !value.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") }) else { throw .host }
            case 6 where name.isField("expect"):
                guard value.isField("100-continue") else { throw .expectation }
                facts.expectsContinue = !facts.isOld
            case 7 where name.isField("upgrade"): hasUpgrade = true
            case 10 where name.isField("connection"): read(connection: value, &facts, &isUpgrade)
            case 17 where name.isField("transfer-encoding"):
                codings += 1
                // A second field would make a list of two.
                guard value.isField("chunked"), codings == 1, !facts.isOld else { throw .transferCoding }
            default: break
            }
        }
        guard hosts == 1 || (hosts == 0 && facts.isOld) else { throw .host }
        // The decoder reads nothing after a request to upgrade, which is otherwise ignored.
        if facts.isOld || (isUpgrade && hasUpgrade) { facts.closes = true }
    }

    /// A list of options, in whatever case.
    private static func read(connection value: String, _ facts: inout RequestHeadFacts, _ isUpgrade: inout Bool) {
        guard !value.isField("keep-alive") else { return }
        for option in value.split(separator: ",") {
            let option = option.trimmingBlanks
            if option.isField("close") { facts.closes = true }
            if option.isField("upgrade") { isUpgrade = true }
        }
    }

    /// A path has one spelling: Hummingbird's router would take `//v1/wallets/` for `/v1/wallets`, which no rule that looks at the path does.
    private static func check(target: String, _ method: HTTPMethod) throws(Refusal) {
        if method == .OPTIONS, target == "*" { return }
        let slash = UInt8(ascii: "/")
        var last: UInt8 = 0
        var length = 0
        for byte in target.utf8 {
            if byte == UInt8(ascii: "?") { break }
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "#"), length > 0 || byte == slash else { throw .target }
            if byte == slash, last == slash { throw .otherSpelling }
            last = byte
            length += 1
        }
        guard length > 0 else { throw .target }
        if length > 1, last == slash { throw .otherSpelling }
    }
}

extension StringProtocol {
    /// Whether this is a name that is given in lower case, in whatever case it is written here.
    fileprivate func isField(_ name: StaticString) -> Bool {
        guard utf8.count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { name in
            zip(utf8, name).allSatisfy { byte, lower in byte == lower || (byte | 0x20 == lower && byte >= UInt8(ascii: "A")) }
        }
    }

    fileprivate var trimmingBlanks: SubSequence {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let start = drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return start.prefix(0) }
        return start[...last]
    }
}
