//! What an app is: components and functions over them, as data.

use crate::turn::{Call, Handler};

/// What a component shows or takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Kept by the server for each session; clients send null in its place and get null.
    State,
    /// The models that chat.
    Dropdown,
    Textbox,
    Chatbot,
    Button(&'static str),
    Slider {
        min: f64,
        max: f64,
        step: f64,
        value: f64,
    },
    Json,
    Image,
    Markdown,
    Tabs,
    /// Examples to choose from.
    Dataset,
}

/// A component of a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Component {
    /// Unique in its app.
    pub(crate) id: u32,
    pub(crate) kind: Kind,
    /// What people see beside it. Clients call one without by its id.
    pub(crate) label: Option<&'static str>,
    /// Left out of what clients send and get, as Gradio 4 leaves buttons out. Clients of Gradio 3 get it all the same.
    pub(crate) is_skipped: bool,
}

impl Component {
    /// A component without a label.
    pub(crate) const fn new(id: u32, kind: Kind) -> Self {
        Component { id, kind, label: None, is_skipped: false }
    }

    /// A component with a label.
    pub(crate) const fn labelled(id: u32, kind: Kind, label: &'static str) -> Self {
        Component { id, kind, label: Some(label), is_skipped: false }
    }

    /// The same, left out of calls.
    pub(crate) const fn skipped(self) -> Self {
        Component { is_skipped: true, ..self }
    }

    /// Whether clients of Gradio 4 neither send nor get it.
    pub(crate) const fn is_left_out(&self) -> bool {
        self.is_skipped || matches!(self.kind, Kind::State | Kind::Tabs | Kind::Dataset)
    }

    pub(crate) const fn is_state(&self) -> bool {
        matches!(self.kind, Kind::State)
    }

    /// Gradio's name of the component, as classes have it.
    pub(crate) const fn class(&self) -> &'static str {
        match self.kind {
            Kind::State => "State",
            Kind::Dropdown => "Dropdown",
            Kind::Textbox => "Textbox",
            Kind::Chatbot => "Chatbot",
            Kind::Button(_) => "Button",
            Kind::Slider { .. } => "Slider",
            Kind::Json => "JSON",
            Kind::Image => "Image",
            Kind::Markdown => "Markdown",
            Kind::Tabs => "Tabs",
            Kind::Dataset => "Dataset",
        }
    }
}

/// A function of an app.
pub(crate) struct Function {
    /// By which clients may call it; by its index they always may.
    pub(crate) name: Option<&'static str>,
    /// Component and event that call it on a page; none for what follows another function or the page's load.
    pub(crate) target: Option<(u32, &'static str)>,
    /// Components whose values it takes, states included.
    pub(crate) inputs: &'static [u32],
    /// Components whose values it gives, states included.
    pub(crate) outputs: &'static [u32],
    /// Names of the inputs for clients that name them, states left out; where empty, the labels.
    pub(crate) parameters: &'static [&'static str],
    /// Whether it gives values before it ends.
    pub(crate) is_generator: bool,
    /// Which of the session's conversations it works on.
    pub(crate) slot: &'static str,
    /// Does the work. Takes the inputs without states and gives the outputs without states.
    pub(crate) handler: Handler,
    /// What a call does as soon as it is made, before its turn comes.
    pub(crate) at_once: Option<fn(&Call)>,
}

impl Function {
    /// A function that a page calls nowhere and that gives one set of values.
    pub(crate) const fn new(
        name: &'static str,
        inputs: &'static [u32],
        outputs: &'static [u32],
        handler: Handler,
    ) -> Function {
        Function {
            name: Some(name),
            target: None,
            inputs,
            outputs,
            parameters: &[],
            is_generator: false,
            slot: "single",
            handler,
            at_once: None,
        }
    }

    /// The same, called by an event of a component.
    pub(crate) const fn on(self, id: u32, event: &'static str) -> Function {
        Function { target: Some((id, event)), ..self }
    }

    /// The same, giving values before it ends.
    pub(crate) const fn streaming(self) -> Function {
        Function { is_generator: true, ..self }
    }

    /// The same on another conversation of the session.
    pub(crate) const fn within(self, slot: &'static str) -> Function {
        Function { slot, ..self }
    }

    /// The same, its inputs called by these names.
    pub(crate) const fn taking(self, parameters: &'static [&'static str]) -> Function {
        Function { parameters, ..self }
    }

    /// The same, called by its index alone.
    pub(crate) const fn unnamed(self) -> Function {
        Function { name: None, ..self }
    }

    /// The same, doing something as soon as it is called.
    pub(crate) const fn at_once(self, act: fn(&Call)) -> Function {
        Function { at_once: Some(act), ..self }
    }
}

/// A set of components and functions that apps are made of.
pub(crate) struct Part {
    pub(crate) components: &'static [Component],
    pub(crate) functions: &'static [Function],
}

/// What one base URL serves.
pub(crate) struct App {
    /// Its path below the plugin's; `fastchat` is the default's and has none.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) parts: &'static [&'static Part],
}

impl App {
    pub(crate) fn components(&self) -> impl Iterator<Item = &'static Component> {
        self.parts.iter().flat_map(|part| part.components)
    }

    /// In the order of their indexes.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &'static Function> {
        self.parts.iter().flat_map(|part| part.functions)
    }

    pub(crate) fn function(&self, index: usize) -> Option<&'static Function> {
        self.functions().nth(index)
    }

    /// The index of the function with that name, with or without a slash in front.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        let name = name.strip_prefix('/').unwrap_or(name);
        self.functions().position(|function| function.name == Some(name))
    }

    pub(crate) fn component(&self, id: u32) -> &'static Component {
        self.components().find(|component| component.id == id).expect("the self-test has looked every id up")
    }

    /// The components that clients send to a function: its inputs without states.
    pub(crate) fn taken(&self, function: &'static Function) -> impl Iterator<Item = &'static Component> {
        function.inputs.iter().map(|id| self.component(*id)).filter(|component| !component.is_state())
    }

    /// The components that clients get from a function: its outputs without states.
    pub(crate) fn given(&self, function: &'static Function) -> impl Iterator<Item = &'static Component> {
        function.outputs.iter().map(|id| self.component(*id)).filter(|component| !component.is_state())
    }

    /// Finds slips in the app's data.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ids: Vec<u32> = self.components().map(|component| component.id).collect();
        let mut names: Vec<&str> = self.functions().filter_map(|function| function.name).collect();
        let (ids_before, names_before) = (ids.len(), names.len());
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        names.sort_unstable();
        names.dedup();
        if sorted.len() != ids_before || names.len() != names_before {
            return Err(format!("{}: two components or functions are called the same", self.name));
        }
        for (index, function) in self.functions().enumerate() {
            let mut used =
                function.inputs.iter().chain(function.outputs).chain(function.target.iter().map(|(id, _)| id));
            if let Some(id) = used.find(|id| !ids.contains(id)) {
                return Err(format!("{}: function {index} uses {id}, which is no component", self.name));
            }
            if !function.parameters.is_empty() && function.parameters.len() != self.taken(function).count() {
                return Err(format!("{}: function {index} has another number of names than of inputs", self.name));
            }
        }
        Ok(())
    }
}
