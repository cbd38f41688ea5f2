//! Short digests of files, for addresses and `etag`.

/// FNV-1a, 64 bits. Tells versions of a file apart; nothing is protected by it.
pub struct Digest(u64);

impl Digest {
    /// Of nothing yet.
    pub fn new() -> Digest {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    /// Takes bytes in.
    pub fn add(mut self, bytes: &[u8]) -> Digest {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }

    /// 16 hexadecimal digits.
    pub fn text(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    /// The values of the algorithm's authors.
    #[test]
    fn it_is_fnv_1a() {
        assert_eq!(Digest::new().text(), "cbf29ce484222325");
        assert_eq!(Digest::new().add(b"foobar").text(), "85944171f73967e8");
        assert_eq!(Digest::new().add(b"foo").add(b"bar").text(), "85944171f73967e8");
    }
}
