//! `POST /sleep`, `POST /wakeup` and `GET /is_sleeping`, from releases 0.10 and 0.12 on.
//!
//! In the original a sleeping engine gives its memory back. Here models belong to the whole server, so a sleep is this dialect's
//! alone: its routes for text answer 503 until it is woken, and nothing is unloaded. A restart of the server wakes it, as there.
//! One client must not silence the others, so this is for operators to allow: `allow_sleep_by_client = true`.

use mimus_sdk::{Request, Response, config, log, models, state};
use serde::Serialize;

use crate::refusal::Refusal;

const KEY: &str = "asleep";

#[derive(Serialize)]
struct IsSleeping {
    is_sleeping: bool,
}

/// Puts the dialect to sleep. `level` is 1 or 2, which makes no difference here.
pub fn sleep(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let level = request.query("level").unwrap_or("1".into());
    match level.parse::<i64>() {
        Ok(1 | 2) => {}
        Ok(_) => return Err(Refusal::bad("level", r#"The "level" query parameter must be 1 or 2."#)),
        Err(_) => return Err(Refusal::bad("level", r#"The "level" query parameter must be an integer."#)),
    }
    if !is_allowed() {
        let how = "This server is not put to sleep by its clients; its operator can set allow_sleep_by_client.";
        return Err(Refusal::bad("level", how));
    }
    state::put(KEY, &start_of_this_server(), None)?;
    Ok(response.empty(200)?)
}

/// Wakes it. What `tags` names was never unloaded.
pub fn wakeup(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    state::delete(KEY)?;
    Ok(response.empty(200)?)
}

/// Says whether it sleeps.
pub fn tell(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &IsSleeping { is_sleeping: is_sleeping()? })?)
}

/// Refuses what needs a model while the dialect sleeps.
///
/// # Errors
/// 503, in the original's words.
pub fn require_awake() -> Result<(), Refusal> {
    if is_sleeping()? {
        let how = "Engine is sleeping; call POST /wakeup before inference (e.g. tags=weights&tags=kv_cache).";
        return Err(Refusal::unavailable(how));
    }
    Ok(())
}

fn is_allowed() -> bool {
    let setting = config::get("allow_sleep_by_client").unwrap_or_else(|error| {
        log::write(log::Level::Warn, &error);
        None
    });
    setting.unwrap_or(false)
}

fn is_sleeping() -> Result<bool, Refusal> {
    if !is_allowed() {
        return Ok(false);
    }
    let since: Option<u64> = state::get(KEY)?.map(|versioned| versioned.value);
    Ok(since.is_some_and(|start| start == start_of_this_server()))
}

/// When this server loaded its first model: another number after a restart.
fn start_of_this_server() -> u64 {
    models::list().iter().map(|model| model.created_s).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::scripted::{ScriptedHost, model};
    use serde_json::json;

    /// A host whose operator lets clients put it to sleep.
    fn sleepy() -> ScriptedHost {
        ScriptedHost::new().setting("allow_sleep_by_client", true)
    }

    fn post(host: &ScriptedHost, path: &str) -> u16 {
        host.call(&Lmdeploy, "POST", path, &[], b"").status
    }

    fn is_sleeping(host: &ScriptedHost) -> bool {
        host.call(&Lmdeploy, "GET", "/is_sleeping", &[], b"").json() == json!({"is_sleeping": true})
    }

    #[test]
    fn it_sleeps_until_it_is_woken() {
        let host = sleepy();
        assert!(!is_sleeping(&host));
        assert_eq!(post(&host, "/sleep?level=2"), 200);
        assert!(is_sleeping(&host));
        let bodies = [
            ("/v1/chat/completions", json!({"model": "scripted", "messages": "Hi"})),
            ("/v1/completions", json!({"model": "scripted", "prompt": "Hi"})),
            ("/generate", json!({"prompt": "Hi"})),
        ];
        for (path, body) in &bodies {
            let answer = host.call(&Lmdeploy, "POST", path, &[], body.to_string().as_bytes());
            assert_eq!((answer.status, &answer.json()["error"]["type"]), (503, &"server_error".into()), "{path}");
        }
        // Sessions are older than sleep, and health is asked for by supervisors.
        let turn = host.call(&Lmdeploy, "POST", "/v1/chat/interactive", &[], br#"{"prompt":"Hi"}"#);
        assert_eq!(turn.status, 200);
        assert_eq!(host.call(&Lmdeploy, "GET", "/health", &[], b"").status, 200);
        assert_eq!(post(&host, "/wakeup?tags=weights&tags=kv_cache"), 200);
        assert!(!is_sleeping(&host));
        for (path, body) in &bodies {
            assert_eq!(host.call(&Lmdeploy, "POST", path, &[], body.to_string().as_bytes()).status, 200, "{path}");
        }
    }

    #[test]
    fn a_restart_wakes_it() {
        let host = sleepy();
        post(&host, "/sleep");
        let loaded_later = mimus_sdk::models::Model { created_s: 2_000_000_000, ..model("scripted") };
        assert!(!is_sleeping(&host.model(loaded_later)));
    }

    #[test]
    fn wrong_levels_are_refused_and_so_are_all_where_it_is_switched_off() {
        let host = sleepy();
        for level in ["0", "3", "deep", "99999999999999999999"] {
            assert_eq!(post(&host, &format!("/sleep?level={level}")), 400, "{level}");
        }
        let host = ScriptedHost::new();
        assert_eq!(post(&host, "/sleep"), 400);
        assert!(!is_sleeping(&host));
    }
}
