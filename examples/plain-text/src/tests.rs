use mimus_sdk::scripted::ScriptedHost;

use crate::PlainText;

#[test]
fn says() {
    let host = ScriptedHost::new().echo();
    let captured = host.call(&PlainText, "POST", "/say", &[], "good day to you".as_bytes());
    assert_eq!((captured.status, captured.text(), captured.chunks.len()), (200, "good day to you", 4));
    assert_eq!(host.call(&PlainText, "POST", "/say?model=nope", &[], b"x").status, 404);
}
