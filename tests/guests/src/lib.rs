//! Guests for the end-to-end tests, compiled to components by the build script: plugins that misbehave, and files that are no plugins.

/// A personality `faults` with one route for each way to misbehave.
pub const FAULTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/mimus_guest_faults.wasm"));

/// A core module: WebAssembly, but no component.
pub const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A component of another world: it exports nothing.
pub const WRONG_WORLD: &[u8] = b"\0asm\x0d\0\x01\0";

/// A component that wants an interface which no host offers, `mimus:plugin/teleport@0.1.0`.
pub const UNKNOWN_IMPORT: &[u8] =
    b"\0asm\x0d\0\x01\0\x07\x03\x01\x42\0\x0a\x20\x01\0\x1bmimus:plugin/teleport@0.1.0\x05\0";

const VERSIONED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/mimus_guest_versioned.wasm"));

/// How a version of the personality `versioned` behaves.
#[derive(Clone, Copy, Debug)]
pub enum Temper {
    /// Answers with its version.
    Good,
    /// Is described with two routes of one shape.
    ConflictingRoutes,
    /// Fails its self-test.
    FailingSelfTest,
    /// Traps when it is described.
    TrapInDescribe,
    /// Never ends when it is described.
    SpinInDescribe,
    /// Has an OpenAPI fragment that is no JSON.
    BadOpenapi,
    /// Has a name that no plugin can have.
    BadName,
    /// Traps on every request.
    TrapOnRequest,
}

/// The personality `versioned` with a version of four characters (`0001`) patched into its bytes.
pub fn versioned(version: &str, temper: Temper) -> Vec<u8> {
    const MARK: &[u8] = b"MIMUS-GUEST-MARK";
    assert!(version.len() == 4 && version.is_ascii(), "a version of four characters: {version:?}");
    let mut bytes = VERSIONED.to_vec();
    let mut places = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK).map(|(at, _)| at);
    let at = places.next().expect("the guest holds its mark") + MARK.len();
    assert!(places.next().is_none(), "the guest holds its mark once");
    bytes[at..at + 4].copy_from_slice(version.as_bytes());
    bytes[at + 4] = match temper {
        Temper::Good => b'.',
        Temper::ConflictingRoutes => b'c',
        Temper::FailingSelfTest => b'f',
        Temper::TrapInDescribe => b't',
        Temper::SpinInDescribe => b's',
        Temper::BadOpenapi => b'j',
        Temper::BadName => b'n',
        Temper::TrapOnRequest => b'a',
    };
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guest_is_a_component() {
        let good = versioned("0001", Temper::Good);
        for bytes in [FAULTS, &good, WRONG_WORLD, UNKNOWN_IMPORT] {
            assert!(bytes.starts_with(b"\0asm\x0d\0\x01\0"));
        }
    }

    #[test]
    fn versions_differ_in_five_bytes_at_most() {
        let (one, two) = (versioned("0001", Temper::Good), versioned("2222", Temper::BadName));
        assert_eq!(one.len(), two.len());
        assert_eq!(one.iter().zip(&two).filter(|(one, two)| one != two).count(), 5);
    }
}
