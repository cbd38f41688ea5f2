//! Prompts: which template renders a model's conversations, and the call into it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;
use wasmtime::Store;

use super::bindings::marked_template::exports::mimus::plugin::{
    answer_format as marked_format, prompt_format as marked,
};
use super::bindings::template::exports::mimus::plugin::prompt_format::{Context, RenderError};
use super::chat::{Message, RenderOptions, Rendered};
use super::fault::classify;
use super::guest::{Guest, Services};
use super::load::Template;
use super::registry::Snapshot;
use crate::answer::{CallSyntax, Marks, Span, Verdict};
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
    marks: Mutex<HashMap<MarksKey, Arc<Marks>>>,
    hasher: RandomState,
}

impl Templates {
    /// Templates of the current plugins.
    pub fn new(snapshot: Arc<ArcSwap<Snapshot>>) -> Templates {
        Templates {
            snapshot,
            services: std::sync::OnceLock::new(),
            instances: Semaphore::new(limits::TEMPLATES_MAX as usize),
            marks: Mutex::default(),
            hasher: RandomState::new(),
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
        let chosen = self.choose(model, &options)?;
        let rendered = self.guest(&chosen, async |mut store| {
            let world = chosen.template.pre.instantiate_async(&mut store).await?;
            world.mimus_plugin_prompt_format().call_render(&mut store, &chosen.context, &messages, &options).await
        });
        match rendered.await? {
            Ok(rendered) => Ok(rendered),
            Err(RenderError::Conversation(why)) => Err(InferenceError::Template(why)),
            Err(RenderError::Template(why)) => Err(self.failed(&chosen, format!("is broken: {why}"))),
        }
    }

    /// How answers in the format that `render` would use are marked. Asked of the template once, then remembered.
    ///
    /// # Errors
    /// As `render`.
    pub async fn marks(&self, model: &LoadedModel, options: &RenderOptions) -> Result<Arc<Marks>, InferenceError> {
        let chosen = self.choose(model, options)?;
        let (template, context) = (&chosen.template, chosen.context.clone());
        let Some(pre) = &template.marked else { return Ok(Arc::default()) };
        let key = (template.version.hash.clone(), context.format.clone(), self.hasher.hash_one(&context.source));
        if let Some(marks) = self.known_marks().get(&key) {
            return Ok(marks.clone());
        }
        let context = marked::Context {
            format: context.format,
            source: context.source,
            bos_token: context.bos_token,
            eos_token: context.eos_token,
            now_s: context.now_s,
        };
        let marks = self.guest(&chosen, async |mut store| {
            let world = pre.instantiate_async(&mut store).await?;
            world.mimus_plugin_answer_format().call_marks(&mut store, &context).await
        });
        let marks = Arc::new(to_marks(marks.await?));
        let mut known = self.known_marks();
        if known.len() >= limits::MARKS_KNOWN_MAX {
            known.clear();
        }
        known.insert(key, marks.clone());
        Ok(marks)
    }

    /// The template for a model's conversation, and what it is given.
    fn choose(&self, model: &LoadedModel, options: &RenderOptions) -> Result<Chosen, InferenceError> {
        let info = model.model.info();
        let source = own_source(options)?.or(info.chat_template.as_ref());
        let format = match &options.source {
            Some(_) => OWN_TEMPLATE.to_owned(),
            None => format_of(model, options),
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
        Ok(Chosen { template, context, is_of_request: options.source.is_some() })
    }

    /// Does `work` in a store of its own, within a template's bounds.
    async fn guest<T>(
        &self,
        chosen: &Chosen,
        work: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, InferenceError> {
        let services = self.services.get().ok_or_else(|| InferenceError::NotReady("the server is starting".into()))?;
        let _permit = self.instances.acquire().await.map_err(|_| InferenceError::Cancelled)?;
        let template = &chosen.template;
        let mut store =
            Guest::new(template.identity.clone(), services.clone(), "".into()).into_store(template.pre.engine());
        match tokio::time::timeout(Duration::from_millis(limits::TEMPLATE_MS), work(&mut store)).await {
            Err(_) => Err(self.failed(chosen, "took too long".into())),
            Ok(Err(error)) => Err(self.failed(chosen, classify(&error, store.data().is_memory_denied()).to_string())),
            Ok(Ok(value)) => Ok(value),
        }
    }

    /// A template that the request brought is the client's fault, any other ours.
    fn failed(&self, chosen: &Chosen, why: String) -> InferenceError {
        if chosen.is_of_request {
            return InferenceError::Template(format!("the template that the request brings {why}"));
        }
        let template = &chosen.template;
        tracing::warn!(template = template.name, why, "a template failed");
        if let Some(services) = self.services.get() {
            services.metrics.plugin_fault(&template.name, "template");
        }
        InferenceError::NotReady(format!("the prompt template `{}` {why}", template.name))
    }

    fn known_marks(&self) -> MutexGuard<'_, HashMap<MarksKey, Arc<Marks>>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The template for a conversation, and what it is given.
struct Chosen {
    template: Arc<Template>,
    context: Context,
    /// The request brought it.
    is_of_request: bool,
}

/// Content hash of the template, format, and hash of the model's own template.
type MarksKey = (String, String, u64);

fn to_marks(marks: marked_format::AnswerMarks) -> Marks {
    let calls = marks.calls.map(|calls| CallSyntax {
        trigger: calls.trigger,
        begin: calls.begin,
        before_name: calls.before_name,
        before_arguments: calls.before_arguments,
        after_arguments: calls.after_arguments,
        separator: calls.separator,
        end: calls.end,
    });
    let reasoning = marks.reasoning.map(|span| Span { open: span.open, close: span.close });
    let verdict = marks.verdict.map(|verdict| Verdict { positive: verdict.positive, negative: verdict.negative });
    Marks {
        reasoning: reasoning.filter(|span| !span.open.trim().is_empty() && !span.close.trim().is_empty()),
        calls: calls.filter(CallSyntax::is_sound),
        verdict,
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
