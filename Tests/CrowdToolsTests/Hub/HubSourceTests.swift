import CrowdCore
import CrowdTestSupport
import Testing

@Suite("A hub without network", .enabled(if: SharedMaterial.path("hub") != nil)) struct HubSourceTests {
    @Test func aBundleCarriesItemsAndData() throws {
        let server = try HubServer(["crowdsecurity/linux"])
        let near = try HubHost(server, installing: "crowdsecurity/linux")
        let (key, bundle) = (near.path + "/key", near.path + "/bundle.tar.gz")
        try near.cscli("hub bundle key \(key)")
        try near.cscli("hub bundle create \(bundle) --key \(key)")
        #expect(try near.cscli("hub bundle verify \(bundle) --key \(key).pub").contains("genuine"))
        server.stop()
        let far = try HubHost(server)
        let dry = try far.cscli(
            "hub bundle apply \(bundle) --key \(key).pub collections:crowdsecurity/linux --dry-run")
        #expect(dry.contains("collections: crowdsecurity/linux (0.9), crowdsecurity/sshd (0.9)"))
        #expect(!far.exists("hub/.index.json"))
        try far.cscli("hub bundle apply \(bundle) --key \(key).pub collections:crowdsecurity/linux")
        #expect(far.tree("hub") == near.tree("hub") && far.tree("data") == near.tree("data"))
        #expect(try far.cscli("hub bundle verify \(bundle) --key \(key)", 1).contains("the signature is not genuine"))
    }

    @Test func aFolderAndAnArchiveAreSources() throws {
        let server = try HubServer(["crowdsecurity/linux"])
        let host = try HubHost(server, installing: "crowdsecurity/linux")
        let source = host.path + "/source"
        try Command.must("mkdir -p \(source)/data")
        try Command.must("cp -r \(host.path)/hub/. \(source)")
        // The test's data files are addressed on loopback, with its port.
        let place = server.url.replacing("http://", with: "").replacing("/", with: "")
        for (path, bytes) in server.data { try host.directory.write("source/data/\(place)\(path)", bytes) }
        server.stop()
        try Command.must("tar -C \(source) -cf \(host.path)/source.tar .")
        for name in ["source", "source.tar"] {
            let other = try HubHost(server)
            try other.directory.append("config.yaml", "\n  hub_source: \(host.path)/\(name)\n")
            try other.cscli("hub update")
            try other.cscli("collections install crowdsecurity/linux")
            #expect(other.tree("scenarios") == host.tree("scenarios") && other.tree("data") == host.tree("data"))
        }
    }
}
