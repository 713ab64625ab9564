// swift-tools-version: 6.2
import PackageDescription

// The rooms of the suite, bottom to top. A room may import only the rooms named beside it, and this file holds it to
// that: see docs/ARCHITECTURE.md.

/// Set by CI: a warning in our own code then fails the build.
let strict = Context.environment["CROWD_STRICT"] != nil

/// Set by `Tests/Fuzz/run`: the fuzz entries have no main function but libFuzzer's.
let fuzzes = Context.environment["CROWD_FUZZ"] != nil

let settings: [SwiftSetting] =
    ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility"].map { .enableUpcomingFeature($0) }
    // The run-time half of exclusivity checking costs the engine a quarter of its speed; debug builds, and so all tests,
    // keep it (docs/decisions/0003).
    + [
        .unsafeFlags(
            ["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ]
    + (strict ? [.treatAllWarnings(as: .error)] : [])

/// A library target that may look only at the rooms named here.
func room(_ name: String, _ needs: Target.Dependency...) -> Target {
    .target(name: name, dependencies: needs, swiftSettings: settings)
}

/// An executable: wiring only.
func program(_ name: String, _ needs: Target.Dependency...) -> Target {
    .executableTarget(name: name, dependencies: needs, swiftSettings: settings)
}

/// The tests of one room; the suite's shared test helpers come with them.
func tests(_ room: String, _ needs: Target.Dependency...) -> Target {
    .testTarget(
        name: "\(room)Tests", dependencies: [.init(stringLiteral: room), "CrowdTestSupport"] + needs,
        swiftSettings: settings)
}

/// A system library: module map and link line in `Sources/<name>`.
func library(_ name: String, _ pkgConfig: String, apt package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
/// For the data sources that listen: Hummingbird would bring a router that they have no use for.
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
]

let fuzzTarget = Target.executableTarget(
    name: "crowd-fuzz", dependencies: ["CrowdCore", "CrowdText", "CrowdExpr", "CrowdEngine"], path: "Tests/Fuzz",
    exclude: ["run", "seeds.py"], swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])])

let package = Package(
    name: "crowd-suite",
    products: [
        .executable(name: "crowd-agent", targets: ["crowd-agent"]),
        .executable(name: "crowd-lapi", targets: ["crowd-lapi"]),
        .executable(name: "crowd-bouncer", targets: ["crowd-bouncer"]),
        .executable(name: "cscli", targets: ["cscli"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.2"),
    ],
    targets: [
        // C: module maps and thin shims, no logic
        library("CYAML", "yaml-0.1", apt: "libyaml-dev"),
        library("CSQLite", "sqlite3", apt: "libsqlite3-dev"),
        library("CCryptoSystem", "libcrypto", apt: "libssl-dev"),
        library("CCurlSystem", "libcurl", apt: "libcurl4-openssl-dev"),
        library("CNetfilterSystem", "libnftnl", apt: "libnftnl-dev"),
        library("CPCRE2System", "libpcre2-8", apt: "libpcre2-dev"),
        library("CRE2System", "re2", apt: "libre2-dev"),
        library("CZlib", "zlib", apt: "zlib1g-dev"),
        library("CMaxMindSystem", "libmaxminddb", apt: "libmaxminddb-dev"),
        .target(name: "CMaxMind", dependencies: ["CMaxMindSystem"]),
        // Not linked: loaded when there is a server to talk to (docs/decisions/0022).
        .target(name: "CPostgres", cSettings: [.unsafeFlags(["-I/usr/include/postgresql"])]),
        // Nor this: few rules need it (docs/decisions/0011).
        .target(name: "CInjection"),
        .target(name: "CCrypto", dependencies: ["CCryptoSystem"], linkerSettings: [.linkedLibrary("crypt")]),
        .target(name: "CFileTimes"),
        .target(name: "CDatagrams"),
        .target(name: "CMalloc"),
        .target(name: "CCurl", dependencies: ["CCurlSystem"]),
        .target(name: "CNetfilter", dependencies: ["CNetfilterSystem"]),
        .target(
            name: "CRegex", dependencies: ["CPCRE2System", "CRE2System"],
            cxxSettings: [.unsafeFlags(["-O2"])]),

        // vocabulary
        room("CrowdCore", "CYAML", "CZlib", "CCrypto", "CMalloc", log),
        // instruments
        room("CrowdText", "CrowdCore", "CRegex"),
        room("CrowdExpr", "CrowdCore", "CrowdText", "CInjection"),
        room("CrowdHTTP", "CrowdCore", "CCurl"),
        // machinery
        room("CrowdEngine", "CrowdCore", "CrowdText", "CrowdExpr", "CMaxMind"),
        room("CrowdStore", "CrowdCore", "CSQLite", "CPostgres", log),
        room("CrowdLAPI", "CrowdCore", "CrowdHTTP", log),
        room("CrowdHub", "CrowdCore", "CrowdHTTP"),
        // services
        .target(
            name: "CrowdAcquisition",
            dependencies: [
                "CrowdCore", "CrowdText", "CrowdExpr", "CrowdHTTP", "CrowdEngine", "CFileTimes", "CDatagrams", log,
            ] + nio,
            swiftSettings: settings),
        room("CrowdAgent", "CrowdCore", "CrowdEngine", "CrowdAcquisition", "CrowdLAPI", log),
        room(
            "CrowdServer", "CrowdCore", "CrowdText", "CrowdExpr", "CrowdStore", "CCrypto", "CZlib",
            hummingbird, hummingbirdTLS,
            log),
        room("CrowdFirewall", "CrowdCore", "CrowdLAPI", "CNetfilter", log),
        room(
            "CrowdTools", "CrowdCore", "CrowdHTTP", "CrowdLAPI", "CrowdStore", "CrowdEngine", "CrowdExpr", "CrowdHub",
            log),
        // programs
        program(
            "crowd-agent", "CrowdCore", "CrowdHTTP", "CrowdExpr", "CrowdEngine", "CrowdAcquisition", "CrowdLAPI",
            "CrowdAgent", "CrowdHub", log),
        program("crowd-lapi", "CrowdCore", "CrowdStore", "CrowdServer", log),
        program("crowd-bouncer", "CrowdCore", "CrowdLAPI", "CrowdFirewall", log),
        program("cscli", "CrowdCore", "CrowdTools", log),

        .target(
            name: "CrowdTestSupport", dependencies: ["CrowdCore", log], path: "Tests/CrowdTestSupport",
            swiftSettings: settings),
        tests("CrowdCore"),
        tests("CrowdText"),
        tests("CrowdExpr", "CrowdText"),
        tests("CrowdHTTP"),
        tests("CrowdEngine", "CrowdText"),
        tests("CrowdStore"),
        tests("CrowdLAPI", "CrowdHTTP", log),
        tests("CrowdHub"),
        tests("CrowdAcquisition", "CrowdHTTP", log),
        tests("CrowdAgent", "CrowdAcquisition", "CrowdEngine", "CrowdLAPI", log),
        tests("CrowdServer", "CrowdHTTP", "CrowdExpr", .product(name: "HummingbirdTesting", package: "hummingbird")),
        tests("CrowdFirewall", "CrowdLAPI", "CrowdHTTP", "CNetfilterSystem", "crowd-bouncer", log),
        tests("CrowdTools", "CrowdExpr", "CrowdHub", "CrowdStore", "cscli", "crowd-lapi"),
        // real processes of this build
        .testTarget(
            name: "SuiteTests",
            dependencies: ["CrowdTestSupport", "CrowdCore", "crowd-agent", "crowd-lapi", "crowd-bouncer", "cscli"],
            swiftSettings: settings),
    ] + (fuzzes ? [fuzzTarget] : []),
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx17
)
