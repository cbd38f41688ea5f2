//! Routes of the original for what this server does not do: each says so, and what there is instead.

use mimus_sdk::{Request, Response, Routes};

use crate::fault::Fault;

/// The routes, none of which reads its body.
pub(crate) fn routes(routes: Routes<Fault>) -> Routes<Fault> {
    let routes = workflows(routes);
    let routes = models(routes);
    routes
        .post("/initialise_webrtc_worker", streams)
        .public()
        .post("/webrtc/session/heartbeat", streams)
        .public()
        .post("/webrtc/session/heartbeat/end", streams)
        .public()
        .post("/inference_pipelines/initialise", streams)
        .public()
        .post("/inference_pipelines/initialise_webrtc", streams)
        .public()
        .get("/inference_pipelines/list", streams)
        .public()
        .get("/inference_pipelines/{id}/status", streams)
        .public()
        .get("/inference_pipelines/{id}/consume", streams)
        .public()
        .post("/inference_pipelines/{id}/pause", streams)
        .public()
        .post("/inference_pipelines/{id}/resume", streams)
        .public()
        .post("/inference_pipelines/{id}/terminate", streams)
        .public()
        .get("/notebook/start", notebook)
        .public()
}

fn workflows(routes: Routes<Fault>) -> Routes<Fault> {
    routes
        .post("/infer/workflows", refuse_workflow)
        .public()
        .post("/infer/workflows/{workspace}/{id}", refuse_workflow)
        .public()
        .post("/workflows/run", refuse_workflow)
        .public()
        .post("/workflows/validate", refuse_workflow)
        .public()
        .post("/workflows/describe_interface", refuse_workflow)
        .public()
        .post("/workflows/describe_workload", refuse_workflow)
        .public()
        .get("/workflows/blocks/describe", refuse_workflow)
        .public()
        .post("/workflows/blocks/describe", refuse_workflow)
        .public()
        .post("/workflows/blocks/dynamic_outputs", refuse_workflow)
        .public()
        .get("/workflows/definition/schema", refuse_workflow)
        .public()
        .get("/workflows/execution_engine/versions", refuse_workflow)
        .public()
        .post("/{workspace}/workflows/{id}", refuse_workflow)
        .public()
        .post("/{workspace}/workflows/{id}/describe_interface", refuse_workflow)
        .public()
        .post("/{workspace}/workflows/{id}/describe_workload", refuse_workflow)
        .public()
}

fn models(routes: Routes<Fault>) -> Routes<Fault> {
    routes
        .post("/yolo_world/infer", open_vocabulary)
        .public()
        .post("/grounding_dino/infer", open_vocabulary)
        .public()
        .post("/owlv2/infer", open_vocabulary)
        .public()
        .post("/sam/embed_image", segment_anything)
        .public()
        .post("/sam/segment_image", segment_anything)
        .public()
        .post("/sam2/embed_image", segment_anything)
        .public()
        .post("/sam2/segment_image", segment_anything)
        .public()
        .post("/sam3/embed_image", segment_anything)
        .public()
        .post("/sam3/concept_segment", segment_anything)
        .public()
        .post("/sam3/visual_segment", segment_anything)
        .public()
        .post("/infer/semantic_segmentation", semantic_segmentation)
        .public()
        .post("/infer/depth-estimation", depth)
        .public()
        .post("/infer/depth-estimation/{model_id...}", depth)
        .public()
        .post("/infer/action_recognition", action)
        .public()
        .post("/infer/embeddings", vectors)
        .public()
        .post("/perception_encoder/embed_image", vectors)
        .public()
        .post("/perception_encoder/embed_text", vectors)
        .public()
        .post("/perception_encoder/compare", vectors)
        .public()
}

fn refuse(what: &str, instead: &str) -> Result<(), Fault> {
    Err(Fault::not_available(format!("{what} not available on this server. {instead}")))
}

fn refuse_workflow(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse("Workflows are", "Send each image to /infer/{task}, and put the steps together in your program.")
}

fn streams(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse("Inference pipelines are", "Read the video in your program and send its frames: `infer_on_stream` does it.")
}

fn notebook(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse("A notebook is", "See /docs for what the server answers.")
}

fn open_vocabulary(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse(
        "Detection of classes named in the request is",
        "/infer/object_detection finds the classes of a model, and /clip/compare tells how well texts fit an image.",
    )
}

fn segment_anything(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse("Segmentation by prompts is", "/infer/instance_segmentation outlines the objects of a model's classes.")
}

fn semantic_segmentation(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse("Semantic segmentation is", "/infer/instance_segmentation outlines the objects of a model's classes.")
}

fn depth(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse("Depth estimation is", "See /docs for what the server answers.")
}

fn action(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse("Action recognition is", "Send single frames to /infer/classification.")
}

fn vectors(_: &Request, _: &mut Response) -> Result<(), Fault> {
    refuse("This kind of vectors is", "/clip/embed_image and /clip/embed_text make vectors of images and texts.")
}
