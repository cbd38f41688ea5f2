use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

fn in_memory() -> (Store, Arc<AtomicU64>) {
    let now_ms = Arc::new(AtomicU64::new(1_000));
    let share = Share { bytes_max: 64 << 20, entries_max: 100 };
    (Store::open_with(None, Clock::set(now_ms.clone()), share).expect("memory"), now_ms)
}

fn value(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

const SECOND: Option<Duration> = Some(Duration::from_secs(1));

#[tokio::test]
async fn versions_grow_and_are_never_given_twice() {
    let (store, _) = in_memory();
    assert_eq!(store.get("a", "key").await, Ok(None));
    let first = store.put("a", "key", value("one"), None).await.expect("room");
    let second = store.put("a", "key", value("two"), None).await.expect("room");
    assert!(first > 0 && second > first);
    assert_eq!(store.get("a", "key").await, Ok(Some(Entry { value: value("two"), version: second })));
    assert_eq!(store.get("b", "key").await, Ok(None), "another plugin's");
    assert_eq!(store.delete("a", "key").await, Ok(true));
    assert_eq!(store.delete("a", "key").await, Ok(false));
    let third = store.put("a", "key", value("one"), None).await.expect("room");
    assert!(third > second);
}

#[tokio::test]
async fn a_swap_needs_the_version_that_is_there() {
    let (store, now_ms) = in_memory();
    let first = store.compare_and_swap("a", "key", 0, value("one"), SECOND).await.expect("absent");
    assert_eq!(store.compare_and_swap("a", "key", 0, value("x"), None).await, Err(StateError::Conflict(first)));
    let second = store.compare_and_swap("a", "key", first, value("two"), SECOND).await.expect("the version");
    assert_eq!(store.compare_and_swap("a", "key", first, value("x"), None).await, Err(StateError::Conflict(second)));
    now_ms.fetch_add(1_000, Ordering::Relaxed);
    assert_eq!(store.compare_and_swap("a", "key", second, value("x"), None).await, Err(StateError::Conflict(0)));
    store.compare_and_swap("a", "key", 0, value("three"), None).await.expect("expired");
}

#[tokio::test]
async fn one_of_many_swaps_wins() {
    let (store, _) = in_memory();
    let store = Arc::new(store);
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.compare_and_swap("a", "key", 0, Vec::new(), None).await })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.expect("no panic").is_ok());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn what_has_expired_is_gone_at_once_and_swept_later() {
    let (store, now_ms) = in_memory();
    store.put("a", "soon", value("x"), SECOND).await.expect("room");
    store.put("a", "later", value("x"), Some(Duration::from_secs(9))).await.expect("room");
    store.put("a", "never", value("x"), None).await.expect("room");
    store.put("a", "renewed", value("x"), SECOND).await.expect("room");
    store.put("a", "renewed", value("x"), None).await.expect("room");
    now_ms.fetch_add(999, Ordering::Relaxed);
    assert!(store.get("a", "soon").await.expect("works").is_some());
    now_ms.fetch_add(1, Ordering::Relaxed);
    assert_eq!(store.get("a", "soon").await, Ok(None));
    assert_eq!(store.list("a", "", None, 9).await, Ok(vec!["later".into(), "never".into(), "renewed".into()]));
    assert_eq!(store.delete("a", "soon").await, Ok(false), "what has expired was not there");
    store.put("a", "soon", value("x"), SECOND).await.expect("room");
    now_ms.fetch_add(60_000, Ordering::Relaxed);
    assert_eq!(store.sweep().await, Ok(2));
    assert_eq!(store.sweep().await, Ok(0));
    assert_eq!(store.list("a", "", None, 9).await, Ok(vec!["never".into(), "renewed".into()]));
}

#[tokio::test]
async fn keys_are_listed_in_order_and_in_pages() {
    let (store, _) = in_memory();
    for key in ["s/3", "s/1", "s/2", "t/1", "r", "s"] {
        store.put("b", key, Vec::new(), None).await.expect("room");
    }
    store.put("a", "s/0", Vec::new(), None).await.expect("room");
    store.put("c", "s/9", Vec::new(), None).await.expect("room");
    let check = async |prefix, after, max, expect: &[&str]| {
        let keys = store.list("b", prefix, after, max).await.expect("works");
        assert_eq!(keys, expect, "{prefix} {after:?} {max}");
    };
    check("", None, 10, &["r", "s", "s/1", "s/2", "s/3", "t/1"]).await;
    check("s/", None, 10, &["s/1", "s/2", "s/3"]).await;
    check("s/", None, 2, &["s/1", "s/2"]).await;
    check("s/", Some("s/2"), 2, &["s/3"]).await;
    check("s/", Some("a"), 1, &["s/1"]).await;
    check("s/", Some("t"), 1, &[]).await;
    check("s/", None, 0, &["s/1"]).await;
    check("x", None, 10, &[]).await;
}

#[tokio::test]
async fn keys_and_values_have_bounds() {
    let (store, _) = in_memory();
    let at = "k".repeat(limits::STATE_KEY_BYTES_MAX);
    let past = format!("{at}k");
    store.put("a", &at, vec![0; limits::STATE_VALUE_BYTES_MAX], None).await.expect("at the bounds");
    let is_too_large = |result: Result<u64, StateError>| matches!(result, Err(StateError::TooLarge(_)));
    assert!(is_too_large(store.put("a", "", Vec::new(), None).await));
    assert!(is_too_large(store.put("a", &past, Vec::new(), None).await));
    assert!(is_too_large(store.put("a", "k", vec![0; limits::STATE_VALUE_BYTES_MAX + 1], None).await));
    assert!(store.get("a", &past).await.is_err() && store.delete("a", &past).await.is_err());
    assert!(store.list("a", &past, None, 1).await.is_err() && store.list("a", "", Some(&past), 1).await.is_err());
}

#[tokio::test]
async fn a_plugin_has_a_share_and_what_is_dead_does_not_count() {
    let now_ms = Arc::new(AtomicU64::new(1_000));
    let share = Share { bytes_max: 30, entries_max: 4 };
    let store = Store::open_with(None, Clock::set(now_ms.clone()), share).expect("memory");
    store.put("a", "1", vec![0; 9], SECOND).await.expect("room");
    store.put("a", "2", vec![0; 9], SECOND).await.expect("room");
    assert_eq!(store.put("a", "3", vec![0; 10], None).await, Err(StateError::Full), "just over");
    store.put("a", "3", vec![0; 9], SECOND).await.expect("just the share");
    store.put("a", "3", vec![1; 9], SECOND).await.expect("in place of itself");
    assert_eq!(store.put("a", "4", Vec::new(), None).await, Err(StateError::Full));
    assert_eq!(store.list("a", "", None, 9).await.map(|keys| keys.len()), Ok(3), "a refusal changes nothing");
    for key in ["1", "2", "3", "4"] {
        store.put("b", key, Vec::new(), None).await.expect("another plugin has its own share");
    }
    assert_eq!(store.put("b", "5", Vec::new(), None).await, Err(StateError::Full), "too many entries");
    store.delete("b", "1").await.expect("works");
    store.put("b", "5", Vec::new(), None).await.expect("room again");
    now_ms.fetch_add(1_000, Ordering::Relaxed);
    store.put("a", "last", vec![0; 26], None).await.expect("the others have expired");
    assert_eq!(store.list("a", "", None, 9).await, Ok(vec!["last".into()]));
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("writable");
    let data = folder.path().join("data");
    let store = Store::open(Some(&data)).expect("new");
    let first = store.put("a", "key", value("one"), None).await.expect("room");
    store.put("a", "gone", value("x"), None).await.expect("room");
    let last = store.put("a", "gone", value("y"), None).await.expect("room");
    store.delete("a", "gone").await.expect("works");
    let error = Store::open(Some(&data)).map(drop).expect_err("in use").to_string();
    assert!(error.contains("another server"), "{error}");
    drop(store);
    let store = Store::open(Some(&data)).expect("there");
    assert_eq!(store.get("a", "key").await, Ok(Some(Entry { value: value("one"), version: first })));
    assert!(store.put("a", "gone", value("z"), None).await.expect("room") > last, "versions outlive what they named");
}

#[tokio::test]
async fn waiting_changes_are_made_before_the_store_closes() {
    let folder = tempfile::tempdir().expect("writable");
    let store = Arc::new(Store::open(Some(folder.path())).expect("new"));
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.put("a", &format!("{number:03}"), Vec::new(), None).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("room");
    }
    drop(store);
    let store = Store::open(Some(folder.path())).expect("there");
    assert_eq!(store.list("a", "", None, 1_024).await.map(|keys| keys.len()), Ok(200));
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_one() {
    let folder = tempfile::tempdir().expect("writable");
    std::fs::write(folder.path().join("state.redb"), "no database").expect("writable");
    let error = Store::open(Some(folder.path())).map(drop).expect_err("damaged").to_string();
    assert!(error.contains("state.redb"), "{error}");
}
