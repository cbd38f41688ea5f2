//! How a model writes its reasoning and its calls, read off the text of its template.
//!
//! Templates name the marks of their family, in what they render of earlier calls or in what they tell the model. The table below knows
//! the families; a template that is none of them gets no marks, and neither does a family whose calls are not a name and a JSON object
//! (GLM 4.5, Qwen3-Coder, Llama 4's Python, the channels of gpt-oss) or whose marks count the calls (Kimi K2).

use mimus_sdk::template::{CallSyntax, Marks, Span};

/// Around reasoning: what tells the family, then the two marks. Templates use the one that closes to cut reasoning out of earlier answers.
const REASONING: &[(&str, &str, &str)] = &[
    // Harmony's templates write the channels one by one, and the model writes one after the other.
    (
        "<|channel|>analysis<|message|>",
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    ("</think>", "<think>", "</think>"),
    ("[/THINK]", "[THINK]", "[/THINK]"),
    ("<|END_THINKING|>", "<|START_THINKING|>", "<|END_THINKING|>"),
    ("</seed:think>", "<seed:think>", "</seed:think>"),
    ("<|/thinking|>", "<|thinking|>", "<|/thinking|>"),
    ("</thinking>", "<thinking>", "</thinking>"),
    ("</thought>", "<thought>", "</thought>"),
    ("</reasoning>", "<reasoning>", "</reasoning>"),
    ("◁/think▷", "◁think▷", "◁/think▷"),
];

struct Family {
    /// Texts of the template, all of them.
    holds: &'static [&'static str],
    calls: Option<Calls>,
}

#[derive(Clone, Copy)]
struct Calls {
    trigger: &'static str,
    begin: &'static str,
    /// Before the name, before the arguments, after the arguments.
    call: [&'static str; 3],
    separator: &'static str,
    end: &'static str,
}

const fn no_calls(holds: &'static [&'static str]) -> Family {
    Family { holds, calls: None }
}

/// Calls one after another.
const fn calls(
    holds: &'static [&'static str],
    trigger: &'static str,
    call: [&'static str; 3],
    separator: &'static str,
) -> Family {
    list(holds, trigger, "", call, separator, "")
}

/// Calls between a beginning and an end.
const fn list(
    holds: &'static [&'static str],
    trigger: &'static str,
    begin: &'static str,
    call: [&'static str; 3],
    separator: &'static str,
    end: &'static str,
) -> Family {
    Family { holds, calls: Some(Calls { trigger, begin, call, separator, end }) }
}

const ARGUMENTS: [&str; 3] = [r#"{"name": ""#, r#"", "arguments": "#, "}"];

/// The first that fits counts.
const FAMILIES: &[Family] = &[
    // Arguments that are not JSON: Qwen3-Coder, GLM 4.5, MiniMax M2, DeepSeek V3.2, FunctionGemma, LFM2 and MiniCPM3, Llama 4, OLMo 3.
    no_calls(&["<parameter="]),
    no_calls(&["<arg_key>"]),
    no_calls(&["<parameter name="]),
    no_calls(&["｜DSML｜"]),
    no_calls(&["<start_function_call>"]),
    no_calls(&["<|tool_call_start|>"]),
    no_calls(&["<|python_start|>"]),
    no_calls(&["<function_calls>"]),
    // The recipient comes before the channel or after it, and a role before both: gpt-oss.
    no_calls(&["<|channel|>"]),
    // The call's number stands after the name: Kimi K2.
    no_calls(&["<|tool_calls_section_begin|>"]),
    // DeepSeek V2.5, V3 and R1, then V3.1.
    list(
        &["<｜tool▁sep｜>", "```json"],
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁begin｜>",
        ["<｜tool▁call▁begin｜>function<｜tool▁sep｜>", "\n```json\n", "\n```<｜tool▁call▁end｜>"],
        "\n",
        "<｜tool▁calls▁end｜>",
    ),
    list(
        &["<｜tool▁sep｜>"],
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁begin｜>",
        ["<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"],
        "",
        "<｜tool▁calls▁end｜>",
    ),
    // Mistral since the thirteenth tokenizer; Nemo and the other `tekken` models before it; the first with tools.
    calls(&["[TOOL_CALLS]", "[ARGS]"], "[TOOL_CALLS]", ["[TOOL_CALLS]", "[ARGS]", ""], ""),
    list(&["[TOOL_CALLS]["], "[TOOL_CALLS]", "[TOOL_CALLS][", ARGUMENTS, ", ", "]"),
    list(&["[TOOL_CALLS]"], "[TOOL_CALLS]", "[TOOL_CALLS] [", ARGUMENTS, ", ", "]"),
    // Command R7B and A, which count the calls: one is described, then Command R and R+.
    list(
        &["<|START_ACTION|>"],
        "<|START_ACTION|>",
        "<|START_ACTION|>[\n    ",
        [r#"{"tool_call_id": "0", "tool_name": ""#, r#"", "parameters": "#, "}"],
        ",\n    ",
        "\n]<|END_ACTION|>",
    ),
    list(
        &["Action:", "\"tool_name\""],
        "Action:",
        "Action:\n```json\n[\n",
        ["    {\n        \"tool_name\": \"", "\",\n        \"parameters\": ", "\n    }"],
        ",\n",
        "\n]```",
    ),
    // InternLM 2 and 2.5, which say `parameters`; newer templates say `arguments`.
    calls(
        &["<|action_start|><|plugin|>", "\"arguments\""],
        "<|action_start|>",
        ["<|action_start|><|plugin|>\n{\"name\": \"", "\", \"arguments\": ", "}<|action_end|>"],
        "",
    ),
    calls(
        &["<|action_start|><|plugin|>"],
        "<|action_start|>",
        ["<|action_start|><|plugin|>\n{\"name\": \"", "\", \"parameters\": ", "}<|action_end|>"],
        "",
    ),
    // Phi-4-mini.
    list(&["functools["], "functools[", "functools[", ARGUMENTS, ", ", "]"),
    list(&["<|tool_call|>[", "<|/tool_call|>"], "<|tool_call|>", "<|tool_call|>[", ARGUMENTS, ", ", "]<|/tool_call|>"),
    calls(
        &["<|tool_call|>", "<|/tool_call|>"],
        "<|tool_call|>",
        ["<|tool_call|>{\"name\": \"", "\", \"arguments\": ", "}<|/tool_call|>"],
        "",
    ),
    // Granite 3.
    list(&["<|tool_call|>"], "<|tool_call|>", "<|tool_call|>[", ARGUMENTS, ", ", "]"),
    // Nemotron.
    list(&["<TOOLCALL>"], "<TOOLCALL>", "<TOOLCALL>[", ARGUMENTS, ", ", "]</TOOLCALL>"),
    // MiniMax M1.
    list(&["<tool_calls>\n"], "<tool_calls>", "<tool_calls>\n", ARGUMENTS, "\n", "\n</tool_calls>"),
    // Hermes 2 and 3, Qwen 2.5 and 3, SmolLM3, Granite 4.
    calls(
        &["<tool_call>\n"],
        "<tool_call>",
        ["<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>"],
        "\n",
    ),
    calls(&["<tool_call>"], "<tool_call>", ["<tool_call>{\"name\": \"", "\", \"arguments\": ", "}</tool_call>"], "\n"),
    // Functionary 3.1.
    calls(&["<function=", "</function>"], "<function=", ["<function=", ">", "</function>"], ""),
    // Llama 3.1, 3.2 and 3.3, which know one call at a time.
    calls(
        &["<|start_header_id|>", "\"parameters\": "],
        "{\"name\": \"",
        ["{\"name\": \"", "\", \"parameters\": ", "}"],
        "; ",
    ),
];

pub(crate) fn of(source: &str) -> Marks {
    // Marks stand in string literals.
    let text = source.replace("\\n", "\n").replace("\\\"", "\"");
    let calls = if text.contains("tool") { of_calls(&text) } else { None };
    Marks { reasoning: reasoning(&text), calls, verdict: None }
}

fn reasoning(text: &str) -> Option<Span> {
    let (_, open, close) = REASONING.iter().find(|(told_by, ..)| text.contains(told_by))?;
    // Models that are taught to begin a line begin one; a prompt that opens the reasoning does it for them.
    let with_line = format!("{open}\n");
    let open = if text.contains(&with_line) { with_line } else { (*open).to_owned() };
    Some(Span { open, close: (*close).to_owned() })
}

fn of_calls(text: &str) -> Option<CallSyntax> {
    let family = FAMILIES.iter().find(|family| family.holds.iter().all(|held| text.contains(held)))?;
    let Calls { trigger, begin, call: [before_name, before_arguments, after_arguments], separator, end } =
        family.calls?;
    Some(CallSyntax {
        trigger: trigger.into(),
        begin: begin.into(),
        before_name: before_name.into(),
        before_arguments: before_arguments.into(),
        after_arguments: after_arguments.into(),
        separator: separator.into(),
        end: end.into(),
    })
}
