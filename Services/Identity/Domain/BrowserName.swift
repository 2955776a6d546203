/// What a browser calls itself, in words that its owner knows: "Firefox on Linux".
///
/// For show only: anybody can claim to be any browser.
package enum BrowserName {
    /// More than a person reads; of a longer one only so much is looked at.
    static let longestLookedAt = 512

    // The first that fits: most browsers claim to be Chrome and Safari too.
    private static let programs = [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ]
    private static let systems = [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]

    /// - Parameters:
    ///   - userAgent: The header's value.
    ///   - program: The app's name where it is known better.
    package static func of(_ userAgent: String?, program known: String? = nil) -> String {
        let text = (userAgent ?? "").prefix(longestLookedAt)
        let program = known ?? programs.first { text.contains($0.0) }?.1 ?? "Unknown browser"
        guard let system = systems.first(where: { text.contains($0.0) })?.1 else { return program }
        return "\(program) on \(system)"
    }
}
