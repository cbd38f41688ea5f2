//! Ids as `shortuuid` makes them: 128 random bits in 57 characters that are hard to confuse.

use mimus_sdk::random;

const ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// 57 to the power of 22 is more than 2 to the power of 128.
const CHARACTERS: usize = 22;

/// `prefix` and 22 characters.
pub(crate) fn new(prefix: &str) -> String {
    let number = random::bytes(16).iter().fold(0u128, |number, byte| (number << 8) | u128::from(*byte));
    format!("{prefix}{}", encode(number))
}

fn encode(mut number: u128) -> String {
    let mut characters = [ALPHABET[0]; CHARACTERS];
    for place in characters.iter_mut().rev() {
        *place = ALPHABET[(number % 57) as usize];
        number /= 57;
    }
    characters.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn numbers_fill_their_places() {
        assert_eq!(encode(0), "2".repeat(22));
        assert_eq!(encode(58), format!("{}33", "2".repeat(20)));
        assert_eq!(encode(u128::MAX).len(), 22);
    }
}
