/// Takes the members of one object out by name, and knows which were left.
///
/// What a member must be, and how a fault of one is told, is the contract's affair: Contracts extends this reader by its types.
package struct JSONObjectReader {
    /// Where the object stands in its document: an RFC 6901 JSON pointer.
    package let pointer: String
    private let members: [JSONMember]
    /// One bit per member of `members` that has been taken.
    private var taken: UInt64 = 0

    /// - Parameter members: of an object that the parser has read: ``JSONParser/maximumMembers`` at most, none twice.
    package init(members: [JSONMember], pointer: String = "") {
        precondition(members.count <= JSONParser.maximumMembers, "more members than any object has that was read")
        self.members = members
        self.pointer = pointer
    }

    /// The member of that name, or `nil` when there is none.
    package mutating func take(_ name: String) -> JSONValue? {
        for (index, member) in members.enumerated() where member.name.hasSameBytes(as: name) {
            taken |= 1 << UInt64(index)
            return member.value
        }
        return nil
    }

    /// The names of the members that were not taken, in the order of the object.
    package var leftOver: [String] {
        guard taken.nonzeroBitCount < members.count else { return [] }
        return members.indices.filter { taken & (1 << UInt64($0)) == 0 }.map { members[$0].name }
    }

    /// The pointer of a member; of a longer name its first 64 characters.
    package func pointer(to name: String) -> String {
        // Scalar by scalar: a mark behind a slash makes another character of it, and a slash it is all the same.
        name.unicodeScalars.prefix(64).reduce(into: "\(pointer)/") { text, scalar in
            text += scalar == "~" ? "~0" : scalar == "/" ? "~1" : String(scalar)
        }
    }
}
