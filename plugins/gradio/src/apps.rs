//! The apps: data, and what their functions do.

mod chat;
mod fastchat;
mod history;
mod lmdeploy;
mod multi;

use crate::app::App;

/// All apps. The first is the one that answers where the configuration chooses no other.
pub(crate) static ALL: [&App; 4] = [&FASTCHAT, &MULTI, &LMDEPLOY, &CHAT];

/// The apps below paths of their own.
pub(crate) static PLACED: [&App; 3] = [&MULTI, &LMDEPLOY, &CHAT];

/// FastChat's page for one model, by index as Gradio 3 has it and by name as Gradio 4; behind it what else is called by name.
static FASTCHAT: App = App {
    name: "fastchat",
    title: "Chat with Open Large Language Models",
    parts: &[&fastchat::PART, &chat::PART, &lmdeploy::PART],
};

/// FastChat's page of tabs.
static MULTI: App = App { name: "multi", title: "Chat with Open Large Language Models", parts: &[&multi::PART] };

/// lmdeploy's page.
static LMDEPLOY: App =
    App { name: "lmdeploy", title: "LMDeploy Playground", parts: &[&lmdeploy::PART, &lmdeploy::OLD_PART] };

/// `gr.ChatInterface`.
static CHAT: App = App { name: "chat", title: "Chat", parts: &[&chat::PART] };
