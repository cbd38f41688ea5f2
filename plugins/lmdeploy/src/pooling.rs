//! `POST /pooling`, from release 0.9 on. There a reward model scores texts; here a model that embeds gives its vectors, the other kind
//! of pooled output that the API's form was made for.

use mimus_sdk::embeddings::{self, Options};
use mimus_sdk::inference::Prompt;
use mimus_sdk::models::{self, Model, Readiness};
use mimus_sdk::{Request, Response, clock, random};
use serde::{Deserialize, Serialize};

use crate::fields::{PromptElement, TOKENS_MAX, TextOr};
use crate::model_choice;
use crate::refusal::Refusal;
use crate::usage::Usage;

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    input: TextOr<PromptElement, TOKENS_MAX>,
    dimensions: Option<u32>,
    encoding_format: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    data: Vec<Pooled>,
    usage: Usage,
}

#[derive(Serialize)]
struct Pooled {
    index: usize,
    object: &'static str,
    data: Vec<f32>,
}

/// A vector for each input.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: Body = request.json()?;
    if let Some(format) = body.encoding_format.filter(|format| format != "float") {
        return Err(Refusal::bad("encoding_format", format!("the encoding_format `{format}` is not supported")));
    }
    let inputs = inputs(body.input)?;
    let model = model(body.model.as_deref())?;
    let options = Options { dimensions: body.dimensions, ..Options::default() };
    let embedded =
        embeddings::embed(&model.name, &inputs, &options).map_err(|error| Refusal::from(error).about("input"))?;
    let tokens = embedded.iter().map(|embedding| embedding.tokens).sum();
    let pooled = |(index, embedding): (usize, embeddings::Embedding)| Pooled {
        index,
        object: "pooling",
        data: embedding.vector,
    };
    let answer = Answer {
        id: format!("pool-{}", random::id(22)),
        object: "list",
        created: clock::now_s(),
        model: &model.name,
        data: embedded.into_iter().enumerate().map(pooled).collect(),
        usage: Usage::new(tokens, 0),
    };
    Ok(response.json(200, &answer)?)
}

/// The model that is named, else the first that embeds.
fn model(name: Option<&str>) -> Result<Model, Refusal> {
    if let Some(name) = name {
        return model_choice::named(name);
    }
    let embeds = |model: &Model| model.can("embed") && matches!(model.readiness, Readiness::Ready);
    models::list().into_iter().find(embeds).ok_or_else(|| Refusal::refused("no model of this server pools"))
}

fn inputs(given: TextOr<PromptElement, TOKENS_MAX>) -> Result<Vec<Prompt>, Refusal> {
    let wrong = |why: &str| Refusal::bad("input", why);
    let elements = match given {
        TextOr::Text(text) => return Ok(vec![Prompt::Text(text)]),
        TextOr::Many(elements) => elements,
    };
    let mut tokens = Vec::new();
    let mut prompts = Vec::new();
    for element in elements {
        match element {
            PromptElement::Text(text) => prompts.push(Prompt::Text(text)),
            PromptElement::Tokens(ids) => prompts.push(Prompt::Tokens(ids)),
            PromptElement::Token(id) => tokens.push(id),
        }
    }
    match (tokens.is_empty(), prompts.len()) {
        (true, 0) => Err(wrong("Input list cannot be empty.")),
        (true, 1..=embeddings::INPUTS_MAX) => Ok(prompts),
        (true, count) => Err(wrong(&format!("`input` holds {count}, at most {} are allowed", embeddings::INPUTS_MAX))),
        (false, 0) => Ok(vec![Prompt::Tokens(tokens)]),
        (false, _) => Err(wrong("Input list contains an invalid type.")),
    }
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::scripted::{ScriptedHost, embedding_model};
    use serde_json::{Value, json};

    fn ask(body: &Value) -> (u16, Value) {
        let host = ScriptedHost::new().model(embedding_model("e"));
        let answer = host.call(&Lmdeploy, "POST", "/pooling", &[], body.to_string().as_bytes());
        (answer.status, answer.json())
    }

    #[test]
    fn each_input_has_its_vector() {
        let cases =
            [(json!("one two"), 1), (json!(["one", "two"]), 2), (json!([5, 6, 7]), 1), (json!([[5, 6], [7]]), 2)];
        for (input, count) in cases {
            let (status, body) = ask(&json!({ "input": input }));
            assert_eq!((status, body["data"].as_array().map(Vec::len)), (200, Some(count)), "{input}: {body}");
            let last = &body["data"][count - 1];
            assert_eq!((&last["object"], &last["index"]), (&"pooling".into(), &json!(count - 1)));
            assert!(last["data"].as_array().is_some_and(|vector| vector.len() == 4));
            assert_eq!(body["usage"]["prompt_tokens"], body["usage"]["total_tokens"]);
            assert_eq!((&body["object"], &body["model"]), (&"list".into(), &"e".into()));
            assert!(body["id"].as_str().is_some_and(|id| id.starts_with("pool-")));
        }
    }

    #[test]
    fn bad_inputs_are_refused() {
        let cases = [
            (json!({"input": []}), 400, "Input list cannot be empty."),
            (json!({"input": ["a", 5]}), 400, "Input list contains an invalid type."),
            (json!({"input": "a", "model": "none"}), 404, "The model `none` does not exist."),
            (json!({"input": "a", "model": "scripted"}), 400, "not supported: embeddings by this model"),
            (json!({"input": "a", "encoding_format": "base64"}), 400, "the encoding_format `base64` is not supported"),
            (json!({"input": vec!["a"; 2049]}), 400, "`input` holds 2049, at most 2048 are allowed"),
            (json!({}), 400, "`input` is required"),
        ];
        for (body, status, message) in cases {
            let (got, answer) = ask(&body);
            assert_eq!((got, &answer["message"]), (status, &message.into()), "{message}");
        }
        let without = ScriptedHost::new().call(&Lmdeploy, "POST", "/pooling", &[], br#"{"input":"a"}"#);
        assert_eq!(without.status, 400);
    }
}
