public import Glibc

/// Addresses as the socket calls want them.
public enum SocketAddress {
    /// Calls `body` with the address as a `sockaddr` and its length.
    public static func with<T>(
        _ address: IPAddress, port: Int = 0, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T
    ) -> T {
        let port = in_port_t(truncatingIfNeeded: port).bigEndian
        guard address.isV6 else {
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port
            v4.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.low).bigEndian
            return bytes(of: &v4, body)
        }
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port
        withUnsafeMutableBytes(of: &v6.sin6_addr) { bytes in
            bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return bytes(of: &v6, body)
    }

    private static func bytes<A, T>(of address: inout A, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<A>.size)) }
        }
    }

    /// The address that a call filled in; nil for another family.
    public static func address(_ storage: sockaddr_storage) -> IPAddress? {
        withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET: IPAddress(v4: UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self)))
            case AF_INET6:
                IPAddress(
                    v6High: UInt64(bigEndian: bytes.load(fromByteOffset: 8, as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.load(fromByteOffset: 16, as: UInt64.self)))
            default: nil
            }
        }
    }
}
