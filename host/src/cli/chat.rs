//! `mimus chat`: a conversation in the terminal, with a running server or with one started for it.

mod conversation;
mod terminal;

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::{DEFAULT_URL, Making, runtime};
use crate::config::{ModelConfig, Ports};
use crate::http::client;
use crate::server::Server;
use conversation::{Conversation, Event};
use terminal::{Input, Line, Output};

/// Talk to a model
#[derive(Args)]
pub struct Chat {
    #[command(flatten)]
    making: Making,
    /// Address of a running server [default: the one on this machine; without one, a server is started for this conversation]
    #[arg(long)]
    url: Option<String>,
    /// Model to talk to [default: the server's first]
    #[arg(long)]
    model: Option<String>,
    /// What the model is told before the conversation
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// Print the answer's pieces as lines of JSON
    #[arg(long)]
    json: bool,
    /// Ask this and end; without it, and with a terminal, talk
    message: Option<String>,
    /// Where the model lies that a server of our own loads, and no other.
    #[arg(skip)]
    path: Option<PathBuf>,
}

/// What another command talks to.
pub enum Subject {
    /// A model of a server, running or not.
    Named(String),
    /// A model that lies somewhere, under a name.
    At { name: String, path: PathBuf },
}

impl Chat {
    /// The conversation that another command asks for.
    pub fn about(
        subject: Subject,
        making: Making,
        system: Option<String>,
        json: bool,
        message: Option<String>,
    ) -> Chat {
        let (model, path) = match subject {
            Subject::Named(name) => (Some(name), None),
            Subject::At { name, path } => (Some(name), Some(path)),
        };
        Chat { making, url: None, model, system, json, message, path }
    }

    /// Talks until the end of the input.
    pub fn run(self) -> Result<(), String> {
        let runtime = runtime()?;
        let result = runtime.block_on(self.talk());
        // The thread that reads standard input cannot be stopped, only left.
        runtime.shutdown_background();
        result
    }

    async fn talk(self) -> Result<(), String> {
        let server = self.find_server().await?;
        let url = match &server {
            Some(server) => format!("http://{}", server.main_address()),
            None => self.url.clone().unwrap_or_else(|| DEFAULT_URL.to_owned()),
        };
        let mut output = Output::new(self.json);
        let mut conversation = Conversation::new(self.model.clone(), self.system.clone());
        let question = match &self.message {
            Some(message) => Some(message.clone()),
            None if std::io::stdin().is_terminal() => None,
            None => Some(terminal::read_all()?),
        };
        let result = match question {
            Some(question) => {
                let answered = self.answer(&url, &mut conversation, &question, &mut output).await;
                answered.and_then(|is_whole| if is_whole { Ok(()) } else { Err("stopped".to_owned()) })
            }
            None => self.converse(&url, &mut conversation, &mut output).await,
        };
        drop(server);
        result
    }

    /// Nothing when a server runs where it should; else one of our own, if none was named.
    async fn find_server(&self) -> Result<Option<Server>, String> {
        if self.path.is_some() {
            return self.start_server().await.map(Some);
        }
        let url = self.url.as_deref().unwrap_or(DEFAULT_URL);
        let is_running = match client::get(url, "/_mimus/models", self.making.key.as_deref()).await {
            Ok(models) => models.is_some(),
            Err(error) if self.url.is_some() => return Err(error),
            Err(error) => {
                eprintln!("({error}; starting a server for this conversation)");
                false
            }
        };
        match (is_running, &self.url) {
            (true, _) => Ok(None),
            (false, Some(url)) => Err(format!("no server answers at {url}")),
            (false, None) => self.start_server().await.map(Some),
        }
    }

    /// Starts a server that only this conversation reaches, and that keeps nothing.
    async fn start_server(&self) -> Result<Server, String> {
        let mut config = self.making.config()?;
        config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.ports = Ports::Mounted;
        // Another server of this user may hold the data.
        config.data = None;
        // Nobody else knows the port; the person at the terminal may use everything anyway.
        config.api_keys.clear();
        config.plugin.values_mut().for_each(|plugin| plugin.port = None);
        if let (Some(path), Some(name)) = (&self.path, &self.model) {
            (config.models, config.has_builtin_models) = (None, false);
            let said = config.model.remove(name).unwrap_or_default();
            config.model = [(name.clone(), ModelConfig { path: Some(path.clone()), ..said })].into();
        }
        let spinner = terminal::Spinner::start("starting");
        let server = Server::start(config, crate::contents()).await?;
        spinner.say("loading models");
        server.shared().catalog.wait_loaded().await;
        Ok(server)
    }

    /// Questions and answers until the person goes.
    async fn converse(&self, url: &str, conversation: &mut Conversation, output: &mut Output) -> Result<(), String> {
        let model = self.model.as_deref().unwrap_or("the server's first model");
        eprintln!("Talking to {model}. /reset forgets, /exit ends, Ctrl-C stops an answer.\n");
        let mut input = Input::start()?;
        loop {
            match input.next().await? {
                Line::Text(text) => {
                    if let Err(error) = self.answer(url, conversation, &text, output).await {
                        eprintln!("mimus: {error}");
                    }
                }
                Line::Reset => {
                    conversation.reset();
                    eprintln!("(a new conversation)");
                }
                Line::Unknown(command) => eprintln!("there is no {command}; there are /reset and /exit"),
                Line::Nothing => {}
                Line::End => return Ok(()),
            }
        }
    }

    /// Asks, and writes the answer as it comes. False when it was stopped. A question without any answer is forgotten.
    async fn answer(
        &self,
        url: &str,
        conversation: &mut Conversation,
        question: &str,
        output: &mut Output,
    ) -> Result<bool, String> {
        let request = conversation.ask(question);
        let mut answer = String::new();
        let result = self.stream(url, &request, &mut answer, output).await;
        output.end();
        conversation.note(answer);
        result
    }

    async fn stream(
        &self,
        url: &str,
        request: &Value,
        answer: &mut String,
        output: &mut Output,
    ) -> Result<bool, String> {
        let posted = client::post_lines(url, "/_mimus/chat", self.making.key.as_deref(), request);
        let Some(mut lines) = terminal::unless_interrupted(posted).await.transpose()? else { return Ok(false) };
        let lines = lines.as_mut().ok_or_else(|| format!("no server answers at {url} any more"))?;
        loop {
            let Some(line) = terminal::unless_interrupted(lines.next()).await.transpose()? else { return Ok(false) };
            let Some(line) = line else { return Err("the answer broke off".into()) };
            match Event::parse(&line)? {
                Event::Text(text) => {
                    output.piece(&line, &text);
                    answer.push_str(&text);
                }
                Event::Finish => {
                    output.line(&line);
                    return Ok(true);
                }
                Event::Other => output.line(&line),
            }
        }
    }
}
