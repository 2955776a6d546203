import FoundationEssentials

/// Reads rendered manifests from a file or from all files of a folder.
package enum ManifestReader {
    private static let endings = [".yaml", ".yml", ".json"]
    private static let sources: Set<String> = ["kustomization.yaml", "kustomization.yml", "Kustomization"]

    /// The processes that the manifests would run.
    /// - Throws: `Unreadable`, also for a folder of patches and bases: what it would run shows only when it is rendered.
    package static func processes(path: String) throws(ManifestDocuments.Unreadable) -> [FleetProcess] {
        var documents = ManifestDocuments()
        for file in try files(path) {
            guard let content = InputFile.content(file) else {
                throw ManifestDocuments.Unreadable(description: "\(file) cannot be read")
            }
            try documents.append(content, file: file)
        }
        return processes(documents)
    }

    package static func processes(_ documents: ManifestDocuments) -> [FleetProcess] {
        let values = ManifestValues(documents)
        return documents.objects.compactMap(ManifestWorkload.init).flatMap { $0.processes(values) }
    }

    private static func files(_ path: String) throws(ManifestDocuments.Unreadable) -> [String] {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ManifestDocuments.Unreadable(description: "\(path) does not exist")
        }
        guard isFolder else { return [path] }
        guard let names = try? FileManager.default.subpathsOfDirectory(atPath: path) else {
            throw ManifestDocuments.Unreadable(description: "\(path) cannot be read")
        }
        if let source = names.sorted().first(where: { sources.contains($0.split(separator: "/").last.map(String.init) ?? "") }) {
            throw ManifestDocuments.Unreadable(
                description: "\(path)/\(source): not rendered; give the output of kubectl kustomize, as a file or from /dev/stdin")
        }
        return names.filter { name in endings.contains(where: name.hasSuffix) }.sorted().map { "\(path)/\($0)" }
    }
}
