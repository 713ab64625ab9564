extension GrokLibrary {
    /// A library that knows the standard names.
    public static func standard(accelerated: Bool = true) -> GrokLibrary {
        var library = GrokLibrary(accelerated: accelerated)
        let errors = library.register(lines: BasePatterns.text)
        assert(errors.isEmpty, "\(errors)")
        return library
    }
}

/// The standard grok names, which parsers take for granted and hosts do not keep as files (engine facts C.3).
enum BasePatterns {
    /// An IPv6 address (RFC 4291 section 2.2): eight groups, or fewer with a gap, an IPv4 address in place of the last two where the
    /// gap is followed by one; a zone at the end. Which of several forms is taken, and so how much, is CrowdSec's choice: the one
    /// with most groups before the gap, and without the IPv4 address where it can be read so.
    private static var ipv6: String {
        let group = "[0-9A-Fa-f]{1,4}"
        let byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
        let ipv4 = "\(byte)(?:\\.\(byte)){3}"
        var forms = ["(?:\(group):){7}(?:\(group)|:)", "(?:\(group):){6}(?::\(group)|\(ipv4)|:)"]
        for before in (0...5).reversed() {
            let front = before == 0 ? ":" : "(?:\(group):){\(before)}"
            let between = before == 5 ? "" : "(?::\(group)){0,\(5 - before)}"
            forms.append("\(front)(?:(?::\(group)){1,\(7 - before)}|\(between):\(ipv4)|:)")
        }
        return "(?:\(forms.joined(separator: "|")))(?:%.+)?"
    }

    // swift-format-ignore
    static let text = #"""
        # The standard grok names that parsers take for granted. One name, blanks, one expression per line; a name may only use
        # names above it. RE2 syntax: no look-around, no back-references, every match in linear time.
        #
        # Alternatives are tried from left to right and the first that fits wins, so the longer form stands first.

        # -- people ------------------------------------------------------------------------------------------------------------
        USERNAME [0-9A-Za-z._-]+
        USER %{USERNAME}
        EMAILLOCALPART [A-Za-z][0-9A-Za-z_+-=]+
        HOSTNAME \b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\.?
        EMAILADDRESS %{EMAILLOCALPART}@%{HOSTNAME}
        HTTPDUSER %{EMAILADDRESS}|%{USER}

        # -- numbers and text --------------------------------------------------------------------------------------------------
        INT [+-]?[0-9]+
        BASE10NUM [+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
        NUMBER %{BASE10NUM}
        BASE16NUM [+-]?(?:0x)?[0-9A-Fa-f]+
        BASE16FLOAT \b[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)\b
        POSINT \b[1-9][0-9]*\b
        NONNEGINT \b[0-9]+\b
        WORD \b\w+\b
        NOTSPACE \S+
        SPACE \s*
        DATA .*?
        GREEDYDATA .*
        QUOTEDSTRING "(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`
        UUID [0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}

        # -- networks ----------------------------------------------------------------------------------------------------------
        CISCOMAC (?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}
        WINDOWSMAC (?:[0-9A-Fa-f]{2}[-]){5}[0-9A-Fa-f]{2}
        COMMONMAC (?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}
        MAC %{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC}
        IPV6 \#(ipv6)
        IPV4 (?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])
        IP %{IPV6}|%{IPV4}
        IPORHOST %{IP}|%{HOSTNAME}
        HOSTPORT %{IPORHOST}:%{POSINT}

        # -- paths and addresses of the web ------------------------------------------------------------------------------------
        UNIXPATH (?:/(?:[\w%!$@:.,-]+|\\.)*)+
        TTY /dev/(?:pts|tty(?:[pq])?)(?:\w+)?/?[0-9]*
        WINPATH (?:[A-Za-z]+:|\\)(?:\\[^\\?*]*)+
        PATH %{UNIXPATH}|%{WINPATH}
        URIPROTO [A-Za-z]+(?:\+[A-Za-z+]+)?
        URIHOST %{IPORHOST}(?::%{POSINT:port})?
        URIPATH (?:/[0-9A-Za-z$.+!*'\x28\x29{},~:;=@#%_-]*)+
        URIPARAM \?[0-9A-Za-z$.+!*'|\x28\x29{},~@#%&/=:;_?\[\]<>-]*
        URIPATHPARAM %{URIPATH}(?:%{URIPARAM})?
        URI %{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?

        # -- dates and times ---------------------------------------------------------------------------------------------------
        MONTH \bJan(?:uary?)?|Feb(?:ruary?)?|M(?:ä|a)?r(?:z|ch)?|Apr(?:il)?|Ma[iy]?|Jun[ei]?|July?|Aug(?:ust)?|Sep(?:tember)?|O[kc]?t(?:ober)?|Nov(?:ember)?|De[zc](?:ember)?\b
        MONTHNUM 0?[1-9]|1[0-2]
        MONTHNUM2 0[1-9]|1[0-2]
        MONTHDAY 3[01]|[12][0-9]|0?[1-9]
        DAY Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?
        YEAR (?:[0-9][0-9]){1,2}
        HOUR 2[0-3]|[01]?[0-9]
        MINUTE [0-5][0-9]
        SECOND (?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?
        TIME %{HOUR}:%{MINUTE}:%{SECOND}
        DATE_US %{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}
        DATE_EU %{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}
        DATE_X %{YEAR}/%{MONTHNUM2}/%{MONTHDAY}
        ISO8601_TIMEZONE Z|[+-]%{HOUR}(?::?%{MINUTE})
        ISO8601_SECOND %{SECOND}|60
        TIMESTAMP_ISO8601 %{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?(?:%{ISO8601_TIMEZONE})?
        DATE %{DATE_US}|%{DATE_EU}|%{DATE_X}
        DATESTAMP %{DATE}[- ]%{TIME}
        TZ [A-Z]{3}
        NUMTZ [+-][0-9]{4}
        DATESTAMP_RFC822 %{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}
        DATESTAMP_RFC2822 %{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}
        DATESTAMP_OTHER %{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}
        DATESTAMP_EVENTLOG %{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}
        HTTPDERROR_DATE %{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}
        ANSIC %{DAY} %{MONTH} [_123][0-9] %{TIME} %{YEAR}"
        UNIXDATE %{DAY} %{MONTH} [_123][0-9] %{TIME} %{TZ} %{YEAR}"
        RUBYDATE %{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{NUMTZ} %{YEAR}
        RFC822Z [0-3][0-9] %{MONTH} %{YEAR} %{TIME} %{NUMTZ}
        RFC850 %{DAY}, [0-3][0-9]-%{MONTH}-%{YEAR} %{TIME} %{TZ}
        RFC1123 %{DAY}, [0-3][0-9] %{MONTH} %{YEAR} %{TIME} %{TZ}
        RFC1123Z %{DAY}, [0-3][0-9] %{MONTH} %{YEAR} %{TIME} %{NUMTZ}
        RFC3339 %{YEAR}-[01][0-9]-[0-3][0-9]T%{TIME}%{ISO8601_TIMEZONE}
        RFC3339NANO %{YEAR}-[01][0-9]-[0-3][0-9]T%{HOUR}:%{MINUTE}:%{SECOND}\.[0-9]{9}%{ISO8601_TIMEZONE}
        KITCHEN [0-9]{1,2}:[0-9]{2}(?:[ap]m|[AP]M)

        # -- syslog and web servers --------------------------------------------------------------------------------------------
        SYSLOGTIMESTAMP %{MONTH} +%{MONTHDAY} %{TIME}
        PROG [\x21-\x5a\x5c\x5e-\x7e]+
        SYSLOGPROG %{PROG:program}(?:\[%{POSINT:pid}\])?
        SYSLOGHOST %{IPORHOST}
        SYSLOGFACILITY <%{NONNEGINT:facility}\.%{NONNEGINT:priority}>
        HTTPDATE %{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}
        QS %{QUOTEDSTRING}
        LOGLEVEL TRACE|[Tt]race|DEBUG|[Dd]ebug|INFO|[Ii]nfo|NOTICE|[Nn]otice|WARN?(?:ING)?|[Ww]arn?(?:ing)?|ERR?(?:OR)?|[Ee]rr?(?:or)?|CRIT?(?:ICAL)?|[Cc]rit?(?:ical)?|ALERT|[Aa]lert|EMERG(?:ENCY)?|[Ee]merg(?:ency)?|FATAL|[Ff]atal|SEVERE|[Ss]evere
        SYSLOGBASE %{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG}:
        COMMONAPACHELOG %{IPORHOST:clientip} %{HTTPDUSER:ident} %{USER:auth} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" %{NUMBER:response} (?:%{NUMBER:bytes}|[-])
        COMBINEDAPACHELOG %{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}
        HTTPD20_ERRORLOG \[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] (?:\[client %{IPORHOST:clientip}\] )?%{GREEDYDATA:errormsg}
        HTTPD24_ERRORLOG \[%{HTTPDERROR_DATE:timestamp}\] \[%{WORD:module}:%{LOGLEVEL:loglevel}\] \[pid %{POSINT:pid}(?::tid %{NUMBER:tid})?\](?: \(%{POSINT:proxy_errorcode}\)%{DATA:proxy_errormessage}:)?(?: \[client %{IPORHOST:client}:%{POSINT:clientport}\])? %{DATA:errorcode}: %{GREEDYDATA:message}
        HTTPD_ERRORLOG %{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG}
        """#
}
