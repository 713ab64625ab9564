internal import CMalloc

/// What was freed and stays with the process for later use.
public enum FreedMemory {
    /// Gives it back to the system: worth its milliseconds after something large that will not come again soon, as
    /// loading a hub is.
    public static func giveBack() { crowd_malloc_give_back() }

    /// From now on what is large goes back when it is freed, instead of becoming room for small things that then hold it: once
    /// a few large blocks were freed the C library would put them among the others.
    public static func givesBackLargeBlocks() { crowd_malloc_keep(2 << 20, 4 << 20) }
}
