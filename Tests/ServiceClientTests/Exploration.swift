/// Every state that some order of events reaches, each looked at once.
///
/// Breadth first, so that what is found wrong comes with a shortest way there.
struct Exploration<State: Hashable, Event> {
    private(set) var states = 0
    /// Whether no event leads anywhere new: then this was all, and not only what so many steps reach.
    private(set) var isComplete = false
    /// The first state in which something is wrong: what, and the events that led there.
    private(set) var fault: String?

    /// - Parameters:
    ///   - steps: Events in a row, at most.
    ///   - next: The state after an event; its faults are looked for next.
    ///   - faults: What is wrong with a state.
    init(from start: State, steps: Int, events: (State) -> [Event], next: (State, Event) -> State, faults: (State) -> [String]) {
        var seen: Set<State> = [start]
        var frontier: [(state: State, way: [Event])] = [(start, [])]
        for _ in 0...steps {
            var found: [(State, [Event])] = []
            for (state, way) in frontier {
                states += 1
                if let fault = faults(state).first {
                    self.fault = "\(fault) after \(way)"
                    return
                }
                for event in events(state) {
                    let after = next(state, event)
                    if seen.insert(after).inserted { found.append((after, way + [event])) }
                }
            }
            frontier = found
        }
        isComplete = frontier.isEmpty
    }
}
