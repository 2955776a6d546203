import Foundation
import TestSupport
import Testing

@testable import Identity

/// The folder of the pages, as the executable reads it.
enum PageFolder {
    static let path = RepositoryRoot.path("Services/Identity/Pages")

    static func renderer(_ path: String = path) throws -> PageRenderer {
        try PageRenderer(directory: path, issuer: "https://id.florin.example")
    }
}

@Suite struct PageSourceTests {
    private let sources: PageSources

    init() throws { sources = try PageSources(directory: PageFolder.path) }

    @Test func `every text is there in each language, is not empty, says the same values and is shown somewhere`() throws {
        let english = try #require(sources.texts[.english])
        for language in PageLanguage.allCases {
            let texts = try #require(sources.texts[language])
            #expect(Set(texts.keys) == Set(sources.namedTexts), "\(language)")
            for (key, text) in texts {
                #expect(!text.isEmpty && text == text.trimmingCharacters(in: .whitespacesAndNewlines), "\(key) in \(language)")
                #expect(values(text) == values(english[key] ?? ""), "\(key) in \(language)")
            }
        }
    }

    @Test func `no text was left in English`() throws {
        let (english, german) = (try #require(sources.texts[.english]), try #require(sources.texts[.german]))
        #expect(english.filter { german[$0.key] == $0.value }.keys.sorted() == [])
    }

    @Test func `every template is shown by a page or by another template`() {
        #expect(Set(sources.templates.keys) == Set(sources.namedTemplates))
    }

    @Test func `every value that a template or text shows is a member of something that is shown`() {
        var members: Set = ["language", "style", "host", "page"]
        let parts: [Any] = [PageForm(action: "", csrf: ""), FormFault.busy, ScopeLine("openid")]
        for part in PageSample.all.map({ $0.page as Any }) + parts { members.formUnion(Mirror(reflecting: part).children.compactMap(\.label)) }
        for (name, source) in sources.templates {
            #expect(values(source).isSubset(of: members), "\(name)")
        }
        for (key, text) in sources.texts[.english] ?? [:] { #expect(values(text).isSubset(of: members), "\(key)") }
    }

    @Test func `only the stylesheet is shown unescaped`() {
        let unescaped = sources.templates.values.flatMap { $0.matches(of: /\{\{[{&]\s*([\w.]+)/).map { String($0.1) } }
        #expect(unescaped == ["style"])
    }

    /// The names in `{{name}}`, `{{#name}}`, `{{^name}}`, `{{{name}}}` and `{{>*name}}`; of `fault.atCode` both parts.
    private func values(_ source: String) -> Set<String> {
        let names = source.matches(of: /\{\{(?:[#^{]|>\*)?\s*([A-Za-z][\w.]*)/).map(\.1)
        return Set(names.flatMap { $0.split(separator: ".") }.map(String.init))
    }

    @Test(arguments: [
        ("texts/de.json", #""submit": "Anmelden","#, "", PageSourceFault.missingText("sign_in.submit", language: .german)),
        ("texts/de.json", #""wrong_code""#, #""wrong_kode""#, .missingText("fault.wrong_code", language: .german)),
        ("texts/en.json", "{", "[", .unreadable(file: "texts/en.json")),
        ("templates/sign_in.mustache", "{{>fault}}", "{{>faults}}", .missingTemplate("faults")),
        ("templates/expired.mustache", "{{/layout}}", "{{/layouts}}", .notATemplate(file: "templates/expired.mustache", reason: "")),
        ("texts/en.json", "{{client}} would", "{{client would", .notATemplate(file: "texts/en.json, consent.lead", reason: "")),
    ])
    func `a folder with a hole in it stops the start`(file: String, part: String, replacement: String, fault: PageSourceFault) throws {
        let copy = try TemporaryFolder("pages")
        let path = "\(copy.path)/pages"
        try FileManager.default.copyItem(atPath: PageFolder.path, toPath: path)
        let before = try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
        let broken = before.replacingOccurrences(of: part, with: replacement)
        #expect(broken != before)
        try broken.write(toFile: "\(path)/\(file)", atomically: true, encoding: .utf8)
        let thrown = #expect(throws: PageSourceFault.self) { try PageFolder.renderer(path) }
        switch (thrown, fault) {
        case (.notATemplate(let file, _)?, .notATemplate(let expected, _)): #expect(file == expected)
        case (.unreadable(let file)?, .unreadable(let expected)): #expect(file.hasSuffix(expected))
        default: #expect(thrown == fault)
        }
    }

    @Test(arguments: ["style.css", "templates", "templates/expired.mustache", "texts/de.json"])
    func `a file that is missing stops the start`(file: String) throws {
        let copy = try TemporaryFolder("pages")
        let path = "\(copy.path)/pages"
        try FileManager.default.copyItem(atPath: PageFolder.path, toPath: path)
        try FileManager.default.removeItem(atPath: "\(path)/\(file)")
        #expect(throws: PageSourceFault.self) { try PageFolder.renderer(path) }
    }
}
