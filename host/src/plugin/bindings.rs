//! Rust types of the contract, generated from `wit/`. The only generated code of the host.

/// The world `personality`, seen from the host.
pub mod personality {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "personality",
        imports: {
            "mimus:plugin/websocket": async | trappable,
            "mimus:plugin/inference": async | trappable,
            "mimus:plugin/answers": async | trappable,
            "mimus:plugin/embeddings": async | trappable,
            "mimus:plugin/reranking": async | trappable,
            "mimus:plugin/media": async | trappable,
            "mimus:plugin/vision": async | trappable,
            "mimus:plugin/registry": async | trappable,
            "mimus:plugin/launching": async | trappable,
            "mimus:plugin/state": async | trappable,
            "mimus:plugin/blobs": async | trappable,
            "mimus:plugin/clock.sleep": async | trappable,
            "mimus:plugin/http.[method]response.write": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: {
            "mimus:plugin/http.request": crate::plugin::imports::http::IncomingRequest,
            "mimus:plugin/http.response": crate::plugin::imports::http::ResponseSink,
            "mimus:plugin/websocket.socket": crate::plugin::imports::websocket::GuestSocket,
            "mimus:plugin/inference.generation": crate::inference::Running,
            "mimus:plugin/answers.answer": crate::answer::Answer,
            "mimus:plugin/media.image": crate::media::Picture,
            "mimus:plugin/state.lease": crate::state::Lease,
        },
    });
}

/// The world `marked-template`: a template's second export. Its first is called through the other module.
pub mod marked_template {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "marked-template",
        exports: { default: async },
        with: {
            "mimus:plugin/chat": crate::plugin::bindings::personality::mimus::plugin::chat,
        },
    });
}

/// The world `template`, with the conversation types of the other one.
pub mod template {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "template",
        exports: { default: async },
        with: {
            "mimus:plugin/chat": crate::plugin::bindings::personality::mimus::plugin::chat,
        },
    });
}
