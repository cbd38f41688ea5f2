//! Keys: any will do unless the server asks for one.

use mimus_sdk::scripted::ScriptedHost;
use serde_json::json;

use super::{FILE, host, image, message};
use crate::Roboflow;

const DETECT: &str = "/infer/object_detection";

fn status(host: &ScriptedHost, path: &str, headers: &[(&str, &str)], key: Option<&str>) -> u16 {
    let body = json!({ "model_id": "shapes/1", "image": image(FILE), "text": "a", "api_key": key });
    host.call(&Roboflow, "POST", path, headers, body.to_string().as_bytes()).status
}

#[test]
fn any_key_will_do_where_none_is_asked_for() {
    for key in [None, Some("any")] {
        assert_eq!(status(&host(), DETECT, &[("authorization", "Bearer x")], key), 200);
    }
}

#[test]
fn a_key_may_stand_in_three_places() {
    let host = host().key("right");
    let with_query = format!("{DETECT}?api_key=right");
    assert_eq!(status(&host, DETECT, &[], Some("right")), 200);
    assert_eq!(status(&host, &with_query, &[], None), 200);
    assert_eq!(status(&host, DETECT, &[("authorization", "Bearer right")], None), 200);
    assert_eq!(status(&host, DETECT, &[("authorization", "Bearer wrong")], Some("right")), 200);
    assert_eq!(status(&host, DETECT, &[], None), 401);
    assert_eq!(status(&host, DETECT, &[], Some("wrong")), 401);
    assert_eq!(status(&host, &format!("{DETECT}?api_key=None"), &[], None), 401);
}

#[test]
fn every_route_that_gives_something_away_asks() {
    let host = host().key("right");
    for path in [
        DETECT,
        "/infer/keypoints_detection",
        "/shapes/1",
        "/clip/embed_text",
        "/clip/embed_image",
        "/doctr/ocr",
        "/gaze/gaze_detection",
        "/infer/lmm",
        "/model/add",
        "/model/remove",
        "/model/clear",
    ] {
        assert_eq!(status(&host, path, &[], None), 401, "{path}");
    }
    for path in ["/start/shapes/1", "/clear_cache", "/shapes/1?image=https://x/a", "/device/stats"] {
        let captured = super::get(&host, path);
        assert!(message(&captured, 401).contains("api_key"), "{path}");
    }
    // The first clients send no key for the list, which they ask for before each prediction.
    for path in ["/", "/info", "/healthz", "/readiness", "/model/registry"] {
        assert_eq!(super::get(&host, path).status, 200, "{path}");
    }
    assert!(host.looked().is_empty());
}
