extension Command {
    /// `cscli completion`: scripts that ask the hidden `cscli __complete` (surface facts A.1).
    static let completion = Command(
        name: "completion", summary: "Generate completion script", argumentsUsage: "[bash|zsh|powershell|fish]",
        arguments: .exactly(1), needsConfig: false
    ) { call in
        guard let script = CompletionScript.text(for: call.words[0]) else {
            throw CommandError("invalid argument \"\(call.words[0])\" for \"cscli completion\"")
        }
        call.print(script)
    }

    /// Shown in the list; `cscli help …` itself is read as `cscli … --help`.
    static let help = Command(
        name: "help", summary: "Help about any command", argumentsUsage: "[command]", arguments: .any,
        needsConfig: false
    ) { _ in }

    static let dashboard = Command(
        name: "dashboard", summary: DashboardRemoval.sentence, arguments: .any, isHidden: true
    ) { _ in throw CommandError(DashboardRemoval.sentence) }
}

private enum DashboardRemoval {
    static let sentence =
        "command 'dashboard' has been removed, please read "
        + "https://docs.crowdsec.net/blog/cscli_dashboard_deprecation/"
}

enum CompletionScript {
    static func text(for shell: String) -> String? {
        switch shell {
        case "bash": bash
        case "zsh": zsh
        case "fish": fish
        case "powershell": powershell
        default: nil
        }
    }

    private static let bash = """
        # bash completion for cscli                                -*- shell-script -*-
        __cscli_complete() {
            local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
            local IFS=$'\\n'
            COMPREPLY=($(compgen -W "$(cscli __complete "${words[@]}" 2>/dev/null | grep -v '^:' | cut -f1)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -F __cscli_complete cscli
        """

    private static let zsh = """
        #compdef cscli
        # zsh completion for cscli                                -*- shell-script -*-
        _cscli() {
            local -a candidates
            candidates=("${(@f)$(cscli __complete "${(@)words[2,CURRENT]}" 2>/dev/null | grep -v '^:' | cut -f1)}")
            compadd -a candidates
        }
        compdef _cscli cscli
        """

    private static let fish = """
        # fish completion for cscli                                -*- shell-script -*-
        function __cscli_complete
            set -l words (commandline -opc) (commandline -ct)
            cscli __complete $words[2..-1] 2>/dev/null | string match -v ':*'
        end
        complete -c cscli -f -a '(__cscli_complete)'
        """

    private static let powershell = """
        # powershell completion for cscli                                -*- shell-script -*-
        Register-ArgumentCompleter -Native -CommandName cscli -ScriptBlock {
            param($word, $ast, $position)
            $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
            if (-not $word) { $words += '' }
            cscli __complete @words 2>$null | Where-Object { $_ -notlike ':*' } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new(($_ -split "`t")[0])
            }
        }
        """
}
