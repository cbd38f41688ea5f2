//! Which network an address of the internet protocol belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that a request may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    /// The whole internet.
    Public,
    /// That, this machine, and the networks of its house.
    Private,
}

impl Network {
    /// Whether an address is in it. Some are in none: those of one cable, where clouds keep their secrets, of many receivers, and
    /// such as mean nobody.
    pub fn has(self, address: IpAddr) -> bool {
        let network = match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        };
        network.is_some_and(|network| network <= self)
    }
}

/// The smallest network that an address is in (IANA's registry of special IPv4 addresses).
fn of_v4(address: Ipv4Addr) -> Option<Network> {
    /// Where a cloud's machines ask for their secrets, though the address looks public.
    const AZURE_HOST: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        _ if address.is_link_local() || address == AZURE_HOST => None,
        // This network, and what is beyond unicast: many receivers, reserved addresses, broadcast.
        (0 | 224.., ..) => None,
        // This machine, and addresses that carriers share; then protocol assignments, relays to IPv6, measurements.
        (127, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _) => Some(Network::Private),
        _ if address.is_private() || address.is_documentation() => Some(Network::Private),
        _ => Some(Network::Public),
    }
}

/// The same for IPv6.
fn of_v6(address: Ipv6Addr) -> Option<Network> {
    let segments @ [a, b, ..] = address.segments();
    // An IPv4 address in another dress (mapped, compatible, behind NAT64 or 6to4) is where it is, and never public: nobody is
    // reached that way who could not be reached in plain.
    let v4 = |at: usize| {
        Some(
            of_v4(Ipv4Addr::from((u32::from(segments[at]) << 16) | u32::from(segments[at + 1])))?.max(Network::Private),
        )
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => None,
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Network::Private),
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => v4(6),
        [0x2002, ..] => v4(1),
        // Addresses of one cable, and of many receivers.
        _ if a & 0xffc0 == 0xfe80 || a >= 0xff00 => None,
        // Global unicast is 2000::/3; protocol assignments such as Teredo, and documentation, are in it.
        _ if a == 0x2001 && (b < 0x200 || b == 0xdb8) => Some(Network::Private),
        _ if a == 0x3fff && b < 0x1000 => Some(Network::Private),
        _ if a & 0xe000 == 0x2000 => Some(Network::Public),
        _ => Some(Network::Private),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(text: &str) -> (bool, bool) {
        let address = text.parse().expect(text);
        (Network::Public.has(address), Network::Private.has(address))
    }

    #[test]
    fn addresses_of_the_whole_internet_are_public() {
        for text in [
            "1.1.1.1",
            "18.64.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
        ] {
            assert_eq!(networks(text), (true, true), "{text}");
        }
    }

    #[test]
    fn addresses_of_a_house_are_not() {
        for text in [
            "127.0.0.1",
            "127.255.255.255",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::10.0.0.1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "2001::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "100::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
        ] {
            assert_eq!(networks(text), (false, true), "{text}");
        }
    }

    #[test]
    fn addresses_of_a_cable_and_of_nobody_are_never_asked() {
        for text in [
            "169.254.169.254",
            "168.63.129.16",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::",
        ] {
            assert_eq!(networks(text), (false, false), "{text}");
        }
    }
}
