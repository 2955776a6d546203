/// A media type as RFC 9110 (section 8.3.1) spells it: `type/subtype;name=value;name="value"`.
struct MediaType {
    /// In lower case.
    let name: String
    /// Names in lower case, values as given, without quotes.
    let parameters: [(name: String, value: String)]

    /// - Returns: nil for anything else.
    init?(_ field: String) {
        var rest = field[...]
        name = String(rest.prefix { $0 != ";" }).trimmingBlanks().lowercased()
        rest = rest.drop { $0 != ";" }
        guard !name.isEmpty, name.utf8.allSatisfy({ Self.isToken($0) || $0 == UInt8(ascii: "/") }) else { return nil }
        var parameters: [(name: String, value: String)] = []
        while rest.popFirst() != nil {
            let parameter = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(parameter.count)
            let name = String(parameter).trimmingBlanks().lowercased()
            // Empty ones are allowed: `application/json;`.
            if name.isEmpty, rest.first != "=" { continue }
            guard rest.popFirst() == "=", !name.isEmpty, name.utf8.allSatisfy(Self.isToken), let value = Self.value(&rest) else { return nil }
            parameters.append((name, value))
        }
        self.parameters = parameters
    }

    /// Whether it is this type, and in UTF-8 as far as it says.
    func isUTF8(_ expected: String) -> Bool {
        let charsets = parameters.filter { $0.name == "charset" }
        return name == expected && charsets.count <= 1 && charsets.allSatisfy { $0.value.lowercased() == "utf-8" }
    }

    /// A token or a quoted string, up to the next semicolon or the end.
    private static func value(_ rest: inout Substring) -> String? {
        var value = ""
        if rest.first == "\"" {
            rest.removeFirst()
            while true {
                guard let next = rest.popFirst() else { return nil }
                if next == "\"" { break }
                guard let character = next == "\\" ? rest.popFirst() : next else { return nil }
                value.append(character)
            }
            let blank = rest.prefix { $0 != ";" }
            guard blank.allSatisfy({ $0 == " " || $0 == "\t" }) else { return nil }
            rest = rest.dropFirst(blank.count)
            return value
        }
        let token = rest.prefix { $0 != ";" }
        rest = rest.dropFirst(token.count)
        value = String(token).trimmingBlanks()
        return !value.isEmpty && value.utf8.allSatisfy(isToken) ? value : nil
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension String {
    /// Without spaces and tabs at either end.
    fileprivate func trimmingBlanks() -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let last = lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(self[...last].drop(while: isBlank))
    }
}
