import FoundationEssentials
import Mustache
import StrictJSON

/// What is wrong with the folder of the pages.
package enum PageSourceFault: Error, Sendable, Hashable, CustomStringConvertible {
    case unreadable(file: String)
    case notATemplate(file: String, reason: String)
    case missingTemplate(String)
    case missingText(String, language: PageLanguage)

    package var description: String {
        switch self {
        case .unreadable(let file): "\(file) can't be read"
        case .notATemplate(let file, let reason): "\(file) is not a template: \(reason)"
        case .missingTemplate(let name): "the template \(name) is missing"
        case .missingText(let key, let language): "texts/\(language.rawValue).json lacks \(key)"
        }
    }
}

/// The templates, texts and stylesheet as they lie in their folder, complete in every language.
struct PageSources: Sendable {
    let style: String
    /// By the template's name.
    let templates: [String: String]
    /// By `section.name`.
    let texts: [PageLanguage: [String: String]]

    /// - Throws: ``PageSourceFault``, for whatever would leave a hole in a page.
    init(directory: String) throws(PageSourceFault) {
        style = try Self.read("\(directory)/style.css")
        templates = try Self.templates(in: "\(directory)/templates")
        var texts: [PageLanguage: [String: String]] = [:]
        for language in PageLanguage.allCases { texts[language] = try Self.texts(in: "\(directory)/texts/\(language.rawValue).json") }
        self.texts = texts
        for name in namedTemplates where templates[name] == nil { throw .missingTemplate(name) }
        for language in PageLanguage.allCases {
            for key in namedTexts where texts[language]?[key] == nil { throw .missingText(key, language: language) }
        }
    }

    /// Those that pages and templates name. A name with a dot is a text's.
    var namedTemplates: [String] { Pages.all.map { $0.template } + partials.filter { !$0.contains(".") } }
    var namedTexts: [String] { PageText.all.map(\.key) + partials.filter { $0.contains(".") } }

    private var partials: [String] {
        templates.values.flatMap { $0.matches(of: /\{\{[><]\s*([\w.]+)\s*\}\}/).map { String($0.1) } }.sorted()
    }

    /// Templates and texts of a language, ready to render: a text is a partial like any other, its own characters already escaped.
    func library(in language: PageLanguage) throws(PageSourceFault) -> MustacheLibrary {
        var library = MustacheLibrary()
        for (name, source) in templates { library.register(try Self.compiled(source, file: "templates/\(name).mustache"), named: name) }
        for (key, text) in texts[language] ?? [:] {
            library.register(try Self.compiled(Self.escaped(text), file: "texts/\(language.rawValue).json, \(key)"), named: key)
        }
        return library
    }

    private static func compiled(_ source: String, file: String) throws(PageSourceFault) -> MustacheTemplate {
        do {
            return try MustacheTemplate(string: source)
        } catch {
            throw .notATemplate(file: file, reason: "\(error)")
        }
    }

    /// Leaves the tags of mustache as they are.
    private static func escaped(_ text: String) -> String {
        let escapes: [Character: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;"]
        return text.map { escapes[$0] ?? String($0) }.joined()
    }

    private static func templates(in folder: String) throws(PageSourceFault) -> [String: String] {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: folder) else { throw .unreadable(file: folder) }
        var templates: [String: String] = [:]
        for entry in entries where entry.hasSuffix(".mustache") {
            templates[String(entry.dropLast(".mustache".count))] = try read("\(folder)/\(entry)")
        }
        return templates
    }

    /// An object of objects of strings.
    private static func texts(in file: String) throws(PageSourceFault) -> [String: String] {
        let source = try read(file)
        guard let sections = (try? JSONParser.parse(Array(source.utf8)))?.objectValue else { throw .unreadable(file: file) }
        var texts: [String: String] = [:]
        for section in sections {
            guard let members = section.value.objectValue else { throw .unreadable(file: file) }
            for member in members {
                guard let text = member.value.stringValue else { throw .unreadable(file: file) }
                texts["\(section.name).\(member.name)"] = text
            }
        }
        return texts
    }

    private static func read(_ file: String) throws(PageSourceFault) -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { throw .unreadable(file: file) }
        return text
    }
}
