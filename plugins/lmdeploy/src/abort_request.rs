//! `POST /abort_request`, from release 0.12 on: ends the generation of one session, or all. Off unless the operator sets
//! `enable_abort_handling = true`, because any client can then end the answers of all others.

use mimus_sdk::{Request, Response};
use serde::Deserialize;

use crate::refusal::Refusal;
use crate::{running, session};

#[derive(Deserialize)]
struct Body {
    session_id: Option<i64>,
    abort_all: Option<bool>,
}

/// 200 without a body; 501 where it is off.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    if !running::is_abort_enabled() {
        return Err(Refusal::not_implemented(
            "This server does not support abort requests. Enable with the setting enable_abort_handling.",
        ));
    }
    let body: Body = request.json()?;
    if body.abort_all.unwrap_or(false) {
        running::cancel_all()?;
        return Ok(response.empty(200)?);
    }
    let id = body.session_id.unwrap_or(session::NONE);
    let was_running = running::cancel(id) > 0;
    if !was_running && !session::is_live(id)? {
        return Err(Refusal::bad("session_id", format!("Session {id} not found.")));
    }
    session::end(id)?;
    Ok(response.empty(200)?)
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::scripted::{Captured, ScriptedHost};
    use serde_json::{Value, json};

    fn post(host: &ScriptedHost, path: &str, body: &Value) -> Captured {
        host.call(&Lmdeploy, "POST", path, &[], body.to_string().as_bytes())
    }

    #[test]
    fn it_is_off_unless_switched_on() {
        assert_eq!(post(&ScriptedHost::new(), "/abort_request", &json!({"abort_all": true})).status, 501);
    }

    #[test]
    fn a_session_is_ended() {
        let host = ScriptedHost::new().setting("enable_abort_handling", true);
        let turn = json!({"prompt": "Hi", "session_id": 7, "interactive_mode": true});
        post(&host, "/v1/chat/interactive", &turn);
        assert_eq!(post(&host, "/abort_request", &json!({"session_id": 7})).status, 200);
        assert_eq!(post(&host, "/v1/chat/interactive", &turn).json()["history_tokens"], 0);
    }

    #[test]
    fn an_unknown_session_is_not_found() {
        let host = ScriptedHost::new().setting("enable_abort_handling", true);
        let answer = post(&host, "/abort_request", &json!({"session_id": 8}));
        assert_eq!((answer.status, &answer.json()["message"]), (400, &"Session 8 not found.".into()));
        assert_eq!(post(&host, "/abort_request", &json!({"abort_all": true})).status, 200);
        assert_eq!(post(&host, "/abort_request", &json!({"abort_all": "yes"})).status, 400);
    }
}
