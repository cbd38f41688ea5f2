use std::sync::mpsc;
use std::time::Duration;

use mimus_engine::{LoadOptions, Script, Source, scripted};

use super::*;

fn planned(name: &str, aliases: &[&str], origin: Origin) -> Planned {
    Planned {
        name: name.to_owned(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        template: Some("chatml".into()),
        source: Source::Embedded(&[]),
        options: LoadOptions::default(),
        origin,
    }
}

fn readiness(catalog: &Catalog, name: &str) -> Option<Readiness> {
    catalog.status(name).map(|status| status.readiness)
}

#[tokio::test]
async fn models_load_beside_requests_and_fail_alone() {
    let (go, wait) = mpsc::channel();
    let wait = Mutex::new(wait);
    let load = move |planned: &Planned| -> Result<EngineModel, LoadError> {
        wait.lock().expect("not poisoned").recv_timeout(Duration::from_secs(30)).expect("the test goes on");
        match planned.name.as_str() {
            "broken" => Err(LoadError::Unsupported("pickles".into())),
            "panics" => panic!("a hostile file"),
            _ => Ok(EngineModel::Text(scripted(Script::default()))),
        }
    };
    let plan = vec![
        planned("broken", &[], Origin::Discovered),
        planned("good", &["alias"], Origin::Configured),
        planned("panics", &[], Origin::Builtin),
    ];
    let catalog = Catalog::start_with(plan, Arc::new(load)).expect("threads start");
    assert_eq!(catalog.loading(), ["broken", "good", "panics"]);
    assert!(matches!(catalog.get("alias"), Lookup::Loading));
    assert!(matches!(catalog.get("none"), Lookup::Unknown) && catalog.status("none").is_none());
    assert_eq!(catalog.default_name().as_deref(), Some("good"), "a configured model goes before others");
    for _ in 0..3 {
        go.send(()).expect("the loader waits");
    }
    tokio::time::timeout(Duration::from_secs(30), catalog.wait_loaded()).await.expect("all settle");
    assert!(catalog.loading().is_empty());
    let Lookup::Ready(Loaded::Text(model)) = catalog.get("alias") else { panic!("loaded") };
    assert_eq!((model.name.as_str(), model.template.as_deref()), ("good", Some("chatml")));
    assert!(matches!(catalog.get("broken"), Lookup::Failed(why) if why.contains("pickles")));
    assert!(matches!(catalog.get("panics"), Lookup::Failed(_)));
    let list = catalog.list();
    assert_eq!(list.iter().map(|status| status.name.as_str()).collect::<Vec<_>>(), ["broken", "good", "panics"]);
    assert_eq!((list[1].readiness, list[1].architecture.as_str()), (Readiness::Ready, "scripted"));
    assert!(list[1].created_s > 0 && list[1].detail.is_empty() && !list[1].abilities.is_empty());
    assert_eq!(readiness(&catalog, "panics"), Some(Readiness::Failed));
    assert_eq!(catalog.activities().len(), 1);
}

#[tokio::test]
async fn a_model_can_be_inserted_and_stays() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let load = move |_: &Planned| -> Result<EngineModel, LoadError> {
        // Ends when the test lets go of its end.
        let _ = wait.lock().expect("not poisoned").recv();
        Err(LoadError::Unsupported("late".into()))
    };
    let catalog = Catalog::start_with(vec![planned("m", &[], Origin::Builtin)], Arc::new(load)).expect("threads start");
    catalog.insert("m", scripted(Script::default()));
    catalog.insert("other", scripted(Script::default()));
    drop(go);
    catalog.wait_loaded().await;
    assert_eq!(readiness(&catalog, "m"), Some(Readiness::Ready), "a late failure does not replace it");
    assert_eq!(catalog.default_name().as_deref(), Some("m"));
}

#[tokio::test]
async fn a_catalog_without_models_is_loaded() {
    let catalog = Catalog::start_with(Vec::new(), Arc::new(load_in_engine)).expect("nothing to do");
    catalog.wait_loaded().await;
    assert_eq!(catalog.default_name(), None);
}

#[tokio::test]
async fn an_embedding_model_is_listed_and_never_the_default() {
    let embed = mimus_models::MODELS.iter().find(|model| model.name == "mimus-embed").expect("built in");
    let files = embed.files;
    let load = move |planned: &Planned| match planned.name.as_str() {
        "vectors" => {
            mimus_engine::load(Source::Embedded(files), &LoadOptions::default(), &mimus_engine::Progress::ignore)
        }
        _ => Ok(EngineModel::Text(scripted(Script::default()))),
    };
    let plan = vec![planned("vectors", &[], Origin::Configured), planned("words", &[], Origin::Builtin)];
    let catalog = Catalog::start_with(plan, Arc::new(load)).expect("threads start");
    catalog.wait_loaded().await;
    let list = catalog.list();
    assert_eq!(
        (list[0].abilities.as_slice(), list[0].architecture.as_str()),
        (["embed".to_owned()].as_slice(), "bert")
    );
    assert!(list[0].context_tokens == 256 && list[0].parameters > 2_000_000, "{:?}", list[0]);
    assert_eq!(list[1].abilities, ["chat", "generate"]);
    assert_eq!(catalog.default_name().as_deref(), Some("words"));
    assert!(matches!(catalog.get("vectors"), Lookup::Ready(Loaded::Embedding(_))));
    assert_eq!(catalog.activities().len(), 2);
}
