/// Which module may import which, by the folder that a file lies in. Each rule returns one line per violation.
struct ImportRules {
    /// Modules that speak to something outside and know nothing of Florin's wire types.
    static let drivers: Set<String> = ["Postgres", "AMQP", "Redis", "Egress"]
    /// What the pure part of a service may use besides its own language.
    static let allowedInDomain: Set<String> = ["Contracts", "FoundationEssentials", "Swift"]
    /// Each C library is wrapped by one module.
    static let wrappers = ["CLibPQ": "Postgres", "CRabbitMQ": "AMQP", "CCurl": "Egress"]
    /// All of Foundation makes an executable about three times as large.
    static let bannedWhereShipped: Set<String> = ["Foundation", "FoundationNetworking", "FoundationXML"]

    let serviceNames: Set<String>
    let sharedNames: Set<String>

    init(_ tree: SourceTree) {
        self.init(serviceNames: tree.serviceNames, sharedNames: tree.sharedNames)
    }

    init(serviceNames: Set<String>, sharedNames: Set<String>) {
        self.serviceNames = serviceNames
        self.sharedNames = sharedNames
    }

    func violations(in file: SourceFile) -> [String] {
        file.imports.compactMap { line, module, access in
            complaint(about: module, access: access, in: file).map { file.violation(line, $0) }
        }
    }

    private func complaint(about imported: String, access: String?, in file: SourceFile) -> String? {
        if access == "public" { return "public import \(imported): the package has no public interface" }
        if let wrapper = Self.wrappers[imported] {
            if file.module != wrapper { return "import \(imported) outside Shared/\(wrapper)" }
            if access == "package" { return "package import \(imported): the C library would show above its wrapper" }
        }
        guard file.isService || file.isShared else { return nil }
        if Self.bannedWhereShipped.contains(imported) { return "import \(imported); use FoundationEssentials" }
        return file.isShared ? sharedComplaint(about: imported, in: file) : serviceComplaint(about: imported, in: file)
    }

    private func sharedComplaint(about imported: String, in file: SourceFile) -> String? {
        if serviceNames.contains(imported) { return "a shared module imports the service \(imported)" }
        if file.module == "StrictJSON", sharedNames.contains(imported) { return "StrictJSON imports nothing of ours, here \(imported)" }
        if file.module == "Contracts", sharedNames.contains(imported), imported != "StrictJSON" {
            return "Contracts imports StrictJSON and nothing else of ours, here \(imported)"
        }
        if Self.drivers.contains(file.module), imported == "Contracts" { return "the driver \(file.module) imports Contracts" }
        if file.module == "ServiceRuntime", Self.drivers.contains(imported) { return "ServiceRuntime knows no driver, here \(imported)" }
        return nil
    }

    private func serviceComplaint(about imported: String, in file: SourceFile) -> String? {
        if serviceNames.contains(imported), imported != file.module { return "\(file.module) imports the service \(imported)" }
        switch file.folder {
        case "Domain":
            return Self.allowedInDomain.contains(imported) ? nil : "Domain/ imports Contracts only, here \(imported)"
        case "HTTP":
            return Self.drivers.contains(imported) ? "HTTP/ imports the driver \(imported)" : nil
        default:
            return nil
        }
    }
}
