/// A small authority with a server's and a client's certificate, for 127.0.0.1; and a client's certificate of nobody.
public struct TestCertificates: Sendable {
    public let directory: TemporaryDirectory
    public var ca: String { directory.path + "/ca.pem" }
    public var cert: String { directory.path + "/server.pem" }
    public var key: String { directory.path + "/server.key" }
    public var clientCert: String { directory.path + "/client.pem" }
    public var clientKey: String { directory.path + "/client.key" }
    /// Of another authority.
    public var strangerCert: String { directory.path + "/stranger.pem" }
    public var strangerKey: String { directory.path + "/stranger.key" }

    public init() throws {
        directory = try TemporaryDirectory()
        let place = directory.path
        let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        try Command.must("openssl req -x509 \(curve) -subj /CN=ca -keyout \(place)/ca.key -out \(place)/ca.pem")
        try Command.must(
            "openssl req -x509 \(curve) -subj /CN=stranger -keyout \(place)/stranger.key -out \(place)/stranger.pem")
        try directory.write("names", "subjectAltName=IP:127.0.0.1\n")
        for name in ["server", "client"] {
            try Command.must(
                "openssl req \(curve.replacing(" -days 2", with: "")) -subj /CN=\(name) -keyout \(place)/\(name).key "
                    + "-out \(place)/\(name).csr")
            try Command.must(
                "openssl x509 -req -in \(place)/\(name).csr -CA \(place)/ca.pem -CAkey \(place)/ca.key -CAcreateserial "
                    + "-days 2 -extfile \(place)/names -out \(place)/\(name).pem")
        }
    }
}
