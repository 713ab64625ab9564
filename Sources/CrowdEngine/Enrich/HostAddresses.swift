import CrowdCore
import Glibc
import Synchronization

/// `LookupHost`: the addresses of a host name, asked of the system's resolver.
///
/// Who asks waits at most three seconds, and no more than eight questions are open: a slow name server holds nobody up
/// for long.
enum HostAddresses {
    private static let patience = GoDuration.seconds(3)
    private static let mostOpen = 8
    private static let open = Atomic(0)

    static func find(_ host: String) -> [String] {
        guard !host.isEmpty, host.utf8.count <= 253, !host.utf8.contains(0) else { return [] }
        guard open.wrappingAdd(1, ordering: .relaxed).newValue <= mostOpen else {
            open.wrappingSubtract(1, ordering: .relaxed)
            return []
        }
        let answer = Completion<[String]>()
        let started = PlainThread.start("lookup-host") {
            answer.set(resolve(host))
            open.wrappingSubtract(1, ordering: .relaxed)
        }
        guard started else {
            open.wrappingSubtract(1, ordering: .relaxed)
            return []
        }
        return answer.wait(atMost: patience) ?? []
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
