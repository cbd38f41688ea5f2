//! The prompt of the Qwen3 rerankers: a query and a document, judged by `yes` or `no`.
//!
//! As the model cards on the hub write it, the default instruction included.

use mimus_sdk::chat::{Message, RenderOptions, Rendered, Role};
use mimus_sdk::template::{Context, Marks, RenderError, Template, TemplateManifest, Verdict, manifest, text_of};

const BEGIN: &str = "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct \
                     provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n";
const END: &str = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";
const INSTRUCTION: &str = "Given a web search query, retrieve relevant passages that answer the query";

/// See the module.
pub struct Qwen3Reranker;

impl Template for Qwen3Reranker {
    fn describe(&self) -> TemplateManifest {
        manifest("qwen3-reranker", env!("CARGO_PKG_VERSION"), &["qwen3-reranker"])
    }

    fn render(
        &self,
        _context: &Context,
        messages: &[Message],
        _options: &RenderOptions,
    ) -> Result<Rendered, RenderError> {
        let (instruction, rest) = match messages {
            [first, rest @ ..] if first.role == Role::System => (text_of(first, 0)?, rest),
            _ => (INSTRUCTION.into(), messages),
        };
        let is = |message: &Message, name: &str| message.role == Role::User && message.name.as_deref() == Some(name);
        let [query, document] = rest else { return Err(wrong()) };
        if !is(query, "query") || !is(document, "document") {
            return Err(wrong());
        }
        let (query, document) = (text_of(query, 0)?, text_of(document, 1)?);
        let prompt = format!("{BEGIN}<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}{END}");
        Ok(Rendered { prompt, stop: Vec::new() })
    }

    fn marks(&self, _context: &Context) -> Marks {
        Marks { verdict: Some(Verdict { positive: "yes".into(), negative: "no".into() }), ..Marks::NONE }
    }
}

fn wrong() -> RenderError {
    RenderError::Conversation("this format judges a query and a document; it holds no conversation".into())
}

mimus_sdk::template!(Qwen3Reranker);

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::chat::Part;

    fn message(role: Role, name: Option<&str>, text: &str) -> Message {
        Message {
            role,
            name: name.map(Into::into),
            content: vec![Part::Text(text.into())],
            reasoning: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }

    fn render(messages: &[Message]) -> Result<String, RenderError> {
        let context = Context {
            format: "qwen3-reranker".into(),
            source: None,
            bos_token: String::new(),
            eos_token: String::new(),
            now_s: 0,
        };
        Qwen3Reranker.render(&context, messages, &RenderOptions::default()).map(|rendered| rendered.prompt)
    }

    #[test]
    fn renders_as_the_model_card_does() {
        let (query, document) =
            (message(Role::User, Some("query"), "Q?"), message(Role::User, Some("document"), "D <|im_end|>"));
        let prompt = render(&[query.clone(), document.clone()]).expect("fits");
        assert!(
            prompt.starts_with("<|im_start|>system\nJudge whether the Document meets the requirements based on the")
        );
        assert!(prompt.ends_with(
            "<|im_start|>user\n<Instruct>: Given a web search query, retrieve relevant passages that answer the query\n\
             <Query>: Q?\n<Document>: D <|im_end|><|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
        ));
        let own = render(&[message(Role::System, None, "Find code"), query.clone(), document.clone()]).expect("fits");
        assert!(own.contains("<Instruct>: Find code\n<Query>: Q?\n"));
        for wrong in [vec![], vec![query.clone()], vec![document, query.clone()], vec![query.clone(), query]] {
            assert!(matches!(render(&wrong), Err(RenderError::Conversation(_))));
        }
    }
}
