@testable import Observability
@testable import ServiceRuntime

/// Settings: what is accepted is listed in a form that is accepted and means the same; what is not is told in one line without secrets.
enum SettingsTarget {
    private enum Choice: String, CaseIterable {
        case inProcess = "in-process"
        case redis
    }

    private static let settings: [any SettingDeclaration] = [
        Setting<Int>.integer("COUNT", "A count.", in: 1...256, unit: "postings", default: nil),
        Setting<Int>.port("PORT", "A port.", default: nil),
        Setting<Duration>.duration("PAUSE", "A pause.", in: .milliseconds(1) ... .seconds(86_400), default: nil),
        Setting<Bool>.flag("FLAG", "A flag.", default: nil), Setting<Choice>.choice("CHOICE", "A choice.", default: nil),
        Setting<String>.text("TEXT", "A text.", default: nil), Setting<String>.path("PATH", "A path.", default: nil),
        Setting<String>.url("URL", "A place.", schemes: ["https", "http"], default: nil), Setting<Secret<String>>.secret("SECRET", "A secret."),
    ]

    /// The first byte says which kind, the others are the text.
    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let first = bytes.first else { return }
        let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
        try check(settings[Int(first) % settings.count], text)
        if let duration = DurationText.parse(text) {
            try BrokenProperty.unless(DurationText.parse(DurationText.render(duration)) == duration, "\(duration) is not read as it is written")
        }
    }

    private static func check(_ setting: any SettingDeclaration, _ text: String) throws(BrokenProperty) {
        switch setting.read(text) {
        case .success(let reading):
            guard let rendered = reading.rendered, !setting.isSecret else { return }
            guard case .success(let again) = setting.read(rendered) else { throw BrokenProperty(description: "\(rendered) is listed and refused") }
            try BrokenProperty.unless(again.rendered == rendered, "\(rendered) is listed otherwise the second time")
        case .failure(let invalid):
            let line = "\(invalid)"
            try BrokenProperty.unless(!line.utf8.contains { $0 < 0x20 }, "a refusal of more than a line")
            if setting.isSecret, text.utf8.count > 8 { try BrokenProperty.unless(!line.contains(text), "a refusal that tells the secret") }
        }
    }
}
