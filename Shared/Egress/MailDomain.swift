internal import CCurl
internal import Glibc

/// Domains of addresses in the form that DNS and SMTP know.
enum MailDomain {
    private static let maximumBytes = 253
    private static let labelBytes = 1...63

    /// A domain in A-labels and lower case; nil for what is none.
    static func ascii(_ text: String) -> String? {
        guard text.utf8.count <= maximumBytes, let domain = text.utf8.allSatisfy({ $0 < 0x80 }) ? text.lowercased() : converted(text) else {
            return nil
        }
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard domain.utf8.count <= maximumBytes, labels.allSatisfy(isLabel), labels.last.map(isName) == true else { return nil }
        return domain
    }

    /// libcurl has libidn2 read a domain in the encoding of the thread's locale.
    ///
    /// `nonisolated(unsafe)`: made once, never changed or freed, and threads may share a locale (POSIX, newlocale).
    private nonisolated(unsafe) static let utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)

    /// By libidn2, which libcurl brings along: UTS #46 and RFC 5891.
    private static func converted(_ text: String) -> String? {
        // Only letters, digits, marks, hyphens and dots: what else a URL's host may have is none of an address.
        guard
            text.unicodeScalars.allSatisfy({ scalar in
                scalar.value >= 0x80 || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "-" || scalar == "."
            }), let url = curl_url()
        else { return nil }
        defer { curl_url_cleanup(url) }
        let before = uselocale(utf8)
        defer { uselocale(before) }
        guard curl_url_set(url, CURLUPART_HOST, text, 0) == CURLUE_OK else { return nil }
        var host: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, CURLUPART_HOST, &host, UInt32(CURLU_PUNYCODE)) == CURLUE_OK, let host else { return nil }
        defer { curl_free(host) }
        let domain = String(cString: host)
        return domain.utf8.allSatisfy { $0 < 0x80 } ? domain.lowercased() : nil
    }

    private static func isLabel(_ label: Substring) -> Bool {
        guard labelBytes.contains(label.utf8.count), label.first != "-", label.last != "-" else { return false }
        return label.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
    }

    /// A last label of digits alone is an address in numbers.
    private static func isName(_ label: Substring) -> Bool { !label.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }
}
