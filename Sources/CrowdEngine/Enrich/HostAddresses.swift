import CrowdCore
import Glibc

/// `LookupHost`: the addresses of a host name, asked of the system's resolver.
enum HostAddresses {
    private static let questions = BoundedQuestions(thread: "lookup-host")

    /// Empty when there are none, or none came in time.
    static func find(_ host: String) -> [String] {
        guard !host.isEmpty, host.utf8.count <= 253, !host.utf8.contains(0) else { return [] }
        guard case .answer(let found) = questions.ask({ resolve(host) }) else { return [] }
        return found
    }

    private static func resolve(_ host: String) -> [String] {
        var wish = addrinfo()
        wish.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &wish, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let info = next?.pointee {
            next = info.ai_next
            var storage = sockaddr_storage()
            guard let address = info.ai_addr, Int(info.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size else {
                continue
            }
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
            }
            if let text = SocketAddress.address(storage)?.description, !found.contains(text) { found.append(text) }
        }
        return found
    }
}
