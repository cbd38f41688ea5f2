//! What `wit-bindgen` makes of the contract. Nothing here is written by hand; the modules beside this one give it a good shape.
//!
//! Both worlds share one set of conversation types, so that a template and a dialect speak of the same `Message`.

// The contract documents its items and `wit-bindgen` carries that over; its own glue has neither docs nor safe code.
#[allow(missing_docs, unsafe_code, clippy::all)]
pub mod personality {
    wit_bindgen::generate!({
        path: "../wit",
        world: "personality",
        pub_export_macro: true,
        export_macro_name: "export_personality",
        default_bindings_module: "mimus_sdk::bindings::personality",
        additional_derives: [PartialEq],
        runtime_path: "wit_bindgen::rt",
    });
}

#[allow(missing_docs, unsafe_code, clippy::all)]
pub mod template {
    wit_bindgen::generate!({
        path: "../wit",
        world: "marked-template",
        pub_export_macro: true,
        export_macro_name: "export_template",
        default_bindings_module: "mimus_sdk::bindings::template",
        additional_derives: [PartialEq],
        type_section_suffix: "template",
        with: { "mimus:plugin/chat@0.1.0": crate::bindings::personality::mimus::plugin::chat },
        runtime_path: "wit_bindgen::rt",
    });
}
