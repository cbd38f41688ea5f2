//! Plugins as files: the bundled ones, and copies of them under another hash.

/// The bytes of a bundled plugin.
pub fn bundled(package: &str) -> &'static [u8] {
    let mut components = mimus_bundle::COMPONENTS.iter();
    components.find(|component| component.name == package).expect("the plugin is bundled").bytes
}

/// The same component with a custom section at its end: another hash, the same behaviour.
pub fn with_custom_section(component: &[u8], name: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a short name");
    let mut bytes = component.to_vec();
    bytes.extend([0, length + 1, length]);
    bytes.extend(name);
    bytes
}
