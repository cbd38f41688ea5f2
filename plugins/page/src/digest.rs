//! Short digests of files, for addresses and `etag`.

/// Where a digest begins.
pub const START: u64 = 0xcbf2_9ce4_8422_2325;

/// Takes bytes into a digest: FNV-1a, 64 bits. Tells versions of a file apart; nothing is protected by it.
pub const fn digest(mut sum: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        sum = (sum ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    sum
}

/// 16 hexadecimal digits.
pub fn text(sum: u64) -> String {
    format!("{sum:016x}")
}

#[cfg(test)]
mod tests {
    use super::{START, digest, text};

    /// The values of the algorithm's authors.
    #[test]
    fn it_is_fnv_1a() {
        assert_eq!(text(START), "cbf29ce484222325");
        assert_eq!(text(digest(START, b"foobar")), "85944171f73967e8");
        assert_eq!(text(digest(digest(START, b"foo"), b"bar")), "85944171f73967e8");
    }
}
