//! What the test suites of other servers and of the official clients assert about this kind of API, asked of the real server through
//! raw HTTP: one row for each behaviour. `JUDGES.md` says who asserts what, and where each is covered or why it is left out.

#[path = "harness/mod.rs"]
mod harness;

#[path = "behaviours/chat.rs"]
mod chat;
#[path = "behaviours/chat_stream.rs"]
mod chat_stream;
#[path = "behaviours/completions.rs"]
mod completions;
#[path = "behaviours/fastchat.rs"]
mod fastchat;
#[path = "behaviours/http.rs"]
mod http;
#[path = "behaviours/lmdeploy.rs"]
mod lmdeploy;
#[path = "behaviours/table.rs"]
mod table;
#[path = "behaviours/tokens.rs"]
mod tokens;
