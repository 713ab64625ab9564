/// What every program says of itself: `-version`, `cs_info`, the User-Agent.
public enum SuiteVersion {
    public static let current = "v0.1.0"
    /// For the User-Agent, which the Local API wants with exactly one slash (protocol facts, trap 8).
    public static func userAgent(_ program: String) -> String { "\(program)/\(current)-linux" }
}
