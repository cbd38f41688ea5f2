use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::Duration;

use mimus_engine::{LoadError, LoadOptions, Script, Source, scripted};

use super::super::loading::{Reader, Stop};
use super::super::plan::Files;
use super::super::shelf::Readiness;
use super::*;

/// What a fake reader does with a model.
#[derive(Clone, Copy)]
enum Fate {
    Good,
    Broken,
    Panics,
}

/// Models by name: their fate, and the memory that they need. With a gate, each load waits for a word from the test.
#[derive(Default)]
struct Fake {
    models: BTreeMap<&'static str, (Fate, u64)>,
    gate: Option<Mutex<mpsc::Receiver<()>>>,
}

impl Fake {
    fn with(models: &[(&'static str, Fate, u64)]) -> Fake {
        Fake { models: models.iter().map(|(name, fate, bytes)| (*name, (*fate, *bytes))).collect(), gate: None }
    }

    fn gated(mut self) -> (Fake, mpsc::Sender<()>) {
        let (go, wait) = mpsc::channel();
        self.gate = Some(Mutex::new(wait));
        (self, go)
    }
}

impl Reader for Fake {
    fn fetch(&self, _planned: &Planned, _job: &Job) -> Result<Source, Stop> {
        Ok(Source::Embedded(&[]))
    }

    fn measure(&self, planned: &Planned, _source: &Source) -> Result<u64, LoadError> {
        Ok(self.models.get(planned.name.as_str()).map_or(0, |(_, bytes)| *bytes))
    }

    fn load(
        &self,
        planned: &Planned,
        _source: Source,
        progress: &dyn Fn(u64, u64) -> ControlFlow<()>,
    ) -> Result<EngineModel, LoadError> {
        if let Some(gate) = &self.gate {
            // Ends when the test lets go of its end.
            let _ = gate.lock().expect("not poisoned").recv_timeout(Duration::from_secs(30));
        }
        let _ = progress(1, 2);
        match self.models.get(planned.name.as_str()).map_or(Fate::Good, |(fate, _)| *fate) {
            Fate::Good => Ok(EngineModel::Text(scripted(Script::default()))),
            Fate::Broken => Err(LoadError::Unsupported("pickles".into())),
            Fate::Panics => panic!("a hostile file"),
        }
    }
}

fn planned(name: &str, origin: Origin) -> Planned {
    let files = Files::Here(Source::Embedded(&[]));
    Planned { template: Some("chatml".into()), ..Planned::new(name, files, LoadOptions::default(), origin) }
}

fn catalog(memory: u64, reader: Fake, planned: Vec<Planned>) -> Arc<Catalog> {
    let catalog = Catalog::new(memory, Arc::new(reader));
    catalog.load_all(planned).expect("threads start");
    catalog
}

fn readiness(catalog: &Catalog, name: &str) -> Option<Readiness> {
    catalog.status(name).map(|status| status.readiness)
}

async fn loaded(catalog: &Catalog) {
    tokio::time::timeout(Duration::from_secs(30), catalog.wait_loaded()).await.expect("all settle");
}

#[tokio::test]
async fn models_load_beside_requests_and_fail_alone() {
    let (reader, go) = Fake::with(&[("broken", Fate::Broken, 0), ("panics", Fate::Panics, 0)]).gated();
    let good = Planned { aliases: vec!["alias".into()], ..planned("good", Origin::Configured) };
    let plan = vec![planned("broken", Origin::Discovered), good, planned("panics", Origin::Builtin)];
    let catalog = catalog(0, reader, plan);
    assert_eq!(catalog.loading(), ["broken", "good", "panics"]);
    assert!(matches!(catalog.get("alias"), Lookup::Loading(_)));
    assert!(matches!(catalog.get("none"), Lookup::Unknown) && catalog.status("none").is_none());
    assert_eq!(catalog.default_name().as_deref(), Some("good"), "a configured model goes before others");
    for _ in 0..3 {
        go.send(()).expect("the loader waits");
    }
    loaded(&catalog).await;
    assert!(catalog.loading().is_empty());
    let Lookup::Ready(model) = catalog.get("alias") else { panic!("loaded") };
    let model = model.text().expect("it continues text");
    assert_eq!((model.name.as_str(), model.template.as_deref()), ("good", Some("chatml")));
    assert!(matches!(catalog.get("broken"), Lookup::Failed(why) if why.contains("pickles")));
    assert!(matches!(catalog.get("panics"), Lookup::Failed(_)));
    let list = catalog.list();
    assert_eq!(list.iter().map(|status| status.name.as_str()).collect::<Vec<_>>(), ["broken", "good", "panics"]);
    assert_eq!((list[1].readiness, list[1].architecture.as_str()), (Readiness::Ready, "scripted"));
    assert!(list[1].created_s > 0 && list[1].detail.is_empty() && !list[1].abilities.is_empty());
    assert_eq!(readiness(&catalog, "panics"), Some(Readiness::Failed));
    assert_eq!(catalog.activities().len(), 1);
    assert!(catalog.events("broken").last().is_some_and(|event| event.is_error));
}

#[tokio::test]
async fn a_model_can_be_inserted_and_stays() {
    let (reader, go) = Fake::with(&[("m", Fate::Broken, 0)]).gated();
    let catalog = catalog(0, reader, vec![planned("m", Origin::Builtin)]);
    catalog.insert("m", scripted(Script::default()));
    catalog.insert("other", scripted(Script::default()));
    drop(go);
    loaded(&catalog).await;
    assert_eq!(readiness(&catalog, "m"), Some(Readiness::Ready), "a late failure does not replace it");
    assert_eq!(catalog.default_name().as_deref(), Some("m"));
}

#[tokio::test]
async fn a_catalog_without_models_is_loaded() {
    let catalog = catalog(0, Fake::default(), Vec::new());
    loaded(&catalog).await;
    assert_eq!(catalog.default_name(), None);
}

#[tokio::test]
async fn the_model_that_is_longest_unused_leaves_for_another_and_comes_back() {
    let reader = Fake::with(&[("a", Fate::Good, 4), ("b", Fate::Good, 4), ("c", Fate::Good, 4)]);
    let plan = ["a", "b"].map(|name| planned(name, Origin::Configured)).into_iter();
    let catalog = catalog(10, reader, plan.chain([planned("c", Origin::Discovered)]).collect());
    loaded(&catalog).await;
    assert_eq!(readiness(&catalog, "c"), Some(Readiness::Idle), "what does not fit at the start waits");
    assert_eq!(catalog.memory(), (10, 8));
    // `b` is asked for later than `a`.
    std::thread::sleep(Duration::from_millis(5));
    assert!(matches!(catalog.get("b"), Lookup::Ready(_)));
    assert!(matches!(catalog.get_awake("c").await, Lookup::Ready(_)), "somebody asks for it");
    assert_eq!(readiness(&catalog, "a"), Some(Readiness::Idle));
    assert_eq!(readiness(&catalog, "b"), Some(Readiness::Ready));
    assert_eq!(catalog.memory(), (10, 8));
    assert!(matches!(catalog.get_awake("a").await, Lookup::Ready(_)));
    assert_eq!(readiness(&catalog, "b"), Some(Readiness::Idle), "now the other one is the longest unused");
}

#[tokio::test]
async fn a_model_in_use_and_a_pinned_one_stay() {
    let reader = Fake::with(&[("used", Fate::Good, 4), ("pinned", Fate::Good, 4), ("new", Fate::Good, 4)]);
    let pinned = Planned { is_pinned: true, ..planned("pinned", Origin::Configured) };
    let plan = vec![planned("used", Origin::Configured), pinned, planned("new", Origin::Discovered)];
    let catalog = catalog(10, reader, plan);
    loaded(&catalog).await;
    let Lookup::Ready(held) = catalog.get("used") else { panic!("loaded") };
    let waking = tokio::spawn({
        let catalog = catalog.clone();
        async move { catalog.get_awake("new").await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(readiness(&catalog, "used"), Some(Readiness::Ready), "a request holds it");
    assert_eq!(readiness(&catalog, "new"), Some(Readiness::Loading));
    drop(held);
    assert!(matches!(waking.await.expect("no panic"), Lookup::Ready(_)));
    assert_eq!(readiness(&catalog, "used"), Some(Readiness::Idle));
    assert_eq!(readiness(&catalog, "pinned"), Some(Readiness::Ready));
}

#[tokio::test]
async fn a_model_larger_than_all_memory_is_refused_with_what_to_do() {
    let reader = Fake::with(&[("huge", Fate::Good, 11_000_000)]);
    let catalog = catalog(10_000_000, reader, vec![planned("huge", Origin::Discovered)]);
    loaded(&catalog).await;
    let Lookup::Failed(why) = catalog.get("huge") else { panic!("cannot fit") };
    assert!(why.contains("11 MB") && why.contains("10 MB") && why.contains("memory_mib"), "{why}");
}

#[tokio::test]
async fn replicas_share_the_requests_of_a_model() {
    let three = Planned { replicas: 3, ..planned("m", Origin::Configured) };
    let catalog = catalog(0, Fake::default(), vec![three]);
    loaded(&catalog).await;
    let status = catalog.status("m").expect("there");
    assert_eq!(status.replicas.iter().map(|replica| replica.id).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(status.replicas.iter().all(|replica| replica.readiness == Readiness::Ready));
}

#[tokio::test]
async fn an_embedding_model_is_listed_and_never_the_default() {
    struct Vectors;
    impl Reader for Vectors {
        fn fetch(&self, _planned: &Planned, _job: &Job) -> Result<Source, Stop> {
            Ok(Source::Embedded(&[]))
        }
        fn measure(&self, _planned: &Planned, _source: &Source) -> Result<u64, LoadError> {
            Ok(0)
        }
        fn load(
            &self,
            planned: &Planned,
            _source: Source,
            progress: &dyn Fn(u64, u64) -> ControlFlow<()>,
        ) -> Result<EngineModel, LoadError> {
            let embed = mimus_models::MODELS.iter().find(|model| model.name == "mimus-embed").expect("built in");
            let progress = |now: mimus_engine::Progress| progress(now.loaded_bytes, now.total_bytes);
            match planned.name.as_str() {
                "vectors" => mimus_engine::load(Source::Embedded(embed.files), &LoadOptions::default(), &progress),
                _ => Ok(EngineModel::Text(scripted(Script::default()))),
            }
        }
    }
    let catalog = Catalog::new(0, Arc::new(Vectors));
    catalog
        .load_all(vec![planned("vectors", Origin::Configured), planned("words", Origin::Builtin)])
        .expect("threads start");
    loaded(&catalog).await;
    let list = catalog.list();
    assert_eq!(
        (list[0].abilities.as_slice(), list[0].architecture.as_str()),
        (["embed".to_owned()].as_slice(), "bert")
    );
    assert!(list[0].context_tokens == 256 && list[0].parameters > 2_000_000, "{:?}", list[0]);
    assert_eq!((list[0].dimensions, list[1].dimensions), (Some(192), None));
    assert_eq!(list[1].abilities, ["chat", "generate"]);
    assert_eq!(catalog.default_name().as_deref(), Some("words"));
    assert!(matches!(catalog.get("vectors"), Lookup::Ready(loaded) if loaded.embedding().is_some()));
    assert_eq!(catalog.activities().len(), 2);
}
