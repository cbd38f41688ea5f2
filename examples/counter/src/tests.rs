use mimus_sdk::scripted::ScriptedHost;

use crate::Counter;

#[test]
fn counts() {
    let host = ScriptedHost::new();
    let call = |method, path| {
        let captured = host.call(&Counter, method, path, &[], b"");
        (captured.status, captured.text().to_owned())
    };
    assert_eq!(call("GET", "/visits"), (200, "0".into()));
    assert_eq!(call("POST", "/visits"), (200, "1".into()));
    assert_eq!(call("POST", "/visits"), (200, "2".into()));
    assert_eq!(call("GET", "/others"), (200, "0".into()));
    assert_eq!(call("DELETE", "/visits"), (204, String::new()));
    assert_eq!(call("DELETE", "/visits"), (404, String::new()));
}
