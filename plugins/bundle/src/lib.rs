//! The plugins that the server carries: every package folder beside this one, compiled to a component when the server is built.
//!
//! Whether a component is a personality or a template shows in what it exports; the host finds that out.

/// One compiled plugin.
pub struct Component {
    /// The package's name, `mimus-openai`.
    pub name: &'static str,
    /// The package's version.
    pub version: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

/// Dialects that win paths at the root of the main listener, unless the configuration orders otherwise: the page that people see, then
/// those that most clients without a dialect's name in their address mean. Others follow by name.
pub const ORDER: &[&str] = &["page", "openai", "lmdeploy"];

include!(concat!(env!("OUT_DIR"), "/components.rs"));

#[cfg(test)]
mod tests {
    use super::COMPONENTS;

    #[test]
    fn every_plugin_is_a_component() {
        assert!(!COMPONENTS.is_empty());
        for component in COMPONENTS {
            // The magic number, then version 13 of the layer 1: a component rather than a module.
            assert!(component.bytes.starts_with(b"\0asm\x0d\0\x01\0"), "{}", component.name);
        }
    }
}
