//! Roboflow Inference's HTTP API, for its clients from early 2024 (0.9.23) to today (1.8.3): both ways of asking for predictions (the
//! legacy route and `/infer/…`), the registry of models, and the core models for vectors, text and gazes.
//!
//! Where the generations contradict each other the newer one holds, and the exceptions are told where they are made.
//!
//! Sources: github.com/roboflow/inference, releases 0.9.23 and 1.8.3, as they answered; their clients (`inference-sdk`).

mod aliases;
mod answer;
mod choice;
mod clip;
mod compare;
mod drawing;
mod elsewhere;
mod fault;
mod fields;
mod gaze;
mod ids;
mod infer;
mod keys;
mod language;
mod legacy;
mod look;
mod pictures;
mod reading;
mod registry;
mod server;
mod settings;

use mimus_sdk::{About, Dialect, ErrorStyle, Routes};

use fault::Fault;

/// Largest body: the host's own bound. A picture of 24 MiB as base64.
const BODY_BYTES_MAX: u64 = 32 << 20;

/// The personality.
pub struct Roboflow;

impl Dialect for Roboflow {
    type Error = Fault;

    fn about(&self) -> About {
        About::new(
            "roboflow",
            env!("CARGO_PKG_VERSION"),
            "Roboflow Inference: detection, masks, classes, vectors, text",
        )
        .port(9001)
        .error_style(ErrorStyle::json(r#"{"message":$message}"#))
        .openapi(include_str!("../openapi.json"))
    }

    /// All are public: clients send their key in the body or the query, which only the handlers see ([`keys`]).
    fn routes(&self) -> Routes<Fault> {
        let routes = service(Routes::new());
        let routes = predictions(routes);
        elsewhere::routes(core_models(routes))
    }
}

/// The server and its list of models.
fn service(routes: Routes<Fault>) -> Routes<Fault> {
    routes
        .get("/", server::page)
        .public()
        .get("/info", server::info)
        .public()
        .get("/healthz", server::health)
        .public()
        .get("/readiness", server::readiness)
        .public()
        .get("/redoc", server::documents)
        .public()
        .get("/device/stats", server::stats)
        .public()
        .get("/model/registry", registry::list)
        .public()
        .post("/model/add", registry::add)
        .public()
        .post("/model/remove", registry::remove)
        .public()
        .post("/model/clear", registry::clear)
        .public()
        .get("/start/{dataset_id}/{version_id}", registry::start)
        .public()
        .get("/clear_cache", registry::clear_cache)
        .public()
}

/// Models that predict. The route says nothing: the model's own task decides.
fn predictions(routes: Routes<Fault>) -> Routes<Fault> {
    routes
        .post("/infer/object_detection", infer::create)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/infer/instance_segmentation", infer::create)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/infer/classification", infer::create)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/infer/keypoints_detection", infer::create_keypoints)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/{dataset_id}/{version_id}", legacy::create)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .get("/{dataset_id}/{version_id}", legacy::create)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
}

/// Models with routes of their own.
fn core_models(routes: Routes<Fault>) -> Routes<Fault> {
    routes
        .post("/clip/embed_image", clip::embed_image)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/clip/embed_text", clip::embed_text)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/clip/compare", compare::create)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/doctr/ocr", reading::doctr)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/ocr/trocr", reading::trocr)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/easy_ocr/ocr", reading::easy_ocr)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/ocr/pp-ocr", reading::pp_ocr)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/gaze/gaze_detection", gaze::create)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/infer/lmm", language::create)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/infer/lmm/{model_id...}", language::create_by_path)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
        .post("/llm/cogvlm", language::prompt)
        .body_bytes_max(BODY_BYTES_MAX)
        .public()
}

mimus_sdk::personality!(Roboflow);

#[cfg(test)]
mod tests;
