internal import CMalloc

/// What was freed and stays with the process for later use.
public enum FreedMemory {
    /// Gives it back to the system: worth its milliseconds after something large that will not come again soon, as
    /// loading a hub is.
    public static func giveBack() { crowd_malloc_give_back() }
}
