//! Xinference's REST API, for its clients and its command line from late 2023 (0.5) to today (4.1).
//!
//! One room for each part: models and their launches, the registry, inference, and the server as a cluster of one. Where the
//! generations contradict each other the newer one holds, and the exceptions are told where they are made.
//!
//! Sources: github.com/xorbitsai/inference, releases 0.5.6, 0.8.5 and 4.1.0, and the clients of those and of 0.14.4.

mod cache;
mod chat;
mod completions;
mod description;
mod elsewhere;
mod embeddings;
mod families;
mod form;
mod generation;
mod instances;
mod launch;
mod login;
mod media;
mod models;
mod refusal;
mod registrations;
mod requests;
mod rerank;
mod running;
mod shape;
mod status;
mod text_or;
mod thinking;
mod upkeep;
mod words;

use mimus_sdk::{About, Dialect, Routes};

use refusal::Refusal;

/// The personality.
pub struct Xinference;

impl Dialect for Xinference {
    type Error = Refusal;

    fn about(&self) -> About {
        About::new("xinference", env!("CARGO_PKG_VERSION"), "Xinference: launching models, chat, embeddings, reranking")
            .port(9997)
            .error_style(mimus_sdk::ErrorStyle::json(refusal::HOST_STYLE))
            .openapi(include_str!("../openapi.json"))
    }

    fn routes(&self) -> Routes<Refusal> {
        let routes = cluster(Routes::new());
        let routes = registry(routes);
        inference(running(routes))
    }
}

/// The server itself.
fn cluster(routes: Routes<Refusal>) -> Routes<Refusal> {
    routes
        .get("/status", status::status)
        .public()
        .get("/v1/address", status::tell_address)
        .public()
        .get("/v1/cluster/auth", status::auth)
        .public()
        .get("/v1/cluster/devices", status::devices)
        .public()
        .get("/v1/cluster/info", status::info)
        .get("/v1/cluster/version", status::version)
        .get("/v1/supervisor", status::supervisor)
        .get("/v1/workers", status::workers)
        .delete("/v1/clusters", status::refuse_to_stop)
        .post("/token", login::token)
        .public()
        .get("/v1/admin/setup/status", login::setup_status)
        .public()
        .post("/v1/admin/setup", login::refuse_setup)
        .public()
}

/// What can be launched.
fn registry(routes: Routes<Refusal>) -> Routes<Refusal> {
    routes
        .get("/v1/model_registrations/{model_type}", registrations::list)
        .post("/v1/model_registrations/{model_type}", registrations::register)
        .body_bytes_max(registrations::BODY_BYTES_MAX)
        .get("/v1/model_registrations/{model_type}/{model_name...}", registrations::get)
        .delete("/v1/model_registrations/{model_type}/{model_name...}", registrations::unregister)
        .get("/v1/models/prompts", families::prompts)
        .public()
        .get("/v1/models/families", families::names)
        .public()
        .get("/v1/models/vllm-supported", families::vllm_names)
        .public()
        .get("/v1/models/{model_type}/{model_name}/versions", families::versions)
        .get("/v1/engines/{model_name}", families::engines)
        .get("/v1/engines/{model_type}/{model_name}", families::engines_of_type)
        .get("/v1/cache/models", cache::list)
        .delete("/v1/cache/models", cache::remove)
        .get("/v1/cache/models/files", cache::files)
}

/// What is launched. A uid may hold slashes where nothing follows it.
fn running(routes: Routes<Refusal>) -> Routes<Refusal> {
    routes
        .get("/v1/models", models::list)
        .post("/v1/models", launch::launch)
        .post("/v1/models/instance", launch::launch_version)
        .get("/v1/models/instances", instances::list)
        .get("/v1/models/{model_uid...}", models::describe)
        .delete("/v1/models/{model_uid...}", models::terminate)
        .get("/v1/models/{model_uid}/progress", instances::progress)
        .post("/v1/models/{model_uid}/cancel", instances::cancel)
        .get("/v1/models/{model_uid}/replicas", instances::list_replicas)
        .post("/v1/models/{model_uid}/replicas", instances::add_replicas)
        .delete("/v1/models/{model_uid}/replicas/{replica_id}", instances::remove_replica)
        .get("/v1/models/{model_uid}/events", instances::events)
        .post("/v1/models/{model_uid}/requests/{request_id}/abort", requests::abort)
        .get("/v1/requests/{request_id}/progress", requests::progress)
        .get("/v1/models/{model_uid}/reload", upkeep::reload_status)
        .post("/v1/models/{model_uid}/reload", upkeep::refuse_reload)
        .get("/v1/models/{model_uid}/reload/config", upkeep::reload_config)
        .get("/v1/autostart/models", upkeep::list_autostart)
        .post("/v1/autostart/models", upkeep::add_autostart)
        .get("/v1/autostart/models/summary", upkeep::autostart_summary)
        .delete("/v1/autostart/models/{model_uid}", upkeep::remove_autostart)
}

/// Work for models.
fn inference(routes: Routes<Refusal>) -> Routes<Refusal> {
    routes
        .post("/v1/chat/completions", chat::create)
        .post("/v1/completions", completions::create)
        .post("/v1/embeddings", embeddings::create)
        .body_bytes_max(embeddings::BODY_BYTES_MAX)
        .post("/v1/convert_ids_to_tokens", embeddings::convert)
        .post("/v1/rerank", rerank::create)
        .body_bytes_max(rerank::BODY_BYTES_MAX)
        .post("/v1/images/generations", media::images)
        .post("/v1/images/variations", media::image_forms)
        .post("/v1/images/inpainting", media::image_forms)
        .post("/v1/images/edits", media::image_edits)
        .post("/v1/images/ocr", media::image_forms)
        .post("/v1/images/docanalyze", media::image_forms)
        .post("/v1/audio/transcriptions", media::audio_forms)
        .post("/v1/audio/translations", media::audio_forms)
        .post("/v1/audio/speech", media::speech)
        .post("/v1/audio/embeddings", media::audio_embeddings)
        .post("/v1/video/generations", media::videos)
        .post("/v1/video/generations/image", media::videos)
        .post("/v1/video/generations/flf", media::videos)
        .post("/v1/worlds/generations", media::worlds)
        .post("/v1/flexible/infers", media::flexible)
        .post("/v1/messages", elsewhere::messages)
        .post("/v1/messages/count_tokens", elsewhere::messages)
        .post("/v1/responses", elsewhere::responses)
}

mimus_sdk::personality!(Xinference);

#[cfg(test)]
mod tests;
