//! Prompts: which template renders a model's conversations, and the call into it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use super::bindings::template::exports::mimus::plugin::prompt_format::{Context, RenderError};
use super::chat::{Message, RenderOptions, Rendered};
use super::fault::classify;
use super::guest::{Guest, Services};
use super::load::Template;
use super::registry::Snapshot;
use crate::inference::InferenceError;
use crate::limits;
use crate::model::LoadedModel;

/// The format that renders the template a model ships.
const OWN_TEMPLATE: &str = "jinja";
/// The format for models that ship none and are configured with none.
const DEFAULT_FORMAT: &str = "chatml";

/// Renders conversations. Made before the services that templates are given, and connected to them once.
pub struct Templates {
    snapshot: Arc<ArcSwap<Snapshot>>,
    services: std::sync::OnceLock<Arc<Services>>,
    instances: Semaphore,
}

impl Templates {
    /// Templates of the current plugins.
    pub fn new(snapshot: Arc<ArcSwap<Snapshot>>) -> Templates {
        Templates {
            snapshot,
            services: std::sync::OnceLock::new(),
            instances: Semaphore::new(limits::TEMPLATES_MAX as usize),
        }
    }

    /// Connects the templates' guests to the host.
    pub fn connect(&self, services: Arc<Services>) {
        // A second call would bring the same services.
        let _ = self.services.set(services);
    }

    /// The prompt of a conversation, in the format asked for, else the model's configured one, else its own template.
    ///
    /// # Errors
    /// `Template` when the conversation does not fit, `Unsupported` for an unknown format, `NotReady` when the template fails.
    pub async fn render(
        &self,
        model: &LoadedModel,
        messages: Vec<Message>,
        options: RenderOptions,
    ) -> Result<Rendered, InferenceError> {
        let info = model.model.info();
        let source = own_source(&options)?.or(info.chat_template.as_ref());
        let format = match &options.source {
            Some(_) => OWN_TEMPLATE.to_owned(),
            None => format_of(model, &options),
        };
        let Some(template) = self.snapshot.load().template(&format) else {
            return Err(InferenceError::Unsupported(format!("prompt format `{}`", format.escape_debug())));
        };
        if format == OWN_TEMPLATE && source.is_none() {
            return Err(InferenceError::Template(format!("the model `{}` ships no chat template", model.name)));
        }
        let context = Context {
            format,
            source: source.cloned(),
            bos_token: info.bos_token.clone().unwrap_or_default(),
            eos_token: info.eos_token.clone().unwrap_or_default(),
            now_s: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        };
        self.call(&template, &context, &messages, &options).await
    }

    async fn call(
        &self,
        template: &Template,
        context: &Context,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, InferenceError> {
        let services = self.services.get().ok_or_else(|| InferenceError::NotReady("the server is starting".into()))?;
        let _permit = self.instances.acquire().await.map_err(|_| InferenceError::Cancelled)?;
        let mut store =
            Guest::new(template.identity.clone(), services.clone(), "".into()).into_store(template.pre.engine());
        let work = async {
            let world = template.pre.instantiate_async(&mut store).await?;
            world.mimus_plugin_prompt_format().call_render(&mut store, context, messages, options).await
        };
        let failed = |why: String| {
            tracing::warn!(template = template.name, why, "a template failed");
            services.metrics.plugin_fault(&template.name, "template");
            Err(InferenceError::NotReady(format!("the prompt template `{}` {why}", template.name)))
        };
        match tokio::time::timeout(Duration::from_millis(limits::TEMPLATE_MS), work).await {
            Err(_) => failed("took too long".into()),
            Ok(Err(error)) => failed(classify(&error, store.data().is_memory_denied()).to_string()),
            Ok(Ok(Err(RenderError::Conversation(why)))) => Err(InferenceError::Template(why)),
            Ok(Ok(Err(RenderError::Template(why)))) => failed(format!("is broken: {why}")),
            Ok(Ok(Ok(rendered))) => Ok(rendered),
        }
    }
}

/// The request's own Jinja template.
fn own_source(options: &RenderOptions) -> Result<Option<&String>, InferenceError> {
    let Some(source) = &options.source else { return Ok(None) };
    if source.len() > limits::TEMPLATE_SOURCE_BYTES_MAX {
        let max = limits::TEMPLATE_SOURCE_BYTES_MAX;
        return Err(InferenceError::Template(format!(
            "the request's template has {} bytes, at most {max} are allowed",
            source.len()
        )));
    }
    if options.format.as_ref().is_some_and(|format| format != OWN_TEMPLATE) {
        return Err(InferenceError::Template("a request names a prompt format or brings a template, not both".into()));
    }
    Ok(Some(source))
}

/// The format asked for, else the model's configured one, else its own template, else the common one.
fn format_of(model: &LoadedModel, options: &RenderOptions) -> String {
    let own = if model.model.info().chat_template.is_some() { OWN_TEMPLATE } else { DEFAULT_FORMAT };
    options.format.clone().or_else(|| model.template.clone()).unwrap_or_else(|| own.to_owned())
}
